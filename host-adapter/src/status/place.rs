//! Where the sockets are: directories that belong to the user and are closed to all others.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// The directories in which a server of this user may be, the best first.
///
/// An application and the command may have been started with different environments, so readers look at all of them.
pub(super) fn directories() -> Vec<PathBuf> {
    let user = geteuid().as_raw();
    let given = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let usual = PathBuf::from(format!("/run/user/{user}"));
    let mut directories: Vec<_> = given
        .into_iter()
        .chain([usual])
        .map(|path| path.join("everslot"))
        .collect();
    directories.push(PathBuf::from(format!("/tmp/everslot-{user}")));
    directories.dedup();
    directories
}

/// Makes `directory` where it is missing.
///
/// # Errors
/// It cannot be made, or what is there is not ours alone.
pub(super) fn provide(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => check(directory),
    }
}

/// Whether `directory` is ours alone. In `/tmp` anybody may have made it, or a link that leads elsewhere.
///
/// # Errors
/// It is not there, or belongs to another user, or is open to others.
pub(super) fn check(directory: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(directory)?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    let why = format!(
        "{} is not a directory of this user alone: remove it",
        directory.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// The name of the socket of process `pid`; `copy` tells apart several copies of the library in one process.
pub(super) fn socket_name(pid: u32, copy: u32) -> String {
    match copy {
        0 => format!("{pid}.sock"),
        _ => format!("{pid}-{copy}.sock"),
    }
}

/// The process that a socket's name tells.
pub(super) fn process_of(socket: &Path) -> Option<u32> {
    let name = socket.file_name()?.to_str()?.strip_suffix(".sock")?;
    name.split('-').next()?.parse().ok()
}
