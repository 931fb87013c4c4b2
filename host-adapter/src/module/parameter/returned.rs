//! What a member puts into the mechanism's parameter of a call that makes keys: further keys, IVs, a version (PKCS#11 v3.1 §6.33, §6.37, §6.40).
//!
//! Between the member and the application it is bytes: the handles first, a word each, then the rest in the order of the structure.

use std::cell::Cell;

use cryptoki_sys::*;
use everslot_protocol::{Field, List, Mechanism, Parameter, Rv};

use super::shape::{IVS_MAX, Part, Structure};
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
    )
}

/// Memory that the member writes to.
#[derive(Clone, Copy, Default)]
pub(super) struct Places<'a> {
    pub(super) keys: &'a [Cell<u64>],
    pub(super) bytes: [&'a [Cell<u8>]; IVS_MAX],
}

impl Places<'_> {
    pub(super) fn size(&self) -> usize {
        self.keys.len() * WORD + self.bytes.iter().map(|bytes| bytes.len()).sum::<usize>()
    }

    /// Puts what stands there at the start of `output`, which has room for it.
    pub(super) fn copy_to(&self, output: &mut [u8]) {
        let keys = self.keys.iter().flat_map(|key| key.get().to_ne_bytes());
        let bytes = self.bytes.iter().copied().flatten().map(Cell::get);
        for (to, byte) in output.iter_mut().zip(keys.chain(bytes)) {
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
                let iv = usize::try_from(iv).map_err(|_| Unreadable)?;
                if iv
                    .checked_mul(ivs)
                    .and_then(|ivs| ivs.checked_add(keys * WORD))
                    != Some(returned.len())
                {
                    return Err(Unreadable);
                }
                let (handles, material) = returned.split_at(keys * WORD);
                let size = ((keys + ivs) * WORD) as u64;
                let out = memory.bytes(at(offset)?, size)?.ok_or(Unreadable)?;
                for (index, iv) in material.chunks(iv.max(1)).enumerate() {
                    let address = word(out, (keys + index) * WORD).ok_or(Unreadable)?;
                    memory.write(address, iv)?;
                }
                memory.write(at(offset)?, handles)?;
            }
            _ => {}
        }
    }
    Ok(())
}
