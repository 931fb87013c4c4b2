use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::Workload;
use super::worker::Worker;
use crate::{Artifact, Isolation, Lab, Plan, SOFTHSM, Token, eventually};

/// What is at the end of the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Member {
    SoftHsm,
    TestModule,
}

/// How a call gets to the member.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Way {
    /// The application loads the member's module itself.
    Bare,
    /// `p11-kit-proxy.so` loads it.
    Proxy,
    /// everslot loads it in the application.
    InProcess,
    /// everslot has it in a member host.
    Hosted,
    /// `p11-kit-client.so` reaches it through the socket of `p11-kit server`.
    Client,
}

/// A way that has been laid: tokens are made, servers run.
#[derive(Debug)]
pub(super) struct Path {
    way: Way,
    member: Member,
    lab: Lab,
    server: Option<Child>,
}

impl Way {
    /// The ways to a member, as they are shown. The proxy loads what the system's p11-kit configuration names, as it
    /// does SoftHSM, and nothing else.
    pub(super) const fn to(member: Member) -> &'static [Self] {
        match member {
            Member::SoftHsm => &[
                Self::Bare,
                Self::Proxy,
                Self::InProcess,
                Self::Hosted,
                Self::Client,
            ],
            Member::TestModule => &[Self::Bare, Self::InProcess, Self::Hosted, Self::Client],
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Proxy => "p11-kit-proxy",
            Self::InProcess => "everslot, in process",
            Self::Hosted => "everslot, hosted",
            Self::Client => "p11-kit-client, server",
        }
    }
}

impl Path {
    /// Makes what the way needs.
    pub(super) fn lay(member: Member, way: Way) -> Self {
        let lab = Lab::prepare(Plan {
            token: match member {
                Member::SoftHsm => Token::SoftHsm,
                Member::TestModule => Token::Test,
            },
            members: 1,
            isolation: if way == Way::Hosted {
                Isolation::Process
            } else {
                Isolation::None
            },
            scripted: false,
            ..Plan::default()
        });
        let mut path = Self {
            way,
            member,
            lab,
            server: None,
        };
        if way == Way::Client {
            path.server = Some(path.start_server());
        }
        path
    }

    pub(super) const fn way(&self) -> Way {
        self.way
    }

    /// A directory of its own, which is removed at the end.
    pub(super) fn directory(&self) -> &std::path::Path {
        self.lab.directory()
    }

    /// Starts the process that measures this way.
    pub(super) fn worker(&self) -> Worker {
        let mut command = Command::new(this_program());
        command.arg("worker");
        self.lead(&mut command);
        Worker::start(command)
    }

    /// A program that runs this one, going this way so many times.
    pub(super) fn repeat(&self, mut program: Command, workload: Workload, times: u32) -> Command {
        program.arg(this_program()).arg("repeat");
        self.lead(&mut program);
        program.args([workload.to_string(), times.to_string()]);
        program
    }

    /// Tells a process of this way: the module, the token's label and PIN, and the environment for them.
    fn lead(&self, command: &mut Command) {
        let module = match self.way {
            Way::Bare => self.member_module(),
            Way::Proxy => library("p11-kit-proxy.so"),
            Way::InProcess | Way::Hosted => Artifact::Module.path(),
            Way::Client => library("pkcs11/p11-kit-client.so"),
        };
        let label = match self.way {
            Way::InProcess | Way::Hosted => Lab::LABEL,
            Way::Bare | Way::Proxy | Way::Client => self.lab.members()[0].token_label(),
        };
        command
            .arg(module)
            .args([label, self.lab.pin()])
            .envs(self.environment());
    }

    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = self.lab.environment();
        let mut address = OsString::from("unix:path=");
        address.push(self.socket());
        variables.push(("P11_KIT_SERVER_ADDRESS", address));
        variables
    }

    fn member_module(&self) -> PathBuf {
        match self.member {
            Member::SoftHsm => PathBuf::from(SOFTHSM),
            Member::TestModule => Artifact::TestModule.path(),
        }
    }

    fn start_server(&self) -> Child {
        let mut command = Command::new("p11-kit");
        command
            .args(["server", "-f", "-n"])
            .arg(self.socket())
            .arg("--provider")
            .arg(self.member_module())
            .arg("pkcs11:");
        // A group of its own: the server forks a child for each connection.
        command
            .envs(self.environment())
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = command.spawn().unwrap_or_else(|error| {
            panic!("p11-kit does not start: {error}; `make bench` installs it")
        });
        eventually(
            "the p11-kit server listens",
            Duration::from_secs(10),
            || self.socket().exists(),
        );
        server
    }

    fn socket(&self) -> PathBuf {
        self.lab.directory().join("p11-kit")
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let group = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
            // The group may have ended by itself; then nothing is left to end.
            let _ = group.map(|group| kill_process_group(group, Signal::KILL));
            let _ = server.wait();
        }
    }
}

fn this_program() -> PathBuf {
    std::env::current_exe().expect("Linux tells a program's path")
}

/// A library of Debian's, for this machine's architecture.
fn library(name: &str) -> PathBuf {
    PathBuf::from(format!(
        "/usr/lib/{}-linux-gnu/{name}",
        std::env::consts::ARCH
    ))
}
