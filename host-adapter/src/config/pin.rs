//! Where a PIN comes from.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use zeroize::Zeroizing;

/// Longer than any token takes; a PIN file with more in it is another file.
const LONGEST_PIN: u64 = 1024;

/// Where a member's user PIN comes from when the command needs it.
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinSource {
    /// The first and only line of this file, which only its owner and its group may read.
    File(PathBuf),
    /// The value of this environment variable.
    Environment(String),
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
    /// There is no PIN in it, or more than one line.
    #[error("{0} does not hold one line with a PIN")]
    NotOneLine(String),
}

impl PinSource {
    /// The same source with `change` made to the file's path.
    pub(super) fn map_file(self, change: impl FnOnce(PathBuf) -> PathBuf) -> Self {
        match self {
            Self::File(path) => Self::File(change(path)),
            Self::Environment(name) => Self::Environment(name),
        }
    }

    /// Reads the PIN, afresh each time.
    ///
    /// # Errors
    /// See [`PinError`].
    pub fn read(&self) -> Result<SecretString, PinError> {
        match self {
            Self::File(path) => {
                let text = read_file(path)?;
                one_line(&text)
                    .ok_or_else(|| PinError::NotOneLine(format!("PIN file {}", path.display())))
            }
            Self::Environment(name) => {
                let value = std::env::var(name).map_err(|_| PinError::NotSet(name.clone()))?;
                one_line(&Zeroizing::new(value))
                    .ok_or_else(|| PinError::NotOneLine(format!("environment variable {name}")))
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_pin_file_must_be_closed_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pin");
        fs::write(&path, "12345678\n").unwrap();
        let source = PinSource::File(path.clone());
        let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        mode(0o644);
        let line = source.read().unwrap_err().to_string();
        let path_text = path.display();
        assert_eq!(
            line,
            format!("PIN file {path_text} is open to others (mode 0644): chmod 600 {path_text}")
        );
        mode(0o600);
        assert_eq!(source.read().unwrap().expose_secret(), "12345678");
        assert_eq!(
            format!("{:?}", source.read().unwrap())
                .matches("1234")
                .count(),
            0
        );
        fs::write(&path, "12345678\n87654321\n").unwrap();
        assert!(matches!(source.read(), Err(PinError::NotOneLine(_))));
        fs::remove_file(&path).unwrap();
        assert!(matches!(source.read(), Err(PinError::Unreadable { .. })));
        let line = PinSource::Environment("EVERSLOT_NO_SUCH_PIN".into())
            .read()
            .unwrap_err()
            .to_string();
        assert_eq!(
            line,
            "environment variable EVERSLOT_NO_SUCH_PIN, which has the PIN, is not set"
        );
    }
}
