//! A group of tokens with its configuration, and the faults that can be done to its members.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Module, Session};
use crate::softhsm::{PIN, Store};
use crate::{Artifact, HostProcess, SOFTHSM, eventually, process};

/// Longer than a member takes to come back once it can, whatever else runs on the machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What kind of token the members are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Token {
    /// SoftHSM, holding the lab's keys.
    SoftHsm,
    /// The test module, which answers at once, counts and misbehaves on request.
    Test,
}

/// Where the members' modules are loaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Isolation {
    /// In the application.
    None,
    /// In a member host each.
    Process,
}

/// What a lab is to be like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Plan {
    /// What kind of token the members are.
    pub token: Token,
    /// How many members there are.
    pub members: usize,
    /// How many of them, the last ones, are on standby.
    pub standby: usize,
    /// Where their modules are loaded.
    pub isolation: Isolation,
    /// X: the least time between two attempts of recovery.
    pub interval: Duration,
    /// N: the most attempts in an outage; -1 for no limit.
    pub attempts: i64,
    /// Whether recovery runs in the application's calls only.
    pub in_call: bool,
    /// How long a member's call may take.
    pub deadline: Duration,
    /// Real sessions on a member, at most; everslot's default when none.
    pub sessions: Option<u32>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            token: Token::SoftHsm,
            members: 3,
            standby: 0,
            isolation: Isolation::Process,
            interval: Duration::from_millis(200),
            attempts: -1,
            in_call: false,
            deadline: Duration::from_secs(1),
            sessions: None,
        }
    }
}

/// Tokens, a configuration over them in `EVERSLOT_CONF`, and the ways in.
#[derive(Debug)]
pub struct Lab {
    plan: Plan,
    directory: tempfile::TempDir,
    members: Vec<Member>,
}

/// A member of the lab's group.
#[derive(Debug)]
pub struct Member {
    name: String,
    token_label: String,
    directory: PathBuf,
    store: Option<Store>,
}

impl Lab {
    /// The label of the virtual token.
    pub const LABEL: &str = "lab";

    /// Makes tokens and configuration as planned, and sets this process's environment to them.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let lab = Self::prepare(plan);
        lab.environment()
            .into_iter()
            .for_each(|(name, value)| process::set_variable(name, value));
        lab
    }

    /// Makes tokens and configuration as planned, for other processes.
    #[must_use]
    pub fn prepare(plan: Plan) -> Self {
        let directory = tempfile::tempdir().expect("there is room for a temporary directory");
        let members = make_members(&plan, directory.path());
        let lab = Self {
            plan,
            directory,
            members,
        };
        std::fs::write(lab.config_path(), lab.config()).expect("the lab's directory is writable");
        lab
    }

    /// What the environment of an application that uses the lab must say.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![
            ("EVERSLOT_CONF", self.config_path().into()),
            // Status sockets of other labs' applications are none of this one's.
            ("XDG_RUNTIME_DIR", self.directory.path().into()),
        ];
        // In the application all members share one load, so one environment and, of SoftHSM, one store.
        match (self.plan.isolation, self.plan.token) {
            (Isolation::Process, _) => {}
            (Isolation::None, Token::SoftHsm) => variables.push((
                "SOFTHSM2_CONF",
                shared_store(self.directory.path()).config().into(),
            )),
            (Isolation::None, Token::Test) => {
                variables.push(("EVERSLOT_TEST_TOKENS", self.plan.members.to_string().into()))
            }
        }
        variables
    }

    /// The lab of the default plan: three SoftHSM members, each in a host of its own.
    #[must_use]
    pub fn softhsm() -> Self {
        Self::new(Plan::default())
    }

    /// The plan that it was made by.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its directory, which is removed at the end.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The configuration file.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.directory.path().join("everslot.toml")
    }

    /// Its members, in the order of the configuration.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// `libeverslot.so`, loaded and initialised.
    #[must_use]
    pub fn module(&self) -> Module {
        let module = Module::load(&Artifact::Module.path());
        module.initialize().expect("a member can serve");
        module
    }

    /// A session that is logged in as the user, once every member serves.
    #[must_use]
    pub fn session(&self, module: Module) -> Session {
        self.wait_until_all_serve();
        let session = self.public_session(module);
        session.login(self.pin()).expect("the PIN is right");
        session
    }

    /// A session that nobody has logged in to.
    #[must_use]
    pub fn public_session(&self, module: Module) -> Session {
        module
            .open(module.slot_of(Self::LABEL))
            .expect("a member can serve")
    }

    /// The user's PIN of every member.
    #[must_use]
    pub const fn pin(&self) -> &'static str {
        match self.plan.token {
            Token::SoftHsm => PIN,
            Token::Test => "1234",
        }
    }

    /// Runs the `everslot` program on this lab's configuration.
    #[must_use]
    pub fn everslot(&self, arguments: &[&str]) -> Output {
        Command::new(Artifact::Command.path())
            .args(arguments)
            .output()
            .expect("the everslot program starts")
    }

    /// The members as `everslot status --json` has them.
    #[must_use]
    pub fn status(&self) -> Vec<Value> {
        let output = self.everslot(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        members_in(&status)
    }

    /// The code that the status shows for each member, in their order.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        let code = |member: &Value| member["rv"].as_str().unwrap_or_default().to_owned();
        self.status().iter().map(code).collect()
    }

    /// Waits until every member serves.
    ///
    /// # Panics
    /// One does not within a generous time.
    #[track_caller]
    pub fn wait_until_all_serve(&self) {
        eventually("every member serves", PATIENCE, || {
            let codes = self.codes();
            codes.len() == self.members.len() && codes.iter().all(|code| code == "CKR_OK")
        });
    }

    /// The process in which a member's module is loaded.
    ///
    /// # Panics
    /// It has none.
    #[must_use]
    #[track_caller]
    pub fn host(&self, member: usize) -> HostProcess {
        let status = self.status();
        let process = status[member]["process"]
            .as_u64()
            .and_then(|process| u32::try_from(process).ok());
        HostProcess::new(
            process.unwrap_or_else(|| panic!("member {member} has no host: {}", status[member])),
        )
    }

    /// Takes a member's token away and kills what had it open.
    pub fn take_away(&self, member: usize) {
        let host = self.host(member);
        self.members[member].store().take_away();
        host.kill();
    }

    /// Brings a member's token back.
    pub fn bring_back(&self, member: usize) {
        self.members[member].store().bring_back();
    }

    fn config(&self) -> String {
        let Plan {
            interval,
            attempts,
            in_call,
            ..
        } = &self.plan;
        let mode = if *in_call { "in-call" } else { "background" };
        let mut text = format!(
            "[[group]]\nlabel = \"{}\"\nserial = \"1\"\n\n[group.recovery]\nmode = \"{mode}\"\ninterval = \"{}ms\"\nattempts = {attempts}\n",
            Self::LABEL,
            interval.as_millis(),
        );
        for (index, member) in self.members.iter().enumerate() {
            text += &self.member_config(index, member);
        }
        text
    }

    fn member_config(&self, index: usize, member: &Member) -> String {
        let Plan {
            token,
            members,
            standby,
            isolation,
            deadline,
            sessions,
            ..
        } = &self.plan;
        let module = match token {
            Token::SoftHsm => PathBuf::from(SOFTHSM),
            Token::Test => Artifact::TestModule.path(),
        };
        let role = if index + standby >= *members {
            "standby"
        } else {
            "active"
        };
        let mut text = format!(
            "\n[[group.member]]\nname = \"{}\"\nmodule = \"{}\"\ntoken = \"{}\"\nrole = \"{role}\"\ndeadline = \"{}ms\"\n",
            member.name,
            module.display(),
            member.token_label,
            deadline.as_millis(),
        );
        if let Some(sessions) = sessions {
            writeln!(text, "sessions = {sessions}").expect("a string takes all");
        }
        match isolation {
            Isolation::None => text += "isolation = \"none\"\n",
            Isolation::Process => writeln!(text, "environment = {}", member.environment(*token))
                .expect("a string takes all"),
        }
        text
    }
}

