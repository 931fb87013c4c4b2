//! The process of ours in which a member's module is loaded, and what can happen to it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// A member host, seen from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HostProcess(Pid);

impl HostProcess {
    /// The member host that runs and was started for the module at this path.
    ///
    /// A member host's environment is closed to others, its command line is not.
    #[must_use]
    pub fn of_module(module: &Path) -> Option<Self> {
        Self::all_of_module(module).into_iter().next()
    }

    /// The member hosts that run and were started for the module at this path, by whichever process.
    #[must_use]
    pub fn all_of_module(module: &Path) -> Vec<Self> {
        let processes = std::fs::read_dir("/proc")
            .expect("/proc is mounted")
            .flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter_map(Pid::from_raw)
            .map(Self)
            .filter(|process| process.hosts(module) && process.is_running())
            .collect()
    }

    /// The member hosts of an application that runs.
    #[must_use]
    pub fn all_of_application(module: &Path, application: u32) -> Vec<Self> {
        let mut all = Self::all_of_module(module);
        all.retain(|host| host.stat(1) == Some(application.to_string()));
        all
    }

    /// SIGKILL: the module and all its sessions are gone at once.
    pub fn kill(self) {
        self.send(Signal::KILL);
    }

    /// SIGSTOP: it is there, but answers nothing.
    pub fn freeze(self) {
        self.send(Signal::STOP);
    }

    /// SIGCONT: it goes on.
    pub fn thaw(self) {
        self.send(Signal::CONT);
    }

    /// Its directory in `/proc`.
    #[must_use]
    pub fn directory(self) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.0.as_raw_nonzero()))
    }

    /// Its process group.
    ///
    /// # Panics
    /// It has ended.
    #[must_use]
    pub fn group(self) -> i32 {
        let group = rustix::process::getpgid(Some(self.0)).expect("the host runs");
        group.as_raw_nonzero().get()
    }

    /// Whether it runs; one that has ended and has not been waited for does not.
    #[must_use]
    pub fn is_running(self) -> bool {
        self.stat(0).is_some_and(|state| state != "Z")
    }

    /// Whether this process has started it.
    #[must_use]
    pub fn is_ours(self) -> bool {
        self.stat(1) == Some(std::process::id().to_string())
    }

    /// A word of `/proc/PID/stat` behind the program's name: its state, its parent (`proc_pid_stat(5)`).
    fn stat(self, word: usize) -> Option<String> {
        let stat = std::fs::read_to_string(self.directory().join("stat")).ok()?;
        let words = stat.rsplit(')').next()?;
        words.split_whitespace().nth(word).map(str::to_owned)
    }

    fn hosts(self, module: &Path) -> bool {
        let line =
            std::fs::read(format!("/proc/{}/cmdline", self.0.as_raw_nonzero())).unwrap_or_default();
        let mut words = line.split(|&byte| byte == 0).skip(1);
        words.next() == Some(b"member-host") && words.next() == Some(module.as_os_str().as_bytes())
    }

    fn send(self, signal: Signal) {
        // It may have ended by itself, or been killed by everslot, meanwhile: that is what the fault is about.
        let _ = kill_process(self.0, signal);
    }
}
