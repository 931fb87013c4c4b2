use cryptoki_sys::{CK_ATTRIBUTE, CK_UNAVAILABLE_INFORMATION};
use everslot_protocol::{AttributeValue, Bytes, List, NestedValue, Wanted};

use super::{ATTRIBUTE_SIZE, CTemplate, is_template};
use crate::module::Scratch;

/// The template of one `C_GetAttributeValue`, with the places where the values go.
pub(in crate::module) struct Query<'a> {
    attributes: &'a mut [CK_ATTRIBUTE],
    places: &'a mut [Place<'a>],
}

/// Where a value goes.
enum Place<'a> {
    /// Nowhere: only its length is asked for.
    Nowhere,
    /// Into the buffer, from `offset` on, where there is `room`.
    Buffer { offset: usize, room: usize },
    /// Into a template of its own.
    Template(Query<'a>),
}

impl<'a> Query<'a> {
    /// The bytes of buffer that the values of `wanted` need.
    pub(in crate::module) fn buffer_size(wanted: List<'_, Wanted<'_>>) -> u64 {
        wanted.iter().fold(0, |size: u64, wanted| {
            size.saturating_add(match (wanted.room, is_template(wanted.kind)) {
                (Some(_), true) => Self::buffer_size(wanted.nested),
                (Some(room), false) => room,
                (None, _) => 0,
            })
        })
    }

    pub(in crate::module) fn new(wanted: List<'_, Wanted<'_>>, scratch: &'a Scratch) -> Self {
        Self::with_offset(wanted, &mut 0, scratch)
    }

    /// The template, its values pointing into `buffer` of at least [`buffer_size`](Self::buffer_size) bytes.
    pub(in crate::module) fn template<'q>(&'q mut self, buffer: &'q mut [u8]) -> CTemplate<'q> {
        self.point_into(buffer.as_mut_ptr(), buffer.len());
        CTemplate::of(self.attributes)
    }

    /// What the call has put into the template and into `buffer`.
    pub(in crate::module) fn values(
        &self,
        buffer: &'a [u8],
        scratch: &'a Scratch,
    ) -> List<'a, AttributeValue<'a>> {
        let mut values =
            bumpalo::collections::Vec::with_capacity_in(self.places.len(), scratch.bump());
        for (attribute, place) in self.attributes.iter().zip(self.places.iter()) {
            values.push(value(attribute.ulValueLen, place, buffer, scratch));
        }
        List::Items(values.into_bump_slice())
    }

    fn with_offset(wanted: List<'_, Wanted<'_>>, end: &mut usize, scratch: &'a Scratch) -> Self {
        let count = wanted.len();
        let attributes = scratch
            .bump()
            .alloc_slice_fill_copy(count, CK_ATTRIBUTE::default());
        let mut places = bumpalo::collections::Vec::with_capacity_in(count, scratch.bump());
        for (attribute, wanted) in attributes.iter_mut().zip(wanted) {
            attribute.type_ = wanted.kind;
            places.push(match wanted.room {
                None => Place::Nowhere,
                Some(_) if is_template(wanted.kind) => {
                    Place::Template(Self::with_offset(wanted.nested, end, scratch))
                }
                Some(room) => {
                    let (offset, room) = (*end, room as usize);
                    *end = end.saturating_add(room);
                    Place::Buffer { offset, room }
                }
            });
        }
        Self {
            attributes,
            places: places.into_bump_slice_mut(),
        }
    }

    fn point_into(&mut self, buffer: *mut u8, size: usize) {
        for (attribute, place) in self.attributes.iter_mut().zip(self.places.iter_mut()) {
            match place {
                Place::Nowhere => {}
                Place::Buffer { offset, room } => {
                    *room = (*room).min(size.saturating_sub(*offset));
                    attribute.pValue = buffer.wrapping_add(*offset).cast();
                    attribute.ulValueLen = *room as u64;
                }
                Place::Template(query) => {
                    query.point_into(buffer, size);
                    attribute.pValue = query.attributes.as_mut_ptr().cast();
                    attribute.ulValueLen = (query.attributes.len() * ATTRIBUTE_SIZE) as u64;
                }
            }
        }
    }
}

fn value<'a>(
    length: u64,
    place: &Place<'a>,
    buffer: &'a [u8],
    scratch: &'a Scratch,
) -> AttributeValue<'a> {
    if length == CK_UNAVAILABLE_INFORMATION {
        return AttributeValue::Unavailable;
    }
    match place {
        Place::Nowhere => AttributeValue::Length(length),
        // A member that says more than there was room for has written nothing that can be relied on.
        Place::Buffer { offset, room } => usize::try_from(length)
            .ok()
            .filter(|length| length <= room)
            .and_then(|length| buffer.get(*offset..*offset + length))
            .map_or(AttributeValue::Unavailable, |bytes| {
                AttributeValue::Bytes(Bytes(bytes))
            }),
        Place::Template(query) => nested(length, query, buffer, scratch),
    }
}

fn nested<'a>(
    length: u64,
    query: &Query<'a>,
    buffer: &'a [u8],
    scratch: &'a Scratch,
) -> AttributeValue<'a> {
    let count = usize::try_from(length).unwrap_or(usize::MAX) / ATTRIBUTE_SIZE;
    if count > query.attributes.len() {
        return AttributeValue::Unavailable;
    }
    let values = query.values(buffer, scratch);
    let mut list = bumpalo::collections::Vec::with_capacity_in(count, scratch.bump());
    for (attribute, value) in query.attributes.iter().zip(values).take(count) {
        list.push(NestedValue {
            kind: attribute.type_,
            value,
        });
    }
    AttributeValue::Nested(List::Items(list.into_bump_slice()))
}
