//! Writing to the terminal, or to a pipe whose reader may have gone.

use std::error::Error;
use std::io::{self, Write};

/// Writes `text` to standard output.
///
/// # Errors
/// It cannot be written; a reader who has gone wants no more, which is no error.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// One line on standard error.
pub(super) fn complain(error: &dyn Error) {
    warn(&error.to_string());
}

/// One line on standard error.
pub(super) fn warn(text: &str) {
    let line = text.lines().map(str::trim).collect::<Vec<_>>().join("; ");
    // Nobody is left to be told.
    let _ = writeln!(io::stderr(), "everslot: {line}");
}
