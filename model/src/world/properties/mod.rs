//! What must hold in every state, and what shows that it could have been otherwise.
//!
//! Each rule is an `always` and at least one `sometimes` with the same number: the dangerous situation that the rule is
//! about does come up.

mod calls;
mod jobs;
mod login;
mod members;

use everslot_core::MemberId;
use stateright::Property;

use super::World;
use super::act::Kind;
use super::caller::{Busy, Caller};
use super::plan::Plan;
use super::token::Token;
use super::watch::Breach;

/// A rule; the S and L numbers are the design's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Rule {
    /// The core's own invariants hold and it never panics.
    C1,
    /// What does not fit the state is void.
    V1,
    /// An order is obeyed at once, and touches nobody else.
    O1,
    /// The events tell what happened.
    O2,
    /// A member is lost for a reason.
    O3,
    /// What multi-part work puts out goes together.
    O4,
    /// Every call is answered exactly once.
    S1,
    /// Nothing is sent to a member that is not active.
    S2,
    /// Attempts are at most N and at least X apart.
    S3,
    /// What may not be repeated takes effect at most once.
    S4,
    /// The status reads are the seed's.
    S5,
    /// Nothing of an older incarnation is used.
    S6,
    /// Everybody who serves has the group's login, and nobody else has one.
    S7,
    /// A call that may be repeated fails only when nobody is left that could serve it.
    S10,
    /// Nothing leaks.
    S11,
    /// A wrong PIN reaches at most one member.
    S12,
    /// A member that can be reached comes back within a bound.
    L1,
    /// Every call ends after a bounded number of sends.
    L2,
}

impl Rule {
    /// The rule's properties in a world.
    pub(super) fn properties(self, plan: &Plan) -> Vec<Property<Plan>> {
        match self {
            Self::C1 => members::c1(),
            Self::V1 => members::v1(),
            Self::O1 => members::o1(plan),
            Self::O2 => members::o2(),
            Self::O3 => calls::o3(),
            Self::O4 => jobs::o4(),
            Self::S1 => calls::s1(),
            Self::S2 => calls::s2(plan),
            Self::S3 => members::s3(plan),
            Self::S4 if plan.kinds.contains(&Kind::Part) => jobs::s4(plan),
            Self::S4 => calls::s4(plan),
            Self::S5 => members::s5(),
            Self::S6 => members::s6(plan),
            Self::S7 => login::s7(plan),
            Self::S10 if plan.kinds.contains(&Kind::Part) => jobs::s10(plan),
            Self::S10 => calls::s10(plan),
            Self::S11 => members::s11(),
            Self::S12 => login::s12(),
            Self::L1 => members::l1(),
            Self::L2 => calls::l2(),
        }
    }
}

type Holds = fn(&Plan, &World) -> bool;

fn always(name: &'static str, holds: Holds) -> Property<Plan> {
    Property::always(name, holds)
}

fn seen(name: &'static str, holds: Holds) -> Property<Plan> {
    Property::sometimes(name, holds)
}

impl World {
    fn keeps(&self, rule: Rule) -> bool {
        self.watch.breach != Some(Breach::Of(rule))
    }

    fn busy(&self) -> impl Iterator<Item = &Busy> {
        self.callers.iter().filter_map(Caller::busy)
    }

    fn token(&self, id: MemberId) -> &Token {
        &self.tokens[id.index()]
    }

    fn incarnation(&self, id: MemberId) -> u32 {
        self.group.view().incarnations[id.index()].0
    }
}
