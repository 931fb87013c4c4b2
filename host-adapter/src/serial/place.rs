//! Where a line is, and how connections to it come.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::Mode;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

/// Where a line is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// `pty`: a pseudo-terminal of the system's choice, in raw mode, this user's alone.
    Pty,
    /// `unix:PATH`: a socket that is made there, this user's alone.
    Unix(PathBuf),
    /// `tcp:ADDRESS:PORT`, of this machine alone: there is neither encryption nor any proof of who connects.
    Tcp(SocketAddr),
}

/// It is no place for a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadPlace {
    /// It is of no kind.
    #[error("not a line; use `pty`, `unix:PATH` or `tcp:127.0.0.1:PORT`")]
    Kind,
    /// Other machines could connect.
    #[error(
        "other machines could connect, and nothing on the line is secret; use a loopback address such as 127.0.0.1"
    )]
    Remote,
}

impl FromStr for Place {
    type Err = BadPlace;

    fn from_str(text: &str) -> Result<Self, BadPlace> {
        match text.split_once(':') {
            None if text == "pty" => Ok(Self::Pty),
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) => match address.parse::<SocketAddr>() {
                Ok(address) if address.ip().is_loopback() => Ok(Self::Tcp(address)),
                Ok(_) => Err(BadPlace::Remote),
                Err(_) => Err(BadPlace::Kind),
            },
            None | Some(_) => Err(BadPlace::Kind),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pty => f.write_str("pty"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

impl Place {
    /// Makes the line.
    ///
    /// # Errors
    /// The system does not give it, or another process serves there.
    pub(super) fn open(&self) -> io::Result<Lines> {
        match self {
            Self::Pty => pty(),
            Self::Unix(path) => Ok(Lines {
                name: self.to_string(),
                source: Source::Unix(listen_alone(path)?),
            }),
            Self::Tcp(address) => {
                let listener = TcpListener::bind(address)?;
                Ok(Lines {
                    name: format!("tcp:{}", listener.local_addr()?),
                    source: Source::Tcp(listener),
                })
            }
        }
    }
}

/// A line of bytes, both ways.
pub(super) trait Line: Read + Write {}

impl<T: Read + Write> Line for T {}

/// The connections of a line, one after the other.
#[derive(Debug)]
pub(super) struct Lines {
    name: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Pty {
        ours: OwnedFd,
        /// Kept open, so that the line does not hang up when the asker comes and goes.
        _theirs: File,
    },
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Lines {
    /// Where to connect.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Waits for the next connection; a pseudo-terminal is one that never ends.
    ///
    /// # Errors
    /// The line is gone.
    pub(super) fn next(&mut self) -> io::Result<Box<dyn Line>> {
        Ok(match &self.source {
            Source::Pty { ours, .. } => Box::new(File::from(ours.try_clone()?)),
            Source::Unix(listener) => Box::new(listener.accept()?.0),
            Source::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                // Asks and answers are short and waited for.
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }
}

fn pty() -> io::Result<Lines> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let path = PathBuf::from(name.to_string_lossy().into_owned());
    let theirs = File::options().read(true).write(true).open(&path)?;
    let mut settings = tcgetattr(&theirs)?;
    settings.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &settings)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(Lines {
        name: path.display().to_string(),
        source: Source::Pty {
            ours,
            _theirs: theirs,
        },
    })
}

/// Listens at `path` for this user alone. A socket that was left behind there is taken away.
fn listen_alone(path: &Path) -> io::Result<UnixListener> {
    let is_left_behind = fs::symlink_metadata(path).is_ok_and(|left| left.file_type().is_socket())
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if is_left_behind {
        fs::remove_file(path)?;
    }
    // The mask is the whole process's, which has one thread yet.
    let before = rustix::process::umask(Mode::RWXG | Mode::RWXO | Mode::XUSR);
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    listener
}
