//! The transcript of an operation: its inputs, bounded, and the hash of its output.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A part that a member has taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part<'a> {
    /// Data of a `C_*Update`.
    Data(&'a [u8]),
    /// The virtual key of a `C_DigestKey`.
    Key(u64),
}

/// The inputs of an operation from which it is replayed on another member, and the hash of what it has put out.
#[derive(Default)]
pub(super) struct Transcript {
    parts: Vec<Recorded>,
    data: Zeroizing<Vec<u8>>,
    output: OutputHash,
    /// Length and hash of the output before this was saved, until it has been replayed.
    saved: Option<Output>,
}

/// Length and hash of what was put out.
pub(super) type Output = (u64, [u8; 32]);

/// A part, with its data in the transcript's buffer.
#[derive(Clone, Copy)]
enum Recorded {
    Data { start: usize, length: usize },
    Key(u64),
}

/// What an operation has put out, by its hash.
#[derive(Clone, Default)]
pub(super) struct OutputHash {
    hash: Sha256,
    length: u64,
}

/// The transcript would be longer than it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full;

impl Transcript {
    /// Takes in a part and what it put out.
    ///
    /// # Errors
    /// The transcript would take more than `limit` bytes, what a part costs beside its data included.
    pub(super) fn record(
        &mut self,
        part: Part<'_>,
        output: &[u8],
        limit: usize,
    ) -> Result<(), Full> {
        let data = match part {
            Part::Data(data) => data,
            Part::Key(_) => &[],
        };
        let cost = |parts: usize, data: usize| parts.saturating_mul(size_of::<Recorded>()) + data;
        let after = self.data.len().saturating_add(data.len());
        if cost(self.parts.len() + 1, after) > limit {
            return Err(Full);
        }
        self.reserve(after, limit);
        self.parts.push(match part {
            Part::Data(_) => Recorded::Data {
                start: self.data.len(),
                length: data.len(),
            },
            Part::Key(key) => Recorded::Key(key),
        });
        self.data.extend_from_slice(data);
        self.output.add(output);
        Ok(())
    }

    /// The part of this number, counted from 0.
    pub(super) fn part(&self, number: u32) -> Option<Part<'_>> {
        match *self.parts.get(usize::try_from(number).ok()?)? {
            Recorded::Data { start, length } => {
                self.data.get(start..start + length).map(Part::Data)
            }
            Recorded::Key(key) => Some(Part::Key(key)),
        }
    }

    /// All parts in their order.
    pub(super) fn parts(&self) -> impl ExactSizeIterator<Item = Part<'_>> {
        self.parts.iter().map(|part| match *part {
            Recorded::Data { start, length } => {
                Part::Data(self.data.get(start..start + length).unwrap_or_default())
            }
            Recorded::Key(key) => Part::Key(key),
        })
    }

    /// One that was saved when so much had been put out; its parts are to be recorded.
    pub(super) fn restored(output: Output) -> Self {
        Self {
            saved: (output.0 > 0).then_some(output),
            ..Self::default()
        }
    }

    /// What was put out.
    pub(super) fn given(&self) -> Output {
        self.saved.unwrap_or_else(|| self.output.value())
    }

    /// Whether a replay has put out the same.
    pub(super) fn is_alike(&mut self, replayed: &OutputHash) -> bool {
        let alike = self.given() == replayed.value();
        if alike {
            self.output = replayed.clone();
            self.saved = None;
        }
        alike
    }

    /// Grows by moving, so that what is left behind is wiped: a vector that grows by itself leaves its old contents in memory.
    fn reserve(&mut self, length: usize, limit: usize) {
        if length <= self.data.capacity() {
            return;
        }
        let capacity = length.saturating_mul(2).clamp(length, limit.max(length));
        let mut grown = Zeroizing::new(Vec::with_capacity(capacity));
        grown.extend_from_slice(&self.data);
        self.data = grown;
    }
}

impl OutputHash {
    pub(super) fn add(&mut self, output: &[u8]) {
        if !output.is_empty() {
            self.hash.update(output);
            self.length += output.len() as u64;
        }
    }

    /// Length and hash.
    pub(super) fn value(&self) -> Output {
        (self.length, self.hash.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests;
