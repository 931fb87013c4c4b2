//! Where the configuration is looked for.

use std::env;
use std::path::{Path, PathBuf};

/// Where it is when neither the environment nor the user has one.
const SYSTEM: &str = "/etc/everslot/everslot.toml";
/// Its name below the directory for configurations.
const NAME: &str = "everslot/everslot.toml";
/// Where the journals of a configuration in `/etc` are.
const SYSTEM_STATE: &str = "/var/lib/everslot";
/// Their directory below the one for state.
const STATE: &str = "everslot";

/// The places where the configuration is looked for, in their order.
#[must_use]
pub fn search_places() -> Vec<PathBuf> {
    places(&Surroundings::of_this_process())
}

/// The user's own place; `None` when nothing says where the home directory is.
#[must_use]
pub fn user_place() -> Option<PathBuf> {
    Surroundings::of_this_process().user_place()
}

/// Where the journals of the groups in the configuration at `path` are: with the system's state for one in `/etc`, so that all users of it
/// have the same; else with the user's.
pub(super) fn journal_directory(path: &Path) -> PathBuf {
    if path.starts_with("/etc") {
        return SYSTEM_STATE.into();
    }
    Surroundings::of_this_process().journal_directory()
}

/// What the environment says; nothing when it is not to be trusted.
#[derive(Default)]
struct Surroundings {
    named: Option<PathBuf>,
    config_home: Option<PathBuf>,
    state_home: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Surroundings {
    fn of_this_process() -> Self {
        use rustix::process::{getegid, geteuid, getgid, getuid};
        // The caller of a set-user-id program chooses its environment; a module named there would run with the program's rights.
        if geteuid() != getuid() || getegid() != getgid() {
            return Self::default();
        }
        let path = |name| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        Self {
            named: path("EVERSLOT_CONF"),
            config_home: path("XDG_CONFIG_HOME"),
            state_home: path("XDG_STATE_HOME"),
            home: path("HOME"),
        }
    }

    fn journal_directory(&self) -> PathBuf {
        let given = self.state_home.clone().filter(|path| path.is_absolute());
        let of_user = || Some(self.home.as_ref()?.join(".local/state"));
        given
            .or_else(of_user)
            .map_or_else(|| SYSTEM_STATE.into(), |state| state.join(STATE))
    }

    fn user_place(&self) -> Option<PathBuf> {
        // The XDG base directory specification has relative paths ignored.
        let given = self.config_home.clone().filter(|path| path.is_absolute());
        Some(
            given
                .or_else(|| Some(self.home.as_ref()?.join(".config")))?
                .join(NAME),
        )
    }
}

fn places(surroundings: &Surroundings) -> Vec<PathBuf> {
    match &surroundings.named {
        Some(named) => vec![named.clone()],
        None => surroundings
            .user_place()
            .into_iter()
            .chain([Path::new(SYSTEM).to_owned()])
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_comes_before_the_user_and_the_user_before_the_system() {
        let mut surroundings = Surroundings {
            named: Some("/named.toml".into()),
            config_home: Some("/configs".into()),
            home: Some("/home/u".into()),
            state_home: None,
        };
        assert_eq!(places(&surroundings), [PathBuf::from("/named.toml")]);
        surroundings.named = None;
        assert_eq!(
            places(&surroundings),
            [
                Path::new("/configs/everslot/everslot.toml"),
                Path::new(SYSTEM)
            ]
        );
        surroundings.config_home = Some("relative".into());
        assert_eq!(
            places(&surroundings),
            [
                Path::new("/home/u/.config/everslot/everslot.toml"),
                Path::new(SYSTEM)
            ]
        );
        assert_eq!(places(&Surroundings::default()), [Path::new(SYSTEM)]);
    }

    #[test]
    fn a_journal_is_with_the_state_of_whose_configuration_it_is() {
        assert_eq!(
            journal_directory(Path::new("/etc/everslot/everslot.toml")),
            Path::new("/var/lib/everslot")
        );
        let mut surroundings = Surroundings {
            home: Some("/home/u".into()),
            state_home: Some("relative".into()),
            ..Surroundings::default()
        };
        let of_user = Path::new("/home/u/.local/state/everslot");
        assert_eq!(surroundings.journal_directory(), of_user);
        surroundings.state_home = Some("/states".into());
        assert_eq!(
            surroundings.journal_directory(),
            Path::new("/states/everslot")
        );
        let nobody = Surroundings::default().journal_directory();
        assert_eq!(nobody, Path::new("/var/lib/everslot"));
    }
}
