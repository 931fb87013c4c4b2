//! Session management and asynchronous functions of PKCS#11 3.0 and later (v3.1 §5.6, v3.2 §5.21).

use cryptoki_sys::{
    CK_ASYNC_DATA, CK_BYTE, CK_FLAGS, CK_RV, CK_SESSION_HANDLE, CK_SESSION_VALIDATION_FLAGS_TYPE,
    CK_ULONG, CK_USER_TYPE, CK_UTF8CHAR,
};
use everslot_core::ckr;

use super::entry::entry;
use super::session;

/// `C_LoginUser` (PKCS#11 v3.1 §5.6.9)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_LoginUser(
    handle: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    pin_length: CK_ULONG,
    name: *mut CK_UTF8CHAR,
    name_length: CK_ULONG,
) -> CK_RV {
    entry("C_LoginUser", |caller| {
        let session = session(handle)?;
        let pin = caller.pin(pin, pin_length)?;
        session.login_user(user, pin, caller.slice(name, name_length)?)
    })
}

/// `C_SessionCancel` (PKCS#11 v3.1 §5.6.11)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SessionCancel(
    handle: CK_SESSION_HANDLE,
    flags: CK_FLAGS,
) -> CK_RV {
    entry("C_SessionCancel", |_| session(handle)?.cancel(flags))
}

/// `C_GetSessionValidationFlags` (PKCS#11 v3.2 §5.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSessionValidationFlags(
    handle: CK_SESSION_HANDLE,
    kind: CK_SESSION_VALIDATION_FLAGS_TYPE,
    flags: *mut CK_FLAGS,
) -> CK_RV {
    entry("C_GetSessionValidationFlags", |caller| {
        let session = session(handle)?;
        let place = caller.place(flags)?;
        place.set(session.validation_flags(kind)?);
        Ok(())
    })
}

/// `C_AsyncComplete` (PKCS#11 v3.2 §5.21): there are no asynchronous sessions, since a call that could still be under way on a member
/// could not be moved off it.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_AsyncComplete(
    handle: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _result: *mut CK_ASYNC_DATA,
) -> CK_RV {
    no_asynchronous("C_AsyncComplete", handle)
}

/// `C_AsyncGetID` (PKCS#11 v3.2 §5.21)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_AsyncGetID(
    handle: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _id: *mut CK_ULONG,
) -> CK_RV {
    no_asynchronous("C_AsyncGetID", handle)
}

/// `C_AsyncJoin` (PKCS#11 v3.2 §5.21)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_AsyncJoin(
    handle: CK_SESSION_HANDLE,
    _function: *mut CK_UTF8CHAR,
    _id: CK_ULONG,
    _data: *mut CK_BYTE,
    _data_length: CK_ULONG,
) -> CK_RV {
    no_asynchronous("C_AsyncJoin", handle)
}

fn no_asynchronous(function: &'static str, handle: CK_SESSION_HANDLE) -> CK_RV {
    entry(function, |_| {
        session(handle)?;
        Err(ckr::FUNCTION_NOT_SUPPORTED)
    })
}
