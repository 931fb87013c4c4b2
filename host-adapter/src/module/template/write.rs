use std::ptr;

use cryptoki_sys::{CK_ATTRIBUTE, CKA_VALUE};
use everslot_protocol::{Attribute, Template, Value};

use super::ATTRIBUTE_SIZE;
use crate::module::Scratch;
use crate::module::memory::WORD;

/// A template in its C form; every address in it is good for `'a`.
pub(in crate::module) struct CTemplate<'a>(&'a mut [CK_ATTRIBUTE]);

impl<'a> CTemplate<'a> {
    pub(in crate::module) fn new(template: Template<'a>, scratch: &'a Scratch) -> Self {
        let attributes = scratch
            .bump()
            .alloc_slice_fill_copy(template.len(), CK_ATTRIBUTE::default());
        for (place, attribute) in attributes.iter_mut().zip(template) {
            *place = attribute_in_c(attribute, scratch);
        }
        Self(attributes)
    }

    /// Of attributes whose addresses are good for `'a`.
    pub(super) const fn of(attributes: &'a mut [CK_ATTRIBUTE]) -> Self {
        Self(attributes)
    }

    /// The two arguments that C passes a template in.
    pub(in crate::module) const fn as_argument(&mut self) -> (*mut CK_ATTRIBUTE, u64) {
        (self.0.as_mut_ptr(), self.0.len() as u64)
    }
}

fn attribute_in_c<'a>(attribute: Attribute<'a>, scratch: &'a Scratch) -> CK_ATTRIBUTE {
    let (value, length) = match attribute.value {
        // Some members take a value that is not null as one that is there.
        Value::Bytes(bytes) if bytes.is_empty() => (ptr::null_mut(), 0),
        Value::Bytes(bytes) => (
            readable_as_number(attribute.kind, bytes.0, scratch),
            bytes.len(),
        ),
        Value::Template(template) => {
            let mut template = CTemplate::new(template, scratch);
            let (attributes, count) = template.as_argument();
            (attributes.cast(), count as usize * ATTRIBUTE_SIZE)
        }
    };
    CK_ATTRIBUTE {
        type_: attribute.kind,
        pValue: value.cast(),
        ulValueLen: length as u64,
    }
}

/// A value of the size of a `CK_ULONG` where a member may read it as one: on the wire it can stand anywhere. The value of a key, which a
/// scratch must not hold, is no number.
fn readable_as_number(kind: u64, value: &[u8], scratch: &Scratch) -> *mut u8 {
    let start = value.as_ptr();
    match value.first_chunk::<WORD>() {
        Some(number)
            if value.len() == WORD && kind != CKA_VALUE && !start.cast::<u64>().is_aligned() =>
        {
            ptr::from_mut(scratch.bump().alloc(u64::from_ne_bytes(*number))).cast()
        }
        Some(_) | None => start.cast_mut(),
    }
}
