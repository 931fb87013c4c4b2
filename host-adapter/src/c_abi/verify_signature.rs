//! Functions for verifying a signature that is given before the data (PKCS#11 v3.2 §5.16).
//!
//! An argument that cannot be right ends the operation that the call was for (PKCS#11 v3.2 §5.2).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};

use super::entry::{entry, entry_with_scratch};
use super::session;

/// `C_VerifySignatureInit`. A null mechanism ends the operation that is active.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureInit(
    handle: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_VerifySignatureInit", |caller, scratch| {
        let session = session(handle)?;
        let signature = caller.slice(signature, signature_length)?;
        if mechanism.is_null() {
            return session.verify_signature_init(None, key, signature);
        }
        let mechanism = caller.mechanism(mechanism, scratch)?;
        session.verify_signature_init(Some(mechanism), key, signature)
    })
}

/// `C_VerifySignature`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignature(
    handle: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
) -> CK_RV {
    entry("C_VerifySignature", |caller| {
        let session = session(handle)?;
        let data = caller.slice(data, data_length);
        let data = data.inspect_err(|_| session.abandon_verify_signature())?;
        session.verify_signature(data)
    })
}

/// `C_VerifySignatureUpdate`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureUpdate(
    handle: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
) -> CK_RV {
    entry("C_VerifySignatureUpdate", |caller| {
        let session = session(handle)?;
        let part = caller.slice(part, part_length);
        let part = part.inspect_err(|_| session.abandon_verify_signature())?;
        session.verify_signature_update(part)
    })
}

/// `C_VerifySignatureFinal`
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifySignatureFinal(handle: CK_SESSION_HANDLE) -> CK_RV {
    entry("C_VerifySignatureFinal", |_| {
        session(handle)?.verify_signature_final()
    })
}
