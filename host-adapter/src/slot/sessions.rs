use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use everslot_core::MemberId;
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

    /// Has one session of the slot give a real session of `member` back: one of `holders` if it can, else whichever. Whether one did.
    pub(super) fn make_room(&self, slot: u64, member: MemberId, holders: &[u64]) -> bool {
        let sessions = self.sessions.pin();
        let gives_way =
            |session: &Arc<Session>| session.slot.id == slot && session.give_way(member);
        let mut known = holders.iter().filter_map(|holder| sessions.get(holder));
        known.any(gives_way) || sessions.values().any(gives_way)
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
