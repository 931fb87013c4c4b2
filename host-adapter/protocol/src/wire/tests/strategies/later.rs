//! Requests of PKCS#11 3.0 and later.

use std::vec;

use proptest::option::of as option;
use proptest::prelude::*;

use super::{Requests, bytes, mechanism, object, room, session, template};
use crate::{
    Aead, AeadForm, Body, Bytes, MessageCall, MessageOperation, MessageParameter, Request, Sealed,
    SignatureCall, Tag,
};

fn message_operation() -> impl Strategy<Value = MessageOperation> + Clone {
    prop_oneof![
        Just(MessageOperation::Encrypt),
        Just(MessageOperation::Decrypt),
        Just(MessageOperation::Sign),
        Just(MessageOperation::Verify),
    ]
}

fn aead() -> impl Strategy<Value = Aead<'static>> + Clone {
    let form = prop_oneof![
        Just(AeadForm::Gcm),
        any::<u64>().prop_map(|data_length| AeadForm::Ccm { data_length }),
        Just(AeadForm::Poly1305),
    ];
    let tag = prop_oneof![
        Just(Tag::Null),
        Just(Tag::Room),
        bytes().prop_map(Tag::Given)
    ];
    (form, bytes(), any::<[u64; 4]>(), tag).prop_map(|(form, iv, numbers, tag)| {
        let [iv_length, fixed_bits, generator, tag_length] = numbers;
        Aead {
            form,
            iv,
            iv_length,
            fixed_bits,
            generator,
            tag,
            tag_length,
        }
    })
}

fn parameter() -> impl Strategy<Value = MessageParameter<'static>> + Clone {
    prop_oneof![
        Just(MessageParameter::None),
        bytes().prop_map(MessageParameter::Flat),
        aead().prop_map(MessageParameter::Aead),
    ]
}

fn message_call() -> impl Strategy<Value = MessageCall<'static>> + Clone {
    prop_oneof![
        (mechanism(), object()).prop_map(|(mechanism, key)| MessageCall::Init { mechanism, key }),
        (parameter(), bytes(), bytes(), room()).prop_map(|(parameter, associated, data, room)| {
            MessageCall::Whole {
                parameter,
                associated,
                data,
                room,
            }
        }),
        (parameter(), bytes(), bytes()).prop_map(|(parameter, data, signature)| {
            MessageCall::Verify {
                parameter,
                data,
                signature,
            }
        }),
        (parameter(), bytes()).prop_map(|(parameter, associated)| MessageCall::Begin {
            parameter,
            associated,
        }),
        (parameter(), bytes(), room(), any::<bool>()).prop_map(|(parameter, data, room, last)| {
            MessageCall::Next {
                parameter,
                data,
                room,
                last,
            }
        }),
        (parameter(), bytes(), option(bytes())).prop_map(|(parameter, data, signature)| {
            MessageCall::VerifyNext {
                parameter,
                data,
                signature,
            }
        }),
        Just(MessageCall::Final),
    ]
}

fn signature_call() -> impl Strategy<Value = SignatureCall<'static>> + Clone {
    prop_oneof![
        (mechanism(), object(), bytes()).prop_map(|(mechanism, key, signature)| {
            SignatureCall::Init {
                mechanism,
                key,
                signature,
            }
        }),
        bytes().prop_map(|data| SignatureCall::Whole { data }),
        bytes().prop_map(|data| SignatureCall::Update { data }),
        Just(SignatureCall::Final),
    ]
}

pub(super) fn requests() -> Requests {
    vec![
        (session(), any::<u64>(), option(bytes()), bytes())
            .prop_map(|(session, user, pin, name)| Request::LoginUser {
                session,
                user,
                pin,
                name,
            })
            .boxed(),
        (session(), message_operation(), message_call())
            .prop_map(|(session, operation, call)| Request::Message {
                session,
                operation,
                call,
            })
            .boxed(),
        (session(), signature_call())
            .prop_map(|(session, call)| Request::VerifySignature { session, call })
            .boxed(),
        (session(), mechanism(), object(), template(), room())
            .prop_map(
                |(session, mechanism, public_key, template, room)| Request::EncapsulateKey {
                    session,
                    mechanism,
                    public_key,
                    template,
                    room,
                },
            )
            .boxed(),
        (session(), mechanism(), object(), template(), bytes())
            .prop_map(|(session, mechanism, private_key, template, ciphertext)| {
                Request::DecapsulateKey {
                    session,
                    mechanism,
                    private_key,
                    template,
                    ciphertext,
                }
            })
            .boxed(),
        (
            session(),
            mechanism(),
            [object(), object()],
            bytes(),
            room(),
        )
            .prop_map(
                |(session, mechanism, [wrapping_key, key], associated, room)| {
                    Request::WrapKeyAuthenticated {
                        session,
                        mechanism,
                        wrapping_key,
                        key,
                        associated,
                        room,
                    }
                },
            )
            .boxed(),
        (
            session(),
            mechanism(),
            object(),
            [bytes(), bytes()],
            template(),
        )
            .prop_map(
                |(session, mechanism, unwrapping_key, [wrapped, associated], template)| {
                    Request::UnwrapKeyAuthenticated {
                        session,
                        mechanism,
                        unwrapping_key,
                        wrapped,
                        template,
                        associated,
                    }
                },
            )
            .boxed(),
        (session(), any::<u64>())
            .prop_map(|(session, kind)| Request::ValidationFlags { session, kind })
            .boxed(),
    ]
}

pub(super) fn bodies() -> impl Strategy<Value = Body> {
    let sealed = (0..500_u64, bytes(), bytes())
        .prop_map(|(written, Bytes(iv), Bytes(tag))| Body::Sealed(Sealed::new(written, iv, tag)));
    prop_oneof![
        sealed,
        (0..500_u64, object()).prop_map(|(written, key)| Body::Encapsulated(written, key)),
        (object(), 0..500_u64).prop_map(|(key, written)| Body::KeyAndMaterial(key, written)),
        any::<u64>().prop_map(Body::Flags),
    ]
}
