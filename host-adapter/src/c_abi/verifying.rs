//! Functions for verifying signatures and MACs (PKCS#11 v3.1 §5.15).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Operation;

use super::entry::entry;
use super::operation::{self, or_abandon};
use super::session;

/// `C_VerifyInit` (PKCS#11 v3.1 §5.15.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin(
        "C_VerifyInit",
        Operation::Verify,
        session,
        mechanism,
        Some(key),
    )
}

/// `C_Verify` (PKCS#11 v3.1 §5.15.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Verify(
    handle: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    entry("C_Verify", |caller| {
        let session = session(handle)?;
        let data = or_abandon(&session, Operation::Verify, caller.slice(data, data_length))?;
        let signature = or_abandon(
            &session,
            Operation::Verify,
            caller.slice(signature, signature_length),
        )?;
        session.verify(data, signature)
    })
}

/// `C_VerifyUpdate` (PKCS#11 v3.1 §5.15.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
) -> CK_RV {
    operation::update(
        "C_VerifyUpdate",
        Operation::Verify,
        session,
        (part, part_length),
    )
}

/// `C_VerifyFinal` (PKCS#11 v3.1 §5.15.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyFinal(
    handle: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    entry("C_VerifyFinal", |caller| {
        let session = session(handle)?;
        let signature = or_abandon(
            &session,
            Operation::Verify,
            caller.slice(signature, signature_length),
        )?;
        session.verify_finish(signature)
    })
}

/// `C_VerifyRecoverInit` (PKCS#11 v3.1 §5.15.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyRecoverInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin(
        "C_VerifyRecoverInit",
        Operation::VerifyRecover,
        session,
        mechanism,
        Some(key),
    )
}

/// `C_VerifyRecover` (PKCS#11 v3.1 §5.15.6)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyRecover(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_VerifyRecover",
        Operation::VerifyRecover,
        session,
        (signature, signature_length),
        (data, data_length),
    )
}
