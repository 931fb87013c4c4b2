use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Isolation, Plan, Token};
use crate::client::{Module, Session};
use crate::softhsm::Store;
use crate::{Artifact, SOFTHSM};

/// A member of the lab's group.
#[derive(Debug)]
pub struct Member {
    index: usize,
    token_label: String,
    module: PathBuf,
    directory: PathBuf,
    store: Option<Store>,
}

impl Member {
    /// Makes the member's token and what belongs to it, in a directory of its own below `directory`.
    pub(super) fn make(plan: &Plan, directory: &Path, index: usize) -> Self {
        let directory = directory.join(format!("m{index}"));
        std::fs::create_dir_all(&directory).expect("the lab's directory is writable");
        let mut member = Self {
            index,
            token_label: token_label(plan, index),
            module: module(plan.token),
            store: (plan.token == Token::SoftHsm)
                .then(|| Store::new(&directory, plan.pins).with_settings(plan.settings_of(index))),
            directory,
        };
        match plan.isolation {
            // In the application all members share one load, so one environment and one store: the first member's.
            Isolation::None if index == 0 => {
                let labels: Vec<String> = (0..plan.members)
                    .map(|index| token_label(plan, index))
                    .collect();
                member
                    .store
                    .iter()
                    .for_each(|store| labels.iter().for_each(|label| add(store, plan, label)));
            }
            Isolation::None => member.store = None,
            Isolation::Process => {
                member
                    .store
                    .iter()
                    .for_each(|store| add(store, plan, &member.token_label));
                member.module = member.link_to_module();
            }
        }
        member
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> String {
        format!("m{}", self.index)
    }

    /// The label of its token.
    #[must_use]
    pub fn token_label(&self) -> &str {
        &self.token_label
    }

    /// Its module, under a path of its own when it is hosted.
    #[must_use]
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// Its SoftHSM store.
    ///
    /// # Panics
    /// It has none of its own.
    #[must_use]
    #[track_caller]
    pub fn store(&self) -> &Store {
        self.store
            .as_ref()
            .expect("the member has a SoftHSM store of its own")
    }

    /// A session with the member's own token, past everslot, in which the user is logged in. The process must have finalised everslot,
    /// so that no thread of its own is left that might look at the environment.
    pub fn alone<T>(&self, work: impl FnOnce(Session) -> T) -> T {
        crate::process::set_variable("SOFTHSM2_CONF", self.store().config());
        let module = Module::load(Path::new(SOFTHSM));
        module.initialize().expect("the token is there");
        let session = module
            .open(module.slot_of(&self.token_label))
            .expect("the token is there");
        session
            .login(self.store().pins().user)
            .expect("the PIN is right");
        let done = work(session);
        module.finalize().expect("it is initialised");
        done
    }

    /// Has the test module behave so from the next call on; see its `script`.
    pub fn misbehave(&self, script: &str) {
        // Renamed into place: no call reads half a script.
        let new = self.directory.join("control.new");
        std::fs::write(&new, script).expect("the lab's directory is writable");
        std::fs::rename(new, self.control()).expect("the lab's directory is writable");
    }

    /// The user's PIN that the test module's token has after a change, seen past everslot; none before the first.
    #[must_use]
    pub fn changed_pin(&self) -> Option<String> {
        let pins = std::fs::read_to_string(self.pins()).ok()?;
        pins.split_once('\n').map(|(_, user)| user.to_owned())
    }

    /// Gives the test module's token another user PIN past everslot; it says so from its next start on.
    pub fn change_pin(&self, user: &str) {
        std::fs::write(self.pins(), format!("4321\n{user}"))
            .expect("the lab's directory is writable");
    }

    /// How often the test module's function was called.
    #[must_use]
    pub fn calls(&self, function: &str) -> usize {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| *line == function).count()
    }

