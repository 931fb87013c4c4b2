use std::cell::Cell;

use bumpalo::collections::Vec;
use cryptoki_sys::{
    CK_MECHANISM, CKF_ARRAY_ATTRIBUTE, CKG_NO_GENERATE, CKR_ARGUMENTS_BAD,
    CKR_MECHANISM_PARAM_INVALID,
};
use everslot_protocol::{Bytes, Field, List, MADE_IV_MAX, Mechanism, ObjectHandle, Parameter, Rv};

use super::shape::{IV_ROOM, OUTPUT_MAX, Part, Structure, nonce_size};
use super::structures::DERIVED_KEY;
use super::table::{Kind, structures};
use crate::module::Scratch;
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// All arrays of structures in a parameter, those in structures of other arrays too, have no more structures together.
const COUNT_MAX: u64 = 0x1_0000;

/// Reads the mechanism that an application gave, and copies nothing of what its addresses point at.
///
/// A parameter of a length that its mechanism's structure does not have, and that of an unknown mechanism, become [`Parameter::Flat`].
///
/// # Errors
/// `CKR_ARGUMENTS_BAD`: `mechanism` is null. `CKR_MECHANISM_PARAM_INVALID`: a null address with a length, a length that no memory has, or
/// an address of which PKCS#11 states no extent.
///
/// # Safety
/// `mechanism` is null or points at a `CK_MECHANISM` whose addresses are, for as long as `scratch` is borrowed, null or valid for reads
/// of the lengths beside them, and nobody writes there.
pub unsafe fn read_mechanism<'a>(
    mechanism: *const CK_MECHANISM,
    scratch: &'a Scratch,
) -> Result<Mechanism<'a>, Rv> {
    if mechanism.is_null() {
        return Err(Rv(CKR_ARGUMENTS_BAD));
    }
    // SAFETY: the pointer is not null, and the caller has promised the rest.
    let (
        CK_MECHANISM {
            mechanism: kind,
            pParameter,
            ulParameterLen,
        },
        memory,
    ) = unsafe { (mechanism.read_unaligned(), ApplicationMemory::new()) };
    let left = &Cell::new(COUNT_MAX);
    let reader = Reader {
        memory,
        scratch,
        left,
    };
    let parameter = reader.parameter(kind, pParameter.expose_provenance() as u64, ulParameterLen);
    parameter
        .map(|parameter| Mechanism { kind, parameter })
        .map_err(|Unreadable| Rv(CKR_MECHANISM_PARAM_INVALID))
}

#[derive(Clone, Copy)]
struct Reader<'a, 'c> {
    memory: ApplicationMemory<'a>,
    scratch: &'a Scratch,
    /// How many structures may still be read of arrays.
    left: &'c Cell<u64>,
}

impl<'a> Reader<'a, '_> {
    fn parameter(self, kind: u64, address: u64, length: u64) -> Result<Parameter<'a>, Unreadable> {
        let Some(bytes) = self
            .memory
            .bytes(address, length)?
            .filter(|bytes| !bytes.is_empty())
        else {
            return Ok(Parameter::None);
        };
        let candidates = structures(kind);
        match candidates
            .iter()
            .find(|structure| structure.size == bytes.len())
        {
            Some(structure) => self.structure(structure, bytes).map(Parameter::Fields),
            None => Ok(Parameter::Flat(Bytes(bytes))),
        }
    }

    fn structure(
        self,
        structure: &'static Structure,
        bytes: &'a [u8],
    ) -> Result<List<'a, Field<'a>>, Unreadable> {
        let mut fields = Vec::with_capacity_in(structure.parts.len(), self.scratch.bump());
        for (offset, part) in structure.places() {
            fields.extend(
                Place {
                    reader: self,
                    structure,
                    bytes,
                    offset,
                }
                .field(part)?,
            );
        }
        Ok(List::Items(fields.into_bump_slice()))
    }

    fn array(
        self,
        of: &'static Structure,
        address: u64,
        count: u64,
    ) -> Result<Field<'a>, Unreadable> {
        self.left
            .set(self.left.get().checked_sub(count).ok_or(Unreadable)?);
        let length = count * of.size as u64;
        let Some(bytes) = self.memory.bytes(address, length)? else {
            return Ok(Field::Pointer(None));
        };
        let mut items = Vec::new_in(self.scratch.bump());
        for item in bytes.chunks_exact(of.size) {
            items.push(Field::Nested(self.structure(of, item)?));
        }
        Ok(Field::Nested(List::Items(items.into_bump_slice())))
    }

    /// A mechanism in a parameter (`CK_CMS_SIG_PARAMS`, `CK_KIP_PARAMS`): its type and its parameter, which is flat or refused.
    fn mechanism(self, address: u64) -> Result<Field<'a>, Unreadable> {
        if address == 0 {
            return Ok(Field::Pointer(None));
        }
        let bytes = self
            .memory
            .bytes(address, size_of::<CK_MECHANISM>() as u64)?
            .ok_or(Unreadable)?;
        let part = |index| word(bytes, index * WORD).ok_or(Unreadable);
        let (kind, parameter, length) = (part(0)?, part(1)?, part(2)?);
        let parameter = self
            .memory
            .bytes(parameter, length)?
            .filter(|bytes| !bytes.is_empty());
        if parameter.is_some() && !matches!(Kind::of(kind), Kind::Flat) {
            return Err(Unreadable);
        }
        let fields = [Field::Integer(kind), Field::Pointer(parameter.map(Bytes))];
        Ok(Field::Nested(List::Items(
            self.scratch.bump().alloc(fields),
        )))
    }
}

