use cryptoki_sys::{
    CK_INFO, CK_MECHANISM_INFO, CK_SESSION_INFO, CK_SLOT_INFO, CK_TOKEN_INFO, CK_VERSION,
};
use everslot_protocol::{MechanismInfo, ModuleInfo, SessionInfo, SlotInfo, TokenInfo, Version};

pub(super) fn module(info: &CK_INFO) -> ModuleInfo {
    ModuleInfo {
        cryptoki: version(info.cryptokiVersion),
        manufacturer: info.manufacturerID,
        flags: info.flags,
        description: info.libraryDescription,
        library: version(info.libraryVersion),
    }
}

pub(super) fn slot(info: &CK_SLOT_INFO) -> SlotInfo {
    let (halves, _) = info.slotDescription.as_chunks::<32>();
    SlotInfo {
        description: [halves[0], halves[1]],
        manufacturer: info.manufacturerID,
        flags: info.flags,
        hardware: version(info.hardwareVersion),
        firmware: version(info.firmwareVersion),
    }
}

pub(super) fn token(info: &CK_TOKEN_INFO) -> TokenInfo {
    TokenInfo {
        label: info.label,
        manufacturer: info.manufacturerID,
        model: info.model,
        serial: info.serialNumber,
        flags: info.flags,
        max_sessions: info.ulMaxSessionCount,
        sessions: info.ulSessionCount,
        max_rw_sessions: info.ulMaxRwSessionCount,
        rw_sessions: info.ulRwSessionCount,
        max_pin: info.ulMaxPinLen,
        min_pin: info.ulMinPinLen,
        total_public_memory: info.ulTotalPublicMemory,
        free_public_memory: info.ulFreePublicMemory,
        total_private_memory: info.ulTotalPrivateMemory,
        free_private_memory: info.ulFreePrivateMemory,
        hardware: version(info.hardwareVersion),
        firmware: version(info.firmwareVersion),
        utc_time: info.utcTime,
    }
}

pub(super) fn session(info: &CK_SESSION_INFO) -> SessionInfo {
    SessionInfo {
        slot: info.slotID,
        state: info.state,
        flags: info.flags,
        device_error: info.ulDeviceError,
    }
}

pub(super) fn mechanism(info: &CK_MECHANISM_INFO) -> MechanismInfo {
    MechanismInfo {
        min_key_size: info.ulMinKeySize,
        max_key_size: info.ulMaxKeySize,
        flags: info.flags,
    }
}

fn version(version: CK_VERSION) -> Version {
    Version {
        major: version.major,
        minor: version.minor,
    }
}
