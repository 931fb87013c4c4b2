use std::time::Duration;

use cryptoki_sys::*;
use everslot_protocol::{
    Body, Bytes, Deadline, Dual, List, MessageCall, MessageOperation, MessageParameter,
    ObjectHandle, Operation, Request, Rv, SessionHandle, SignatureCall, SlotId,
};

use super::token::{SOFTHSM, plain, settings, with_token};
use crate::module::execute::execute;
use crate::module::{Functions, InProcess, Instance, LinkCause, LinkFailure, LoadError};

#[test]
fn what_cannot_be_loaded_says_why() {
    let load = |path: &str| InProcess::load(&settings(path)).expect_err("not a module");
    let missing = load("/nonexistent/module.so");
    assert!(matches!(missing, LoadError::Open { .. }));
    assert!(
        missing
            .to_string()
            .starts_with("cannot load the PKCS#11 module /nonexistent/module.so: "),
        "{missing}"
    );
    assert!(
        missing.to_string().contains("No such file or directory"),
        "{missing}"
    );
    assert_eq!(LinkFailure::from(missing).cause, LinkCause::ModuleNotLoaded);

    let other = load("libc.so.6");
    assert!(matches!(other, LoadError::NoFunctionList { .. }), "{other}");

    let mut with_zero = settings(SOFTHSM);
    with_zero.init_string = Some("a\0b".to_owned());
    assert!(matches!(
        InProcess::load(&with_zero),
        Err(LoadError::InitString { .. })
    ));
}

#[test]
fn a_module_that_is_initialised_already_is_shared() {
    with_token(
        "loading::a_module_that_is_initialised_already_is_shared",
        |mut token| {
            let second = InProcess::load(&settings(SOFTHSM)).expect("loads again");
            assert!(second.is_shared() && !token.instance.is_shared());
            second.stop(Duration::ZERO);
            assert!(!second.is_alive() && token.instance.is_alive());
            token.ok(&Request::SessionInfo {
                session: token.session,
            });

            token.instance.stop(Duration::ZERO);
            assert_eq!(
                token.rv(&Request::SessionInfo {
                    session: token.session
                }),
                CKR_CRYPTOKI_NOT_INITIALIZED
            );
            let refused = token.instance.link().err().expect("stopped");
            assert_eq!(
                refused.cause,
                LinkCause::NotInitialized(Rv(CKR_CRYPTOKI_NOT_INITIALIZED))
            );
            assert_eq!(token.instance.process(), None);

            let again = InProcess::load(&settings(SOFTHSM)).expect("initialises again");
            assert!(!again.is_shared());
            let mut link = again.link().expect("a link");
            let reply = link
                .call(&Request::ModuleInfo, &mut [], Deadline::None)
                .expect("answers");
            assert!(matches!(reply.body, Body::Module(_)));
        },
    );
}

#[test]
fn a_module_that_refuses_its_init_string_is_not_initialised() {
    with_token(
        "loading::a_module_that_refuses_its_init_string_is_not_initialised",
        |token| {
            token.instance.stop(Duration::ZERO);
            let mut with_string = settings(SOFTHSM);
            with_string.init_string = Some("configdir='sql:x'".to_owned());
            let refused = InProcess::load(&with_string).expect_err("SoftHSM wants no pReserved");
            assert!(
                matches!(
                    refused,
                    LoadError::Initialize {
                        rv: Rv(CKR_ARGUMENTS_BAD),
                        ..
                    }
                ),
                "{refused}"
            );
            assert_eq!(
                LinkFailure::from(refused).cause,
                LinkCause::NotInitialized(Rv(CKR_ARGUMENTS_BAD))
            );
        },
    );
}

#[test]
fn a_function_that_is_missing_is_not_supported() {
    let list = Box::leak(Box::new(CK_FUNCTION_LIST::default()));
    // SAFETY: a list without any function has none that could be called.
    let functions = unsafe { Functions::new(list) };
    for request in every_request() {
        let reply = execute(functions, &request, &mut [0; 64]);
        assert_eq!(
            (reply.rv.0, reply.body),
            (CKR_FUNCTION_NOT_SUPPORTED, Body::Empty),
            "{request:?}"
        );
    }
}

fn every_request() -> Vec<Request<'static>> {
    let mut all = general();
    all.extend(of_objects());
    all.extend(of_operations());
    all.extend(of_messages());
    all.extend(of_later_versions());
    all
}

const SLOT: SlotId = SlotId(1);
const SESSION: SessionHandle = SessionHandle(2);
const OBJECT: ObjectHandle = ObjectHandle(3);
const NOTHING: Bytes<'static> = Bytes(b"");

fn general() -> Vec<Request<'static>> {
    let (slot, session) = (SLOT, SESSION);
    let (encryption_key, authentication_key) = (OBJECT, OBJECT);
    vec![
        Request::ModuleInfo,
        Request::Slots {
            token_present: true,
        },
        Request::SlotInfo { slot },
        Request::TokenInfo { slot },
        Request::Mechanisms { slot },
        Request::MechanismInfo { slot, mechanism: 0 },
        Request::InitToken {
            slot,
            pin: None,
            label: Bytes(&[b' '; 32]),
        },
        Request::OpenSession {
            slot,
            read_write: false,
        },
        Request::CloseSession { session },
        Request::CloseAllSessions { slot },
        Request::SessionInfo { session },
        Request::OperationState {
            session,
            room: None,
        },
        Request::SetOperationState {
            session,
            state: NOTHING,
            encryption_key,
            authentication_key,
        },
        Request::Login {
            session,
            user: 1,
            pin: None,
        },
        Request::Logout { session },
        Request::InitPin { session, pin: None },
        Request::SetPin {
            session,
            old: None,
            new: None,
        },
        Request::SeedRandom {
            session,
            seed: NOTHING,
        },
        Request::GenerateRandom { session, length: 8 },
    ]
}

