use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use cryptoki_sys::{CK_MECHANISM, CKR_MECHANISM_PARAM_INVALID};
use everslot_protocol::{Field, List, Mechanism, Parameter, Rv};

use super::returned::{Places, iv_rooms, makes_no_key_of_its_own};
use super::shape::{IVS_MAX, Part, Structure, nonce_size};
use super::table::structures;
use crate::module::Scratch;
use crate::module::memory::WORD;

/// A mechanism in its C form; every address in it is good for `'a`.
pub(in crate::module) struct CMechanism<'a> {
    mechanism: CK_MECHANISM,
    /// What the member may overwrite.
    made: Option<&'a [Cell<u8>]>,
    /// What it gives back beside the call's own output.
    places: Places<'a>,
    borrowed: PhantomData<&'a ()>,
}

impl<'a> CMechanism<'a> {
    /// # Errors
    /// `CKR_MECHANISM_PARAM_INVALID`: the fields are not those of the mechanism's structure.
    pub(in crate::module) fn new(
        mechanism: &Mechanism<'a>,
        scratch: &'a Scratch,
    ) -> Result<Self, Rv> {
        if let Some(plain) = Self::plain(mechanism) {
            return Ok(plain);
        }
        let made = Made::default();
        let words = match mechanism.parameter {
            Parameter::None => &[],
            Parameter::Flat(bytes) => aligned(&bytes, scratch),
            Parameter::Fields(fields) => {
                let candidates = structures(mechanism.kind);
                let structure = candidates
                    .iter()
                    .find(|structure| structure.fields == fields.len());
                let written = structure
                    .ok_or(Mismatch)
                    .and_then(|structure| Writer(scratch, &made).structure(structure, fields));
                written.map_err(|Mismatch| Rv(CKR_MECHANISM_PARAM_INVALID))?
            }
        };
        Ok(Self {
            made: made.iv.get(),
            places: made.places.get(),
            ..Self::of(mechanism.kind, address_of(words), words.len() * WORD)
        })
    }

    /// The C form of a mechanism that needs nothing beside itself: no parameter, or an aligned flat one.
    pub(in crate::module) fn plain(mechanism: &Mechanism<'a>) -> Option<Self> {
        match mechanism.parameter {
            Parameter::None => Some(Self::of(mechanism.kind, 0, 0)),
            Parameter::Flat(bytes) if !bytes.len().is_multiple_of(WORD) || is_aligned(&bytes) => {
                Some(Self::of(mechanism.kind, address_of(&bytes), bytes.len()))
            }
            Parameter::Flat(_) | Parameter::Fields(_) => None,
        }
    }

    pub(in crate::module) const fn as_mut_ptr(&mut self) -> *mut CK_MECHANISM {
        &raw mut self.mechanism
    }

    /// What stands in the parameter where the member may have made an IV; `None` for a parameter without such a place.
    pub(in crate::module) fn made(&self) -> Option<Vec<u8>> {
        self.made.map(|made| made.iter().map(Cell::get).collect())
    }

    /// How many bytes [`copy_returned`](Self::copy_returned) gives; 0 for a mechanism that nothing is given back in.
    pub(in crate::module) fn returned_size(&self) -> usize {
        self.places.size()
    }

    /// Puts what the member has given back at the start of `output`: [`Returned`](super::Returned) says what.
    pub(in crate::module) fn copy_returned(&self, output: &mut [u8]) {
        self.places.copy_to(output);
    }

    pub(in crate::module) const fn makes_no_key_of_its_own(&self) -> bool {
        makes_no_key_of_its_own(self.mechanism.mechanism)
    }

    fn of(kind: u64, address: u64, length: usize) -> Self {
        let parameter = ptr::with_exposed_provenance_mut(address as usize);
        let mechanism = CK_MECHANISM {
            mechanism: kind,
            pParameter: parameter,
            ulParameterLen: length as u64,
        };
        Self {
            mechanism,
            made: None,
            places: Places::default(),
            borrowed: PhantomData,
        }
    }
}

fn address_of<T>(memory: &[T]) -> u64 {
    memory.as_ptr().expose_provenance() as u64
}

fn is_aligned(bytes: &[u8]) -> bool {
    bytes.as_ptr().cast::<u64>().is_aligned()
}

/// A structure of integers where a member may read them as such: on the wire it can stand anywhere.
fn aligned<'a>(bytes: &[u8], scratch: &'a Scratch) -> &'a [u64] {
    let (words, _) = bytes.as_chunks::<WORD>();
    scratch
        .bump()
        .alloc_slice_fill_iter(words.iter().map(|word| u64::from_ne_bytes(*word)))
}

/// The fields are not those of the structure.
#[derive(Debug)]
struct Mismatch;

/// What the member may overwrite.
#[derive(Default)]
struct Made<'a> {
    iv: Cell<Option<&'a [Cell<u8>]>>,
    places: Cell<Places<'a>>,
}

