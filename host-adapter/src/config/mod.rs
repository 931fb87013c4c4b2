//! The configuration: which groups there are, of which members, and under which policy.
//!
//! It is a TOML file. [`Config::load`] looks for it at `$EVERSLOT_CONF`, else at `$XDG_CONFIG_HOME/everslot/everslot.toml`
//! (`~/.config`), else at `/etc/everslot/everslot.toml`. Whatever is wrong with it is one line: where, what, what to do.

mod change;
mod check;
mod error;
mod file;
mod log;
mod module;
mod pin;
mod place;
mod secret;
mod token;

use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use everslot_core::{Copies, Overrides, Policy, Role};

use crate::module::{Isolation, ModuleSettings};

pub(crate) use change::kept_until_restart;
pub use check::is_member_name;
pub use error::{ConfigError, Place, Problem};
pub(crate) use log::{LOOPBACK, loopback};
pub use pin::{PinError, PinSource};
pub use place::{search_places, user_place};
pub use token::{TokenChoice, same_token, text};

/// Members that one group may have.
pub const MEMBERS: usize = 32;

/// A configuration that holds together: everything in it has been checked but what only the tokens themselves can tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file it came from.
    pub path: PathBuf,
    /// The `everslot` program that hosts members; where it is looked for when `None`, see [`hosted`](crate::hosted).
    pub host_program: Option<PathBuf>,
    /// A loopback address on which each application serves its metrics, beside its status socket. Of several the first one gets it.
    pub metrics: Option<SocketAddr>,
    /// What the library logs, and where.
    pub log: LogConfig,
    /// At least one; labels and serials are unique.
    pub groups: Vec<GroupConfig>,
}

/// What the library logs. It never logs a PIN, a key or an attribute's value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LogConfig {
    /// The least important lines that are logged.
    pub level: LogLevel,
    /// Where lines go.
    pub to: LogTo,
    /// How a line is written.
    pub format: LogFormat,
}

/// Where log lines go.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum LogTo {
    /// The application's standard error.
    #[default]
    StandardError,
    /// A file, which several processes may share.
    File(LogFile),
    /// The system's log daemon, by its socket `/dev/log`.
    Syslog,
    /// systemd's journal, each value of a line in a field of its own.
    Journal,
}

/// A file that log lines are appended to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// The most bytes that it is to have before it is put aside; `None`: that is left to others, such as logrotate.
    pub size: Option<NonZeroU64>,
    /// How many files that were put aside are kept.
    pub keep: NonZeroU8,
}

impl LogTo {
    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(&file.path),
            Self::StandardError | Self::Syslog | Self::Journal => None,
        }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people: time, level, what happened, then `key=value`.
    #[default]
    Plain,
    /// For programs: one JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What cannot be put right by itself: a member given up or quarantined.
    Error,
    /// Losses and failed attempts too.
    #[default]
    Warn,
    /// Every change of a member's state.
    Info,
    /// Every decision.
    Debug,
    /// Every call.
    Trace,
}

/// One virtual slot and the members behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupConfig {
    /// The virtual token's label; 1 to 32 bytes.
    pub label: String,
    /// The virtual token's serial; 1 to 16 printable ASCII characters. It never changes with the members.
    pub serial: String,
    /// Which of its members' mechanisms it offers.
    pub mechanisms: MechanismPolicy,
    /// The most bytes that are kept of an operation of many parts so that it can be replayed on another member. An operation that
    /// becomes longer stays with its member; with 0 all do.
    pub transcript: usize,
    /// How lost members come back.
    pub recovery: RecoveryConfig,
    /// Where what the group's decisions were told and answered is written down; the process's id is added. `None`: nowhere.
    pub trace: Option<PathBuf>,
    /// Where the journal is: a path or a `postgresql://` URL, for [`Journal::open`](crate::journal::Journal::open).
    pub journal: String,
    /// Whether each member is a slot of its own beside the virtual one.
    pub expose_members: bool,
    /// On how many members a token object that the application makes is to live, once the group has a domain key; no more than there are.
    pub copies: Copies,
    /// 1 to [`MEMBERS`]; names are unique in the group.
    pub members: Vec<MemberConfig>,
}

/// Which of its members' mechanisms a group offers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MechanismPolicy {
    /// Those that every member has: whichever is lost, another can take over.
    #[default]
    Common,
    /// Those that any member has: a call goes to members that have its mechanism, and fails when none of these serves.
    Any,
}

