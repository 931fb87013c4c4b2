//! Sessions and login (PKCS#11 v2.40 §5.6).

use std::ffi::c_void;
use std::sync::atomic::Ordering::SeqCst;

use cryptoki_sys::{
    CK_FLAGS, CK_RV, CK_SESSION_HANDLE, CK_SESSION_INFO, CK_SLOT_ID, CK_ULONG, CK_USER_TYPE,
    CK_UTF8CHAR, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR_PIN_INCORRECT,
    CKR_SESSION_PARALLEL_NOT_SUPPORTED, CKR_USER_ALREADY_LOGGED_IN,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_USER_NOT_LOGGED_IN, CKR_USER_TYPE_INVALID,
    CKS_RO_PUBLIC_SESSION, CKS_RO_USER_FUNCTIONS, CKS_RW_PUBLIC_SESSION, CKS_RW_SO_FUNCTIONS,
    CKS_RW_USER_FUNCTIONS, CKU_SO, CKU_USER,
};

use crate::general::Notify;
use crate::state::Session;
use crate::{Outcome, answer, memory, pins, state};

pub(crate) unsafe extern "C" fn open(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    _application: *mut c_void,
    _notify: Notify,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    answer("C_OpenSession", || {
        if flags & CKF_SERIAL_SESSION == 0 {
            return Err(CKR_SESSION_PARALLEL_NOT_SUPPORTED);
        }
        let handle = state::open(slot, flags & CKF_RW_SESSION != 0)?;
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(session, handle) }
    })
}

pub(crate) unsafe extern "C" fn close(session: CK_SESSION_HANDLE) -> CK_RV {
    answer("C_CloseSession", || {
        state::session(session)?.close();
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn close_all(slot: CK_SLOT_ID) -> CK_RV {
    answer("C_CloseAllSessions", || {
        let (slot, _) = state::token(slot)?;
        state::close_all(slot);
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn session_info(
    session: CK_SESSION_HANDLE,
    info: *mut CK_SESSION_INFO,
) -> CK_RV {
    answer("C_GetSessionInfo", || {
        let session = state::session(session)?;
        let flags = CKF_SERIAL_SESSION
            | if session.is_read_write() {
                CKF_RW_SESSION
            } else {
                0
            };
        let slot = session.slot().unwrap_or(0) as CK_SLOT_ID;
        let value = CK_SESSION_INFO {
            slotID: slot,
            state: session_state(session),
            flags,
            ulDeviceError: 0,
        };
        // SAFETY: the application's pointer is null or valid, by PKCS#11.
        unsafe { memory::put(info, value) }
    })
}

pub(crate) unsafe extern "C" fn login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
) -> CK_RV {
    answer("C_Login", || {
        // SAFETY: the application's pointer is null or valid for the stated length, by PKCS#11.
        log_in(session, user, unsafe { memory::bytes(pin, length) }?)
    })
}

/// Logs in, whoever the user is by name.
pub(crate) fn log_in(session: CK_SESSION_HANDLE, user: CK_USER_TYPE, pin: &[u8]) -> Outcome {
    let session = state::session(session)?;
    let known = match user {
        CKU_SO => pins::current().so,
        CKU_USER => pins::current().user,
        _ => return Err(CKR_USER_TYPE_INVALID),
    };
    let login = &session.token().login;
    let wanted = user as u8 + 1;
    match login.load(SeqCst) {
        0 => {}
        there if there == wanted => return Err(CKR_USER_ALREADY_LOGGED_IN),
        _ => return Err(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
    }
    if pin != known.as_bytes() {
        return Err(CKR_PIN_INCORRECT);
    }
    login.store(wanted, SeqCst);
    Ok(())
}

pub(crate) unsafe extern "C" fn logout(session: CK_SESSION_HANDLE) -> CK_RV {
    answer("C_Logout", || {
        match state::session(session)?.token().login.swap(0, SeqCst) {
            0 => Err(CKR_USER_NOT_LOGGED_IN),
            _ => Ok(()),
        }
    })
}

fn session_state(session: &Session) -> u64 {
    match (session.token().login.load(SeqCst), session.is_read_write()) {
        (0, false) => CKS_RO_PUBLIC_SESSION,
        (0, true) => CKS_RW_PUBLIC_SESSION,
        (1, _) => CKS_RW_SO_FUNCTIONS,
        (_, false) => CKS_RO_USER_FUNCTIONS,
        (_, true) => CKS_RW_USER_FUNCTIONS,
    }
}
