//! Whatever request or reply can be built. What they borrow is leaked: a test's process is short.

mod later;

use std::vec;
use std::vec::Vec;

use proptest::collection::vec as many;
use proptest::option::of as option;
use proptest::prelude::*;
use proptest::strategy::Union;

use crate::{
    Attribute, AttributeValue, Body, Bytes, Dual, Field, List, Mechanism, MechanismInfo,
    NestedValue, ObjectHandle, Operation, Parameter, Reply, Request, Rv, SessionHandle,
    SessionInfo, SlotId, Template, Value, Wanted,
};

fn leaked<T: 'static>(items: Vec<T>) -> List<'static, T> {
    List::Items(items.leak())
}

fn bytes() -> impl Strategy<Value = Bytes<'static>> + Clone {
    many(any::<u8>(), 0..200).prop_map(|bytes| Bytes(bytes.leak()))
}

fn object() -> impl Strategy<Value = ObjectHandle> + Clone {
    any::<u64>().prop_map(ObjectHandle)
}

fn session() -> impl Strategy<Value = SessionHandle> + Clone {
    any::<u64>().prop_map(SessionHandle)
}

fn slot() -> impl Strategy<Value = SlotId> + Clone {
    any::<u64>().prop_map(SlotId)
}

fn room() -> impl Strategy<Value = Option<u64>> + Clone {
    option(any::<u64>())
}

fn operation() -> impl Strategy<Value = Operation> + Clone {
    prop_oneof![
        Just(Operation::Digest),
        Just(Operation::Sign),
        Just(Operation::SignRecover),
        Just(Operation::Verify),
        Just(Operation::VerifyRecover),
        Just(Operation::Encrypt),
        Just(Operation::Decrypt),
    ]
}

fn dual() -> impl Strategy<Value = Dual> + Clone {
    prop_oneof![
        Just(Dual::DigestEncrypt),
        Just(Dual::DecryptDigest),
        Just(Dual::SignEncrypt),
        Just(Dual::DecryptVerify),
    ]
}

fn field() -> impl Strategy<Value = Field<'static>> + Clone {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Field::Integer),
        object().prop_map(Field::Object),
        bytes().prop_map(Field::Inline),
        option(bytes()).prop_map(Field::Pointer),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        many(inner, 0..4).prop_map(|fields| Field::Nested(leaked(fields)))
    })
}

fn mechanism() -> impl Strategy<Value = Mechanism<'static>> + Clone {
    let parameter = prop_oneof![
        Just(Parameter::None),
        bytes().prop_map(Parameter::Flat),
        many(field(), 0..6).prop_map(|fields| Parameter::Fields(leaked(fields))),
    ];
    (any::<u64>(), parameter).prop_map(|(kind, parameter)| Mechanism { kind, parameter })
}

fn attribute() -> impl Strategy<Value = Attribute<'static>> + Clone {
    let leaf = (any::<u64>(), bytes()).prop_map(|(kind, bytes)| Attribute {
        kind,
        value: Value::Bytes(bytes),
    });
    leaf.prop_recursive(3, 16, 4, |inner| {
        (any::<u64>(), many(inner, 0..4)).prop_map(|(kind, template)| Attribute {
            kind,
            value: Value::Template(leaked(template)),
        })
    })
}

fn template() -> impl Strategy<Value = Template<'static>> + Clone {
    many(attribute(), 0..6).prop_map(leaked)
}

fn wanted() -> impl Strategy<Value = List<'static, Wanted<'static>>> + Clone {
    let leaf = (any::<u64>(), room()).prop_map(|(kind, room)| Wanted {
        kind,
        room,
        nested: List::EMPTY,
    });
    let item = leaf.prop_recursive(3, 16, 4, |inner| {
        (any::<u64>(), room(), many(inner, 0..4)).prop_map(|(kind, room, nested)| Wanted {
            kind,
            room,
            nested: leaked(nested),
        })
    });
    many(item, 0..6).prop_map(leaked)
}

