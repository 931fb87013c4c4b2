//! What a member puts into a mechanism's parameter: the IV of an authenticated wrapping (PKCS#11 v3.2 §5.18.6).

use cryptoki_sys::{CK_MECHANISM, CKG_NO_GENERATE, CKR_MECHANISM_PARAM_INVALID};
use everslot_protocol::{Field, Mechanism, Parameter, Rv};

use super::shape::{Part, Structure};
use super::table::structures;
use crate::module::memory::{ApplicationMemory, Unreadable, WORD, word};

/// Where a structure has what the member makes: the indices of the address, of its length and of its generator.
fn place(structure: &Structure) -> Option<(usize, usize, usize)> {
    structure
        .parts
        .iter()
        .enumerate()
        .find_map(|(index, part)| {
            let Part::MadeBytes { size, generator } = part else {
                return None;
            };
            Some((index, *size, *generator))
        })
}

/// Whether the member is asked to make the IV.
#[must_use]
pub fn makes_iv(mechanism: &Mechanism<'_>) -> bool {
    let Parameter::Fields(fields) = mechanism.parameter else {
        return false;
    };
    let structure = structures(mechanism.kind)
        .iter()
        .find(|structure| structure.fields == fields.len());
    let generator = structure.and_then(|structure| {
        let (_, _, generator) = place(structure)?;
        let before = structure.parts.iter().take(generator);
        let at = before.filter(|part| part.is_field()).count();
        fields.iter().nth(at)
    });
    matches!(generator, Some(Field::Integer(generator)) if generator != CKG_NO_GENERATE)
}

/// Puts the IV that the member has made where the application has room for it; does nothing where it is the application's own.
///
/// # Errors
/// `CKR_MECHANISM_PARAM_INVALID`: the mechanism is not what it was when it was read.
///
/// # Safety
/// As [`read_mechanism`](super::read_mechanism), and what the parameter has room for is valid for writes.
pub unsafe fn write_made_iv(mechanism: *const CK_MECHANISM, iv: &[u8]) -> Result<(), Rv> {
    // SAFETY: promised by the caller.
    let memory = unsafe { ApplicationMemory::new() };
    let write = || {
        let address = mechanism.expose_provenance() as u64;
        let bytes = memory.bytes(address, size_of::<CK_MECHANISM>() as u64)?;
        let bytes = bytes.unwrap_or_default();
        let part = |index| word(bytes, index * WORD).ok_or(Unreadable);
        let parameter = memory.bytes(part(1)?, part(2)?)?.unwrap_or_default();
        let candidates = structures(part(0)?);
        let places = candidates
            .iter()
            .filter(|structure| structure.size == parameter.len());
        for (structure, (at, size, generator)) in
            places.filter_map(|structure| Some((structure, place(structure)?)))
        {
            let word = |index: usize| word(parameter, structure.offsets[index]).ok_or(Unreadable);
            if word(generator)? != CKG_NO_GENERATE && word(size)? == iv.len() as u64 {
                memory.write(word(at)?, iv)?;
            }
        }
        Ok(())
    };
    write().map_err(|Unreadable| Rv(CKR_MECHANISM_PARAM_INVALID))
}
