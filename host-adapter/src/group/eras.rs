use everslot_core::Incarnation;

use super::sync::atomic::{AtomicU32, Ordering};

/// Which incarnation a member is in, and whose sessions are gone. Written under the group's lock, read without it.
#[derive(Debug)]
pub(crate) struct Eras {
    /// Of the last admission.
    incarnation: AtomicU32,
    /// The last incarnation whose sessions are gone.
    closed: AtomicU32,
    era: AtomicU32,
}

/// Counts how often the core has said that the member's sessions go; what was opened before that is not what is opened after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Era(u32);

impl Eras {
    /// `since` is the last incarnation of who had the id before.
    pub(crate) fn new(since: Incarnation) -> Self {
        Self {
            incarnation: AtomicU32::new(since.0),
            closed: AtomicU32::new(since.0),
            era: AtomicU32::new(0),
        }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        Incarnation(self.incarnation.load(Ordering::Acquire))
    }

    /// Before the view that lets calls go to it.
    pub(crate) fn begin(&self, incarnation: Incarnation) {
        self.incarnation.store(incarnation.0, Ordering::Release);
    }

    /// The sessions of this and all older incarnations go. Nothing that an attempt after it opens is taken for them.
    pub(crate) fn end(&self, incarnation: Incarnation) {
        self.closed.store(incarnation.0, Ordering::Release);
        self.era.fetch_add(1, Ordering::AcqRel);
    }

    /// The last incarnation whose sessions are gone.
    pub(crate) fn closed(&self) -> Incarnation {
        Incarnation(self.closed.load(Ordering::Acquire))
    }

    pub(crate) fn era(&self) -> Era {
        Era(self.era.load(Ordering::Acquire))
    }
}
