//! What a member puts into the mechanism's parameter of a call that makes keys: further keys, IVs, a version, the output of a
//! pseudo-random function (PKCS#11 v3.1 §6.33, §6.37, §6.40).
//!
//! Between the member and the application it is bytes: the handles first, a word each, then the rest in the order of the structure; an output
//! after its length.

use std::cell::Cell;

use cryptoki_sys::*;
use everslot_protocol::{Field, List, Mechanism, Parameter, Rv};

use super::shape::{IVS_MAX, Part, Structure};
use super::structures::DERIVED_KEY;
use super::table::structures;
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// What a mechanism's parameter has room for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Returned {
    /// Handles of keys that the member makes beside the one that the call gives.
    pub keys: usize,
    /// The bytes behind the handles.
    pub bytes: usize,
}

impl Returned {
    /// What a call with this mechanism gives back in it; `None` when that is nothing.
    #[must_use]
    pub fn of(mechanism: &Mechanism<'_>) -> Option<Self> {
        let Parameter::Fields(fields) = mechanism.parameter else {
            return None;
        };
        let structure = structures(mechanism.kind)
            .iter()
            .find(|structure| structure.fields == fields.len())?;
        let parts = structure.parts.iter().filter(|part| part.is_field());
        parts
            .zip(fields.iter())
            .filter_map(|(part, field)| Self::of_part(*part, field))
            .next()
    }

    fn of_part(part: Part, field: Field<'_>) -> Option<Self> {
        match (part, field) {
            (Part::Written(_), Field::Pointer(Some(room))) => Some(Self {
                keys: 0,
                bytes: room.len(),
            }),
            (Part::KeyMaterial { keys, .. }, Field::Nested(ivs)) => Some(Self {
                keys,
                bytes: ivs.iter().map(length).sum(),
            }),
            (Part::OutputLength { .. }, Field::Integer(length)) => Some(Self {
                keys: 0,
                bytes: usize::try_from(length).ok()?.checked_add(WORD)?,
            }),
            (Part::DerivedKeys { .. }, Field::Nested(keys)) if !keys.is_empty() => Some(Self {
                keys: keys.len(),
                bytes: 0,
            }),
            _ => None,
        }
    }

    /// The bytes that the handles take.
    #[must_use]
    pub const fn key_bytes(self) -> usize {
        self.keys * WORD
    }

    /// All of it, in bytes.
    #[must_use]
    pub const fn size(self) -> usize {
        self.key_bytes() + self.bytes
    }
}

fn length(field: Field<'_>) -> usize {
    match field {
        Field::Pointer(Some(room)) => room.len(),
        _ => 0,
    }
}

/// `CKA_TOKEN` of each key that the parameter has a template of its own for (`CK_DERIVED_KEY`).
pub fn further_keys_are_token(mechanism: &Mechanism<'_>) -> impl Iterator<Item = bool> {
    let fields = match mechanism.parameter {
        Parameter::Fields(fields) => fields,
        Parameter::None | Parameter::Flat(_) => List::Items(&[]),
    };
    let structure = structures(mechanism.kind)
        .iter()
        .find(|structure| structure.fields == fields.len());
    let parts = structure.map_or(&[][..], |structure| structure.parts);
    let parts = parts.iter().filter(|part| part.is_field());
    let keys = parts.zip(fields.iter()).filter_map(|part| match part {
        (Part::DerivedKeys { .. }, Field::Nested(keys)) => Some(keys),
        _ => None,
    });
    keys.flat_map(|keys| keys.iter()).map(is_token)
}

/// Whether the template in the fields of a `CK_DERIVED_KEY` asks for a token object.
fn is_token(key: Field<'_>) -> bool {
    let Field::Nested(key) = key else {
        return false;
    };
    let templates = key.iter().filter_map(nested);
    let attributes = templates
        .flat_map(|template| template.iter())
        .filter_map(nested);
    attributes
        .map(|attribute| {
            let mut fields = attribute.iter();
            (fields.next(), fields.next())
        })
        .any(|attribute| match attribute {
            (Some(Field::Integer(CKA_TOKEN)), Some(Field::Pointer(Some(value)))) => {
                value.iter().any(|byte| *byte != 0)
            }
            _ => false,
        })
}

const fn nested<'f>(field: Field<'f>) -> Option<List<'f, Field<'f>>> {
    match field {
        Field::Nested(fields) => Some(fields),
        Field::Integer(_) | Field::Object(_) | Field::Inline(_) | Field::Pointer(_) => None,
    }
}

/// Whether the call makes only what it gives back in the parameter: its own place for a key is null then.
#[must_use]
pub const fn makes_no_key_of_its_own(mechanism: u64) -> bool {
    matches!(
        mechanism,
        CKM_SSL3_KEY_AND_MAC_DERIVE
            | CKM_TLS_KEY_AND_MAC_DERIVE
            | CKM_TLS12_KEY_AND_MAC_DERIVE
            | CKM_TLS12_KEY_SAFE_DERIVE
            | CKM_WTLS_SERVER_KEY_AND_MAC_DERIVE
            | CKM_WTLS_CLIENT_KEY_AND_MAC_DERIVE
            | CKM_TLS_PRF
            | CKM_WTLS_PRF
    )
}

/// Memory that the member writes to.
#[derive(Clone, Copy, Default)]
pub(super) struct Places<'a> {
    /// Handles of keys, or the length of an output.
    pub(super) words: &'a [Cell<u64>],
    pub(super) bytes: [&'a [Cell<u8>]; IVS_MAX],
}

