//! A member behind a line of bytes, for an asker on another machine: firmware with a UART.
//!
//! `everslot member-host --serial PLACE MODULE` loads the module in its own process and answers what comes over the line, one ask after the
//! other, in the frames of [`everslot_protocol::frame`]. When a connection ends, its sessions end with it, and so does the login that
//! stands on them: whoever connects next has to log in.

mod place;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

pub use place::{BadPlace, Place};

use crate::hosted::forbid_dumps;
use crate::module::{InProcess, Instance, Isolation, LoadError, ModuleSettings};
use serve::Server;

/// Why a member cannot be served on a line.
#[derive(Debug, thiserror::Error)]
pub enum SerialError {
    /// The module cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The line cannot be had, or is gone.
    #[error("{place}: {error}")]
    Line {
        /// Where.
        place: Place,
        /// Why.
        error: io::Error,
    },
}

/// Loads `module` in this process and serves it at `place`, one connection after the other, without end. `ready` is told once, when
/// somebody can connect, where that is: of [`Place::Pty`] nobody knows before.
///
/// # Errors
/// The module cannot be loaded or initialised, or the line cannot be had.
pub fn serve(
    module: PathBuf,
    place: Place,
    ready: impl FnOnce(&str),
) -> Result<std::convert::Infallible, SerialError> {
    let failed = |error| SerialError::Line {
        place: place.clone(),
        error,
    };
    forbid_dumps().map_err(failed)?;
    // Before the module is loaded: a thread of its own would see the mask that the socket is made under.
    let mut lines = place.open().map_err(failed)?;
    let instance = InProcess::load(&ModuleSettings {
        path: module,
        environment: BTreeMap::new(),
        init_string: None,
        isolation: Isolation::None,
    })?;
    let link = instance
        .link()
        .map_err(|_| failed(io::ErrorKind::BrokenPipe.into()))?;
    let mut server = Server::new(link);
    ready(lines.name());
    loop {
        let mut line = lines.next().map_err(failed)?;
        // Its end is nobody's failure: the next one is waited for.
        let _ = server.serve(&mut *line);
    }
}
