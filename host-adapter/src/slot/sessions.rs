use std::sync::Arc;

use everslot_core::MemberId;

use super::Session;
use super::handles::Handles;

/// All virtual sessions of the library by their handles. Looking one up takes no lock.
#[derive(Default)]
pub(crate) struct Sessions(Handles<Session>);

impl Sessions {
    /// Adds a session under a handle that was never used before.
    pub(crate) fn open(&self, make: impl FnOnce(u64) -> Session) -> u64 {
        self.0.open(make)
    }

    pub(crate) fn session(&self, handle: u64) -> Option<Arc<Session>> {
        self.0.value(handle)
    }

    pub(crate) fn remove(&self, handle: u64) {
        let _ = self.0.remove(handle);
    }

    /// Lets go of all sessions: the library is finalised.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }

    /// Has one session of the slot give a real session of `member` back: one of `holders` if it can, else whichever. Whether one did.
    pub(super) fn make_room(&self, slot: u64, member: MemberId, holders: &[u64]) -> bool {
        let gives_way =
            |session: &Arc<Session>| session.slot.id == slot && session.give_way(member);
        let mut known = holders.iter().filter_map(|holder| self.session(*holder));
        known.any(|session| gives_way(&session)) || self.0.any(gives_way)
    }

    pub(crate) fn of_slot(&self, slot: u64) -> Vec<Arc<Session>> {
        self.0.select(|session| session.slot.id == slot)
    }
}
