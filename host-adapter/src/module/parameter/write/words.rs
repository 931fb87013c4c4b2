//! The memory of a structure in the making, and what must hold of the numbers in it.

use everslot_protocol::{Field, List};

use super::super::returned::iv_rooms;
use super::super::shape::{Part, Structure, nonce_size};
use crate::module::memory::WORD;

/// The fields are not those of the structure.
#[derive(Debug)]
pub(super) struct Mismatch;

/// A structure in the making, which begins `base` bytes into `words`.
pub(super) struct Words<'w> {
    words: &'w mut [u64],
    base: usize,
}

impl<'w> Words<'w> {
    pub(super) const fn new(words: &'w mut [u64]) -> Self {
        Self { words, base: 0 }
    }

    /// The structure that begins `offset` bytes into this one.
    pub(super) const fn at(&mut self, offset: usize) -> Words<'_> {
        Words {
            base: self.base + offset,
            words: self.words,
        }
    }

    pub(super) fn word(&self, offset: usize) -> Result<u64, Mismatch> {
        self.words
            .get((self.base + offset) / WORD)
            .copied()
            .ok_or(Mismatch)
    }

    pub(super) fn put(&mut self, offset: usize, value: u64) -> Result<(), Mismatch> {
        *self
            .words
            .get_mut((self.base + offset) / WORD)
            .ok_or(Mismatch)? = value;
        Ok(())
    }

    /// Two addresses may share a size (`CK_KEA_DERIVE_PARAMS`): then both must have it.
    pub(super) fn put_size(&mut self, offset: usize, size: usize) -> Result<(), Mismatch> {
        let before = self.word(offset)?;
        if before != 0 && before != size as u64 {
            return Err(Mismatch);
        }
        self.put(offset, size as u64)
    }

    pub(super) fn put_bytes(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Mismatch> {
        for (at, byte) in (self.base + offset..).zip(bytes) {
            let word = self.words.get_mut(at / WORD).ok_or(Mismatch)?;
            let mut in_memory = word.to_ne_bytes();
            in_memory[at % WORD] = *byte;
            *word = u64::from_ne_bytes(in_memory);
        }
        Ok(())
    }
}

/// An address of bits or of a nonce has as many bytes as the number beside it wants: else the member would read beyond them.
pub(super) fn numbers_agree(
    structure: &Structure,
    fields: List<'_, Field<'_>>,
    words: &Words<'_>,
) -> bool {
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
