//! More work than a member has real sessions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use everslot_core::{Incarnation, MemberId, MemberSet};

use super::GroupDriver;
use super::lease::{Lease, LeaseFailure};
use super::member::Member;

/// Has work that stands on a real session of the member, and can be begun anew, give it back: that of these virtual sessions first,
/// which were seen to have such work. Whether some did.
pub(crate) type Relief = Box<dyn Fn(MemberId, &[u64]) -> bool + Send + Sync>;

/// How long a caller waits for a session to come back by itself before it looks again for one that could.
const SLICE: Duration = Duration::from_millis(5);

/// A caller that found every session of a member in use.
pub(super) struct Queue {
    /// When it gives up, whichever members it waits for.
    pub(super) end: Instant,
    /// The members that could take the call instead.
    pub(super) elsewhere: MemberSet,
}

impl GroupDriver {
    /// Who is asked to make room when a member has none left. Only the first one counts.
    pub(crate) fn on_exhaustion(&self, relief: Relief) {
        let _ = self.relief.set(relief);
    }

    /// Waits for a session of a member that has none left, unless another member has one at once: work that has only begun gives way,
    /// since it can be begun anew.
    #[cold]
    pub(super) fn queue(
        &self,
        member: &Arc<Member>,
        incarnation: Incarnation,
        queue: &Queue,
    ) -> Result<Lease, LeaseFailure> {
        let mut waited = false;
        loop {
            // Sessions of callers that are busy come back sooner than work can be begun anew.
            let is_idle = waited || member.in_flight() == 0;
            if is_idle && self.make_room(member) {
                match member.lease(incarnation, Duration::ZERO) {
                    Err(LeaseFailure::Exhausted) => {}
                    lent => return lent,
                }
            }
            let left = queue.end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.peer_has_room(member.id, queue.elsewhere) {
                return Err(LeaseFailure::Exhausted);
            }
            waited = true;
            match member.lease(incarnation, SLICE.min(left)) {
                Err(LeaseFailure::Exhausted) => {}
                lent => return lent,
            }
        }
    }

    fn make_room(&self, member: &Member) -> bool {
        let relief = self.relief.get();
        relief.is_some_and(|relief| relief(member.id, &member.pool.holders()))
    }

    /// A standby member is no peer of an active one: it rests as long as one serves.
    fn peer_has_room(&self, member: MemberId, others: MemberSet) -> bool {
        let serving = self.core.view.serving();
        let peers = if serving.active.contains(member) {
            serving.active
        } else {
            serving.standby
        };
        peers
            .intersection(others)
            .iter()
            .any(|id| self.member(id).is_some_and(|member| member.pool.has_room()))
    }
}
