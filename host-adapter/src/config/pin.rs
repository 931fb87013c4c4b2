//! Where a PIN comes from.

mod command;
#[cfg(test)]
mod tests;
mod uri;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Longer than any token takes; a PIN file with more in it is another file.
const LONGEST_PIN: u64 = 1024;

/// Where a member's user PIN comes from when the command needs it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PinSource {
    /// The first and only line of this file, which only its owner and its group may read.
    File(PathBuf),
    /// The value of this environment variable.
    Environment(String),
    /// The systemd credential of this name (`LoadCredential=`, `LoadCredentialEncrypted=`).
    Credential(String),
    /// What a `pin-source` says (RFC 7512 §2.4): `file:` and an absolute path, or `|` and a program's; or a `pkcs11:` URI that has one.
    Uri(String),
    /// The first and only line that this program prints, which is started with these arguments and no shell. It gets 30 s.
    Command(Vec<String>),
}

/// A PIN could not be had.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The file cannot be read.
    #[error("PIN file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Everybody may read the file, or others than its owner may write it.
    #[error("PIN file {} is open to others (mode {mode:04o}): chmod 600 {}", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The variable is not set.
    #[error("environment variable {0}, which has the PIN, is not set")]
    NotSet(String),
    /// The service was not given the credential.
    #[error(
        "credential {0:?} is not given: run the program as a systemd service with LoadCredential={0}:FILE"
    )]
    NoCredential(String),
    /// Not a credential's name.
    #[error("{0:?} is no name of a credential; write the one that stands in LoadCredential=")]
    NoCredentialName(String),
    /// The URI does not say where the PIN is. The URI may hold a PIN, so it is not shown.
    #[error("the URI of the PIN cannot be followed: {0}")]
    Uri(&'static str),
    /// There is no program to start.
    #[error(
        "the command that is to print the PIN is empty; write for example command = [\"pass\", \"show\", \"hsm\"]"
    )]
    NoCommand,
    /// The program cannot be run, or its output not read.
    #[error("the command {program:?}, which is to print the PIN, does not start: {source}")]
    CommandNotRun {
        /// The program; its arguments are not shown.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The program reports a failure.
    #[error("the command {program:?}, which is to print the PIN, ended with {status}")]
    CommandFailed {
        /// The program.
        program: String,
        /// Its end.
        status: ExitStatus,
    },
    /// The program did not end in time, and was killed.
    #[error("the command {program:?}, which is to print the PIN, did not end within {patience:?}")]
    CommandHangs {
        /// The program.
        program: String,
        /// What it was given.
        patience: std::time::Duration,
    },
    /// There is no PIN in it, or more than one line.
    #[error("{0} does not hold one line with a PIN")]
    NotOneLine(String),
}

impl PinSource {
    /// The same source with `change` made to the file's path.
    pub(super) fn map_file(self, change: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(change(path)),
            Self::Environment(_) | Self::Credential(_) | Self::Uri(_) | Self::Command(_) => self,
        }
    }

    /// Reads the PIN, afresh each time.
    ///
    /// # Errors
    /// See [`PinError`].
    pub fn read(&self) -> Result<SecretString, PinError> {
        match self {
            Self::File(path) => of_file(path),
            Self::Environment(name) => {
                let value = std::env::var(name).map_err(|_| PinError::NotSet(name.clone()))?;
                one_line(&Zeroizing::new(value))
                    .ok_or_else(|| PinError::NotOneLine(format!("environment variable {name}")))
            }
            Self::Credential(name) => of_file(&credential(
                name,
                std::env::var_os("CREDENTIALS_DIRECTORY"),
            )?),
            Self::Uri(uri) => match uri::target(uri).map_err(PinError::Uri)? {
                uri::Target::File(path) => of_file(&path),
                uri::Target::Program(program) => command::first_line(&[program], command::PATIENCE),
            },
            Self::Command(command) => command::first_line(command, command::PATIENCE),
        }
    }
}

/// Whether it is the PIN itself, which [`PinSource::read`] refuses.
pub(super) fn has_pin(source: &PinSource) -> bool {
    match source {
        PinSource::Uri(uri) => uri::has_pin(uri),
        PinSource::File(_)
        | PinSource::Environment(_)
        | PinSource::Credential(_)
        | PinSource::Command(_) => false,
    }
}

fn of_file(path: &Path) -> Result<SecretString, PinError> {
    let text = read_file(path)?;
    one_line(&text).ok_or_else(|| PinError::NotOneLine(format!("PIN file {}", path.display())))
}

/// The file of a credential in the directory that systemd gives the service.
fn credential(name: &str, directory: Option<OsString>) -> Result<PathBuf, PinError> {
    if name.is_empty() || name.contains('/') || matches!(name, "." | "..") {
        return Err(PinError::NoCredentialName(name.to_owned()));
    }
    let directory = directory.ok_or_else(|| PinError::NoCredential(name.to_owned()))?;
    Ok(Path::new(&directory).join(name))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, PinError> {
    let unreadable = |source| PinError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
    if mode & 0o027 != 0 {
        return Err(PinError::OpenToOthers {
            path: path.to_owned(),
            mode,
        });
    }
    // Room for all of it at once: growing would leave copies behind that are not wiped.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_PIN as usize + 1));
    file.take(LONGEST_PIN)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    Ok(text)
}

fn one_line(text: &str) -> Option<SecretString> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let whole = !line.is_empty() && !line.contains(['\n', '\r', '\0']);
    whole.then(|| SecretString::from(line))
}
