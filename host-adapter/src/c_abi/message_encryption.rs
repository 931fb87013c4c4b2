//! Message-based encryption functions (PKCS#11 v3.1 §5.9).

use cryptoki_sys::{
    CK_BYTE, CK_FLAGS, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CK_VOID_PTR, CKF_END_OF_MESSAGE,
};
use everslot_protocol::MessageOperation;

use super::message;

/// `C_MessageEncryptInit` (PKCS#11 v3.1 §5.9.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageEncryptInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    message::init(
        "C_MessageEncryptInit",
        MessageOperation::Encrypt,
        session,
        mechanism,
        key,
    )
}

/// `C_EncryptMessage` (PKCS#11 v3.1 §5.9.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
    plain: *mut CK_BYTE,
    plain_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
) -> CK_RV {
    message::whole(
        "C_EncryptMessage",
        MessageOperation::Encrypt,
        session,
        (parameter, parameter_length),
        (associated, associated_length),
        (plain, plain_length),
        (encrypted, encrypted_length),
    )
}

/// `C_EncryptMessageBegin` (PKCS#11 v3.1 §5.9.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    associated: *mut CK_BYTE,
    associated_length: CK_ULONG,
) -> CK_RV {
    message::begin(
        "C_EncryptMessageBegin",
        MessageOperation::Encrypt,
        session,
        (parameter, parameter_length),
        (associated, associated_length),
    )
}

/// `C_EncryptMessageNext` (PKCS#11 v3.1 §5.9.4)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_EncryptMessageNext(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    plain: *mut CK_BYTE,
    plain_length: CK_ULONG,
    encrypted: *mut CK_BYTE,
    encrypted_length: *mut CK_ULONG,
    flags: CK_FLAGS,
) -> CK_RV {
    message::next(
        "C_EncryptMessageNext",
        (MessageOperation::Encrypt, flags & CKF_END_OF_MESSAGE != 0),
        session,
        (parameter, parameter_length),
        (plain, plain_length),
        (encrypted, encrypted_length),
    )
}

/// `C_MessageEncryptFinal` (PKCS#11 v3.1 §5.9.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageEncryptFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    message::finish("C_MessageEncryptFinal", MessageOperation::Encrypt, session)
}
