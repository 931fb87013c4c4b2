//! Tokens to try everslot with: SoftHSM tokens, each in a directory of its own, which hold the same keys.

mod keys;
mod token;

use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::argument::{Key, MemberArgument, names};
use super::file::{Tuning, write_private};
use crate::module::{Isolation, ModuleSettings};
use token::{NewToken, Pins};

/// Tokens that can be made at once.
pub(super) const MOST: i64 = 26;

/// A person who tries everslot does not want to wait a minute for a member.
pub(super) const TUNING: Tuning = Tuning {
    interval: "1s",
    why: "a lost member is tried at most this often; for real tokens a minute is usual",
};

const LABEL: &str = "everslot-demo";
const CONFIGURATION: &str = "SOFTHSM2_CONF";

/// Where distributions put SoftHSM's module.
const PLACES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// The tokens that were made.
pub(super) struct Made {
    directory: PathBuf,
    pub(super) pin_file: PathBuf,
    pub(super) members: Vec<MemberArgument>,
}

/// SoftHSM's module: the given one, else the first that is in a usual place.
///
/// # Errors
/// It is not there.
pub(super) fn module(given: Option<&Path>) -> Result<PathBuf, Box<dyn Error>> {
    let places: Vec<_> = match given {
        Some(path) => vec![std::path::absolute(path)?],
        None => PLACES.map(PathBuf::from).into(),
    };
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
        "SoftHSM's module is not there; install it (apt install softhsm2) or say with --softhsm where it is".into()
    })
}

/// Makes `count` tokens with the same keys below `directory`, which must not be there or be empty.
///
/// # Errors
/// They cannot be made; then nothing is left of them.
pub(super) fn make(
    directory: &Path,
    count: u8,
    module: &Path,
    host_program: &Path,
) -> Result<Made, Box<dyn Error>> {
    if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        let path = directory.display();
        return Err(
            format!("{path} is not empty; remove it, or choose another with --directory").into(),
        );
    }
    let made = fill(directory, count, module, host_program);
    if made.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_dir_all(directory);
    }
    made
}

/// The line with which a person signs through everslot.
pub(super) fn sign_line(label: &str, pin_file: &Path, library: &str) -> String {
    format!(
        "  echo hello | pkcs11-tool --module {library} --token-label {label:?} --login --pin \"$(cat {})\" \\\n      \
         --sign --mechanism SHA256-RSA-PKCS --id {} --output-file signature\n",
        pin_file.display(),
        keys::RSA.id
    )
}

fn fill(
    directory: &Path,
    count: u8,
    module: &Path,
    host_program: &Path,
) -> Result<Made, Box<dyn Error>> {
    make_directory(directory)?;
    let pin_file = directory.join("pin");
    let pins = Pins {
        officer: new_pin()?,
        user: new_pin()?,
    };
    write_private(&pin_file, pins.user.expose_secret())?;
    write_private(&directory.join("so-pin"), pins.officer.expose_secret())?;
    let mut members = Vec::new();
    let mut tokens = Vec::new();
    for name in names().take(usize::from(count)) {
        let configuration = write_configuration(&directory.join(&name))?;
        let settings = ModuleSettings {
            path: module.to_owned(),
            environment: [(CONFIGURATION.to_owned(), configuration.clone())].into(),
            init_string: None,
            isolation: Isolation::Process,
        };
        let token = NewToken::make(&settings, host_program, LABEL, &pins);
        tokens.push(token.map_err(|error| format!("token {name} cannot be made: {error}"))?);
        members.push(member(name, module, configuration, &pin_file));
    }
    keys::share(&mut tokens).map_err(|error| format!("the keys cannot be made: {error}"))?;
    Ok(Made {
        directory: directory.to_owned(),
        pin_file,
        members,
    })
}

fn member(name: String, module: &Path, configuration: String, pin_file: &Path) -> MemberArgument {
    let texts = [
        (Key::Module, module.display().to_string()),
        (Key::Token, LABEL.to_owned()),
    ];
    MemberArgument {
        name: Some(name),
        texts: texts.into(),
        slot: None,
        environment: [(CONFIGURATION.to_owned(), configuration)].into(),
        pin_file: Some(pin_file.display().to_string()),
    }
}

/// Writes SoftHSM's configuration for a token in `directory` and says where.
fn write_configuration(directory: &Path) -> Result<String, Box<dyn Error>> {
    let tokens = directory.join("tokens");
    make_directory(&tokens)?;
    let path = directory.join("softhsm2.conf");
    let tokens = tokens.display();
    let text =
        format!("directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n");
    write_private(&path, &text)?;
    Ok(path.display().to_string())
}

fn make_directory(path: &Path) -> Result<(), Box<dyn Error>> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("{} cannot be made: {error}", path.display()).into())
}

/// Eight digits.
fn new_pin() -> Result<SecretString, Box<dyn Error>> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(format!("{:08}", u64::from_ne_bytes(bytes) % 100_000_000).into())
}

impl Display for Made {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let count = self.members.len();
        writeln!(
            f,
            "made {count} SoftHSM tokens in {}, each with the same keys:",
            self.directory.display()
        )?;
        for key in keys::ALL {
            writeln!(f, "  {:<9} {:<9} id {}", key.label, key.kind, key.id)?;
        }
        writeln!(
            f,
            "the user PIN of all of them is in {}",
            self.pin_file.display()
        )
    }
}
