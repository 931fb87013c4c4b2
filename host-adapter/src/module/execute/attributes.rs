//! `C_GetAttributeValue`.

use bumpalo::collections::Vec;
use cryptoki_sys::{
    CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL, CKR_HOST_MEMORY,
};
use everslot_protocol::wire::{attribute_values_size, encode_attribute_values};
use everslot_protocol::{AttributeValue, Body, List, NestedValue, Reply, Rv, Wanted};
use zeroize::Zeroizing;

use super::bare;
use crate::module::Scratch;
use crate::module::functions::Functions;
use crate::module::template::Query;

/// Room for values is simply taken up to so many bytes; beyond it the member is first asked how much of it is needed, since applications
/// may say that there is any amount of room.
const ROOM_TAKEN: u64 = 64 * 1024;

/// No attributes of one object are longer together, in bytes.
const ROOM_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn values(
    functions: Functions,
    session: u64,
    object: u64,
    wanted: List<'_, Wanted<'_>>,
    output: &mut [u8],
) -> Reply {
    let subject = Subject {
        functions,
        session,
        object,
    };
    Scratch::with(|scratch| {
        if Query::buffer_size(wanted) <= ROOM_TAKEN {
            return subject.tell(wanted, scratch, output);
        }
        match subject.fitting(wanted, scratch) {
            Ok(wanted) if Query::buffer_size(wanted) <= ROOM_MAX => {
                subject.tell(wanted, scratch, output)
            }
            Ok(_) => bare(Rv(CKR_HOST_MEMORY)),
            Err(rv) => bare(rv),
        }
    })
}

/// The object that is asked.
#[derive(Clone, Copy)]
struct Subject {
    functions: Functions,
    session: u64,
    object: u64,
}

impl Subject {
    fn tell(self, wanted: List<'_, Wanted<'_>>, scratch: &Scratch, output: &mut [u8]) -> Reply {
        // It may come to hold a key.
        let mut buffer = Zeroizing::new(vec![0; Query::buffer_size(wanted) as usize]);
        let mut query = Query::new(wanted, scratch);
        let rv = self.ask(&mut query, &mut buffer);
        if !tells_values(rv) {
            return bare(rv);
        }
        let values = query.values(&buffer, scratch);
        match encode_attribute_values(values, output) {
            Ok(length) => Reply {
                rv,
                body: Body::Written(length as u64),
            },
            Err(_) => {
                let needed = attribute_values_size(wanted) as u64;
                Reply {
                    rv: Rv(CKR_BUFFER_TOO_SMALL),
                    body: Body::Length(needed),
                }
            }
        }
    }

    /// The same attributes, with no more room for any than its value needs.
    fn fitting<'a>(
        self,
        wanted: List<'a, Wanted<'a>>,
        scratch: &'a Scratch,
    ) -> Result<List<'a, Wanted<'a>>, Rv> {
        let lengths = without_room(wanted, scratch);
        let mut query = Query::new(lengths, scratch);
        let rv = self.ask(&mut query, &mut []);
        if tells_values(rv) {
            Ok(with_room_for(wanted, query.values(&[], scratch), scratch))
        } else {
            Err(rv)
        }
    }

    fn ask(self, query: &mut Query<'_>, buffer: &mut [u8]) -> Rv {
        self.functions
            .attribute_values(self.session, self.object, &mut query.template(buffer))
    }
}

/// The codes with which every attribute has been looked at (PKCS#11 v3.1 §5.7.5).
const fn tells_values(rv: Rv) -> bool {
    matches!(
        rv,
        Rv::OK
            | Rv(CKR_ATTRIBUTE_SENSITIVE)
            | Rv(CKR_ATTRIBUTE_TYPE_INVALID)
            | Rv(CKR_BUFFER_TOO_SMALL)
    )
}

fn without_room<'a>(wanted: List<'a, Wanted<'a>>, scratch: &'a Scratch) -> List<'a, Wanted<'a>> {
    let mut list = Vec::with_capacity_in(wanted.len(), scratch.bump());
    for wanted in wanted {
        let nested = without_room(wanted.nested, scratch);
        let room = wanted.room.filter(|_| !nested.is_empty());
        list.push(Wanted {
            room,
            nested,
            ..wanted
        });
    }
    List::Items(list.into_bump_slice())
}

fn with_room_for<'a>(
    wanted: List<'a, Wanted<'a>>,
    values: List<'a, AttributeValue<'a>>,
    scratch: &'a Scratch,
) -> List<'a, Wanted<'a>> {
    let mut list = Vec::with_capacity_in(wanted.len(), scratch.bump());
    for (wanted, value) in wanted.iter().zip(values) {
        list.push(fitted(wanted, value, scratch));
    }
    List::Items(list.into_bump_slice())
}

fn fitted<'a>(wanted: Wanted<'a>, value: AttributeValue<'a>, scratch: &'a Scratch) -> Wanted<'a> {
    match value {
        AttributeValue::Length(length) => Wanted {
            room: wanted.room.map(|room| room.min(length)),
            ..wanted
        },
        AttributeValue::Nested(values) => Wanted {
            nested: with_room_for_nested(wanted.nested, values, scratch),
            ..wanted
        },
        AttributeValue::Unavailable | AttributeValue::Bytes(_) => Wanted {
            room: wanted.room.map(|_| 0),
            nested: List::EMPTY,
            ..wanted
        },
    }
}

/// A member that is asked for the lengths in a nested template tells the types too, in an order of its own.
fn with_room_for_nested<'a>(
    wanted: List<'a, Wanted<'a>>,
    values: List<'a, NestedValue<'a>>,
    scratch: &'a Scratch,
) -> List<'a, Wanted<'a>> {
    let mut list = Vec::with_capacity_in(wanted.len(), scratch.bump());
    for wanted in wanted {
        let value = values.iter().find(|nested| nested.kind == wanted.kind);
        let value = value.map_or(AttributeValue::Length(ROOM_TAKEN), |nested| nested.value);
        list.push(fitted(wanted, value, scratch));
    }
    List::Items(list.into_bump_slice())
}
