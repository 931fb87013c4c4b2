//! Message-based functions for signatures and MACs (PKCS#11 v3.1 §5.14).

use cryptoki_sys::{
    CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_VOID_PTR,
};
use everslot_core::ckr;
use everslot_protocol::MessageOperation;

use super::entry::entry_with_scratch;
use super::message::{self, as_const};
use super::session;
use crate::slot::Output;

/// `C_MessageSignInit` (PKCS#11 v3.1 §5.14.1)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageSignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    message::init(
        "C_MessageSignInit",
        MessageOperation::Sign,
        session,
        mechanism,
        key,
    )
}

/// `C_SignMessage` (PKCS#11 v3.1 §5.14.2)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessage(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    message::whole(
        "C_SignMessage",
        MessageOperation::Sign,
        session,
        (parameter, parameter_length),
        (std::ptr::null(), 0),
        (data, data_length),
        (signature, signature_length),
    )
}

/// `C_SignMessageBegin` (PKCS#11 v3.1 §5.14.3)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessageBegin(
    session: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
) -> CK_RV {
    message::begin(
        "C_SignMessageBegin",
        MessageOperation::Sign,
        session,
        (parameter, parameter_length),
        (std::ptr::null(), 0),
    )
}

/// `C_SignMessageNext` (PKCS#11 v3.1 §5.14.4); a part with a place for the signature's length is the last.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_SignMessageNext(
    handle: CK_SESSION_HANDLE,
    parameter: CK_VOID_PTR,
    parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    data_length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    const SIGN: MessageOperation = MessageOperation::Sign;
    if !signature_length.is_null() {
        return message::next(
            "C_SignMessageNext",
            (SIGN, true),
            handle,
            (parameter, parameter_length),
            (data, data_length),
            (signature, signature_length),
        );
    }
    entry_with_scratch("C_SignMessageNext", |caller, scratch| {
        let session = session(handle)?;
        if !signature.is_null() {
            return Err(ckr::ARGUMENTS_BAD);
        }
        let data = caller.slice(data, data_length)?;
        let mechanism = session.message_mechanism(SIGN)?;
        let given = as_const((parameter, parameter_length));
        let value = caller.message_parameter((mechanism, SIGN), given, scratch)?;
        session
            .message_next(SIGN, value, data, Output::Query, false)
            .map(drop)
            .map_err(|refusal| refusal.rv)
    })
}

/// `C_MessageSignFinal` (PKCS#11 v3.1 §5.14.5)
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn C_MessageSignFinal(session: CK_SESSION_HANDLE) -> CK_RV {
    message::finish("C_MessageSignFinal", MessageOperation::Sign, session)
}
