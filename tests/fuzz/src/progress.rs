use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// How far the process that drives is; the other one reads it also when that has crashed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Progress {
    /// Of the sequence that it is at.
    pub(crate) seed: u64,
    /// In all sequences before.
    pub(crate) calls: u64,
    /// Those of them that were answered with `CKR_OK`.
    pub(crate) successes: u64,
}

impl Progress {
    pub(crate) fn write(&self, file: &File) -> io::Result<()> {
        let numbers = [self.seed, self.calls, self.successes].map(u64::to_ne_bytes);
        file.write_all_at(numbers.as_flattened(), 0)
    }

    /// `None` before the first sequence.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let mut numbers = bytes.as_chunks().0.iter().copied().map(u64::from_ne_bytes);
        Some(Self {
            seed: numbers.next()?,
            calls: numbers.next()?,
            successes: numbers.next()?,
        })
    }
}
