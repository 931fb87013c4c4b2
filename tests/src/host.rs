//! The process of ours in which a member's module is loaded, and what can happen to it.

use rustix::process::{Pid, Signal, kill_process};

/// A member host, seen from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HostProcess(Pid);

impl HostProcess {
    /// The process with this id.
    ///
    /// # Panics
    /// There can be no such process.
    #[must_use]
    pub fn new(process: u32) -> Self {
        let raw = i32::try_from(process).expect("a process id");
        Self(Pid::from_raw(raw).expect("a process id is not 0"))
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

    /// Whether it runs; one that has ended and has not been waited for does not.
    #[must_use]
    pub fn is_running(self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.as_raw_nonzero()));
        stat.is_ok_and(|stat| {
            !stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .starts_with('Z')
        })
    }

    fn send(self, signal: Signal) {
        // It may have ended by itself, or been killed by everslot, meanwhile: that is what the fault is about.
        let _ = kill_process(self.0, signal);
    }
}
