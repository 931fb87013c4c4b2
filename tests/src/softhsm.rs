//! SoftHSM stores: a directory of tokens and the configuration that names it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::SOFTHSM;

/// The user's PIN of every token, unless its [`Pins`] say otherwise.
pub const PIN: &str = "123456";
/// The security officer's PIN of every token, unless its [`Pins`] say otherwise.
pub const SO_PIN: &str = "654321";
/// Label of the EC P-256 key pair that every token holds; its id is `01`.
pub const EC_LABEL: &str = "ec";
/// Label of the RSA-2048 key pair that every token holds; its id is `02`.
pub const RSA_LABEL: &str = "rsa";
/// Label of the AES-256 key that every token holds; its id is `03`.
pub const AES_LABEL: &str = "aes";

/// Who may log in to a token, and how.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Pins {
    /// The user's.
    pub user: &'static str,
    /// The security officer's.
    pub so: &'static str,
}

impl Default for Pins {
    fn default() -> Self {
        Self {
            user: PIN,
            so: SO_PIN,
        }
    }
}

impl fmt::Debug for Pins {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Pins")
    }
}

/// A SoftHSM configuration with a directory of tokens of its own.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    pins: Pins,
}

impl Store {
    /// The store in `directory`, which is made if it is not there; its tokens have these PINs.
    #[must_use]
    pub fn new(directory: &Path, pins: Pins) -> Self {
        for name in ["tokens", "away"] {
            std::fs::create_dir_all(directory.join(name)).expect("the lab's directory is writable");
        }
        let store = Self {
            directory: directory.to_owned(),
            pins,
        };
        let text = format!(
            "directories.tokendir = {}\nlog.level = ERROR\n",
            store.tokens().display()
        );
        std::fs::write(store.config(), text).expect("the lab's directory is writable");
        store
    }

    /// The same store with further settings of SoftHSM.
    #[must_use]
    pub fn with_settings(self, settings: &[(&str, &str)]) -> Self {
        let mut text = std::fs::read_to_string(self.config()).expect("the store is readable");
        for (name, value) in settings {
            text += &format!("{name} = {value}\n");
        }
        std::fs::write(self.config(), text).expect("the lab's directory is writable");
        self
    }

    /// The PINs of its tokens.
    #[must_use]
    pub const fn pins(&self) -> Pins {
        self.pins
    }

