//! Whatever can be asked of a module.

use everslot_protocol::{
    Bytes, Dual, List, MessageCall, MessageOperation, MessageParameter, ObjectHandle, Operation,
    Request, SessionHandle, SignatureCall, SlotId,
};

use super::token::plain;

/// One of each kind.
pub(super) fn every_request() -> Vec<Request<'static>> {
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
