//! A member host, found and treated from outside like any process.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

use crate::hosted::HOST_COMMAND;

/// The process that hosts one member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HostProcess(Pid);

impl HostProcess {
    /// The running member host that was started for the module at this path.
    pub(super) fn of_module(module: &Path) -> Option<Self> {
        let processes = std::fs::read_dir("/proc").ok()?.flatten();
        let ids = processes
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(Pid::from_raw);
        ids.map(Self).find(|process| process.hosts(module))
    }

    pub(super) const fn id(self) -> i32 {
        self.0.as_raw_nonzero().get()
    }

    /// SIGKILL, SIGSTOP or SIGCONT. The process may have ended meanwhile, which is as good.
    pub(super) fn send(self, signal: Signal) {
        let _ = kill_process(self.0, signal);
    }

    /// The command line alone tells: a member host keeps its environment to itself. One that has ended has no command line.
    fn hosts(self, module: &Path) -> bool {
        let line = std::fs::read(format!("/proc/{}/cmdline", self.id())).unwrap_or_default();
        let mut words = line.split(|&byte| byte == 0).skip(1);
        words.next() == Some(HOST_COMMAND.as_bytes())
            && words.next() == Some(module.as_os_str().as_bytes())
    }
}
