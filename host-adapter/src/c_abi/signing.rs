//! Signing and MACing functions (PKCS#11 v3.1 §5.13).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Operation;

use super::operation;

/// `C_SignInit` (PKCS#11 v3.1 §5.13.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin("C_SignInit", Operation::Sign, session, mechanism, Some(key))
}

/// `C_Sign` (PKCS#11 v3.1 §5.13.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_Sign",
        Operation::Sign,
        session,
        (data, data_length),
        (signature, signature_length),
    )
}

/// `C_SignUpdate` (PKCS#11 v3.1 §5.13.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
) -> CK_RV {
    operation::update(
        "C_SignUpdate",
        Operation::Sign,
        session,
        (part, part_length),
    )
}

/// `C_SignFinal` (PKCS#11 v3.1 §5.13.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignFinal(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    operation::finish(
        "C_SignFinal",
        Operation::Sign,
        session,
        (signature, signature_length),
    )
}

/// `C_SignRecoverInit` (PKCS#11 v3.1 §5.13.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignRecoverInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin(
        "C_SignRecoverInit",
        Operation::SignRecover,
        session,
        mechanism,
        Some(key),
    )
}

/// `C_SignRecover` (PKCS#11 v3.1 §5.13.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignRecover(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_SignRecover",
        Operation::SignRecover,
        session,
        (data, data_length),
        (signature, signature_length),
    )
}
