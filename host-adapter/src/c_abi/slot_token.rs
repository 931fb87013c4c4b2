//! Slot and token management (PKCS#11 v3.1 §5.5).

use cryptoki_sys::{
    CK_BBOOL, CK_BYTE, CK_FALSE, CK_FLAGS, CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_RV,
    CK_SESSION_HANDLE, CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG, CK_VOID_PTR,
    CKF_DONT_BLOCK,
};
use everslot_core::ckr;
use everslot_protocol::{SlotInfo, TokenInfo};

use super::entry::{entry, entry_without_turn};
use super::general::version;
use super::{Library, session, slot};

/// `C_GetSlotList` (PKCS#11 v3.1 §5.5.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotList(
    token_present: CK_BBOOL,
    list: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetSlotList", |caller| {
        let library = Library::current()?;
        caller.answer_list(list, count, || Ok(library.slots(token_present != CK_FALSE)))
    })
}

/// `C_GetSlotInfo` (PKCS#11 v3.1 §5.5.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSlotInfo(id: CK_SLOT_ID, info: *mut CK_SLOT_INFO) -> CK_RV {
    entry("C_GetSlotInfo", |caller| {
        let slot = slot(id)?;
        caller.place(info)?.set(slot_info(&slot.slot_info()));
        Ok(())
    })
}

/// `C_GetTokenInfo` (PKCS#11 v3.1 §5.5.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetTokenInfo(id: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) -> CK_RV {
    entry("C_GetTokenInfo", |caller| {
        let slot = slot(id)?;
        let place = caller.place(info)?;
        place.set(token_info(&slot.token_info()?));
        Ok(())
    })
}

/// `C_WaitForSlotEvent` (PKCS#11 v3.1 §5.5.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_WaitForSlotEvent(
    flags: CK_FLAGS,
    id: *mut CK_SLOT_ID,
    reserved: CK_VOID_PTR,
) -> CK_RV {
    entry_without_turn("C_WaitForSlotEvent", |caller| {
        let library = Library::current()?;
        let place = caller.place(id)?;
        if !reserved.is_null() {
            return Err(ckr::ARGUMENTS_BAD);
        }
        place.set(library.wait_for_slot_event(flags & CKF_DONT_BLOCK != 0)?);
        Ok(())
    })
}

/// `C_GetMechanismList` (PKCS#11 v3.1 §5.5.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismList(
    id: CK_SLOT_ID,
    list: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetMechanismList", |caller| {
        let slot = slot(id)?;
        caller.answer_list(list, count, || slot.mechanisms())
    })
}

/// `C_GetMechanismInfo` (PKCS#11 v3.1 §5.5.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetMechanismInfo(
    id: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    entry("C_GetMechanismInfo", |caller| {
        let slot = slot(id)?;
        let place = caller.place(info)?;
        let info = slot.mechanism_info(mechanism)?;
        place.set(CK_MECHANISM_INFO {
            ulMinKeySize: info.min_key_size,
            ulMaxKeySize: info.max_key_size,
            flags: info.flags,
        });
        Ok(())
    })
}

/// `C_InitToken` (PKCS#11 v3.1 §5.5.7)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitToken(
    id: CK_SLOT_ID,
    pin: *mut CK_BYTE,
    pin_length: CK_ULONG,
    label: *mut CK_BYTE,
) -> CK_RV {
    entry("C_InitToken", |caller| {
        let slot = slot(id)?;
        slot.init_token(caller.pin(pin, pin_length)?, caller.label(label)?)
    })
}

/// `C_InitPIN` (PKCS#11 v3.1 §5.5.8)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_InitPIN(
    handle: CK_SESSION_HANDLE,
    pin: *mut CK_BYTE,
    pin_length: CK_ULONG,
) -> CK_RV {
    entry("C_InitPIN", |caller| {
        session(handle)?.init_pin(caller.pin(pin, pin_length)?)
    })
}

/// `C_SetPIN` (PKCS#11 v3.1 §5.5.9)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetPIN(
    handle: CK_SESSION_HANDLE,
    old: *mut CK_BYTE,
    old_length: CK_ULONG,
    new: *mut CK_BYTE,
    new_length: CK_ULONG,
) -> CK_RV {
    entry("C_SetPIN", |caller| {
        let session = session(handle)?;
        session.set_pin(caller.pin(old, old_length)?, caller.pin(new, new_length)?)
    })
}

fn slot_info(info: &SlotInfo) -> CK_SLOT_INFO {
    let mut description = [0; 64];
    description.copy_from_slice(info.description.as_flattened());
    CK_SLOT_INFO {
        slotDescription: description,
        manufacturerID: info.manufacturer,
        flags: info.flags,
        hardwareVersion: version(info.hardware),
        firmwareVersion: version(info.firmware),
    }
}

const fn token_info(info: &TokenInfo) -> CK_TOKEN_INFO {
    CK_TOKEN_INFO {
        label: info.label,
        manufacturerID: info.manufacturer,
        model: info.model,
        serialNumber: info.serial,
        flags: info.flags,
        ulMaxSessionCount: info.max_sessions,
        ulSessionCount: info.sessions,
        ulMaxRwSessionCount: info.max_rw_sessions,
        ulRwSessionCount: info.rw_sessions,
        ulMaxPinLen: info.max_pin,
        ulMinPinLen: info.min_pin,
        ulTotalPublicMemory: info.total_public_memory,
        ulFreePublicMemory: info.free_public_memory,
        ulTotalPrivateMemory: info.total_private_memory,
        ulFreePrivateMemory: info.free_private_memory,
        hardwareVersion: version(info.hardware),
        firmwareVersion: version(info.firmware),
        utcTime: info.utc_time,
    }
}
