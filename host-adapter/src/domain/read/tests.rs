use std::time::Duration;

use cryptoki_sys as ck;
use everslot_protocol::{Deadline, Reply, Rv, SessionHandle};

use super::*;
use crate::domain::Deadlines;
use crate::module::{Link, LinkFailure};

const OBJECT: ObjectHandle = ObjectHandle(7);

/// A token with one object.
#[derive(Default)]
struct Shelf {
    has: Vec<(u64, Vec<u8>)>,
    /// Whether it stops at the first attribute that it has not or that is too long, and leaves the others as it was given them.
    stops: bool,
    calls: usize,
}

impl Link for Shelf {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _: Deadline,
    ) -> Result<Reply, LinkFailure> {
        self.calls += 1;
        let Request::AttributeValues { wanted, .. } = request else {
            panic!("{request:?}");
        };
        let mut rv = ckr::OK;
        let mut stopped = false;
        let zeros = vec![0; 4096];
        let values: Vec<_> = wanted
            .iter()
            .map(|wanted| {
                let value = self.has.iter().find(|(kind, _)| *kind == wanted.kind);
                let value = value.map(|(_, value)| value.as_slice());
                match (value, wanted.room) {
                    (_, room) if stopped => room.map_or(AttributeValue::Length(0), |room| {
                        AttributeValue::Bytes(Bytes(&zeros[..room as usize]))
                    }),
                    (Some(value), None) => AttributeValue::Length(value.len() as u64),
                    (Some(value), Some(room)) if value.len() as u64 <= room => {
                        AttributeValue::Bytes(Bytes(value))
                    }
                    (value, _) => {
                        stopped = self.stops;
                        rv = if value.is_some() {
                            ckr::BUFFER_TOO_SMALL
                        } else {
                            ckr::ATTRIBUTE_TYPE_INVALID
                        };
                        AttributeValue::Unavailable
                    }
                }
            })
            .collect();
        let written = wire::encode_attribute_values(List::Items(&values), output).expect("room");
        Ok(Reply {
            rv: Rv(rv.0),
            body: Body::Written(written as u64),
        })
    }
}

fn read(shelf: &mut Shelf, kinds: &[u64]) -> Attributes {
    let second = Duration::from_secs(1);
    let deadlines = Deadlines {
        call: second,
        generation: second,
    };
    let mut token = Token::new(shelf, SessionHandle(1), deadlines);
    token.attributes(OBJECT, kinds).expect("it answers")
}

fn shelf() -> Shelf {
    Shelf {
        has: vec![
            (ck::CKA_LABEL, b"label".to_vec()),
            (ck::CKA_ID, b"id".to_vec()),
            (ck::CKA_VALUE, vec![7; 2000]),
        ],
        ..Shelf::default()
    }
}

#[test]
fn what_is_short_is_read_by_one_question() {
    let mut shelf = shelf();
    let all = read(&mut shelf, &[ck::CKA_ID, ck::CKA_LABEL]);
    assert_eq!(all.get(ck::CKA_ID), Some(&b"id"[..]));
    assert_eq!(all.get(ck::CKA_LABEL), Some(&b"label"[..]));
    assert_eq!(shelf.calls, 1);
}

#[test]
fn what_is_long_is_read_too_and_what_is_not_there_is_left_out() {
    let mut shelf = shelf();
    let kinds = [ck::CKA_VALUE, ck::CKA_SUBJECT, ck::CKA_ID];
    let read = read(&mut shelf, &kinds);
    let kinds: Vec<_> = read.iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [ck::CKA_VALUE, ck::CKA_ID]);
    assert_eq!(read.get(ck::CKA_VALUE), Some(&[7; 2000][..]));
}

#[test]
fn room_that_a_token_has_left_as_it_was_is_no_value() {
    let mut shelf = Shelf {
        stops: true,
        ..shelf()
    };
    let read = read(&mut shelf, &[ck::CKA_ID, ck::CKA_SUBJECT, ck::CKA_LABEL]);
    assert_eq!(read.get(ck::CKA_ID), Some(&b"id"[..]));
    assert!(read.get(ck::CKA_LABEL).is_none_or(<[u8]>::is_empty));
}
