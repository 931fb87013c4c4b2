use everslot_core::{Instant, Serving, View};

use super::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The group's view as calls read it: a few atomics, written only under the group's lock.
#[derive(Debug)]
pub(crate) struct PublishedView {
    /// [`Serving`] as bits, so that a reader sees all of one moment.
    serving: AtomicU64,
    /// When recovery wants the next timer input, in the clock's milliseconds; `u64::MAX` for never.
    due: AtomicU64,
    /// Turns the balance among equally loaded members.
    cursor: AtomicU32,
}

impl PublishedView {
    pub(crate) fn empty() -> Self {
        Self {
            serving: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            cursor: AtomicU32::new(0),
        }
    }

    /// Publishes what the core says; called with the group's lock held.
    pub(crate) fn publish(&self, view: &View, due: Option<Instant>) {
        self.serving
            .store(view.serving().to_bits(), Ordering::Release);
        self.due
            .store(due.map_or(u64::MAX, Instant::as_millis), Ordering::Release);
    }

    /// The members that serve, and those that are about to.
    pub(crate) fn serving(&self) -> Serving {
        Serving::from_bits(self.serving.load(Ordering::Acquire))
    }

    /// When recovery wants the next timer input.
    pub(crate) fn due(&self) -> Option<Instant> {
        match self.due.load(Ordering::Acquire) {
            u64::MAX => None,
            due => Some(Instant::from_millis(due)),
        }
    }

    pub(crate) fn turn(&self) -> u32 {
        self.cursor.fetch_add(1, Ordering::Relaxed)
    }
}