    /// What `SOFTHSM2_CONF` must say.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("softhsm2.conf")
    }

    /// Makes a token that holds the lab's keys.
    pub fn add_token(&self, label: &str) {
        self.add_empty_token(label);
        let keys = Keys::shared();
        for (file, label_of_key, id) in [(keys.ec(), EC_LABEL, "01"), (keys.rsa(), RSA_LABEL, "02")]
        {
            let mut import = Command::new("softhsm2-util");
            import.arg("--import").arg(file).args([
                "--token",
                label,
                "--label",
                label_of_key,
                "--id",
                id,
                "--pin",
                self.pins.user,
            ]);
            self.run(&mut import);
        }
        let mut write = Command::new("pkcs11-tool");
        write
            .args([
                "--module",
                SOFTHSM,
                "--token-label",
                label,
                "--login",
                "--pin",
                self.pins.user,
                "--write-object",
            ])
            .arg(keys.aes());
        write.args([
            "--type",
            "secrkey",
            "--key-type",
            "AES:32",
            "--label",
            AES_LABEL,
            "--id",
            "03",
            "--usage-decrypt",
        ]);
        self.run(&mut write);
    }

    /// Makes a token without keys.
    pub fn add_empty_token(&self, label: &str) {
        let mut init = Command::new("softhsm2-util");
        init.args([
            "--init-token",
            "--free",
            "--label",
            label,
            "--so-pin",
            self.pins.so,
            "--pin",
            self.pins.user,
        ]);
        self.run(&mut init);
    }

    /// Adds the RSA key once more to a token, as one that wants a login for each operation (`CKA_ALWAYS_AUTHENTICATE`).
    pub fn add_key_that_asks(&self, token: &str, label: &str) {
        let mut write = Command::new("pkcs11-tool");
        write
            .args([
                "--module",
                SOFTHSM,
                "--token-label",
                token,
                "--login",
                "--pin",
                PIN,
            ])
            .args([
                "--type",
                "privkey",
                "--id",
                "0a",
                "--label",
                label,
                "--always-auth",
            ])
            .args(["--usage-sign", "--write-object"])
            .arg(Keys::shared().rsa());
        self.run(&mut write);
    }

    /// Takes the store's tokens away, as if pulled out: the module finds none when it looks afresh.
    pub fn take_away(&self) {
        move_entries(&self.tokens(), &self.directory.join("away"));
    }

    /// Brings back what [`Store::take_away`] took.
    pub fn bring_back(&self) {
        move_entries(&self.directory.join("away"), &self.tokens());
    }

    /// Has the module find no token when it looks afresh, as [`Store::take_away`] does; but who has one open goes on to see it.
    pub fn hide(&self) {
        self.name_directory(&self.tokens(), &self.directory.join("away"));
    }

    /// Has the module find its tokens again after [`Store::hide`].
    pub fn show(&self) {
        self.name_directory(&self.directory.join("away"), &self.tokens());
    }

    /// What SoftHSM has written of the store's one token itself, which is not one of its objects.
    ///
    /// # Panics
    /// It has not one token.
    #[must_use]
    pub fn description(&self) -> Description {
        let tokens = std::fs::read_dir(self.tokens()).expect("the store is readable");
        let mut files =
            tokens.map(|token| token.expect("it is readable").path().join("token.object"));
        let file = files.next().expect("it has a token");
        let bytes = std::fs::read(&file).expect("it is readable");
        Description { file, bytes }
    }

    /// Writes the description anew if SoftHSM has lost it: each login writes it anew, and one that is killed in this leaves an empty file, and so no
    /// token.
    ///
    /// # Panics
    /// The store cannot be written.
    pub fn mend(&self, description: &Description) {
        let size = std::fs::metadata(&description.file).map_or(0, |file| file.len());
        if size < description.bytes.len() as u64 {
            let file = self.directory.join("token.object.new");
            std::fs::write(&file, &description.bytes)
                .and_then(|()| std::fs::rename(&file, &description.file))
                .expect("the lab's directory is writable");
        }
    }

    /// How many objects SoftHSM has lost: it writes a changed object anew in place, and one that is killed in this leaves an empty file.
    ///
    /// # Panics
    /// The store cannot be read.
    #[must_use]
    pub fn emptied(&self) -> usize {
        let entries = |directory: &Path| std::fs::read_dir(directory).expect("it is readable");
        let tokens = entries(&self.tokens()).flatten();
        let files = tokens.flat_map(|token| entries(&token.path()).flatten());
        let is_emptied = |file: &std::fs::DirEntry| {
            let is_object = file.path().extension().is_some_and(|end| end == "object");
            is_object && file.metadata().is_ok_and(|file| file.len() == 0)
        };
        files.filter(is_emptied).count()
    }

    fn name_directory(&self, old: &Path, new: &Path) {
        let line = |directory: &Path| format!("directories.tokendir = {}\n", directory.display());
        let text = std::fs::read_to_string(self.config()).expect("the store is readable");
        // Renamed into place: no module reads half of it.
        let file = self.config().with_extension("new");
        std::fs::write(&file, text.replace(&line(old), &line(new)))
            .and_then(|()| std::fs::rename(&file, self.config()))
            .expect("the lab's directory is writable");
    }

    fn tokens(&self) -> PathBuf {
        self.directory.join("tokens")
    }

    fn run(&self, command: &mut Command) {
        checked(command.env("SOFTHSM2_CONF", self.config()));
    }
}

/// What [`Store::mend`] writes anew.
#[derive(Clone, Debug)]
pub struct Description {
    file: PathBuf,
    bytes: Vec<u8>,
}

/// The keys that every token holds, made once in a process.
struct Keys(tempfile::TempDir);

impl Keys {
    fn shared() -> &'static Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(|| {
            let keys = Self(tempfile::tempdir().expect("there is room for a temporary directory"));
            make_key(
                &keys.ec(),
                &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            );
            make_key(
                &keys.rsa(),
                &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            );
            std::fs::write(keys.aes(), [0x5a; 32]).expect("the temporary directory is writable");
            keys
        })
    }

    fn ec(&self) -> PathBuf {
        self.0.path().join("ec.pem")
    }

    fn rsa(&self) -> PathBuf {
        self.0.path().join("rsa.pem")
    }

    fn aes(&self) -> PathBuf {
        self.0.path().join("aes.bin")
    }
}

fn make_key(path: &Path, arguments: &[&str]) {
    checked(
        Command::new("openssl")
            .arg("genpkey")
            .args(arguments)
            .arg("-out")
            .arg(path),
    );
}

/// Runs a program that the lab or a test cannot do without, to a good end.
///
/// # Panics
/// It is not there or fails.
#[track_caller]
pub fn checked(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!(
            "{} does not start: {error}; `make test` installs it",
            command.get_program().display()
        )
    });
    assert!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

fn move_entries(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("the lab's directory is readable") {
        let entry = entry.expect("the lab's directory is readable");
        std::fs::rename(entry.path(), to.join(entry.file_name()))
            .expect("the lab's directory is writable");
    }
}