fn of_objects() -> Vec<Request<'static>> {
    let (session, object, template, mechanism) = (SESSION, OBJECT, List::EMPTY, plain(0));
    let (wrapping_key, unwrapping_key, base_key, key) = (object, object, object, object);
    vec![
        Request::CreateObject { session, template },
        Request::CopyObject {
            session,
            object,
            template,
        },
        Request::DestroyObject { session, object },
        Request::ObjectSize { session, object },
        Request::AttributeValues {
            session,
            object,
            wanted: List::EMPTY,
        },
        Request::SetAttributes {
            session,
            object,
            template,
        },
        Request::FindObjects { session, template },
        Request::GenerateKey {
            session,
            mechanism,
            template,
        },
        Request::GenerateKeyPair {
            session,
            mechanism,
            public: template,
            private: template,
        },
        Request::WrapKey {
            session,
            mechanism,
            wrapping_key,
            key,
            room: Some(8),
        },
        Request::UnwrapKey {
            session,
            mechanism,
            unwrapping_key,
            wrapped: NOTHING,
            template,
        },
        Request::DeriveKey {
            session,
            mechanism,
            base_key,
            template,
        },
    ]
}

fn of_operations() -> Vec<Request<'static>> {
    let (session, data, signature, room) = (SESSION, NOTHING, NOTHING, Some(8));
    let mut all = vec![
        Request::Verify {
            session,
            data,
            signature,
        },
        Request::VerifyFinish { session, signature },
        Request::DigestKey {
            session,
            key: OBJECT,
        },
    ];
    let operations = [
        Operation::Digest,
        Operation::Sign,
        Operation::SignRecover,
        Operation::Verify,
        Operation::VerifyRecover,
        Operation::Encrypt,
        Operation::Decrypt,
    ];
    for operation in operations {
        all.extend([
            Request::Begin {
                session,
                operation,
                mechanism: plain(0),
                key: None,
            },
            Request::Whole {
                session,
                operation,
                data,
                room,
            },
            Request::Update {
                session,
                operation,
                data,
                room,
            },
            Request::Finish {
                session,
                operation,
                room,
            },
        ]);
    }
    let duals = [
        Dual::DigestEncrypt,
        Dual::DecryptDigest,
        Dual::SignEncrypt,
        Dual::DecryptVerify,
    ];
    all.extend(duals.map(|dual| Request::DualUpdate {
        session,
        dual,
        data,
        room,
    }));
    all
}

fn of_messages() -> Vec<Request<'static>> {
    let (session, data, associated, signature) = (SESSION, NOTHING, NOTHING, NOTHING);
    let (parameter, room) = (MessageParameter::None, Some(8));
    let calls = [
        MessageCall::Init {
            mechanism: plain(0),
            key: OBJECT,
        },
        MessageCall::Whole {
            parameter,
            associated,
            data,
            room,
        },
        MessageCall::Verify {
            parameter,
            data,
            signature,
        },
        MessageCall::Begin {
            parameter,
            associated,
        },
        MessageCall::Next {
            parameter,
            data,
            room,
            last: false,
        },
        MessageCall::Next {
            parameter,
            data,
            room,
            last: true,
        },
        MessageCall::VerifyNext {
            parameter,
            data,
            signature: None,
        },
        MessageCall::Final,
    ];
    let operations = [
        MessageOperation::Encrypt,
        MessageOperation::Decrypt,
        MessageOperation::Sign,
        MessageOperation::Verify,
    ];
    let all = operations.iter().flat_map(|operation| {
        calls.iter().map(|call| Request::Message {
            session,
            operation: *operation,
            call: *call,
        })
    });
    all.collect()
}

fn of_later_versions() -> Vec<Request<'static>> {
    let (session, template, mechanism) = (SESSION, List::EMPTY, plain(0));
    let (data, associated, signature, ciphertext) = (NOTHING, NOTHING, NOTHING, NOTHING);
    let (wrapping_key, unwrapping_key, private_key, public_key, key) =
        (OBJECT, OBJECT, OBJECT, OBJECT, OBJECT);
    let calls = [
        SignatureCall::Init {
            mechanism,
            key,
            signature,
        },
        SignatureCall::Whole { data },
        SignatureCall::Update { data },
        SignatureCall::Final,
    ];
    let mut all: Vec<_> = calls
        .map(|call| Request::VerifySignature { session, call })
        .into();
    all.extend([
        Request::LoginUser {
            session,
            user: 1,
            pin: None,
            name: NOTHING,
        },
        Request::EncapsulateKey {
            session,
            mechanism,
            public_key,
            template,
            room: Some(8),
        },
        Request::DecapsulateKey {
            session,
            mechanism,
            private_key,
            template,
            ciphertext,
        },
        Request::WrapKeyAuthenticated {
            session,
            mechanism,
            wrapping_key,
            key,
            associated,
            room: Some(8),
        },
        Request::UnwrapKeyAuthenticated {
            session,
            mechanism,
            unwrapping_key,
            wrapped: NOTHING,
            template,
            associated,
        },
        Request::ValidationFlags { session, kind: 1 },
    ]);
    all
}
