//! Session management (PKCS#11 v3.1 §5.6).

use cryptoki_sys::{
    CK_BYTE, CK_FLAGS, CK_NOTIFY, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SESSION_INFO,
    CK_SLOT_ID, CK_ULONG, CK_USER_TYPE, CK_VOID_PTR, CKF_ASYNC_SESSION, CKF_SERIAL_SESSION,
};
use everslot_core::ckr;

use super::entry::entry;
use super::{session, slot};

/// `C_OpenSession` (PKCS#11 v3.1 §5.6.1); the callback is never called, since nothing that it could be told of ever happens here.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_OpenSession(
    id: CK_SLOT_ID,
    flags: CK_FLAGS,
    _application: CK_VOID_PTR,
    _notify: CK_NOTIFY,
    handle: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    entry("C_OpenSession", |caller| {
        let slot = slot(id)?;
        let place = caller.place(handle)?;
        if flags & CKF_SERIAL_SESSION == 0 {
            return Err(ckr::SESSION_PARALLEL_NOT_SUPPORTED);
        }
        if flags & CKF_ASYNC_SESSION != 0 {
            return Err(ckr::SESSION_ASYNC_NOT_SUPPORTED);
        }
        place.set(slot.open_session(flags)?);
        Ok(())
    })
}

/// `C_CloseSession` (PKCS#11 v3.1 §5.6.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseSession(handle: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_CloseSession", |_| session(handle)?.close())
}

/// `C_CloseAllSessions` (PKCS#11 v3.1 §5.6.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_CloseAllSessions(id: CK_SLOT_ID) -> CK_RV {
    entry("C_CloseAllSessions", |_| slot(id)?.close_all_sessions())
}

/// `C_GetSessionInfo` (PKCS#11 v3.1 §5.6.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetSessionInfo(
    handle: CK_SESSION_HANDLE,
    info: *mut CK_SESSION_INFO,
) -> CK_RV {
    entry("C_GetSessionInfo", |caller| {
        let session = session(handle)?;
        let place = caller.place(info)?;
        let info = session.info()?;
        place.set(CK_SESSION_INFO {
            slotID: info.slot,
            state: info.state,
            flags: info.flags,
            ulDeviceError: info.device_error,
        });
        Ok(())
    })
}

/// `C_GetOperationState` (PKCS#11 v3.1 §5.6.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_GetOperationState(
    handle: CK_SESSION_HANDLE,
    state: *mut CK_BYTE,
    state_length: *mut CK_ULONG,
) -> CK_RV {
    entry("C_GetOperationState", |caller| {
        let session = session(handle)?;
        caller
            .output(state, state_length)?
            .fill(|output| session.operation_state(output))
    })
}

/// `C_SetOperationState` (PKCS#11 v3.1 §5.6.7)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SetOperationState(
    handle: CK_SESSION_HANDLE,
    state: *mut CK_BYTE,
    state_length: CK_ULONG,
    encryption_key: CK_OBJECT_HANDLE,
    authentication_key: CK_OBJECT_HANDLE,
) -> CK_RV {
    entry("C_SetOperationState", |caller| {
        let session = session(handle)?;
        let state = caller.slice(state, state_length)?;
        session.set_operation_state(state, encryption_key, authentication_key)
    })
}

/// `C_Login` (PKCS#11 v3.1 §5.6.8)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Login(
    handle: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_BYTE,
    pin_length: CK_ULONG,
) -> CK_RV {
    entry("C_Login", |caller| {
        session(handle)?.login(user, caller.pin(pin, pin_length)?)
    })
}

/// `C_Logout` (PKCS#11 v3.1 §5.6.10)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Logout(handle: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_Logout", |_| session(handle)?.logout())
}
