//! Message-based calls, and the operation that is given its signature first.

use everslot_protocol::{MessageCall, MessageOperation, Reply, SignatureCall};

use super::{bare, put_out, with_mechanism};
use crate::module::functions::Functions;
use crate::module::parameter::CMessageParameter;

pub(super) fn message(
    functions: Functions,
    session: u64,
    operation: MessageOperation,
    call: &MessageCall<'_>,
    output: &mut [u8],
) -> Reply {
    match *call {
        MessageCall::Init { ref mechanism, key } => with_mechanism(mechanism, |mechanism| {
            bare(functions.message_init(operation, session, mechanism, key.0))
        }),
        MessageCall::Whole {
            ref parameter,
            associated,
            data,
            room,
        } => CMessageParameter::with(parameter, true, |parameter| {
            put_out(room, output, |output| {
                functions.message(operation, session, parameter, &associated, &data, output)
            })
        }),
        MessageCall::Verify {
            ref parameter,
            data,
            signature,
        } => CMessageParameter::with(parameter, false, |parameter| {
            bare(functions.verify_message(session, parameter, &data, &signature))
        }),
        MessageCall::Begin {
            ref parameter,
            associated,
        } => CMessageParameter::with(parameter, false, |parameter| {
            bare(functions.message_begin(operation, session, parameter, &associated))
        }),
        MessageCall::Next {
            ref parameter,
            data,
            room,
            last,
        } => CMessageParameter::with(parameter, last, |parameter| match (operation, last) {
            (MessageOperation::Sign, true) => put_out(room, output, |output| {
                functions.sign_message_last(session, parameter, &data, output)
            }),
            (MessageOperation::Sign, false) => {
                bare(functions.sign_message_next(session, parameter, &data))
            }
            (
                MessageOperation::Encrypt | MessageOperation::Decrypt | MessageOperation::Verify,
                _,
            ) => put_out(room, output, |output| {
                functions.message_next(operation, session, parameter, &data, output, last)
            }),
        }),
        MessageCall::VerifyNext {
            ref parameter,
            data,
            signature,
        } => CMessageParameter::with(parameter, false, |parameter| {
            bare(functions.verify_message_next(session, parameter, &data, signature.as_deref()))
        }),
        MessageCall::Final => bare(functions.message_final(operation, session)),
    }
}

pub(super) fn verify_signature(
    functions: Functions,
    session: u64,
    call: &SignatureCall<'_>,
) -> Reply {
    match *call {
        SignatureCall::Init {
            ref mechanism,
            key,
            signature,
        } => with_mechanism(mechanism, |mechanism| {
            bare(functions.verify_signature_init(session, mechanism, key.0, &signature))
        }),
        SignatureCall::Whole { data } => bare(functions.verify_signature(session, &data)),
        SignatureCall::Update { data } => bare(functions.verify_signature_update(session, &data)),
        SignatureCall::Final => bare(functions.verify_signature_final(session)),
    }
}
