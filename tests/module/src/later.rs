//! What PKCS#11 3.0 and 3.2 have beside messages: users with names, a signature that is given first, encapsulation, authenticated wrapping.
//!
//! An encapsulated key is its value with each byte flipped; a wrapped one likewise, with the checksum of the associated data before it.

use std::ffi::c_void;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use cryptoki_sys::{
    CK_ASYNC_DATA, CK_ATTRIBUTE, CK_BYTE, CK_FLAGS, CK_GCM_WRAP_PARAMS, CK_MECHANISM,
    CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SESSION_VALIDATION_FLAGS_TYPE, CK_ULONG,
    CK_USER_TYPE, CK_UTF8CHAR, CKA_VALUE, CKG_NO_GENERATE, CKK_AES, CKM_AES_GCM, CKM_ECDSA_SHA256,
    CKM_ML_KEM, CKO_SECRET_KEY, CKR_FUNCTION_NOT_SUPPORTED, CKR_KEY_HANDLE_INVALID,
    CKR_MECHANISM_PARAM_INVALID, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED,
    CKR_PIN_INCORRECT, CKR_WRAPPED_KEY_INVALID, CKS_LAST_VALIDATION_OK,
};

use crate::keys::{completed, distinct, is_mechanism};
use crate::memory::Given;
use crate::messages::matches_signature;
use crate::objects::{self, Object};
use crate::operations::{FLIP, SEED, checksum, spread};
use crate::settings::settings;
use crate::{Outcome, answer, memory, sessions, state};

/// The bit and the place of the checksum of the verification that is given its signature first.
const CHECK: usize = 7;
const CHECK_BIT: u32 = 1 << CHECK;

const SUM_LENGTH: usize = 8;

pub(crate) unsafe extern "C" fn login_user(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
    name: *mut CK_UTF8CHAR,
    name_length: CK_ULONG,
) -> CK_RV {
    answer("C_LoginUser", || {
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        let (pin, name) = unsafe {
            (
                memory::bytes(pin, length)?,
                memory::bytes(name, name_length)?,
            )
        };
        if name != settings().user.as_bytes() {
            return Err(CKR_PIN_INCORRECT);
        }
        sessions::log_in(session, user, pin)
    })
}

pub(crate) unsafe extern "C" fn cancel(session: CK_SESSION_HANDLE, _flags: CK_FLAGS) -> CK_RV {
    answer("C_SessionCancel", || {
        state::session(session)?.operations.store(0, SeqCst);
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn validation_flags(
    session: CK_SESSION_HANDLE,
    _kind: CK_SESSION_VALIDATION_FLAGS_TYPE,
    flags: *mut CK_FLAGS,
) -> CK_RV {
    answer("C_GetSessionValidationFlags", || {
        state::session(session)?;
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(flags, CKS_LAST_VALIDATION_OK) }
    })
}

pub(crate) unsafe extern "C" fn check_init(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
    signature: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    answer("C_VerifySignatureInit", || {
        let session = state::session(session)?;
        // SAFETY: the application's pointers are null or valid for the stated length, by PKCS#11.
        let signature = unsafe {
            is_mechanism(mechanism, CKM_ECDSA_SHA256)?;
            memory::bytes(signature, length)?
        };
        if !objects::is_usable(session, key) {
            return Err(CKR_KEY_HANDLE_INVALID);
        }
        if session.operations.fetch_or(CHECK_BIT, SeqCst) & CHECK_BIT != 0 {
            return Err(CKR_OPERATION_ACTIVE);
        }
        session.sums[CHECK].store(SEED, Relaxed);
        *session.signature() = signature.to_vec();
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn check(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    // SAFETY: the application's pointer is null or valid for the stated length, by PKCS#11.
    answer("C_VerifySignature", || unsafe {
        checked(session, data, length, true)
    })
}

pub(crate) unsafe extern "C" fn check_update(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    // SAFETY: the application's pointer is null or valid for the stated length, by PKCS#11.
    answer("C_VerifySignatureUpdate", || unsafe {
        checked(session, data, length, false)
    })
}

pub(crate) unsafe extern "C" fn check_final(session: CK_SESSION_HANDLE) -> CK_RV {
    // SAFETY: no data.
    answer("C_VerifySignatureFinal", || unsafe {
        checked(session, std::ptr::null(), 0, true)
    })
}

/// # Safety
/// `data` is null or valid for `length` bytes.
unsafe fn checked(
    session: CK_SESSION_HANDLE,
    data: *const CK_BYTE,
    length: CK_ULONG,
    last: bool,
) -> Outcome {
    let session = state::session(session)?;
    if session.operations.load(SeqCst) & CHECK_BIT == 0 {
        return Err(CKR_OPERATION_NOT_INITIALIZED);
    }
    // SAFETY: by this function's contract.
    let data = unsafe { memory::bytes(data, length) }?;
    let sum = checksum(session.sums[CHECK].load(Relaxed), data);
    session.sums[CHECK].store(sum, Relaxed);
    if !last {
        return Ok(());
    }
    session.operations.fetch_and(!CHECK_BIT, SeqCst);
    matches_signature(sum, &session.signature())
}

pub(crate) unsafe extern "C" fn encapsulate(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    public_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    ciphertext: *mut CK_BYTE,
    length: *mut CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_EncapsulateKey", || {
        usable(session, public_key)?;
        let value = distinct().repeat(4);
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            is_mechanism(mechanism, CKM_ML_KEM)?;
            match memory::give(ciphertext, length, &flipped(&value))? {
                Given::Length => Ok(()),
                Given::Output => make(session, template, count, value, key),
            }
        }
    })
}

pub(crate) unsafe extern "C" fn decapsulate(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    private_key: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    ciphertext: *mut CK_BYTE,
    length: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_DecapsulateKey", || {
        usable(session, private_key)?;
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            is_mechanism(mechanism, CKM_ML_KEM)?;
            let value = flipped(memory::bytes(ciphertext, length)?);
            make(session, template, count, value, key)
        }
    })
}

