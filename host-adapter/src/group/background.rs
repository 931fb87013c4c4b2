use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use everslot_core::{Evidence, Input};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::{AsFd, OwnedFd};
use rustix::time::Timespec;

use super::GroupDriver;

/// The thread that recovers lost members by itself and notices member hosts that end while nobody calls.
///
/// It sleeps in `poll` on the members' liveness and on its own wake-up, until the core's next timeout.
pub(crate) struct Background {
    wake: Arc<OwnedFd>,
    stopping: Arc<AtomicBool>,
}

impl Background {
    /// `None` where the system has no event descriptor left; recovery then runs inside calls.
    pub(crate) fn new() -> Option<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok()?;
        Some(Self {
            wake: Arc::new(wake),
            stopping: Arc::new(AtomicBool::new(false)),
        })
    }

    pub(crate) fn start(&self, driver: &Arc<GroupDriver>) {
        let (wake, stopping) = (Arc::clone(&self.wake), Arc::clone(&self.stopping));
        let weak = Arc::downgrade(driver);
        let started = driver
            .threads
            .spawn("everslot-recovery", move || run(&wake, &stopping, &weak));
        if let Err(error) = started {
            tracing::error!(%error, "no thread for recovery could be started: lost members stay lost");
        }
    }

    pub(crate) fn wake(&self) {
        // A counter that is full wakes as well.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.wake();
    }
}

fn run(wake: &OwnedFd, stopping: &AtomicBool, driver: &Weak<GroupDriver>) {
    while !stopping.load(Ordering::SeqCst) {
        let Some(driver) = driver.upgrade() else {
            return;
        };
        driver.note_ended_hosts();
        if driver
            .core
            .view
            .due()
            .is_some_and(|due| driver.clock.until(due).is_zero())
        {
            driver.drive_aside(Input::Timer);
        }
        driver.sleep(wake);
    }
}

impl GroupDriver {
    /// Sleeps until the core's next timeout, a member host's end or a wake-up.
    fn sleep(&self, wake: &OwnedFd) {
        let timeout = self
            .core
            .view
            .due()
            .map(|due| self.clock.until(due).max(Duration::from_millis(1)));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let instances: Vec<_> = self
            .serving()
            .iter()
            .filter_map(|id| self.member(id)?.load.running())
            .collect();
        let hosts = instances.iter().filter_map(|instance| instance.liveness());
        let mut descriptors: Vec<_> = std::iter::once(wake.as_fd())
            .chain(hosts)
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
            .collect();
        if poll(&mut descriptors, timeout.as_ref()).is_ok() {
            let _ = rustix::io::read(wake, &mut [0; 8]);
        }
    }

    /// Reports the members whose hosts have ended since the last look.
    fn note_ended_hosts(self: &Arc<Self>) {
        for id in self.serving().iter() {
            let Some(member) = self.member(id) else {
                continue;
            };
            let incarnation = member.incarnation();
            if member.load.running().is_none() && self.serving().contains(id) {
                self.report_loss(id, incarnation, Evidence::HostEnded, None);
            }
        }
    }
}