/// Where a part stands.
struct Place<'a, 'c> {
    reader: Reader<'a, 'c>,
    structure: &'static Structure,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Place<'a, '_> {
    fn field(&self, part: Part) -> Result<Option<Field<'a>>, Unreadable> {
        Ok(Some(match part {
            Part::Size => return Ok(None),
            Part::Null if self.word()? == 0 => return Ok(None),
            Part::Null => return Err(Unreadable),
            Part::NewKey if self.word()? == 0 => return Err(Unreadable),
            // How much room there is for it is told with its length.
            Part::NewKey | Part::Output => return Ok(None),
            Part::Integer => Field::Integer(self.word()?),
            Part::Byte => Field::Integer(self.byte(self.offset)?),
            Part::Object => Field::Object(ObjectHandle(self.word()?)),
            Part::ObjectWhen { tag, is } if self.part(tag)? == is => {
                Field::Object(ObjectHandle(self.word()?))
            }
            Part::ObjectWhen { .. } => Field::Integer(0),
            Part::Inline(length) => Field::Inline(Bytes(self.inline(length)?)),
            Part::SizeOrAddress => Field::Integer(u64::from(is_address(self.word()?))),
            Part::Bytes { size } => self.pointer(self.part(size)?)?,
            Part::MadeBytes { size, generator } => {
                self.made(self.part(size)?, self.part(generator)? != CKG_NO_GENERATE)?
            }
            Part::Bits { size } => self.pointer(self.part(size)?.div_ceil(8))?,
            Part::Nonce { size } => self.pointer(nonce_size(self.part(size)?))?,
            Part::Fixed(length) => self.fixed(length)?,
            Part::BytesOrObject { size, tag, is } if self.part(tag)? == is => {
                self.handle(self.part(size)?)?
            }
            Part::BytesOrObject { size, .. } => self.pointer(self.part(size)?)?,
            Part::Text => Field::Pointer(self.reader.memory.text(self.word()?)?.map(Bytes)),
            Part::Structure(inner) => {
                Field::Nested(self.reader.structure(inner, self.inline(inner.size)?)?)
            }
            Part::Reference(to) => self.reference(to)?,
            Part::OutputLength { output } => self.output_length(output)?,
            Part::Value { kind, .. } if self.part(kind)? & CKF_ARRAY_ATTRIBUTE != 0 => {
                return Err(Unreadable);
            }
            Part::Value { size, .. } => self.pointer(self.part(size)?)?,
            Part::DerivedKeys { count } => {
                (self.reader).array(&DERIVED_KEY, self.word()?, self.part(count)?)?
            }
            Part::Array { of, count } => self.reader.array(of, self.word()?, self.part(count)?)?,
            Part::Mechanism => self.reader.mechanism(self.word()?)?,
            Part::Written(_) if self.word()? == 0 => Field::Pointer(None),
            Part::Written(length) => Field::Pointer(Some(room(length)?)),
            Part::KeyMaterial { .. } if self.word()? == 0 => Field::Pointer(None),
            Part::KeyMaterial { keys, ivs, iv_bits } => {
                self.key_material(keys, ivs, self.part(iv_bits)?.div_ceil(8))?
            }
        }))
    }

    fn word(&self) -> Result<u64, Unreadable> {
        word(self.bytes, self.offset).ok_or(Unreadable)
    }

    fn byte(&self, offset: usize) -> Result<u64, Unreadable> {
        self.bytes
            .get(offset)
            .map(|&byte| byte.into())
            .ok_or(Unreadable)
    }

    fn inline(&self, length: usize) -> Result<&'a [u8], Unreadable> {
        self.bytes
            .get(self.offset..self.offset + length)
            .ok_or(Unreadable)
    }

    /// The value of the part of that index, which another part depends on.
    fn part(&self, index: usize) -> Result<u64, Unreadable> {
        let offset = self.structure.offsets[index];
        if let Part::Byte = self.structure.parts[index] {
            return self.byte(offset);
        }
        let value = word(self.bytes, offset).ok_or(Unreadable)?;
        if matches!(self.structure.parts[index], Part::SizeOrAddress) && is_address(value) {
            let number = self.reader.memory.bytes(value, WORD as u64)?;
            return number.and_then(|number| word(number, 0)).ok_or(Unreadable);
        }
        Ok(value)
    }

    fn pointer(&self, length: u64) -> Result<Field<'a>, Unreadable> {
        Ok(Field::Pointer(
            self.reader.memory.bytes(self.word()?, length)?.map(Bytes),
        ))
    }

    /// What the member is to overwrite is copied: nothing may be written to what is borrowed.
    fn made(&self, length: u64, makes: bool) -> Result<Field<'a>, Unreadable> {
        let bytes = self.reader.memory.bytes(self.word()?, length)?;
        Ok(Field::Pointer(match bytes {
            Some(bytes) if makes && bytes.len() > MADE_IV_MAX => return Err(Unreadable),
            Some(bytes) if makes => Some(Bytes(self.reader.scratch.bump().alloc_slice_copy(bytes))),
            bytes => bytes.map(Bytes),
        }))
    }

    fn fixed(&self, length: usize) -> Result<Field<'a>, Unreadable> {
        match self.word()? {
            0 => Ok(Field::Pointer(None)),
            _ => self.pointer(length as u64),
        }
    }

    /// The room for an output, which is not read.
    fn output_length(&self, output: usize) -> Result<Field<'a>, Unreadable> {
        let memory = self.reader.memory;
        let length = memory.bytes(self.word()?, WORD as u64)?;
        let length = length
            .and_then(|length| word(length, 0))
            .filter(|length| *length <= OUTPUT_MAX)
            .ok_or(Unreadable)?;
        let place = word(self.bytes, self.structure.offsets[output]).ok_or(Unreadable)?;
        memory.bytes(place, length)?;
        Ok(Field::Integer(length))
    }

    fn handle(&self, length: u64) -> Result<Field<'a>, Unreadable> {
        let handle = self
            .reader
            .memory
            .bytes(self.word()?, length)?
            .filter(|bytes| bytes.len() == WORD);
        let handle = handle
            .and_then(|handle| word(handle, 0))
            .ok_or(Unreadable)?;
        Ok(Field::Object(ObjectHandle(handle)))
    }

    /// Room for so many IVs behind the keys. What stands there is the member's to write, and is not read.
    fn key_material(&self, keys: usize, ivs: usize, iv: u64) -> Result<Field<'a>, Unreadable> {
        let iv = usize::try_from(iv).map_err(|_| Unreadable)?;
        let size = ((keys + ivs) * WORD) as u64;
        let out = (self.reader.memory.bytes(self.word()?, size)?).ok_or(Unreadable)?;
        let mut rooms = Vec::with_capacity_in(ivs, self.reader.scratch.bump());
        for index in keys..keys + ivs {
            let address = word(out, index * WORD).ok_or(Unreadable)?;
            rooms.push(Field::Pointer(match (address, iv) {
                (_, 0) => None,
                (0, _) => return Err(Unreadable),
                (_, iv) => Some(room(iv)?),
            }));
        }
        Ok(Field::Nested(List::Items(rooms.into_bump_slice())))
    }

    fn reference(&self, to: &'static Structure) -> Result<Field<'a>, Unreadable> {
        match self.word()? {
            0 => Ok(Field::Pointer(None)),
            address => {
                let bytes = self
                    .reader
                    .memory
                    .bytes(address, to.size as u64)?
                    .ok_or(Unreadable)?;
                self.reader.structure(to, bytes).map(Field::Nested)
            }
        }
    }
}

/// What the member is to write stands for as many zeros on its way to it.
fn room(length: usize) -> Result<Bytes<'static>, Unreadable> {
    static ZEROS: [u8; IV_ROOM] = [0; IV_ROOM];
    ZEROS.get(..length).map(Bytes).ok_or(Unreadable)
}

/// No process has memory at an address this low, and no password is this long.
const fn is_address(value: u64) -> bool {
    value >= 0x1_0000
}
