//! Encryption functions (PKCS#11 v3.1 §5.8).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Operation;

use super::operation;

/// `C_EncryptInit` (PKCS#11 v3.1 §5.8.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin(
        "C_EncryptInit",
        Operation::Encrypt,
        session,
        mechanism,
        Some(key),
    )
}

/// `C_Encrypt` (PKCS#11 v3.1 §5.8.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Encrypt(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_Encrypt",
        Operation::Encrypt,
        session,
        (data, data_length),
        (encrypted, encrypted_length),
    )
}

/// `C_EncryptUpdate` (PKCS#11 v3.1 §5.8.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptUpdate(
    session: CK_SESSION_HANDLE,
    part: *mut CK_BYTE,
    part_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
) -> CK_RV {
    operation::update_output(
        "C_EncryptUpdate",
        Operation::Encrypt,
        session,
        (part, part_length),
        (encrypted, encrypted_length),
    )
}

/// `C_EncryptFinal` (PKCS#11 v3.1 §5.8.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptFinal(
    session: CK_SESSION_HANDLE,
    last: *mut CK_BYTE,
    last_length: *mut CK_ULONG,
) -> CK_RV {
    operation::finish(
        "C_EncryptFinal",
        Operation::Encrypt,
        session,
        (last, last_length),
    )
}