impl Member {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The label of its token.
    #[must_use]
    pub fn token_label(&self) -> &str {
        &self.token_label
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

    /// Has the test module behave so from the next call on; see its `script`.
    pub fn misbehave(&self, script: &str) {
        // Renamed into place: no call reads half a script.
        let new = self.directory.join("control.new");
        std::fs::write(&new, script).expect("the lab's directory is writable");
        std::fs::rename(new, self.control()).expect("the lab's directory is writable");
    }

    /// How often the test module's function was called.
    #[must_use]
    pub fn calls(&self, function: &str) -> usize {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| *line == function).count()
    }

    fn environment(&self, token: Token) -> String {
        match token {
            Token::SoftHsm => format!(
                "{{ SOFTHSM2_CONF = \"{}\" }}",
                self.store().config().display()
            ),
            Token::Test => format!(
                "{{ EVERSLOT_TEST_LABEL = \"{}\", EVERSLOT_TEST_CONTROL = \"{}\", EVERSLOT_TEST_LOG = \"{}\" }}",
                self.token_label,
                self.control().display(),
                self.log().display(),
            ),
        }
    }

    fn control(&self) -> PathBuf {
        self.directory.join("control")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }
}

fn make_members(plan: &Plan, directory: &Path) -> Vec<Member> {
    if plan.isolation == Isolation::None && plan.token == Token::SoftHsm {
        let store = shared_store(directory);
        (0..plan.members).for_each(|index| store.add_token(&token_label(plan, index)));
    }
    std::thread::scope(|scope| {
        let make = |index: usize| scope.spawn(move || make_member(plan, directory, index));
        let made: Vec<_> = (0..plan.members).map(make).collect();
        made.into_iter()
            .map(|member| member.join().expect("a member is made"))
            .collect()
    })
}

fn shared_store(directory: &Path) -> Store {
    Store::new(&directory.join("shared"))
}

fn make_member(plan: &Plan, directory: &Path, index: usize) -> Member {
    let name = format!("m{index}");
    let directory = directory.join(&name);
    std::fs::create_dir_all(&directory).expect("the lab's directory is writable");
    let token_label = token_label(plan, index);
    let store = (plan.token == Token::SoftHsm && plan.isolation == Isolation::Process).then(|| {
        let store = Store::new(&directory);
        store.add_token(&token_label);
        store
    });
    Member {
        name,
        token_label,
        directory,
        store,
    }
}

fn token_label(plan: &Plan, index: usize) -> String {
    match (plan.token, plan.isolation, plan.members) {
        (Token::SoftHsm, _, _) => format!("token-{index}"),
        (Token::Test, Isolation::None, 1) => "test".to_owned(),
        (Token::Test, _, _) => format!("test-{index}"),
    }
}

/// Every member of every group in a status, in order.
fn members_in(status: &Value) -> Vec<Value> {
    match status {
        Value::Object(map) if map.contains_key("members") => {
            map["members"].as_array().cloned().unwrap_or_default()
        }
        Value::Object(map) => map.values().flat_map(members_in).collect(),
        Value::Array(items) => items.iter().flat_map(members_in).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
