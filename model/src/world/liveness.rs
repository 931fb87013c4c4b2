//! What must not be put off for ever.

use everslot_core::MemberId;

use crate::graph::Fairness;
use crate::scenario::Liveness;

use super::plan::{Plan, Recovery};
use super::{World, places};

/// Time goes on.
pub const TIME: Fairness = Fairness::kind(0);

/// What the adapter has begun comes to an end, and it feeds the timer when it is due.
pub const WORK: Fairness = Fairness::kind(1);

/// The kinds from this one on are the callers.
const CALLS: u8 = 2;

/// This caller goes on: with the call that it is in, and then with the next.
#[must_use]
pub const fn calls(caller: usize) -> Fairness {
    Fairness::kind(CALLS + caller as u8)
}

impl Plan {
    /// L1: a member that can be reached and has attempts left is back some day, if time, work and, where recovery runs
    /// within calls, calls go on.
    #[must_use]
    pub fn comes_back(&self) -> Vec<Liveness<Self>> {
        let assumed = match self.recovery {
            Recovery::Background => TIME.union(WORK),
            Recovery::InCall => TIME.union(WORK).union(calls(0)),
        };
        places()
            .map(|member| self.comes_back_if(member, assumed))
            .collect()
    }

    /// L1 of one member, with other assumptions.
    #[must_use]
    pub fn comes_back_if(&self, member: MemberId, assumed: Fairness) -> Liveness<Self> {
        Liveness {
            name: format!("L1 member {} comes back", super::story::name(member)),
            assumed,
            waiting: Box::new(move |_, world: &World| world.waits(member)),
        }
    }

    /// L2: every call ends, if its caller and the adapter go on.
    #[must_use]
    pub fn calls_end(&self) -> Vec<Liveness<Self>> {
        (0..self.callers)
            .map(|caller| Liveness {
                name: format!("L2 the call of caller {} ends", caller + 1),
                assumed: calls(caller).union(WORK),
                waiting: Box::new(move |_, world: &World| world.callers[caller].busy().is_some()),
            })
            .collect()
    }
}
