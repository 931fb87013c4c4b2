use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxBuildHasher;

use super::Session;

/// All virtual sessions of the library by their handles. Looking one up takes no lock.
#[derive(Default)]
pub(crate) struct Sessions {
    sessions: papaya::HashMap<u64, Arc<Session>, FxBuildHasher>,
    last: AtomicU64,
}

impl Sessions {
    /// Adds a session under a handle that was never used before.
    pub(crate) fn open(&self, make: impl FnOnce(u64) -> Session) -> u64 {
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.sessions.pin().insert(handle, Arc::new(make(handle)));
        handle
    }

    pub(crate) fn session(&self, handle: u64) -> Option<Arc<Session>> {
        self.sessions.pin().get(&handle).cloned()
    }

    pub(crate) fn remove(&self, handle: u64) {
        self.sessions.pin().remove(&handle);
    }

    /// Lets go of all sessions: the library is finalised.
    pub(crate) fn clear(&self) {
        self.sessions.pin().clear();
    }

    pub(crate) fn of_slot(&self, slot: u64) -> Vec<Arc<Session>> {
        self.sessions
            .pin()
            .values()
            .filter(|session| session.slot.id == slot)
            .cloned()
            .collect()
    }
}
