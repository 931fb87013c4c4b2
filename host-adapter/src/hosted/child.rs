//! A member host's process, as the application sees it.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::fork::PerProcess;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, pidfd_open,
    pidfd_send_signal, waitid,
};

/// A child process of ours. The application may have other children and may handle SIGCHLD as it likes: only this one is ever waited for, and
/// nothing depends on the application leaving that to us.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    /// Readable or hung up once the process has ended.
    watched: Watched,
    /// The process that started it: a fork's child inherits this value, but not the right to end the host.
    parent: Pid,
    is_reaped: AtomicBool,
}

#[derive(Debug)]
enum Watched {
    /// Refers to the process even when its number is used again.
    Pidfd(OwnedFd),
    /// Before Linux 5.3: our end of the control socket hangs up.
    Socket(OwnedFd),
}

/// Children that were killed but had not ended yet when they were given up.
static ENDING: PerProcess<Mutex<Vec<Child>>> = PerProcess::new();

impl Child {
    /// Takes over a child that was just spawned; `socket` hangs up when it ends.
    ///
    /// # Errors
    /// The process has no descriptor left.
    pub(super) fn new(
        mut spawned: std::process::Child,
        socket: BorrowedFd<'_>,
    ) -> io::Result<Self> {
        let pid = Pid::from_child(&spawned);
        let watched = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => Watched::Pidfd(pidfd),
            Err(_) => match socket.try_clone_to_owned() {
                Ok(socket) => Watched::Socket(socket),
                Err(error) => {
                    spawned.kill().and_then(|()| spawned.wait())?;
                    return Err(error);
                }
            },
        };
        Ok(Self {
            pid,
            watched,
            parent: rustix::process::getpid(),
            is_reaped: AtomicBool::new(false),
        })
    }

    pub(super) fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether this process started it, and not one that this one was forked from.
    pub(super) fn is_ours(&self) -> bool {
        rustix::process::getpid() == self.parent
    }

    /// Readable or hung up once it has ended.
    pub(super) fn liveness(&self) -> BorrowedFd<'_> {
        match &self.watched {
            Watched::Pidfd(descriptor) | Watched::Socket(descriptor) => descriptor.as_fd(),
        }
    }

    /// Waits up to `at_most` for its end, and says whether it has come.
    pub(super) fn has_ended(&self, at_most: Duration) -> bool {
        // A message in the socket is no end: only the hang-up counts, which needs not be asked for.
        let asked = match self.watched {
            Watched::Pidfd(_) => PollFlags::IN,
            Watched::Socket(_) => PollFlags::empty(),
        };
        wait_for([(self.liveness(), asked)], at_most) == [true]
    }

    /// Ends it at once, also when it is stopped.
    pub(super) fn kill(&self) {
        if !self.is_ours() {
            return;
        }
        let _ended_already = match &self.watched {
            Watched::Pidfd(pidfd) => pidfd_send_signal(pidfd, Signal::KILL),
            // Until it is reaped, its number is not used again.
            Watched::Socket(_) if !self.is_reaped.load(Ordering::Acquire) => {
                kill_process(self.pid, Signal::KILL)
            }
            Watched::Socket(_) => Ok(()),
        };
    }

    /// Takes its exit status, so that it is no zombie any more; `None` if it has not ended, or somebody else took it.
    pub(super) fn reap(&self) -> Option<WaitIdStatus> {
        if !self.is_ours() || self.is_reaped.load(Ordering::Acquire) {
            return None;
        }
        let id = match &self.watched {
            Watched::Pidfd(pidfd) => WaitId::PidFd(pidfd.as_fd()),
            Watched::Socket(_) => WaitId::Pid(self.pid),
        };
        match waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(None) => None,
            Ok(status) => {
                self.is_reaped.store(true, Ordering::Release);
                status
            }
            // The application takes the status of every child, or ignores SIGCHLD.
            Err(_) => {
                self.is_reaped.store(true, Ordering::Release);
                None
            }
        }
    }

    /// Gives it up: it was killed, and is reaped at a later [`Child::reap_ended`] if it has not ended yet.
    pub(super) fn give_up(self) {
        if !self.is_ours() {
            return;
        }
        let _status = self.reap();
        if !self.is_reaped.load(Ordering::Acquire)
            && let Ok(mut ending) = ENDING.value().lock()
        {
            ending.push(self);
        }
    }

    /// Reaps those that were given up and have ended since.
    pub(super) fn reap_ended() {
        if let Ok(mut ending) = ENDING.value().lock() {
            ending.retain(|child| {
                let _status = child.reap();
                !child.is_reaped.load(Ordering::Acquire)
            });
        }
    }
}

/// Waits up to `at_most` until one of the descriptors is as asked, or hung up, and says which are.
pub(super) fn wait_for<const N: usize>(
    asked: [(BorrowedFd<'_>, PollFlags); N],
    at_most: Duration,
) -> [bool; N] {
    let mut polled = asked.map(|(descriptor, flags)| PollFd::from_borrowed_fd(descriptor, flags));
    // An interrupted wait is a short one; a time too long for a `timespec` is for ever.
    let at_most = Timespec::try_from(at_most).ok();
    let _count = poll(&mut polled, at_most.as_ref());
    polled.map(|polled| !polled.revents().is_empty())
}
