//! A group of tokens with its configuration, and the faults that can be done to its members.

mod member;
mod plan;
mod status;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::client::{Module, Session};
use crate::softhsm::checked;
use crate::{Artifact, HostProcess, PATIENCE, eventually, process};
pub use member::Member;
pub use plan::{Isolation, Plan, Token};

/// Tokens, a configuration over them in `EVERSLOT_CONF`, and the ways in.
#[derive(Debug)]
pub struct Lab {
    plan: Plan,
    directory: tempfile::TempDir,
    members: Vec<Member>,
}

impl Lab {
    /// The label of the virtual token.
    pub const LABEL: &str = "lab";

    /// Makes tokens and configuration as planned, and sets this process's environment to them.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let lab = Self::prepare(plan);
        lab.enter();
        lab
    }

    /// Sets this process's environment to the lab.
    pub fn enter(&self) {
        self.environment()
            .into_iter()
            .for_each(|(name, value)| process::set_variable(name, value));
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
        if lab.plan.domain {
            lab.make_domain();
        }
        lab
    }

    /// The group's journal, where it has a domain.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.directory.path().join("journal.sqlite")
    }

    /// Gives the members a domain key, which their officers trust.
    fn make_domain(&self) {
        for (name, pin) in [("pin", self.pin()), ("so-pin", self.so_pin())] {
            let path = self.directory.path().join(name);
            std::fs::write(&path, pin).expect("the lab's directory is writable");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600))
                .expect("the file is ours");
        }
        let mut command = Command::new(Artifact::Command.path());
        checked(command.args(["domain", "init"]).envs(self.environment()));
    }

    /// What the environment of an application that uses the lab must say.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = vec![
            ("EVERSLOT_CONF", self.config_path().into()),
            // Status sockets of other labs' applications are none of this one's.
            ("XDG_RUNTIME_DIR", self.directory.path().into()),
        ];
        if self.plan.isolation == Isolation::None {
            variables.extend(self.members[0].application_environment(&self.plan));
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
            Token::SoftHsm => self.plan.pins.user,
            Token::Test => "1234",
        }
    }

    /// The security officer's PIN of every member.
    #[must_use]
    pub const fn so_pin(&self) -> &'static str {
        match self.plan.token {
            Token::SoftHsm => self.plan.pins.so,
            Token::Test => "4321",
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

    /// A member as `everslot member add` takes it.
    #[must_use]
    pub fn member_argument(&self, member: &Member) -> String {
        member.argument(&self.plan)
    }

    /// Kills a member in every process that has it; in how many.
    pub fn kill_everywhere(&self, member: usize) -> usize {
        let hosts = HostProcess::all_of_module(self.members[member].module());
        hosts.iter().for_each(|host| host.kill());
        hosts.len()
    }

    /// The process in which a member's module is loaded.
    ///
    /// # Panics
    /// It has none.
    #[must_use]
    #[track_caller]
    pub fn host(&self, member: usize) -> HostProcess {
        let member = &self.members[member];
        HostProcess::of_module(member.module())
            .unwrap_or_else(|| panic!("{} has no host", member.name()))
    }

    /// Takes a member's token away and kills what had it open.
    ///
    /// Its process sees nothing of it: SoftHSM would answer that it has no such object, as no token does that was pulled out.
    pub fn take_away(&self, member: usize) {
        let host = self.host(member);
        host.freeze();
        self.members[member].store().take_away();
        host.kill();
    }

    /// Brings a member's token back.
    pub fn bring_back(&self, member: usize) {
        self.members[member].store().bring_back();
    }

    /// The traces that the lab's applications have written so far.
    ///
    /// # Panics
    /// The lab's directory is gone.
    #[must_use]
    pub fn traces(&self) -> Vec<PathBuf> {
        let entries =
            std::fs::read_dir(self.directory.path()).expect("the lab's directory is there");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let is_trace = |path: &PathBuf| path.file_stem().is_some_and(|name| name == "trace");
        paths.filter(is_trace).collect()
    }

    fn config(&self) -> String {
        let Plan {
            interval,
            attempts,
            in_call,
            transcript,
            mechanisms,
            ..
        } = &self.plan;
        let (label, interval) = (Self::LABEL, interval.as_millis());
        let mode = if *in_call { "in-call" } else { "background" };
        let mut group = format!(
            "[[group]]\nlabel = \"{label}\"\nserial = \"1\"\nmechanisms = \"{mechanisms}\"\n"
        );
        if let Some(transcript) = transcript {
            group += &format!("transcript = \"{transcript}\"\n");
        }
        if self.plan.domain {
            let beside = || self.journal().display().to_string();
            let journal = self.plan.journal.clone().unwrap_or_else(beside);
            group += &format!("journal = \"{journal}\"\n");
        }
        if let Some(copies) = self.plan.copies {
            group += &format!("copies = {copies}\n");
        }
        if self.plan.trace {
            group += "trace = \"trace\"\n";
        }
        let recovery = format!(
            "[group.recovery]\nmode = \"{mode}\"\ninterval = \"{interval}ms\"\nattempts = {attempts}\n"
        );
        let members: Vec<String> = self
            .members
            .iter()
            .map(|member| member.config(&self.plan))
            .collect();
        format!("{group}\n{recovery}\n{}", members.join("\n"))
    }
}

/// Every trace that an application of the lab has written says the same once more.
impl Drop for Lab {
    fn drop(&mut self) {
        if !self.plan.trace || std::thread::panicking() {
            return;
        }
        let traces = self.traces();
        assert!(!traces.is_empty(), "no application has written a trace");
        // Lines are written a little later; each trace has at least how its members came into service.
        let has_steps = |path: &PathBuf| {
            std::fs::read_to_string(path).is_ok_and(|text| text.contains("{\"step\""))
        };
        eventually("the traces are written", PATIENCE, || {
            traces.iter().all(has_steps)
        });
        let mut command = Command::new(Artifact::Command.path());
        let output = command.arg("replay").args(&traces).output();
        let output = output.expect("the program starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "a trace differs: {error}");
    }
}

fn make_members(plan: &Plan, directory: &Path) -> Vec<Member> {
    std::thread::scope(|scope| {
        let made: Vec<_> = (0..plan.members)
            .map(|index| scope.spawn(move || Member::make(plan, directory, index)))
            .collect();
        made.into_iter()
            .map(|member| member.join().expect("a member is made"))
            .collect()
    })
}
