//! Message-based decryption functions (PKCS#11 v3.1 §5.11).

use cryptoki_sys::{
    CK_BYTE, CK_FLAGS, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_VOID_PTR, CKF_END_OF_MESSAGE,
};
use everslot_protocol::MessageOperation;

use super::message;

/// `C_MessageDecryptInit` (PKCS#11 v3.1 §5.11.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageDecryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    message::init(
        "C_MessageDecryptInit",
        MessageOperation::Decrypt,
        session,
        mechanism,
        key,
    )
}

/// `C_DecryptMessage` (PKCS#11 v3.1 §5.11.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    plain: *mut CK_BYTE,
    plain_length: *mut CK_ULONG,
) -> CK_RV {
    message::whole(
        "C_DecryptMessage",
        MessageOperation::Decrypt,
        session,
        (parameter, parameter_length),
        (associated, associated_length),
        (encrypted, encrypted_length),
        (plain, plain_length),
    )
}

/// `C_DecryptMessageBegin` (PKCS#11 v3.1 §5.11.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
) -> CK_RV {
    message::begin(
        "C_DecryptMessageBegin",
        MessageOperation::Decrypt,
        session,
        (parameter, parameter_length),
        (associated, associated_length),
    )
}

/// `C_DecryptMessageNext` (PKCS#11 v3.1 §5.11.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_DecryptMessageNext(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: CK_ULONG,
    plain: *mut CK_BYTE,
    plain_length: *mut CK_ULONG,
    flags: CK_FLAGS,
) -> CK_RV {
    message::next(
        "C_DecryptMessageNext",
        (MessageOperation::Decrypt, flags & CKF_END_OF_MESSAGE != 0),
        session,
        (parameter, parameter_length),
        (encrypted, encrypted_length),
        (plain, plain_length),
    )
}

/// `C_MessageDecryptFinal` (PKCS#11 v3.1 §5.11.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageDecryptFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    message::finish("C_MessageDecryptFinal", MessageOperation::Decrypt, session)
}
