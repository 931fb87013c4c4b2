//! Round trips of whatever can be built, and decoding of whatever can arrive.

pub(crate) mod strategies;

use std::format;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::{
    Body, Bytes, Function, MADE_IV_MAX, ModuleInfo, ObjectHandle, Operation, Rv, Sealed,
    SessionHandle, SessionInfo, SlotInfo, TAG_MAX, TokenInfo, Version,
};
use strategies::{attribute_values, replies, requests};

const SESSION: SessionHandle = SessionHandle(7);

fn encoded(request: &Request<'_>) -> Vec<u8> {
    let mut buffer = vec![0; request_size(request)];
    let size = encode_request(request, &mut buffer).expect("request_size is enough");
    assert_eq!(size, buffer.len(), "request_size is exact");
    buffer
}

proptest! {
    #[test]
    fn a_request_comes_back_as_it_went(request in requests()) {
        let bytes = encoded(&request);
        let decoded = decode_request(&bytes).expect("decodes");
        prop_assert_eq!(decoded, request);
        prop_assert_eq!(decoded.function(), request.function());
        prop_assert_eq!(decoded.session(), request.session());
        prop_assert_eq!(encoded(&decoded), bytes, "a decoded request has the same wire form");
    }

    #[test]
    fn a_request_that_does_not_fit_is_refused(request in requests(), missing in 1..64_usize) {
        let mut short = vec![0; request_size(&request).saturating_sub(missing)];
        prop_assert_eq!(encode_request(&request, &mut short), Err(TooSmall));
    }

    #[test]
    fn a_cut_or_prolonged_request_is_malformed(request in requests(), at in any::<prop::sample::Index>()) {
        let mut bytes = encoded(&request);
        prop_assert_eq!(decode_request(&bytes[..at.index(bytes.len())]), Err(Malformed));
        bytes.push(0);
        prop_assert_eq!(decode_request(&bytes), Err(Malformed));
    }

    #[test]
    fn a_spoilt_request_is_malformed_or_another_request(
        request in requests(), at in any::<prop::sample::Index>(), by in 1..=255_u8,
    ) {
        let mut bytes = encoded(&request);
        let at = at.index(bytes.len());
        bytes[at] ^= by;
        if let Ok(other) = decode_request(&bytes) {
            let again = encoded(&other);
            prop_assert_eq!(decode_request(&again), Ok(other));
        }
    }

    #[test]
    fn arbitrary_bytes_never_harm(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        if let Ok(request) = decode_request(&bytes) {
            let again = encoded(&request);
            prop_assert_eq!(decode_request(&again), Ok(request));
        }
        if let Ok((reply, output)) = decode_reply(&bytes) {
            prop_assert_eq!(output.len() as u64, reply.written());
        }
        if let Ok(values) = decode_attribute_values(&bytes) {
            prop_assert_eq!(values.iter().count(), values.len());
        }
    }

    #[test]
    fn a_reply_comes_back_with_its_output(reply in replies(), fill in any::<u8>()) {
        let output = vec![fill; usize::try_from(reply.written()).expect("small")];
        let mut buffer = vec![0; REPLY_SIZE_MAX + output.len()];
        let size = encode_reply(reply, &output, &mut buffer).expect("fits");
        prop_assert_eq!(decode_reply(&buffer[..size]), Ok((reply, &output[..])));
        prop_assert_eq!(decode_reply(&buffer[..size - 1]), Err(Malformed));
        prop_assert_eq!(encode_reply(reply, &output, &mut buffer[..size - 1]), Err(TooSmall));
    }

    #[test]
    fn attribute_values_come_back(values in attribute_values()) {
        let mut buffer = vec![0; 1 << 20];
        let size = encode_attribute_values(values, &mut buffer).expect("fits");
        prop_assert_eq!(decode_attribute_values(&buffer[..size]), Ok(values));
    }
}

#[test]
fn the_longest_reply_fits_its_bound() {
    let bodies = [
        Body::Sealed(Sealed::new(u64::MAX, &[255; MADE_IV_MAX], &[255; TAG_MAX])),
        Body::SessionInfo(SessionInfo {
            slot: u64::MAX,
            state: u64::MAX,
            flags: u64::MAX,
            device_error: u64::MAX,
        }),
    ];
    for body in bodies {
        let reply = Reply {
            rv: Rv(u64::MAX),
            body,
        };
        assert!(encode_reply_head(reply, &mut [0; REPLY_SIZE_MAX]).is_ok());
    }
}

#[test]
fn descriptions_come_back_and_the_longest_fits_its_bound() {
    let version = Version {
        major: 255,
        minor: 255,
    };
    comes_back(&TokenInfo {
        label: [255; 32],
        manufacturer: [255; 32],
        model: [255; 16],
        serial: [255; 16],
        flags: u64::MAX,
        max_sessions: u64::MAX,
        sessions: u64::MAX,
        max_rw_sessions: u64::MAX,
        rw_sessions: u64::MAX,
        max_pin: u64::MAX,
        min_pin: u64::MAX,
        total_public_memory: u64::MAX,
        free_public_memory: u64::MAX,
        total_private_memory: u64::MAX,
        free_private_memory: u64::MAX,
        hardware: version,
        firmware: version,
        utc_time: [255; 16],
    });
    comes_back(&SlotInfo {
        description: [[255; 32]; 2],
        manufacturer: [255; 32],
        flags: u64::MAX,
        hardware: version,
        firmware: version,
    });
    comes_back(&ModuleInfo {
        cryptoki: version,
        manufacturer: [255; 32],
        flags: u64::MAX,
        description: [255; 32],
        library: version,
    });
}

