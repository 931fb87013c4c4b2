//! The module, its slots and tokens (PKCS#11 v2.40 §5.4, §5.5).

use std::ffi::c_void;

use cryptoki_sys::{
    CK_BBOOL, CK_INFO, CK_MECHANISM_INFO, CK_MECHANISM_TYPE, CK_NOTIFY, CK_RV, CK_SESSION_HANDLE,
    CK_SLOT_ID, CK_SLOT_INFO, CK_TOKEN_INFO, CK_ULONG, CK_VERSION, CKF_DECAPSULATE, CKF_DECRYPT,
    CKF_DERIVE, CKF_DIGEST, CKF_ENCAPSULATE, CKF_ENCRYPT, CKF_GENERATE, CKF_GENERATE_KEY_PAIR,
    CKF_LOGIN_REQUIRED, CKF_RNG, CKF_SIGN, CKF_TOKEN_INITIALIZED, CKF_TOKEN_PRESENT,
    CKF_USER_PIN_INITIALIZED, CKF_VERIFY, CKM_AES_CBC_PAD, CKM_AES_GCM, CKM_AES_KEY_GEN,
    CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_HSS, CKM_ML_KEM, CKM_SHA256,
    CKM_SP800_108_COUNTER_KDF, CKM_TLS_PRF, CKM_TLS12_KEY_AND_MAC_DERIVE,
    CKM_TLS12_MASTER_KEY_DERIVE, CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_FUNCTION_NOT_PARALLEL, CKR_MECHANISM_INVALID,
};

use crate::settings::settings;
use crate::{answer, memory, objects, state};

const MECHANISMS: [(CK_MECHANISM_TYPE, u64); 13] = [
    (CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_DECRYPT),
    (CKM_AES_GCM, CKF_ENCRYPT | CKF_DECRYPT),
    (CKM_AES_KEY_GEN, CKF_GENERATE),
    (CKM_EC_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR),
    (CKM_ECDSA, CKF_SIGN | CKF_VERIFY),
    (CKM_ECDSA_SHA256, CKF_SIGN | CKF_VERIFY),
    (CKM_HSS, CKF_SIGN | CKF_VERIFY),
    (CKM_ML_KEM, CKF_ENCAPSULATE | CKF_DECAPSULATE),
    (CKM_SHA256, CKF_DIGEST),
    (CKM_TLS12_KEY_AND_MAC_DERIVE, CKF_DERIVE),
    (CKM_TLS12_MASTER_KEY_DERIVE, CKF_DERIVE),
    (CKM_TLS_PRF, CKF_DERIVE),
    (CKM_SP800_108_COUNTER_KDF, CKF_DERIVE),
];

const VERSION: CK_VERSION = CK_VERSION {
    major: 2,
    minor: 40,
};

/// Whether the token has a mechanism.
pub(crate) fn has_mechanism(mechanism: CK_MECHANISM_TYPE) -> bool {
    MECHANISMS.iter().any(|&(known, _)| known == mechanism) && is_enabled(mechanism)
}

fn is_enabled(mechanism: CK_MECHANISM_TYPE) -> bool {
    let enabled = &settings().mechanisms;
    enabled
        .as_ref()
        .is_none_or(|list| list.contains(&mechanism))
}