pub(super) fn attribute_values()
-> impl Strategy<Value = List<'static, AttributeValue<'static>>> + Clone {
    let leaf = prop_oneof![
        Just(AttributeValue::Unavailable),
        any::<u64>().prop_map(AttributeValue::Length),
        bytes().prop_map(AttributeValue::Bytes),
    ];
    let item = leaf.prop_recursive(3, 16, 4, |inner| {
        many(
            (any::<u64>(), inner).prop_map(|(kind, value)| NestedValue { kind, value }),
            0..4,
        )
        .prop_map(|values| AttributeValue::Nested(leaked(values)))
    });
    many(item, 0..6).prop_map(leaked)
}

pub(crate) fn requests() -> impl Strategy<Value = Request<'static>> {
    let mut all = of_slots();
    all.extend(of_sessions());
    all.extend(of_objects());
    all.extend(of_operations());
    all.extend(of_keys());
    all.extend(later::requests());
    Union::new(all)
}

type Requests = Vec<BoxedStrategy<Request<'static>>>;

fn of_slots() -> Requests {
    vec![
        Just(Request::ModuleInfo).boxed(),
        any::<bool>()
            .prop_map(|token_present| Request::Slots { token_present })
            .boxed(),
        slot().prop_map(|slot| Request::SlotInfo { slot }).boxed(),
        slot().prop_map(|slot| Request::TokenInfo { slot }).boxed(),
        slot().prop_map(|slot| Request::Mechanisms { slot }).boxed(),
        (slot(), any::<u64>())
            .prop_map(|(slot, mechanism)| Request::MechanismInfo { slot, mechanism })
            .boxed(),
        (slot(), option(bytes()), bytes())
            .prop_map(|(slot, pin, label)| Request::InitToken { slot, pin, label })
            .boxed(),
        (slot(), any::<bool>())
            .prop_map(|(slot, read_write)| Request::OpenSession { slot, read_write })
            .boxed(),
        slot()
            .prop_map(|slot| Request::CloseAllSessions { slot })
            .boxed(),
    ]
}

fn of_sessions() -> Requests {
    vec![
        session()
            .prop_map(|session| Request::CloseSession { session })
            .boxed(),
        session()
            .prop_map(|session| Request::SessionInfo { session })
            .boxed(),
        (session(), room())
            .prop_map(|(session, room)| Request::OperationState { session, room })
            .boxed(),
        (session(), bytes(), object(), object())
            .prop_map(|(session, state, encryption_key, authentication_key)| {
                Request::SetOperationState {
                    session,
                    state,
                    encryption_key,
                    authentication_key,
                }
            })
            .boxed(),
        (session(), any::<u64>(), option(bytes()))
            .prop_map(|(session, user, pin)| Request::Login { session, user, pin })
            .boxed(),
        session()
            .prop_map(|session| Request::Logout { session })
            .boxed(),
        (session(), option(bytes()))
            .prop_map(|(session, pin)| Request::InitPin { session, pin })
            .boxed(),
        (session(), option(bytes()), option(bytes()))
            .prop_map(|(session, old, new)| Request::SetPin { session, old, new })
            .boxed(),
        (session(), bytes())
            .prop_map(|(session, seed)| Request::SeedRandom { session, seed })
            .boxed(),
        (session(), any::<u64>())
            .prop_map(|(session, length)| Request::GenerateRandom { session, length })
            .boxed(),
    ]
}

fn of_objects() -> Requests {
    vec![
        (session(), template())
            .prop_map(|(session, template)| Request::CreateObject { session, template })
            .boxed(),
        (session(), object(), template())
            .prop_map(|(session, object, template)| Request::CopyObject {
                session,
                object,
                template,
            })
            .boxed(),
        (session(), object())
            .prop_map(|(session, object)| Request::DestroyObject { session, object })
            .boxed(),
        (session(), object())
            .prop_map(|(session, object)| Request::ObjectSize { session, object })
            .boxed(),
        (session(), object(), wanted())
            .prop_map(|(session, object, wanted)| Request::AttributeValues {
                session,
                object,
                wanted,
            })
            .boxed(),
        (session(), object(), template())
            .prop_map(|(session, object, template)| Request::SetAttributes {
                session,
                object,
                template,
            })
            .boxed(),
        (session(), template())
            .prop_map(|(session, template)| Request::FindObjects { session, template })
            .boxed(),
    ]
}

