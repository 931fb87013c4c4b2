//! Dual-function cryptographic functions (PKCS#11 v3.1 §5.17).

use cryptoki_sys::{CK_BYTE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Dual;

use super::operation;

/// `C_DigestEncryptUpdate` (PKCS#11 v3.1 §5.17.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DigestEncryptUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
) -> CK_RV {
    operation::dual_update(
        "C_DigestEncryptUpdate",
        Dual::DigestEncrypt,
        session,
        (part, part_length),
        (encrypted, encrypted_length),
    )
}

/// `C_DecryptDigestUpdate` (PKCS#11 v3.1 §5.17.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptDigestUpdate(
    session: CK_SESSION_HANDLE,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    part: *mut CK_BYTE,
    part_length: *mut CK_ULONG,
) -> CK_RV {
    operation::dual_update(
        "C_DecryptDigestUpdate",
        Dual::DecryptDigest,
        session,
        (encrypted, encrypted_length),
        (part, part_length),
    )
}

/// `C_SignEncryptUpdate` (PKCS#11 v3.1 §5.17.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignEncryptUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
) -> CK_RV {
    operation::dual_update(
        "C_SignEncryptUpdate",
        Dual::SignEncrypt,
        session,
        (part, part_length),
        (encrypted, encrypted_length),
    )
}

/// `C_DecryptVerifyUpdate` (PKCS#11 v3.1 §5.17.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptVerifyUpdate(
    session: CK_SESSION_HANDLE,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    part: *mut CK_BYTE,
    part_length: *mut CK_ULONG,
) -> CK_RV {
    operation::dual_update(
        "C_DecryptVerifyUpdate",
        Dual::DecryptVerify,
        session,
        (encrypted, encrypted_length),
        (part, part_length),
    )
}
