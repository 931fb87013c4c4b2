use cryptoki_sys::*;
use everslot_protocol::{Attribute, Body, Bytes, Field, List, ObjectHandle, Operation, Request};

use super::attributes::value;
use super::token::{Token, bytes, fields, no, numbers, plain, pointer, with_token, yes};

const SECRET_KEY: [u8; 8] = CKO_SECRET_KEY.to_ne_bytes();
const AES: [u8; 8] = CKK_AES.to_ne_bytes();
const LENGTH: [u8; 8] = 32_u64.to_ne_bytes();

/// A key whose value can be looked at.
const READABLE: [Attribute<'static>; 5] = [
    bytes(CKA_CLASS, &SECRET_KEY),
    bytes(CKA_KEY_TYPE, &AES),
    bytes(CKA_VALUE_LEN, &LENGTH),
    no(CKA_SENSITIVE),
    yes(CKA_EXTRACTABLE),
];

#[test]
fn a_wrapped_key_unwraps_to_the_same_key() {
    with_token("keys::a_wrapped_key_unwraps_to_the_same_key", |token| {
        token.both_ways(|token| {
            let session = token.session;
            let (wrapping_key, key) = (token.aes_key(), token.aes_key());
            let mechanism = plain(CKM_AES_KEY_WRAP);
            let wrap = |room| Request::WrapKey {
                session,
                mechanism,
                wrapping_key,
                key,
                room,
            };
            assert_eq!(token.ok(&wrap(None)).body, Body::Length(40));
            let wrapped = token.output(&wrap(Some(64)));
            let template = [
                bytes(CKA_CLASS, &SECRET_KEY),
                bytes(CKA_KEY_TYPE, &AES),
                yes(CKA_ENCRYPT),
                yes(CKA_DECRYPT),
            ];
            let same = token.object(&Request::UnwrapKey {
                session,
                mechanism,
                unwrapping_key: wrapping_key,
                wrapped: Bytes(&wrapped),
                template: List::Items(&template),
            });
            token.begin(Operation::Encrypt, plain(CKM_AES_ECB), key);
            let encrypted = token.whole(Operation::Encrypt, &[1; 16]);
            token.begin(Operation::Decrypt, plain(CKM_AES_ECB), same);
            assert_eq!(token.whole(Operation::Decrypt, &encrypted), [1; 16]);
        });
    });
}

fn derived(
    token: &mut Token,
    kind: u64,
    parameter: &[Field<'_>],
    base_key: ObjectHandle,
) -> Vec<u8> {
    let (session, mechanism, template) = (
        token.session,
        fields(kind, parameter),
        List::Items(&READABLE),
    );
    let key = token.object(&Request::DeriveKey {
        session,
        mechanism,
        base_key,
        template,
    });
    value(token, key, CKA_VALUE)
}

#[test]
fn both_sides_of_an_agreement_derive_the_same_key() {
    with_token(
        "keys::both_sides_of_an_agreement_derive_the_same_key",
        |token| {
            token.both_ways(|token| {
                let sides = [token.ec_pair(), token.ec_pair()];
                let points = sides.map(|[public, _]| value(token, public, CKA_EC_POINT));
                let mut derive = |own: usize, other: usize| {
                    let parameter = [
                        Field::Integer(CKD_NULL),
                        Field::Pointer(None),
                        pointer(&points[other]),
                    ];
                    derived(token, CKM_ECDH1_DERIVE, &parameter, sides[own][1])
                };
                let shared = derive(0, 1);
                assert_eq!(shared.len(), 32);
                assert_eq!(shared, derive(1, 0));
            });
        },
    );
}

#[test]
fn a_key_is_derived_from_data_in_a_structure() {
    with_token("keys::a_key_is_derived_from_data_in_a_structure", |token| {
        token.both_ways(|token| {
            let template = [bytes(CKA_VALUE_LEN, &LENGTH), yes(CKA_DERIVE)];
            let (session, mechanism) = (token.session, plain(CKM_AES_KEY_GEN));
            let generate = Request::GenerateKey {
                session,
                mechanism,
                template: List::Items(&template),
            };
            let base_key = token.object(&generate);
            let mut derive = |iv: [u8; 16]| {
                let parameter = [Field::Inline(Bytes(&iv)), pointer(&[4; 32])];
                derived(token, CKM_AES_CBC_ENCRYPT_DATA, &parameter, base_key)
            };
            let first = derive([1; 16]);
            assert_eq!(first, derive([1; 16]));
            assert_ne!(
                first,
                derive([2; 16]),
                "the IV in the structure reaches the member"
            );
        });
    });
}

fn find(token: &mut Token, template: &[Attribute<'_>]) -> Vec<u64> {
    numbers(&token.output(&Request::FindObjects {
        session: token.session,
        template: List::Items(template),
    }))
}

#[test]
fn an_object_is_made_found_copied_changed_and_destroyed() {
    with_token(
        "keys::an_object_is_made_found_copied_changed_and_destroyed",
        |token| {
            token.both_ways(|token| {
                let session = token.session;
                let data = CKO_DATA.to_ne_bytes();
                let template = [
                    bytes(CKA_CLASS, &data),
                    bytes(CKA_LABEL, b"made"),
                    bytes(CKA_VALUE, b"12345678"),
                ];
                let object = token.object(&Request::CreateObject {
                    session,
                    template: List::Items(&template),
                });
                assert_eq!(find(token, &template), [object.0]);
                let template = [bytes(CKA_LABEL, b"copied")];
                let copy = token.object(&Request::CopyObject {
                    session,
                    object,
                    template: List::Items(&template),
                });
                assert_eq!(find(token, &template), [copy.0]);
                let template = [bytes(CKA_LABEL, b"changed")];
                token.ok(&Request::SetAttributes {
                    session,
                    object: copy,
                    template: List::Items(&template),
                });
                assert_eq!(value(token, copy, CKA_LABEL), b"changed");
                let size = token.call(&Request::ObjectSize { session, object }, &mut []);
                assert!(matches!(size.body, Body::Length(_)), "{size:?}");
                for object in [object, copy] {
                    token.ok(&Request::DestroyObject { session, object });
                }
                assert!(find(token, &template).is_empty());
                assert_eq!(
                    token.rv(&Request::DestroyObject { session, object }),
                    CKR_OBJECT_HANDLE_INVALID
                );
            });
        },
    );
}

#[test]
fn a_search_finds_more_than_it_asks_for_at_once() {
    with_token(
        "keys::a_search_finds_more_than_it_asks_for_at_once",
        |mut token| {
            let session = token.session;
            let data = CKO_DATA.to_ne_bytes();
            let template = [bytes(CKA_CLASS, &data), bytes(CKA_APPLICATION, b"many")];
            let create = Request::CreateObject {
                session,
                template: List::Items(&template),
            };
            let mut made: Vec<u64> = (0..600).map(|_| token.object(&create).0).collect();
            let mut found = find(&mut token, &template[1..]);
            made.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, made);
            let search = Request::FindObjects {
                session,
                template: List::Items(&template[1..]),
            };
            let reply = token.call(&search, &mut [0; 4799]);
            assert_eq!(
                (reply.rv.0, reply.body),
                (CKR_BUFFER_TOO_SMALL, Body::Length(4800))
            );
            // The search before was ended, or this one could not begin.
            assert!(find(&mut token, &[bytes(CKA_APPLICATION, b"none")]).is_empty());
        },
    );
}
