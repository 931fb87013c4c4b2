use cryptoki_sys::*;
use everslot_protocol::{
    Attribute, AttributeValue, Body, Bytes, List, NestedValue, ObjectHandle, Request, Value,
    Wanted, wire,
};

use super::token::{P256, Token, bytes, plain, with_token, yes};

/// The value of one attribute.
pub(super) fn value(token: &mut Token, object: ObjectHandle, kind: u64) -> Vec<u8> {
    let (rv, value) = ask(
        token,
        object,
        &[wanted(kind, Some(4096))],
        |values| match values[..] {
            [AttributeValue::Bytes(Bytes(value))] => value.to_vec(),
            _ => panic!("{values:?}"),
        },
    );
    assert_eq!(rv, CKR_OK);
    value
}

const fn wanted(kind: u64, room: Option<u64>) -> Wanted<'static> {
    Wanted {
        kind,
        room,
        nested: List::EMPTY,
    }
}

fn ask<T>(
    token: &mut Token,
    object: ObjectHandle,
    wanted: &[Wanted<'_>],
    read: impl FnOnce(Vec<AttributeValue<'_>>) -> T,
) -> (u64, T) {
    let wanted = List::Items(wanted);
    let mut output = vec![0; wire::attribute_values_size(wanted).min(1 << 20)];
    let request = Request::AttributeValues {
        session: token.session,
        object,
        wanted,
    };
    let reply = token.call(&request, &mut output);
    let Body::Written(length) = reply.body else {
        panic!("{reply:?}")
    };
    let values =
        wire::decode_attribute_values(&output[..length as usize]).expect("a list of values");
    (reply.rv.0, read(values.iter().collect()))
}

#[track_caller]
fn tells(
    token: &mut Token,
    object: ObjectHandle,
    wanted: &[Wanted<'_>],
    rv: u64,
    expected: &[AttributeValue<'_>],
) {
    let told = ask(token, object, wanted, |values| assert_eq!(values, expected));
    assert_eq!(told.0, rv);
}

const LABEL: AttributeValue<'static> = AttributeValue::Bytes(Bytes(b"ec"));
const GONE: AttributeValue<'static> = AttributeValue::Unavailable;

#[test]
fn every_attribute_is_told_whatever_the_others_are() {
    with_token(
        "attributes::every_attribute_is_told_whatever_the_others_are",
        |token| {
            token.both_ways(|token| {
                let [_, private] = token.ec_pair();
                let label = wanted(CKA_LABEL, Some(2));
                let all = [
                    label,
                    wanted(CKA_CLASS, None),
                    wanted(CKA_EC_PARAMS, Some(10)),
                    wanted(CKA_LABEL, Some(1)),
                ];
                let values = [
                    LABEL,
                    AttributeValue::Length(8),
                    AttributeValue::Bytes(Bytes(P256)),
                    GONE,
                ];
                tells(token, private, &all[..3], CKR_OK, &values[..3]);
                tells(token, private, &all, CKR_BUFFER_TOO_SMALL, &values);
                let sensitive = [wanted(CKA_VALUE, Some(64)), label];
                tells(
                    token,
                    private,
                    &sensitive,
                    CKR_ATTRIBUTE_SENSITIVE,
                    &[GONE, LABEL],
                );
                let of_another_type = [label, wanted(CKA_MODULUS, None)];
                tells(
                    token,
                    private,
                    &of_another_type,
                    CKR_ATTRIBUTE_TYPE_INVALID,
                    &[LABEL, GONE],
                );
            });
        },
    );
}

#[test]
fn any_amount_of_room_is_no_more_than_the_value_needs() {
    with_token(
        "attributes::any_amount_of_room_is_no_more_than_the_value_needs",
        |token| {
            token.both_ways(|token| {
                let [_, private] = token.ec_pair();
                let all = [
                    wanted(CKA_LABEL, Some(1 << 50)),
                    wanted(CKA_MODULUS, Some(u64::MAX)),
                    wanted(CKA_CLASS, None),
                ];
                let values = [LABEL, GONE, AttributeValue::Length(8)];
                tells(token, private, &all, CKR_ATTRIBUTE_TYPE_INVALID, &values);
            });
        },
    );
}

#[test]
fn values_that_do_not_fit_the_output_tell_how_much_they_need() {
    with_token(
        "attributes::values_that_do_not_fit_the_output_tell_how_much_they_need",
        |mut token| {
            let [_, object] = token.ec_pair();
            let wanted = [wanted(CKA_LABEL, Some(100))];
            let request = Request::AttributeValues {
                session: token.session,
                object,
                wanted: List::Items(&wanted),
            };
            let reply = token.call(&request, &mut [0; 3]);
            let Body::Length(needed) = reply.body else {
                panic!("{reply:?}")
            };
            assert_eq!(reply.rv.0, CKR_BUFFER_TOO_SMALL);
            let reply = token.call(&request, &mut vec![0; needed as usize]);
            assert!(matches!(reply.body, Body::Written(_)), "{reply:?}");
        },
    );
}

#[test]
fn an_object_that_is_not_there_has_no_values() {
    with_token(
        "attributes::an_object_that_is_not_there_has_no_values",
        |mut token| {
            let wanted = [wanted(CKA_LABEL, Some(100))];
            let object = ObjectHandle(987_654);
            let request = Request::AttributeValues {
                session: token.session,
                object,
                wanted: List::Items(&wanted),
            };
            let reply = token.call(&request, &mut [0; 200]);
            assert_eq!(
                (reply.rv.0, reply.body),
                (CKR_OBJECT_HANDLE_INVALID, Body::Empty)
            );
        },
    );
}

/// A key with a template of two attributes for the keys that it may wrap.
fn key_with_template(token: &mut Token) -> ObjectHandle {
    let length = 16_u64.to_ne_bytes();
    let inner = [yes(CKA_EXTRACTABLE), bytes(CKA_ID, b"inner")];
    let template = [
        bytes(CKA_VALUE_LEN, &length),
        Attribute {
            kind: CKA_WRAP_TEMPLATE,
            value: Value::Template(List::Items(&inner)),
        },
    ];
    let (session, mechanism) = (token.session, plain(CKM_AES_KEY_GEN));
    token.object(&Request::GenerateKey {
        session,
        mechanism,
        template: List::Items(&template),
    })
}

const fn whole<'a>(length: u64, nested: &'a [Wanted<'a>]) -> Wanted<'a> {
    Wanted {
        kind: CKA_WRAP_TEMPLATE,
        room: Some(length),
        nested: List::Items(nested),
    }
}

/// Its length is asked for, then its types and lengths, then by the types the values (PKCS#11 v3.1 §5.7.5).
#[test]
fn a_template_in_a_template_goes_in_and_comes_out() {
    with_token(
        "attributes::a_template_in_a_template_goes_in_and_comes_out",
        |token| {
            token.both_ways(|token| {
                let key = key_with_template(token);
                let length = 2 * size_of::<CK_ATTRIBUTE>() as u64;
                tells(
                    token,
                    key,
                    &[wanted(CKA_WRAP_TEMPLATE, None)],
                    CKR_OK,
                    &[AttributeValue::Length(length)],
                );

                let inner = [(CKA_ID, 5), (CKA_EXTRACTABLE, 1)].map(|(kind, length)| NestedValue {
                    kind,
                    value: AttributeValue::Length(length),
                });
                let unknown = [wanted(0, None); 2];
                tells(
                    token,
                    key,
                    &[whole(length, &unknown)],
                    CKR_OK,
                    &[AttributeValue::Nested(List::Items(&inner))],
                );

                let inner = [(CKA_EXTRACTABLE, [CK_TRUE].as_slice()), (CKA_ID, b"inner")].map(
                    |(kind, value)| NestedValue {
                        kind,
                        value: AttributeValue::Bytes(Bytes(value)),
                    },
                );
                for room in [Some(5), Some(1 << 40)] {
                    let known = [wanted(CKA_EXTRACTABLE, room), wanted(CKA_ID, room)];
                    tells(
                        token,
                        key,
                        &[whole(length, &known)],
                        CKR_OK,
                        &[AttributeValue::Nested(List::Items(&inner))],
                    );
                }
            });
        },
    );
}
