use std::cell::Cell;

use bumpalo::collections::Vec;
use cryptoki_sys::{CK_ATTRIBUTE, CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_VALUE_INVALID};
use everslot_protocol::wire::MAX_DEPTH;
use everslot_protocol::{Attribute, Bytes, List, Rv, Template, Value, Wanted};

use super::{ATTRIBUTE_SIZE, COUNT_MAX, is_template};
use crate::module::Scratch;
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// Reads the template that an application gave, and copies no value.
///
/// # Errors
/// `CKR_ARGUMENTS_BAD`: a null template with attributes, or one of more than 65536. `CKR_ATTRIBUTE_VALUE_INVALID`: a null value with a
/// length, a length that no memory has, or templates in templates that nest deeper than
/// [`MAX_DEPTH`] or have more than 65536 attributes in all.
///
/// # Safety
/// `template` is null or points at `count` attributes whose addresses are, for as long as `scratch` is borrowed, null or valid for reads
/// of the lengths beside them, and nobody writes there.
pub unsafe fn read_template<'a>(
    template: *const CK_ATTRIBUTE,
    count: u64,
    scratch: &'a Scratch,
) -> Result<Template<'a>, Rv> {
    // SAFETY: this is what the caller has promised.
    let memory = unsafe { ApplicationMemory::new() };
    let reader = Reader::new(memory, scratch);
    let attributes = reader.attributes(template.expose_provenance() as u64, count)?;
    reader.template(attributes, MAX_DEPTH)
}

/// Reads which attributes `C_GetAttributeValue` is to tell, and how much room there is for each.
///
/// # Errors
/// `CKR_ARGUMENTS_BAD` where [`read_template`] has an error, but a null value with a length is a question for the length.
///
/// # Safety
/// `template` is null or points at `count` attributes; the values of those that hold a template are null or arrays of attributes too.
/// Other values are not followed.
pub unsafe fn read_wanted<'a>(
    template: *const CK_ATTRIBUTE,
    count: u64,
    scratch: &'a Scratch,
) -> Result<List<'a, Wanted<'a>>, Rv> {
    // SAFETY: this is what the caller has promised.
    let memory = unsafe { ApplicationMemory::new() };
    let reader = Reader::new(memory, scratch);
    let attributes = reader.attributes(template.expose_provenance() as u64, count)?;
    reader
        .wanted(attributes, MAX_DEPTH)
        .map_err(|_| Rv(CKR_ARGUMENTS_BAD))
}

struct Reader<'a> {
    memory: ApplicationMemory<'a>,
    scratch: &'a Scratch,
    /// Attributes that may still be read: a template may hold itself, and reading it would double at each level.
    left: Cell<u64>,
}

/// A `CK_ATTRIBUTE`.
struct Entry {
    kind: u64,
    address: u64,
    length: u64,
}

impl<'a> Reader<'a> {
    fn new(memory: ApplicationMemory<'a>, scratch: &'a Scratch) -> Self {
        Self {
            memory,
            scratch,
            left: Cell::new(COUNT_MAX),
        }
    }

    /// Counts further attributes. Whether there may be so many.
    fn may_read(&self, count: u64) -> bool {
        let left = self.left.get().checked_sub(count);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    fn attributes(&self, address: u64, count: u64) -> Result<&'a [u8], Rv> {
        if !self.may_read(count) {
            return Err(Rv(CKR_ARGUMENTS_BAD));
        }
        let bytes = self.memory.bytes(address, count * ATTRIBUTE_SIZE as u64);
        bytes
            .map(Option::unwrap_or_default)
            .map_err(|Unreadable| Rv(CKR_ARGUMENTS_BAD))
    }

    fn template(&self, attributes: &'a [u8], depth: usize) -> Result<Template<'a>, Rv> {
        let mut list =
            Vec::with_capacity_in(attributes.len() / ATTRIBUTE_SIZE, self.scratch.bump());
        for Entry {
            kind,
            address,
            length,
        } in entries(attributes)
        {
            let bytes = self
                .memory
                .bytes(address, length)
                .map_err(|Unreadable| INVALID)?
                .unwrap_or_default();
            let value = match is_template(kind) {
                true => {
                    Value::Template(self.template(self.whole_attributes(bytes)?, deeper(depth)?)?)
                }
                false => Value::Bytes(Bytes(bytes)),
            };
            list.push(Attribute { kind, value });
        }
        Ok(List::Items(list.into_bump_slice()))
    }

    /// The bytes of a value that is a template.
    fn whole_attributes(&self, bytes: &'a [u8]) -> Result<&'a [u8], Rv> {
        let count = bytes.len() / ATTRIBUTE_SIZE;
        if bytes.len().is_multiple_of(ATTRIBUTE_SIZE) && self.may_read(count as u64) {
            Ok(bytes)
        } else {
            Err(INVALID)
        }
    }

    fn wanted(&self, attributes: &'a [u8], depth: usize) -> Result<List<'a, Wanted<'a>>, Rv> {
        let mut list =
            Vec::with_capacity_in(attributes.len() / ATTRIBUTE_SIZE, self.scratch.bump());
        for Entry {
            kind,
            address,
            length,
        } in entries(attributes)
        {
            let room = (address != 0).then_some(length);
            let nested = match room {
                Some(length) if is_template(kind) => {
                    let attributes = self.attributes(address, length / ATTRIBUTE_SIZE as u64)?;
                    self.wanted(attributes, deeper(depth)?)?
                }
                Some(_) | None => List::EMPTY,
            };
            list.push(Wanted { kind, room, nested });
        }
        Ok(List::Items(list.into_bump_slice()))
    }
}

const INVALID: Rv = Rv(CKR_ATTRIBUTE_VALUE_INVALID);

fn deeper(depth: usize) -> Result<usize, Rv> {
    depth
        .checked_sub(1)
        .filter(|&depth| depth > 0)
        .ok_or(INVALID)
}

fn entries(attributes: &[u8]) -> impl Iterator<Item = Entry> {
    attributes
        .chunks_exact(ATTRIBUTE_SIZE)
        .filter_map(|attribute| {
            let [kind, address, length] = [0, WORD, 2 * WORD].map(|offset| word(attribute, offset));
            Some(Entry {
                kind: kind?,
                address: address?,
                length: length?,
            })
        })
}