/// Writes structures, and notes what of them the member may overwrite.
#[derive(Clone, Copy)]
struct Writer<'a, 'm>(&'a Scratch, &'m Made<'a>);

impl<'a> Writer<'a, '_> {
    fn structure(
        self,
        structure: &Structure,
        fields: List<'a, Field<'a>>,
    ) -> Result<&'a [u64], Mismatch> {
        let words = self
            .0
            .bump()
            .alloc_slice_fill_copy(structure.size / WORD, 0);
        self.fill(structure, fields, &mut Words { words, base: 0 })?;
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
        let size_offset = |size: usize| structure.offsets[size];
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
            (
                Part::Bytes { .. }
                | Part::MadeBytes { .. }
                | Part::BytesOrObject { .. }
                | Part::Bits { .. }
                | Part::Nonce { .. },
                Field::Pointer(None),
            ) => Ok(()),
            (
                Part::Bytes { size } | Part::BytesOrObject { size, .. },
                Field::Pointer(Some(bytes)),
            ) => {
                words.put(offset, address_of(&bytes))?;
                words.put_size(size_offset(size), bytes.len())
            }
            (Part::BytesOrObject { size, .. }, Field::Object(object)) => {
                words.put(offset, self.cell(object.0))?;
                words.put_size(size_offset(size), WORD)
            }
            (Part::MadeBytes { size, .. }, Field::Pointer(Some(bytes))) => {
                let made = self
                    .0
                    .bump()
                    .alloc_slice_fill_iter(bytes.iter().copied().map(Cell::new));
                self.1.iv.set(Some(made));
                words.put(offset, address_of(made))?;
                words.put_size(size_offset(size), bytes.len())
            }
            (Part::Bits { .. } | Part::Nonce { .. }, Field::Pointer(Some(bytes))) => {
                words.put(offset, address_of(&bytes))
            }
            (Part::Fixed(length), Field::Pointer(Some(bytes))) if bytes.len() == length => {
                words.put(offset, address_of(&bytes))
            }
            (Part::Text, Field::Pointer(Some(text))) => words.put(offset, self.text(&text)),
            (Part::Structure(inner), Field::Nested(fields)) => {
                let base = words.base + offset;
                self.fill(
                    inner,
                    fields,
                    &mut Words {
                        words: &mut *words.words,
                        base,
                    },
                )
            }
            (Part::Reference(to), Field::Nested(fields)) => {
                words.put(offset, address_of(self.structure(to, fields)?))
            }
            (Part::Array { of, count }, Field::Nested(items)) => {
                words.put(offset, address_of(self.array(of, items)?))?;
                words.put_size(size_offset(count), items.len())
            }
            (Part::Mechanism, Field::Nested(fields)) => words.put(offset, self.mechanism(fields)?),
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
            (
                Part::Fixed(_)
                | Part::Text
                | Part::Reference(_)
                | Part::Array { .. }
                | Part::Mechanism
                | Part::Written(_)
                | Part::KeyMaterial { .. },
                Field::Pointer(None),
            ) => Ok(()),
            _ => Err(Mismatch),
        }
    }

    fn array(self, of: &Structure, items: List<'a, Field<'a>>) -> Result<&'a [u64], Mismatch> {
        let words = self
            .0
            .bump()
            .alloc_slice_fill_copy(items.len() * of.size / WORD, 0);
        for (index, item) in items.iter().enumerate() {
            let Field::Nested(fields) = item else {
                return Err(Mismatch);
            };
            self.fill(
                of,
                fields,
                &mut Words {
                    words,
                    base: index * of.size,
                },
            )?;
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
        self.1.places.set(Places { keys: out, bytes });
        Ok(address)
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

/// An address of bits or of a nonce has as many bytes as the number beside it wants: else the member would read beyond them.
fn numbers_agree(structure: &Structure, fields: List<'_, Field<'_>>, words: &Words<'_>) -> bool {
    let is_counted = |part: &Part| matches!(part, Part::Bits { .. } | Part::Nonce { .. });
    if !structure.parts.iter().any(is_counted) {
        return true;
    }
    let parts = structure.parts.iter().filter(|part| part.is_field());
    parts
        .zip(fields.iter())
        .all(|(part, field)| match (part, field) {
            (Part::Bits { size }, Field::Pointer(bytes)) => {
                let bits = words.word(structure.offsets[*size]);
                bits.is_ok_and(|bits| {
                    bits.div_ceil(8) == bytes.map_or(0, |bytes| bytes.len() as u64)
                })
            }
            (Part::Nonce { size }, Field::Pointer(nonce)) => {
                let stated = words.word(structure.offsets[*size]);
                stated.is_ok_and(|stated| {
                    nonce_size(stated) == nonce.map_or(0, |nonce| nonce.len() as u64)
                })
            }
            (Part::KeyMaterial { iv_bits, .. }, Field::Nested(rooms)) => {
                let bits = words.word(structure.offsets[*iv_bits]);
                bits.is_ok_and(|bits| {
                    iv_rooms(rooms)
                        .all(|room| room.map(|room| room as u64) == Some(bits.div_ceil(8)))
                })
            }
            _ => true,
        })
}

/// A structure in the making, which begins `base` bytes into `words`.
struct Words<'w> {
    words: &'w mut [u64],
    base: usize,
}

impl Words<'_> {
    fn word(&self, offset: usize) -> Result<u64, Mismatch> {
        self.words
            .get((self.base + offset) / WORD)
            .copied()
            .ok_or(Mismatch)
    }

    fn put(&mut self, offset: usize, value: u64) -> Result<(), Mismatch> {
        *self
            .words
            .get_mut((self.base + offset) / WORD)
            .ok_or(Mismatch)? = value;
        Ok(())
    }

    /// Two addresses may share a size (`CK_KEA_DERIVE_PARAMS`): then both must have it.
    fn put_size(&mut self, offset: usize, size: usize) -> Result<(), Mismatch> {
        let before = self.word(offset)?;
        if before != 0 && before != size as u64 {
            return Err(Mismatch);
        }
        self.put(offset, size as u64)
    }

    fn put_bytes(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Mismatch> {
        for (at, byte) in (self.base + offset..).zip(bytes) {
            let word = self.words.get_mut(at / WORD).ok_or(Mismatch)?;
            let mut in_memory = word.to_ne_bytes();
            in_memory[at % WORD] = *byte;
            *word = u64::from_ne_bytes(in_memory);
        }
        Ok(())
    }
}
