//! How an entry ends.

use std::io;

use everslot_core::{Rv, ckr};

use crate::domain::CallError;

/// What an entry of the menu ends with.
pub(super) type Done = Result<(), Failure>;

/// An entry has not done what it is for.
#[derive(Debug)]
pub(super) enum Failure {
    /// The module's code, or the one that it would have given.
    Code(Rv),
    /// An answer cannot be used; one line for people.
    Said(String),
    /// The person does not want to answer.
    Cancelled,
    /// There are no further answers.
    Ended,
}

impl Failure {
    pub(super) fn said(what: impl Into<String>) -> Self {
        Self::Said(what.into())
    }

    /// A file could not be read or written.
    pub(super) fn file(path: &str, error: &io::Error) -> Self {
        Self::Said(format!("{path}: {error}"))
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Code(error.code())
    }
}

impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        // Standard output is gone, and with it whoever asks.
        Self::Ended
    }
}

/// The seed's `Status:` line.
pub(super) fn status_line(code: Rv) -> String {
    format!("Status: {} ({code})\n", words(code))
}

/// CKDemo's words for success; for all else the name itself in words.
fn words(code: Rv) -> String {
    if code == ckr::OK {
        return "Doing great, no errors".to_owned();
    }
    let Some(name) = code.name().and_then(|name| name.strip_prefix("CKR_")) else {
        return "Another return code".to_owned();
    };
    let words = name.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_said_in_words_and_by_its_name() {
        for (code, line) in [
            (ckr::OK, "Status: Doing great, no errors (CKR_OK)\n"),
            (
                ckr::DEVICE_ERROR,
                "Status: Device error (CKR_DEVICE_ERROR)\n",
            ),
            (
                Rv(0x8000_0001),
                "Status: Another return code (CKR 0x80000001)\n",
            ),
        ] {
            assert_eq!(status_line(code), line);
        }
    }
}
