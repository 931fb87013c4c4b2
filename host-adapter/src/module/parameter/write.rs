mod structure;
mod words;

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use cryptoki_sys::{CK_MECHANISM, CKR_MECHANISM_PARAM_INVALID};
use everslot_protocol::{Mechanism, Parameter, Rv};

use super::returned::{Places, makes_no_key_of_its_own};
use super::table::structures;
use crate::module::Scratch;
use crate::module::memory::WORD;
use structure::{Made, Writer};
use words::Mismatch;

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