pub(crate) unsafe extern "C" fn initialize(_arguments: *mut c_void) -> CK_RV {
    answer("C_Initialize", || {
        if !state::initialize() {
            return Err(CKR_CRYPTOKI_ALREADY_INITIALIZED);
        }
        objects::reset();
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn finalize(_reserved: *mut c_void) -> CK_RV {
    answer("C_Finalize", || {
        if state::finalize() {
            Ok(())
        } else {
            Err(CKR_CRYPTOKI_NOT_INITIALIZED)
        }
    })
}

pub(crate) unsafe extern "C" fn info(info: *mut CK_INFO) -> CK_RV {
    answer("C_GetInfo", || {
        state::initialized()?;
        let value = CK_INFO {
            cryptokiVersion: VERSION,
            manufacturerID: padded("everslot"),
            flags: 0,
            libraryDescription: padded("everslot test module"),
            libraryVersion: CK_VERSION { major: 0, minor: 1 },
        };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(info, value) }
    })
}

pub(crate) unsafe extern "C" fn slots(
    _present: CK_BBOOL,
    list: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    answer("C_GetSlotList", || {
        state::initialized()?;
        let slots: Vec<CK_SLOT_ID> = (0..settings().tokens as CK_SLOT_ID).collect();
        // SAFETY: the application's pointers are null or valid for the stated count, by PKCS#11.
        unsafe { memory::give(list, count, &slots) }.map(drop)
    })
}

pub(crate) unsafe extern "C" fn slot_info(slot: CK_SLOT_ID, info: *mut CK_SLOT_INFO) -> CK_RV {
    answer("C_GetSlotInfo", || {
        state::token(slot)?;
        let value = CK_SLOT_INFO {
            slotDescription: padded("everslot test slot"),
            manufacturerID: padded("everslot"),
            flags: CKF_TOKEN_PRESENT,
            hardwareVersion: VERSION,
            firmwareVersion: VERSION,
        };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(info, value) }
    })
}

pub(crate) unsafe extern "C" fn token_info(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) -> CK_RV {
    answer("C_GetTokenInfo", || {
        let (index, token) = state::token(slot)?;
        let sessions = CK_ULONG::from(token.sessions.load(std::sync::atomic::Ordering::SeqCst));
        let value = CK_TOKEN_INFO {
            label: padded(&label(index)),
            manufacturerID: padded("everslot"),
            model: padded("test"),
            serialNumber: padded(&serial(&label(index))),
            flags: CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED,
            ulMaxSessionCount: settings().session_limit as CK_ULONG,
            ulSessionCount: sessions,
            ulMaxRwSessionCount: settings().session_limit as CK_ULONG,
            ulRwSessionCount: sessions,
            ulMaxPinLen: 255,
            ulMinPinLen: 4,
            ulTotalPublicMemory: CK_ULONG::MAX,
            ulFreePublicMemory: CK_ULONG::MAX,
            ulTotalPrivateMemory: CK_ULONG::MAX,
            ulFreePrivateMemory: CK_ULONG::MAX,
            hardwareVersion: VERSION,
            firmwareVersion: VERSION,
            utcTime: [b' '; 16],
        };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(info, value) }
    })
}

pub(crate) unsafe extern "C" fn mechanisms(
    slot: CK_SLOT_ID,
    list: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    answer("C_GetMechanismList", || {
        state::token(slot)?;
        let types = MECHANISMS.map(|(mechanism, _)| mechanism);
        let types: Vec<_> = types.into_iter().filter(|&kind| is_enabled(kind)).collect();
        // SAFETY: the application's pointers are null or valid for the stated count, by PKCS#11.
        unsafe { memory::give(list, count, &types) }.map(drop)
    })
}

pub(crate) unsafe extern "C" fn mechanism_info(
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    answer("C_GetMechanismInfo", || {
        state::token(slot)?;
        let (_, flags) = *MECHANISMS
            .iter()
            .find(|&&(known, _)| known == mechanism && is_enabled(known))
            .ok_or(CKR_MECHANISM_INVALID)?;
        let value = CK_MECHANISM_INFO {
            ulMinKeySize: 16,
            ulMaxKeySize: settings().largest_key,
            flags,
        };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(info, value) }
    })
}

/// `C_GetFunctionStatus` and `C_CancelFunction` (PKCS#11 v2.40 §5.18).
pub(crate) unsafe extern "C" fn no_parallel(_session: CK_SESSION_HANDLE) -> CK_RV {
    CKR_FUNCTION_NOT_PARALLEL
}

/// The type of `C_OpenSession`'s callback, which the module never calls.
pub(crate) type Notify = CK_NOTIFY;

fn label(index: usize) -> String {
    let settings = settings();
    if settings.tokens == 1 {
        settings.label.clone()
    } else {
        format!("{}-{index}", settings.label)
    }
}

/// A serial number that follows from the label, so that two members with labels of their own are two tokens.
fn serial(label: &str) -> String {
    format!(
        "{:016x}",
        crate::operations::checksum(crate::operations::SEED, label.as_bytes())
    )
}

/// Blank-padded and cut, as PKCS#11 has its texts.
fn padded<const LENGTH: usize>(text: &str) -> [u8; LENGTH] {
    let mut field = [b' '; LENGTH];
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    field
}