impl Places<'_> {
    pub(super) fn size(&self) -> usize {
        self.words.len() * WORD + self.bytes.iter().map(|bytes| bytes.len()).sum::<usize>()
    }

    /// Puts what stands there at the start of `output`, which has room for it.
    pub(super) fn copy_to(&self, output: &mut [u8]) {
        let words = self.words.iter();
        let words = words.flat_map(|word| word.get().to_ne_bytes());
        let bytes = self.bytes.iter().copied().flatten().map(Cell::get);
        for (to, byte) in output.iter_mut().zip(words.chain(bytes)) {
            *to = byte;
        }
    }
}

/// The lengths of the IVs in the fields of a key material.
pub(super) fn iv_rooms<'f>(
    ivs: List<'f, Field<'f>>,
) -> impl Iterator<Item = Option<usize>> + use<'f> {
    ivs.iter().map(|iv| match iv {
        Field::Pointer(room) => Some(room.map_or(0, |room| room.len())),
        _ => None,
    })
}

/// Puts what came back where the application has room for it.
///
/// # Errors
/// `CKR_MECHANISM_PARAM_INVALID`: the mechanism is not what it was when it was read.
///
/// # Safety
/// As [`read_mechanism`](super::read_mechanism), and what the parameter has room for is valid for writes.
pub unsafe fn write_returned(mechanism: *const CK_MECHANISM, returned: &[u8]) -> Result<(), Rv> {
    // SAFETY: promised by the caller.
    let memory = unsafe { ApplicationMemory::new() };
    let write = || {
        let address = mechanism.expose_provenance() as u64;
        let bytes = memory.bytes(address, size_of::<CK_MECHANISM>() as u64)?;
        let bytes = bytes.unwrap_or_default();
        let part = |index| word(bytes, index * WORD).ok_or(Unreadable);
        let parameter = memory.bytes(part(1)?, part(2)?)?.unwrap_or_default();
        let structure = structures(part(0)?)
            .iter()
            .find(|structure| structure.size == parameter.len())
            .ok_or(Unreadable)?;
        write_into(memory, structure, parameter, returned)
    };
    write().map_err(|Unreadable| Rv(CKR_MECHANISM_PARAM_INVALID))
}

fn write_into(
    memory: ApplicationMemory<'_>,
    structure: &Structure,
    parameter: &[u8],
    returned: &[u8],
) -> Result<(), Unreadable> {
    let at = |offset: usize| word(parameter, offset).ok_or(Unreadable);
    for (offset, part) in structure.places() {
        match part {
            Part::Written(length) if at(offset)? != 0 && returned.len() == length => {
                memory.write(at(offset)?, returned)?;
            }
            Part::KeyMaterial { keys, ivs, iv_bits } if at(offset)? != 0 => {
                let iv = at(structure.offsets[iv_bits])?.div_ceil(8);
                write_key_material(memory, at(offset)?, (keys, ivs, iv), returned)?;
            }
            Part::OutputLength { output } => {
                let output = at(structure.offsets[output])?;
                write_output(memory, (output, at(offset)?), returned)?;
            }
            Part::DerivedKeys { count } if at(offset)? != 0 => {
                write_derived_keys(
                    memory,
                    (at(offset)?, at(structure.offsets[count])?),
                    returned,
                )?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_key_material(
    memory: ApplicationMemory<'_>,
    address: u64,
    (keys, ivs, iv): (usize, usize, u64),
    returned: &[u8],
) -> Result<(), Unreadable> {
    let iv = usize::try_from(iv).map_err(|_| Unreadable)?;
    let expected = iv
        .checked_mul(ivs)
        .and_then(|ivs| ivs.checked_add(keys * WORD));
    if expected != Some(returned.len()) {
        return Err(Unreadable);
    }
    let (handles, material) = returned.split_at(keys * WORD);
    let size = ((keys + ivs) * WORD) as u64;
    let out = memory.bytes(address, size)?.ok_or(Unreadable)?;
    for (index, iv) in material.chunks(iv.max(1)).enumerate() {
        let address = word(out, (keys + index) * WORD).ok_or(Unreadable)?;
        memory.write(address, iv)?;
    }
    memory.write(address, handles)
}

/// A length, and as many bytes of the room behind it.
fn write_output(
    memory: ApplicationMemory<'_>,
    (output, length): (u64, u64),
    returned: &[u8],
) -> Result<(), Unreadable> {
    let (written, bytes) = returned.split_first_chunk::<WORD>().ok_or(Unreadable)?;
    let room = memory.bytes(length, WORD as u64)?.unwrap_or_default();
    if word(room, 0) != Some(bytes.len() as u64) {
        return Err(Unreadable);
    }
    let put_out = usize::try_from(u64::from_ne_bytes(*written)).ok();
    let put_out = put_out.and_then(|length| bytes.get(..length));
    let put_out = put_out.ok_or(Unreadable)?;
    if !put_out.is_empty() {
        memory.write(output, put_out)?;
    }
    memory.write(length, written)
}

fn write_derived_keys(
    memory: ApplicationMemory<'_>,
    (address, count): (u64, u64),
    returned: &[u8],
) -> Result<(), Unreadable> {
    let (handles, _) = returned.as_chunks::<WORD>();
    if handles.len() as u64 != count {
        return Err(Unreadable);
    }
    let size = handles.len() * DERIVED_KEY.size;
    let keys = memory.bytes(address, size as u64)?.unwrap_or_default();
    for (key, handle) in keys.chunks_exact(DERIVED_KEY.size).zip(handles) {
        memory.write(word(key, new_key()).ok_or(Unreadable)?, handle)?;
    }
    Ok(())
}

/// Where in a `CK_DERIVED_KEY` the address stands at which its handle is put.
pub(super) const fn new_key() -> usize {
    DERIVED_KEY.offsets[2]
}