fn comes_back<I: Info + PartialEq + core::fmt::Debug>(info: &I) {
    let mut buffer = [0; INFO_SIZE_MAX];
    let size = encode_info(info, &mut buffer).expect("fits");
    assert_eq!(decode_info::<I>(&buffer[..size]).as_ref(), Ok(info));
    assert!(decode_info::<I>(&buffer[..size - 1]).is_err());
    assert_eq!(encode_info(info, &mut buffer[..size - 1]), Err(TooSmall));
}

/// A reply is copied at each step on its way back.
#[test]
fn a_reply_is_small() {
    assert!(size_of::<Reply>() <= 80);
}

/// A search whose template nests `depth` deep: the innermost is a list with one plain attribute.
fn nested(depth: usize) -> Vec<u8> {
    let innermost = [Attribute {
        kind: 3,
        value: Value::Bytes(Bytes(b"innermost")),
    }];
    nest(depth - 1, &innermost)
}

fn nest(depth: usize, template: &[Attribute<'_>]) -> Vec<u8> {
    match depth {
        0 => encoded(&Request::FindObjects {
            session: SESSION,
            template: List::Items(template),
        }),
        _ => nest(
            depth - 1,
            &[Attribute {
                kind: 2,
                value: Value::Template(List::Items(template)),
            }],
        ),
    }
}

#[test]
fn lists_nest_so_deep_and_no_deeper() {
    assert!(decode_request(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(decode_request(&nested(MAX_DEPTH + 1)), Err(Malformed));
}

/// Each level costs a hostile sender few bytes; a decoder that recursed over all of them would run out of stack.
#[test]
fn a_very_deep_request_does_not_exhaust_the_stack() {
    let mut list: Vec<u8> = Vec::new();
    for _ in 0..20_000 {
        let mut outer = vec![0; list.len() + 32];
        let attribute = Attribute {
            kind: 1,
            value: Value::Template(List::Encoded(&list)),
        };
        let size = encode(&attribute, &mut outer).expect("fits");
        outer.truncate(size);
        list = outer;
    }
    let request = Request::FindObjects {
        session: SESSION,
        template: List::Encoded(&list),
    };
    assert_eq!(decode_request(&encoded(&request)), Err(Malformed));
}

#[test]
fn a_list_with_an_unreadable_item_is_malformed_and_ends_before_it() {
    let spoilt = [1, 0, 0, 0xff];
    let template: Template<'_> = List::Encoded(&spoilt);
    assert_eq!(template.iter().count(), 1);
    let request = Request::FindObjects {
        session: SESSION,
        template,
    };
    assert_eq!(decode_request(&encoded(&request)), Err(Malformed));
}

#[test]
fn both_forms_of_a_list_are_equal_and_empty_alike() {
    let items = [
        Field::Integer(1),
        Field::Object(ObjectHandle(2)),
        Field::Pointer(None),
    ];
    let mut buffer = [0; 64];
    let size = encode(&List::Items(&items), &mut buffer).expect("fits");
    let decoded: List<'_, Field<'_>> = decode_exactly(&buffer[..size]).expect("decodes");
    assert!(matches!(decoded, List::Encoded(_)));
    assert_eq!(decoded, List::from(&items));
    assert_eq!(decoded.len(), 3);
    assert_ne!(decoded, List::from(&items[..2]));
    assert!(!decoded.is_empty());
    assert!(List::<Field<'_>>::EMPTY.is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let template = [Attribute {
        kind: 0x11,
        value: Value::Bytes(Bytes(b"topsecret")),
    }];
    let shown = [
        format!(
            "{:?}",
            Request::Login {
                session: SESSION,
                user: 1,
                pin: Some(Bytes(b"topsecret"))
            }
        ),
        format!(
            "{:?}",
            Request::CreateObject {
                session: SESSION,
                template: List::Items(&template)
            }
        ),
    ];
    for shown in shown {
        assert!(shown.contains("<9 bytes>"), "{shown}");
        assert!(
            !shown.contains("topsecret") && !shown.contains("116"),
            "{shown}"
        );
    }
}

#[test]
fn a_request_knows_its_function() {
    let whole = |operation| Request::Whole {
        session: SESSION,
        operation,
        data: Bytes(b""),
        room: None,
    };
    assert_eq!(whole(Operation::Sign).function(), Function::Sign);
    assert_eq!(
        whole(Operation::VerifyRecover).function().name(),
        "C_VerifyRecover"
    );
    assert_eq!(
        Request::InitPin {
            session: SESSION,
            pin: None
        }
        .function()
        .name(),
        "C_InitPIN"
    );
    assert_eq!(Request::ModuleInfo.session(), None);
    assert_eq!(
        Request::Logout { session: SESSION }.session(),
        Some(SESSION)
    );
}
