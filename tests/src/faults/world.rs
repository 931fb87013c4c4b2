//! Three SoftHSM tokens with a domain key, a configuration over them, and their journal; cheap to copy.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::fault::Control;
use crate::softhsm::Store;
use crate::{Artifact, PATIENCE, PIN, Pins, SO_PIN, SOFTHSM, checked, eventually};

/// How many tokens there are.
pub const MEMBERS: usize = 3;

/// A directory with everything in it.
#[derive(Debug)]
pub struct World {
    directory: tempfile::TempDir,
}

impl World {
    /// The label of the virtual token.
    pub const LABEL: &str = "faults";

    /// Three empty tokens with the same domain key.
    ///
    /// # Panics
    /// SoftHSM is not installed, or `everslot domain init` fails.
    #[must_use]
    pub fn new() -> Self {
        let world = Self::empty();
        for member in 0..MEMBERS {
            let store = world.store(member);
            store.add_empty_token(&token_label(member));
        }
        world.configure();
        checked(&mut world.everslot(&["domain", "init"]));
        world
    }

    /// The same tokens and journal, elsewhere.
    ///
    /// # Panics
    /// There is no room.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::empty();
        checked(
            Command::new("cp")
                .args(["-a", "--"])
                .arg(self.path().join("."))
                .arg(copy.path()),
        );
        // What they had counted is the original's, and their paths are other ones.
        let _ = std::fs::remove_file(copy.path().join(CONTROL));
        copy.configure();
        copy
    }

    /// Its directory, which is removed at the end.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Keeps its directory for whoever wants to look at it; where it is.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.directory.keep()
    }

    /// The store of a member's token.
    #[must_use]
    pub fn store(&self, member: usize) -> Store {
        store_in(self.path(), member)
    }

    /// Where the application writes down what it was told.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path().join("ledger")
    }

    /// The file of the group's journal.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path().join("journal.sqlite")
    }

    pub(super) fn control(&self) -> Control {
        control_in(self.path())
    }

    /// What the environment of everything that uses the world must say.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("EVERSLOT_CONF", self.path().join("everslot.toml").into()),
            ("XDG_RUNTIME_DIR", self.path().into()),
        ]
    }

    /// The `everslot` program, about to run on this world.
    #[must_use]
    pub fn everslot(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Artifact::Command.path());
        command.args(arguments).envs(self.environment());
        command
    }

    /// `everslot sync`, without a fault.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn sync(&self) -> Output {
        self.control().disarm();
        self.everslot(&["sync"])
            .output()
            .expect("the everslot program starts")
    }

    fn empty() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self {
            directory: directory.expect("there is room for a temporary directory"),
        }
    }

    /// Writes what has the directory's own path in it.
    fn configure(&self) {
        (0..MEMBERS).for_each(|member| drop(self.store(member)));
        for (name, pin) in [("pin", PIN), ("so-pin", SO_PIN)] {
            let path = self.path().join(name);
            write(&path, pin);
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))
                .expect("the file is ours");
        }
        let members: Vec<_> = (0..MEMBERS).map(|member| self.member(member)).collect();
        let group = format!(
            "[[group]]\nlabel = \"{}\"\nserial = \"1\"\njournal = \"{}\"\n[group.recovery]\nmode = \"background\"\ninterval = \"1h\"\nattempts = -1\n{}",
            Self::LABEL,
            self.journal().display(),
            members.concat(),
        );
        write(&self.path().join("everslot.toml"), &group);
    }

    /// A member's part of the configuration: the pass-through module over SoftHSM. Its attempts are so far apart that one that is lost stays
    /// so for as long as the application runs.
    fn member(&self, member: usize) -> String {
        let environment = [
            ("SOFTHSM2_CONF", self.store(member).config()),
            ("EVERSLOT_PASS_MODULE", SOFTHSM.into()),
            ("EVERSLOT_PASS_CONTROL", self.control().path().to_owned()),
            ("EVERSLOT_PASS_MEMBER", member.to_string().into()),
        ];
        let pairs = environment.map(|(name, value)| format!("{name} = \"{}\"", value.display()));
        format!(
            "[[group.member]]\nname = \"m{member}\"\nmodule = \"{}\"\ntoken = \"{}\"\ndeadline = \"20s\"\npin = {{ file = \"pin\" }}\nso_pin = {{ file = \"so-pin\" }}\nenvironment = {{ {} }}\n",
            Artifact::PassThrough.path().display(),
            token_label(member),
            pairs.join(", "),
        )
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

const CONTROL: &str = "control";

pub(super) fn control_in(directory: &Path) -> Control {
    Control::at(&directory.join(CONTROL))
}

pub(super) fn store_in(directory: &Path, member: usize) -> Store {
    Store::new(&directory.join(format!("m{member}")), Pins::default())
}

pub(super) fn token_label(member: usize) -> String {
    format!("token-{member}")
}

/// Waits until so many members serve in this process, as `everslot status` has it.
///
/// # Panics
/// They do not within a generous time.
pub(super) fn wait_until_serving(members: usize) {
    let own = std::process::id();
    eventually("the members serve", PATIENCE, || {
        let mut command = Command::new(Artifact::Command.path());
        let output = checked(command.args(["status", "--json"]));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let processes = report["processes"].as_array().into_iter().flatten();
        let serving = processes
            .filter(|process| process["process"]["pid"] == own)
            .flat_map(|process| process["groups"].as_array().into_iter().flatten())
            .flat_map(|group| group["members"].as_array().into_iter().flatten())
            .filter(|member| member["code"]["name"] == "CKR_OK");
        serving.count() == members
    });
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the world's directory is writable");
}
