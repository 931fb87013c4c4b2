//! The firmware's board in QEMU, its members' lines with somebody at them, and its log.

mod cable;
mod machine;

pub use cable::Cable;
pub use machine::{Machine, has_qemu, image};

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Artifact, Pins, SOFTHSM, Store, eventually};

/// A token behind `everslot member-host --serial`, at the end of a cable.
#[derive(Debug)]
pub struct SerialMember {
    store: Store,
    line: PathBuf,
    cable: Cable,
    host: Option<Child>,
}

impl SerialMember {
    /// A token of that label with the lab's keys, served.
    #[must_use]
    pub fn new(folder: &Path, label: &str) -> Self {
        let folder = folder.join(label);
        let store = Store::new(&folder, Pins::default());
        store.add_token(label);
        let line = folder.join("line");
        let mut member = Self {
            store,
            cable: Cable::lay(&folder.join("cable"), &line),
            line,
            host: None,
        };
        member.start();
        member
    }

    /// What its line passes through.
    #[must_use]
    pub const fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Starts its host again.
    pub fn start(&mut self) {
        let host = Command::new(Artifact::Command.path())
            .args(["member-host", "--serial"])
            .arg(format!("unix:{}", self.line.display()))
            .arg(SOFTHSM)
            .env("SOFTHSM2_CONF", self.store.config())
            .stdout(Stdio::null())
            .spawn()
            .expect("the command starts");
        self.host = Some(host);
        eventually("it listens", crate::PATIENCE, || self.line.exists());
    }

    /// SIGKILL to its host.
    pub fn kill(&mut self) {
        if let Some(mut host) = self.host.take() {
            let _ = host.kill();
            let _ = host.wait();
        }
        let _ = std::fs::remove_file(&self.line);
    }

    /// SIGSTOP to its host: the line is there, and nobody answers.
    pub fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// SIGCONT to its host.
    pub fn thaw(&self) {
        self.send(Signal::CONT);
    }

    fn send(&self, signal: Signal) {
        let host = self.host.as_ref().expect("the host runs");
        kill_process(Pid::from_child(host), signal).expect("the host is ours");
    }
}

impl Drop for SerialMember {
    fn drop(&mut self) {
        self.kill();
    }
}
