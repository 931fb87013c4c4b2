//! Message-based functions for verifying signatures and MACs (PKCS#11 v3.1 §5.16).

use cryptoki_sys::{
    CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_VOID_PTR,
};
use everslot_protocol::MessageOperation;

use super::entry::entry_with_scratch;
use super::message::{self, as_const};
use super::session;

/// `C_MessageVerifyInit` (PKCS#11 v3.1 §5.16.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageVerifyInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    message::init(
        "C_MessageVerifyInit",
        MessageOperation::Verify,
        session,
        mechanism,
        key,
    )
}

/// `C_VerifyMessage` (PKCS#11 v3.1 §5.16.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessage(
    handle: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_VerifyMessage", |caller, scratch| {
        let session = session(handle)?;
        let data = caller.slice(data, data_length)?;
        let signature = caller.slice(signature, signature_length)?;
        let mechanism = session.message_mechanism(MessageOperation::Verify)?;
        let value = caller.message_parameter(
            (mechanism, MessageOperation::Verify),
            as_const((parameter, parameter_length)),
            scratch,
        )?;
        session.verify_message(value, data, signature)
    })
}

/// `C_VerifyMessageBegin` (PKCS#11 v3.1 §5.16.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
) -> CK_RV {
    message::begin(
        "C_VerifyMessageBegin",
        MessageOperation::Verify,
        session,
        (parameter, parameter_length),
        (std::ptr::null(), 0),
    )
}

/// `C_VerifyMessageNext` (PKCS#11 v3.1 §5.16.4); a part with a signature is the last.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_VerifyMessageNext(
    handle: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    entry_with_scratch("C_VerifyMessageNext", |caller, scratch| {
        let session = session(handle)?;
        let data = caller.slice(data, data_length)?;
        let last = (!signature.is_null() || signature_length != 0)
            .then(|| caller.slice(signature, signature_length))
            .transpose()?;
        let mechanism = session.message_mechanism(MessageOperation::Verify)?;
        let value = caller.message_parameter(
            (mechanism, MessageOperation::Verify),
            as_const((parameter, parameter_length)),
            scratch,
        )?;
        session.verify_message_next(value, data, last)
    })
}

/// `C_MessageVerifyFinal` (PKCS#11 v3.1 §5.16.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageVerifyFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    message::finish("C_MessageVerifyFinal", MessageOperation::Verify, session)
}
