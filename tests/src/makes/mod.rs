//! A group whose members are tokens of different makes, with a domain key.

mod make;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::client::{Module, Session};
use crate::softhsm::checked;
use crate::{Artifact, PATIENCE, PIN, SO_PIN, eventually, process};
pub use make::{Make, OtherMember};

/// Tokens of different makes, empty but for the domain key, and a configuration over them in `EVERSLOT_CONF`.
#[derive(Debug)]
pub struct Mixed {
    directory: tempfile::TempDir,
    members: Vec<OtherMember>,
    /// What the group's part of the configuration says besides.
    settings: String,
}

impl Mixed {
    /// The label of the virtual token.
    pub const LABEL: &str = "mixed";

    /// One of these makes each, with further `settings` of the group; none if one of them is not here, which it says.
    #[must_use]
    pub fn of(makes: &[Make], settings: &str) -> Option<Self> {
        if let Some(make) = makes.iter().find(|make| !make.is_here()) {
            eprintln!("skipped: no {make:?} is here; `make test-members` gets the test members");
            return None;
        }
        let directory = tempfile::tempdir().expect("there is room for a temporary directory");
        for (name, pin) in [("pin", PIN), ("so-pin", SO_PIN)] {
            let path = directory.path().join(name);
            std::fs::write(&path, pin).expect("the lab's directory is writable");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))
                .expect("the file is ours");
        }
        let make = |make: &Make| OtherMember::new(*make, directory.path());
        let mixed = Self {
            members: makes.iter().map(make).collect(),
            directory,
            settings: settings.to_owned(),
        };
        process::set_variable("EVERSLOT_CONF", mixed.config_path());
        process::set_variable("XDG_RUNTIME_DIR", mixed.directory.path());
        mixed.prefer(makes[0]);
        Some(mixed)
    }

    /// Has the member of this make make the objects: the others are on standby.
    pub fn prefer(&self, maker: Make) {
        let mut config = format!("[[group]]\nlabel = \"{}\"\nserial = \"1\"\n", Self::LABEL);
        if !self.settings.contains("journal =") {
            let journal = self.directory.path().join("journal.sqlite");
            config += &format!("journal = \"{}\"\n", journal.display());
        }
        config += &self.settings;
        for member in &self.members {
            let role = if member.make() == maker {
                "active"
            } else {
                "standby"
            };
            config += &format!("\n{}", member.config(role));
        }
        std::fs::write(self.config_path(), config).expect("the lab's directory is writable");
    }

    /// `everslot` with these arguments; how it went.
    #[must_use]
    pub fn everslot(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(Artifact::Command.path());
        command
            .args(arguments)
            .output()
            .expect("the everslot program starts")
    }

    /// The same, which must succeed; what it prints.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    #[track_caller]
    pub fn told(&self, arguments: &[&str]) -> String {
        let output = checked(Command::new(Artifact::Command.path()).args(arguments));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The members, in the order of the configuration.
    #[must_use]
    pub fn members(&self) -> &[OtherMember] {
        &self.members
    }

    /// Does `work` in a session of the virtual token in which the user is logged in, once every member serves; then finalises it.
    pub fn through<T>(&self, work: impl FnOnce(Session) -> T) -> T {
        let module = Module::load(&Artifact::Module.path());
        module.initialize().expect("a member can serve");
        eventually("every member serves", PATIENCE, || {
            let status = self.everslot(&["status", "--json"]);
            let status = String::from_utf8_lossy(&status.stdout).into_owned();
            status.matches("\"CKR_OK\"").count() == self.members.len()
        });
        let session = module
            .open(module.slot_of(Self::LABEL))
            .expect("a member can serve");
        session.login(PIN).expect("the PIN is right");
        let done = work(session);
        module.finalize().expect("it is initialised");
        done
    }

    fn config_path(&self) -> PathBuf {
        self.directory.path().join("everslot.toml")
    }
}