pub(crate) unsafe extern "C" fn wrap(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    wrapping_key: CK_OBJECT_HANDLE,
    key: CK_OBJECT_HANDLE,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    wrapped: *mut CK_BYTE,
    length: *mut CK_ULONG,
) -> CK_RV {
    answer("C_WrapKeyAuthenticated", || {
        usable(session, wrapping_key)?;
        let value = objects::value(session, key)?;
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            let parameter = gcm(mechanism)?;
            let associated = memory::bytes(associated, associated_length)?;
            if parameter.ivGenerator != CKG_NO_GENERATE && !wrapped.is_null() {
                if parameter.pIv.is_null() {
                    return Err(CKR_MECHANISM_PARAM_INVALID);
                }
                let made = distinct();
                let room = usize::try_from(parameter.ulIvLen).unwrap_or(0);
                parameter.pIv.copy_from(made.as_ptr(), room.min(made.len()));
            }
            let sum: [u8; SUM_LENGTH] = spread(checksum(SEED, associated));
            memory::give(wrapped, length, &[&sum, &*flipped(&value)].concat()).map(drop)
        }
    })
}

pub(crate) unsafe extern "C" fn unwrap(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    unwrapping_key: CK_OBJECT_HANDLE,
    wrapped: *mut CK_BYTE,
    length: CK_ULONG,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    key: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    answer("C_UnwrapKeyAuthenticated", || {
        usable(session, unwrapping_key)?;
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            gcm(mechanism)?;
            let sum: [u8; SUM_LENGTH] = spread(checksum(
                SEED,
                memory::bytes(associated, associated_length)?,
            ));
            let value = memory::bytes(wrapped, length)?.strip_prefix(&sum);
            let value = value.ok_or(CKR_WRAPPED_KEY_INVALID)?;
            make(session, template, count, flipped(value), key)
        }
    })
}

pub(crate) unsafe extern "C" fn async_complete(
    _session: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _result: *mut CK_ASYNC_DATA,
) -> CK_RV {
    CKR_FUNCTION_NOT_SUPPORTED
}

pub(crate) unsafe extern "C" fn async_id(
    _session: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _id: *mut CK_ULONG,
) -> CK_RV {
    CKR_FUNCTION_NOT_SUPPORTED
}

pub(crate) unsafe extern "C" fn async_join(
    _session: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _id: CK_ULONG,
    _data: *mut CK_BYTE,
    _length: CK_ULONG,
) -> CK_RV {
    CKR_FUNCTION_NOT_SUPPORTED
}

fn usable(session: CK_SESSION_HANDLE, key: CK_OBJECT_HANDLE) -> Outcome {
    if objects::is_usable(state::session(session)?, key) {
        Ok(())
    } else {
        Err(CKR_KEY_HANDLE_INVALID)
    }
}

fn flipped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ FLIP).collect()
}

/// # Safety
/// `mechanism` is null or valid, and so is its parameter.
unsafe fn gcm<'a>(mechanism: *mut CK_MECHANISM) -> Result<&'a CK_GCM_WRAP_PARAMS, CK_RV> {
    // SAFETY: by this function's contract.
    unsafe {
        is_mechanism(mechanism, CKM_AES_GCM)?;
        let (parameter, length): (*mut c_void, _) =
            ((*mechanism).pParameter, (*mechanism).ulParameterLen);
        if length != size_of::<CK_GCM_WRAP_PARAMS>() as CK_ULONG {
            return Err(CKR_MECHANISM_PARAM_INVALID);
        }
        parameter
            .cast::<CK_GCM_WRAP_PARAMS>()
            .as_ref()
            .ok_or(CKR_MECHANISM_PARAM_INVALID)
    }
}

/// Makes an AES key of this value.
///
/// # Safety
/// The pointers are null or valid.
unsafe fn make(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    value: Vec<u8>,
    key: *mut CK_OBJECT_HANDLE,
) -> Outcome {
    let slot = state::session(session)?.slot().unwrap_or(0);
    // SAFETY: by this function's contract.
    unsafe {
        let attributes = objects::attributes(template, count)?;
        let attributes = completed(attributes, CKO_SECRET_KEY, CKK_AES, (CKA_VALUE, value));
        memory::put(key, objects::add(Object::new(slot, attributes)))
    }
}