    /// Its part of the configuration.
    pub(super) fn config(&self, plan: &Plan) -> String {
        let mut lines = vec![
            "[[group.member]]".to_owned(),
            format!("name = \"{}\"", self.name()),
            format!("module = \"{}\"", self.module.display()),
            format!("token = \"{}\"", self.token_label),
            format!(
                "role = \"{}\"",
                if self.index + plan.standby >= plan.members {
                    "standby"
                } else {
                    "active"
                }
            ),
            format!("deadline = \"{}ms\"", plan.deadline.as_millis()),
        ];
        lines.extend(
            plan.sessions
                .map(|sessions| format!("sessions = {sessions}")),
        );
        if plan.domain {
            // Beside the configuration.
            lines.push("pin = { file = \"pin\" }".to_owned());
            lines.push("so_pin = { file = \"so-pin\" }".to_owned());
        }
        match plan.isolation {
            Isolation::None => lines.push("isolation = \"none\"".to_owned()),
            Isolation::Process => {
                let pair =
                    |(name, value): (&str, OsString)| format!("{name} = \"{}\"", value.display());
                let pairs: Vec<String> = self.environment(plan).into_iter().map(pair).collect();
                lines.push(format!("environment = {{ {} }}", pairs.join(", ")));
            }
        }
        lines.join("\n") + "\n"
    }

    /// The same, as `everslot member add` takes it.
    pub(super) fn argument(&self, plan: &Plan) -> String {
        let environment = self.environment(plan).into_iter();
        let variables =
            environment.map(|(name, value)| format!(",environment.{name}={}", value.display()));
        format!(
            "name={},module={},token={},deadline={}ms{}",
            self.name(),
            self.module.display(),
            self.token_label,
            plan.deadline.as_millis(),
            variables.collect::<String>()
        )
    }

    /// What the environment of an application must say that has the plan's members in itself, this being the first of them.
    pub(super) fn application_environment(&self, plan: &Plan) -> Vec<(&'static str, OsString)> {
        let mut variables = self.environment(plan);
        if plan.token == Token::Test {
            variables.retain(|(name, _)| *name != "EVERSLOT_TEST_LABEL");
            variables.push(("EVERSLOT_TEST_TOKENS", plan.members.to_string().into()));
        }
        variables
    }

    /// What its module's environment must say.
    fn environment(&self, plan: &Plan) -> Vec<(&'static str, OsString)> {
        if let Some(store) = &self.store {
            return vec![("SOFTHSM2_CONF", store.config().into())];
        }
        let mut variables = vec![("EVERSLOT_TEST_LABEL", self.token_label.clone().into())];
        if let Some(limit) = plan.session_limit {
            variables.push(("EVERSLOT_TEST_SESSION_LIMIT", limit.to_string().into()));
        }
        if self.index < plan.legacy {
            variables.push(("EVERSLOT_TEST_INTERFACE", "2.40".into()));
        }
        let further = plan.settings_of(self.index).iter();
        variables.extend(further.map(|(name, value)| (*name, value.into())));
        if plan.scripted {
            variables.push(("EVERSLOT_TEST_CONTROL", self.control().into()));
            variables.push(("EVERSLOT_TEST_LOG", self.log().into()));
            variables.push(("EVERSLOT_TEST_PIN_FILE", self.pins().into()));
        }
        variables
    }

    /// A path of its own to the module, by which its member host is told from the others'.
    fn link_to_module(&self) -> PathBuf {
        let link = self
            .directory
            .join(self.module.file_name().expect("a module is a file"));
        std::os::unix::fs::symlink(&self.module, &link).expect("the lab's directory is writable");
        link
    }

    fn control(&self) -> PathBuf {
        self.directory.join("control")
    }

    fn pins(&self) -> PathBuf {
        self.directory.join("pins")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }
}

fn add(store: &Store, plan: &Plan, label: &str) {
    if plan.empty {
        store.add_empty_token(label);
    } else {
        store.add_token(label);
    }
}

fn module(token: Token) -> PathBuf {
    match token {
        Token::SoftHsm => PathBuf::from(SOFTHSM),
        Token::Test => Artifact::TestModule.path(),
    }
}

fn token_label(plan: &Plan, index: usize) -> String {
    match (plan.token, plan.isolation, plan.members) {
        (Token::SoftHsm, _, _) => format!("token-{index}"),
        (Token::Test, Isolation::None, 1) => "test".to_owned(),
        (Token::Test, _, _) => format!("test-{index}"),
    }
}
