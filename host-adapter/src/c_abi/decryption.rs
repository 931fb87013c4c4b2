//! Decryption functions (PKCS#11 v3.1 §5.10).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_protocol::Operation;

use super::operation;

/// `C_DecryptInit` (PKCS#11 v3.1 §5.10.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    operation::begin(
        "C_DecryptInit",
        Operation::Decrypt,
        session,
        mechanism,
        Some(key),
    )
}

/// `C_Decrypt` (PKCS#11 v3.1 §5.10.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_Decrypt(
    session: CK_SESSION_HANDLE,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: *mut CK_ULONG,
) -> CK_RV {
    operation::whole(
        "C_Decrypt",
        Operation::Decrypt,
        session,
        (encrypted, encrypted_length),
        (data, data_length),
    )
}

/// `C_DecryptUpdate` (PKCS#11 v3.1 §5.10.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptUpdate(
    session: CK_SESSION_HANDLE,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    part: *mut CK_BYTE,
    part_length: *mut CK_ULONG,
) -> CK_RV {
    operation::update_output(
        "C_DecryptUpdate",
        Operation::Decrypt,
        session,
        (encrypted, encrypted_length),
        (part, part_length),
    )
}

/// `C_DecryptFinal` (PKCS#11 v3.1 §5.10.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptFinal(
    session: CK_SESSION_HANDLE,
    last: *mut CK_BYTE,
    last_length: *mut CK_ULONG,
) -> CK_RV {
    operation::finish(
        "C_DecryptFinal",
        Operation::Decrypt,
        session,
        (last, last_length),
    )
}