/// How lost members come back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecoveryConfig {
    /// Who runs the attempts.
    pub mode: RecoveryMode,
    /// How often (X) and how many (N) there are in one outage.
    pub policy: Policy,
}

/// Who runs the attempts of recovery.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryMode {
    /// A thread of everslot's own.
    #[default]
    Background,
    /// The application's calls, as the seed has it; no thread is made.
    InCall,
}

/// One real token.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberConfig {
    /// Its name within the group: ASCII letters, digits, `.`, `_` and `-`.
    pub name: String,
    /// Which token of the module it is.
    pub token: TokenChoice,
    /// Whether it serves always, or only when no active member is left.
    pub role: Role,
    /// Whether an operator has taken it out of service.
    pub parked: bool,
    /// How long a call may take; longer than this means that the member is lost.
    pub deadline: Duration,
    /// The same for the calls that take long: generating keys and initialising the token.
    pub generation_deadline: Duration,
    /// Real sessions that everslot has open on it at once, at most, the one on which its login stands included; no fewer than two.
    pub sessions: NonZeroU32,
    /// Where the command finds the user's PIN; the library takes the application's.
    pub pin: Option<PinSource>,
    /// Where the command finds the security officer's PIN; needed for nothing but to have the domain key trusted.
    pub so_pin: Option<PinSource>,
    /// Return codes of this member that mean something else than the verdict table says.
    pub overrides: Overrides,
    module: ModuleSettings,
}

impl MemberConfig {
    /// What its module is loaded with: members with equal settings share one load.
    #[must_use]
    pub fn settings(&self) -> ModuleSettings {
        self.module.clone()
    }

    /// The same token as a slot of its own: in a process of its own, so that its login and its sessions are apart from the group's.
    pub(crate) fn apart(&self) -> Self {
        let mut module = self.module.clone();
        module.isolation = Isolation::Process;
        Self {
            role: Role::Active,
            parked: false,
            module,
            ..self.clone()
        }
    }

    /// Whether a member that is this can become `other` while it serves: it is the same token, reached in the same way.
    pub(crate) fn can_become(&self, other: &Self) -> bool {
        self.name == other.name
            && self.token == other.token
            && self.module == other.module
            && self.sessions == other.sessions
    }

    /// Whether both cannot be members of one group.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        self.name == other.name || self.module == other.module
    }
}

impl Config {
    /// Finds the configuration and reads it.
    ///
    /// A process that runs with more rights than its caller (set-user-id) does not look at the environment.
    ///
    /// # Errors
    /// There is none at any of [`search_places`], or as in [`Config::from_file`].
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_file(&Self::find()?)
    }

    /// The configuration file that [`Config::load`] reads: the first place that has one. A file that `$EVERSLOT_CONF`
    /// names is meant, so no further place is looked at.
    ///
    /// # Errors
    /// There is none at any of [`search_places`].
    pub fn find() -> Result<PathBuf, ConfigError> {
        let looked = search_places();
        match looked.iter().find(|place| place.exists()) {
            Some(place) => Ok(place.clone()),
            None => Err(ConfigError::Missing { looked }),
        }
    }

    /// [`load`](Self::load) for an application, to which a file without any group is no mistake: it is what a package installs, and
    /// whatever loads all modules of a machine is to see no slot and no complaint.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for that.
    pub(crate) fn load_for_application() -> Result<Self, ConfigError> {
        Self::read(&Self::find()?, |checker| checker.any_config())
    }

    /// Reads the configuration in `path`.
    ///
    /// # Errors
    /// The file cannot be read, everybody may write it, or read it and a secret is in it, or as in [`Config::parse`].
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        Self::read(path, |checker| checker.config())
    }

    fn read(
        path: &Path,
        check: impl FnOnce(&check::Checker<'_>) -> Result<Self, ConfigError>,
    ) -> Result<Self, ConfigError> {
        if let Some(mode) = check::mode_if_open(path) {
            let path = path.to_owned();
            return Err(ConfigError::OpenToOthers { path, mode });
        }
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let config = check(&check::Checker::new(&text, path))?;
                secret::check(&config)?;
                Ok(config)
            }
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                Err(ConfigError::Missing {
                    looked: vec![path.to_owned()],
                })
            }
            Err(source) => Err(ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Takes `text` as the configuration that stands in `path`; relative paths in it start at its directory.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] with the first thing that is wrong in it. The modules' files must exist; tokens are not looked for.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        check::Checker::new(text, path).config()
    }
}

#[cfg(test)]
mod tests;