fn of_operations() -> Requests {
    vec![
        (session(), operation(), mechanism(), option(object()))
            .prop_map(|(session, operation, mechanism, key)| Request::Begin {
                session,
                operation,
                mechanism,
                key,
            })
            .boxed(),
        (session(), operation(), bytes(), room())
            .prop_map(|(session, operation, data, room)| Request::Whole {
                session,
                operation,
                data,
                room,
            })
            .boxed(),
        (session(), bytes(), bytes())
            .prop_map(|(session, data, signature)| Request::Verify {
                session,
                data,
                signature,
            })
            .boxed(),
        (session(), operation(), bytes(), room())
            .prop_map(|(session, operation, data, room)| Request::Update {
                session,
                operation,
                data,
                room,
            })
            .boxed(),
        (session(), object())
            .prop_map(|(session, key)| Request::DigestKey { session, key })
            .boxed(),
        (session(), operation(), room())
            .prop_map(|(session, operation, room)| Request::Finish {
                session,
                operation,
                room,
            })
            .boxed(),
        (session(), bytes())
            .prop_map(|(session, signature)| Request::VerifyFinish { session, signature })
            .boxed(),
        (session(), dual(), bytes(), room())
            .prop_map(|(session, dual, data, room)| Request::DualUpdate {
                session,
                dual,
                data,
                room,
            })
            .boxed(),
    ]
}

fn of_keys() -> Requests {
    vec![
        (session(), mechanism(), template())
            .prop_map(|(session, mechanism, template)| Request::GenerateKey {
                session,
                mechanism,
                template,
            })
            .boxed(),
        (session(), mechanism(), template(), template())
            .prop_map(
                |(session, mechanism, public, private)| Request::GenerateKeyPair {
                    session,
                    mechanism,
                    public,
                    private,
                },
            )
            .boxed(),
        (session(), mechanism(), object(), object(), room())
            .prop_map(
                |(session, mechanism, wrapping_key, key, room)| Request::WrapKey {
                    session,
                    mechanism,
                    wrapping_key,
                    key,
                    room,
                },
            )
            .boxed(),
        (session(), mechanism(), object(), bytes(), template())
            .prop_map(|(session, mechanism, unwrapping_key, wrapped, template)| {
                Request::UnwrapKey {
                    session,
                    mechanism,
                    unwrapping_key,
                    wrapped,
                    template,
                }
            })
            .boxed(),
        (session(), mechanism(), object(), template())
            .prop_map(
                |(session, mechanism, base_key, template)| Request::DeriveKey {
                    session,
                    mechanism,
                    base_key,
                    template,
                },
            )
            .boxed(),
    ]
}

pub(crate) fn replies() -> impl Strategy<Value = Reply> {
    let body = prop_oneof![
        Just(Body::Empty),
        (0..500_u64).prop_map(Body::Written),
        later::bodies(),
        any::<u64>().prop_map(Body::Length),
        session().prop_map(Body::Session),
        object().prop_map(Body::Object),
        (object(), object()).prop_map(|(public, private)| Body::KeyPair(public, private)),
        any::<[u64; 4]>().prop_map(|[slot, state, flags, device_error]| Body::SessionInfo(
            SessionInfo {
                slot,
                state,
                flags,
                device_error
            }
        )),
        any::<[u64; 3]>().prop_map(|[min_key_size, max_key_size, flags]| Body::Mechanism(
            MechanismInfo {
                min_key_size,
                max_key_size,
                flags
            }
        )),
    ];
    (any::<u64>(), body).prop_map(|(rv, body)| Reply { rv: Rv(rv), body })
}
