//! A structure, written for a member: one routine for all of them.

use std::cell::Cell;

use everslot_protocol::{Field, List};

use super::super::returned::{Places, iv_rooms, new_key};
use super::super::shape::{IVS_MAX, OUTPUT_MAX, Part, Structure};
use super::super::structures::DERIVED_KEY;
use super::address_of;
use super::words::{Mismatch, Words, numbers_agree};
use crate::module::Scratch;
use crate::module::memory::WORD;

/// What the member may overwrite.
#[derive(Default)]
pub(super) struct Made<'a> {
    pub(super) iv: Cell<Option<&'a [Cell<u8>]>>,
    pub(super) places: Cell<Places<'a>>,
}

/// Writes structures, and notes what of them the member may overwrite.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a, 'm>(pub(super) &'a Scratch, pub(super) &'m Made<'a>);

impl<'a> Writer<'a, '_> {
    pub(super) fn structure(
        self,
        structure: &Structure,
        fields: List<'a, Field<'a>>,
    ) -> Result<&'a [u64], Mismatch> {
        let words = self
            .0
            .bump()
            .alloc_slice_fill_copy(structure.size / WORD, 0);
        self.fill(structure, fields, &mut Words::new(words))?;
        Ok(words)
    }

    fn fill(
        self,
        structure: &Structure,
        fields: List<'a, Field<'a>>,
        words: &mut Words<'_>,
    ) -> Result<(), Mismatch> {
        let mut rest = fields.iter();
        for (offset, part) in structure.places().filter(|(_, part)| part.is_field()) {
            let field = rest.next().ok_or(Mismatch)?;
            self.part(structure, offset, part, field, words)?;
        }
        if rest.next().is_some() || !numbers_agree(structure, fields, words) {
            return Err(Mismatch);
        }
        Ok(())
    }

    fn part(
        self,
        structure: &Structure,
        offset: usize,
        part: Part,
        field: Field<'a>,
        words: &mut Words<'_>,
    ) -> Result<(), Mismatch> {
        match part {
            Part::Integer
            | Part::Byte
            | Part::Object
            | Part::ObjectWhen { .. }
            | Part::Inline(_)
            | Part::SizeOrAddress
            | Part::Structure(_) => self.in_place(offset, part, field, words),
            Part::Bytes { .. }
            | Part::Bits { .. }
            | Part::Nonce { .. }
            | Part::Fixed(_)
            | Part::BytesOrObject { .. }
            | Part::Text
            | Part::Reference(_)
            | Part::Array { .. }
            | Part::Value { .. }
            | Part::Mechanism => self.pointed_at(structure, offset, part, field, words),
            Part::MadeBytes { .. }
            | Part::Written(_)
            | Part::KeyMaterial { .. }
            | Part::OutputLength { .. }
            | Part::DerivedKeys { .. } => self.to_be_written(structure, offset, part, field, words),
            Part::Size | Part::Output | Part::NewKey | Part::Null => Err(Mismatch),
        }
    }

    /// What stands in the structure itself.
    fn in_place(
        self,
        offset: usize,
        part: Part,
        field: Field<'a>,
        words: &mut Words<'_>,
    ) -> Result<(), Mismatch> {
        match (part, field) {
            (Part::Integer | Part::ObjectWhen { .. }, Field::Integer(value)) => {
                words.put(offset, value)
            }
            (Part::Object | Part::ObjectWhen { .. }, Field::Object(object)) => {
                words.put(offset, object.0)
            }
            (Part::Byte, Field::Integer(value)) => {
                words.put_bytes(offset, &[u8::try_from(value).map_err(|_| Mismatch)?])
            }
            (Part::Inline(length), Field::Inline(bytes)) if bytes.len() == length => {
                words.put_bytes(offset, &bytes)
            }
            (Part::SizeOrAddress, Field::Integer(0)) => Ok(()),
            (Part::SizeOrAddress, Field::Integer(1)) => {
                words.put(offset, self.cell(words.word(offset)?))
            }
            (Part::Structure(inner), Field::Nested(fields)) => {
                self.fill(inner, fields, &mut words.at(offset))
            }
            _ => Err(Mismatch),
        }
    }

    /// What the structure has the address of, for the member to read.
    fn pointed_at(
        self,
        structure: &Structure,
        offset: usize,
        part: Part,
        field: Field<'a>,
        words: &mut Words<'_>,
    ) -> Result<(), Mismatch> {
        let size_offset = |size: usize| structure.offsets[size];
        match (part, field) {
            (_, Field::Pointer(None)) => Ok(()),
            (
                Part::Bytes { size } | Part::BytesOrObject { size, .. } | Part::Value { size, .. },
                Field::Pointer(Some(bytes)),
            ) => {
                words.put(offset, address_of(&bytes))?;
                words.put_size(size_offset(size), bytes.len())
            }
            (Part::BytesOrObject { size, .. }, Field::Object(object)) => {
                words.put(offset, self.cell(object.0))?;
                words.put_size(size_offset(size), WORD)
            }
            (Part::Bits { .. } | Part::Nonce { .. }, Field::Pointer(Some(bytes))) => {
                words.put(offset, address_of(&bytes))
            }
            (Part::Fixed(length), Field::Pointer(Some(bytes))) if bytes.len() == length => {
                words.put(offset, address_of(&bytes))
            }
            (Part::Text, Field::Pointer(Some(text))) => words.put(offset, self.text(&text)),
            (Part::Reference(to), Field::Nested(fields)) => {
                words.put(offset, address_of(self.structure(to, fields)?))
            }
            (Part::Array { of, count }, Field::Nested(items)) => {
                words.put(offset, address_of(self.array(of, items)?))?;
                words.put_size(size_offset(count), items.len())
            }
            (Part::Mechanism, Field::Nested(fields)) => words.put(offset, self.mechanism(fields)?),
            _ => Err(Mismatch),
        }
    }

    /// What the structure has the address of, for the member to write to.
    fn to_be_written(
        self,
        structure: &Structure,
        offset: usize,
        part: Part,
        field: Field<'a>,
        words: &mut Words<'_>,
    ) -> Result<(), Mismatch> {
        match (part, field) {
            (_, Field::Pointer(None)) => Ok(()),
            (Part::MadeBytes { size, .. }, Field::Pointer(Some(bytes))) => {
                let made = self
                    .0
                    .bump()
                    .alloc_slice_fill_iter(bytes.iter().copied().map(Cell::new));
                self.1.iv.set(Some(made));
                words.put(offset, address_of(made))?;
                words.put_size(structure.offsets[size], bytes.len())
            }
            (Part::Written(length), Field::Pointer(Some(room))) if room.len() == length => {
                let bytes = self.room(length);
                self.1.places.set(Places {
                    bytes: [bytes, &[]],
                    ..Places::default()
                });
                words.put(offset, address_of(bytes))
            }
            (Part::KeyMaterial { keys, ivs, .. }, Field::Nested(rooms)) if rooms.len() == ivs => {
                words.put(offset, self.key_material(keys, rooms)?)
            }
            (Part::OutputLength { output }, Field::Integer(length)) if length <= OUTPUT_MAX => {
                let bytes = self.room(length as usize);
                let written = self.zeros(1);
                written.iter().for_each(|written| written.set(length));
                self.1.places.set(Places {
                    words: written,
                    bytes: [bytes, &[]],
                });
                words.put(structure.offsets[output], address_of(bytes))?;
                words.put(offset, address_of(written))
            }
            (Part::DerivedKeys { count }, Field::Nested(keys)) => {
                words.put(offset, self.derived_keys(keys)?)?;
                words.put_size(structure.offsets[count], keys.len())
            }
            _ => Err(Mismatch),
        }
    }

    fn array(self, of: &Structure, items: List<'a, Field<'a>>) -> Result<&'a mut [u64], Mismatch> {
        let words = self
            .0
            .bump()
            .alloc_slice_fill_copy(items.len() * of.size / WORD, 0);
        for (index, item) in items.iter().enumerate() {
            let Field::Nested(fields) = item else {
                return Err(Mismatch);
            };
            self.fill(of, fields, &mut Words::new(words).at(index * of.size))?;
        }
        Ok(words)
    }

    fn mechanism(self, fields: List<'a, Field<'a>>) -> Result<u64, Mismatch> {
        let mut fields = fields.iter();
        let (Some(Field::Integer(kind)), Some(Field::Pointer(parameter)), None) =
            (fields.next(), fields.next(), fields.next())
        else {
            return Err(Mismatch);
        };
        let parameter = parameter.map_or([0, 0], |bytes| [address_of(&bytes), bytes.len() as u64]);
        Ok(address_of(self.0.bump().alloc([
            kind,
            parameter[0],
            parameter[1],
        ])))
    }

    /// A structure for the member to fill: handles, then the addresses of IVs.
    fn key_material(self, keys: usize, rooms: List<'a, Field<'a>>) -> Result<u64, Mismatch> {
        let mut bytes: [&[Cell<u8>]; IVS_MAX] = [&[]; IVS_MAX];
        let mut out = self.zeros(keys + rooms.len());
        for (index, room) in iv_rooms(rooms).enumerate() {
            let room = self.room(room.ok_or(Mismatch)?);
            *bytes.get_mut(index).ok_or(Mismatch)? = room;
            let address = if room.is_empty() { 0 } else { address_of(room) };
            out.get(keys + index).ok_or(Mismatch)?.set(address);
        }
        let address = address_of(out);
        out = out.get(..keys).ok_or(Mismatch)?;
        self.1.places.set(Places { words: out, bytes });
        Ok(address)
    }

    /// Templates of keys, each with a place for the handle.
    fn derived_keys(self, keys: List<'a, Field<'a>>) -> Result<u64, Mismatch> {
        let handles = self.zeros(keys.len());
        let written = self.array(&DERIVED_KEY, keys)?;
        let each = written.chunks_exact_mut(DERIVED_KEY.size / WORD);
        for (key, handle) in each.zip(handles.chunks(1)) {
            Words::new(key).put(new_key(), address_of(handle))?;
        }
        self.1.places.set(Places {
            words: handles,
            ..Places::default()
        });
        Ok(address_of(written))
    }

    fn zeros(self, count: usize) -> &'a [Cell<u64>] {
        self.0.bump().alloc_slice_fill_with(count, |_| Cell::new(0))
    }

    fn room(self, length: usize) -> &'a [Cell<u8>] {
        self.0
            .bump()
            .alloc_slice_fill_with(length, |_| Cell::new(0))
    }

    fn text(self, text: &[u8]) -> u64 {
        address_of(
            self.0
                .bump()
                .alloc_slice_fill_iter(text.iter().copied().chain([0]).collect::<Vec<u8>>()),
        )
    }

    /// The address of a number.
    fn cell(self, value: u64) -> u64 {
        address_of(self.0.bump().alloc([value]))
    }
}
