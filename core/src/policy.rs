//! How often and how many times a lost member is tried (S3).

use core::time::Duration;

use crate::{Evidence, MemberState, Outage};

/// How the group brings lost members back. The seed: "it will only try to reconnection to an
/// appliance every X secs and N number of times".
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Policy {
    /// X: from the beginning of one attempt at a member to the earliest beginning of the next.
    pub interval: Duration,
    /// N: how many attempts an outage of a member is given.
    pub attempts: Attempts,
}

impl Default for Policy {
    /// The seed's interval ("X is pre-set to one minute"), and attempts without end.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            attempts: Attempts::Unlimited,
        }
    }
}

impl Policy {
    /// Whether an attempt begins by itself when it is due (S3). A member that has just been added or
    /// unparked is given one in any case: to bring it up for the first time is no recovery.
    pub(crate) fn allows(&self, outage: &Outage) -> bool {
        self.attempts.allow(outage.attempts) || outage.evidence == Evidence::Joining
    }

    /// The state of a member in an outage in which no attempt is under way: given up when the attempts
    /// are used up (S3), else lost.
    pub(crate) fn out_of_service(&self, outage: Outage) -> MemberState {
        if self.attempts.used_up(outage.attempts) && !self.allows(&outage) {
            MemberState::GivenUp { outage }
        } else {
            MemberState::Lost { outage }
        }
    }
}

/// How many attempts an outage is given; an operator's recover begins to count anew.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Attempts {
    /// So many; none at all (0) leaves recovery to the operator.
    AtMost(u16),
    /// Without end: what Luna writes as -1.
    Unlimited,
}

impl Attempts {
    /// Whether an outage with so many attempts begun is given a further one.
    pub(crate) const fn allow(self, begun: u16) -> bool {
        match self {
            Self::AtMost(limit) => begun < limit,
            Self::Unlimited => true,
        }
    }

    /// Whether so many attempts use up what an outage is given. With none given there is nothing to use up.
    pub(crate) const fn used_up(self, begun: u16) -> bool {
        match self {
            Self::AtMost(0) | Self::Unlimited => false,
            Self::AtMost(limit) => begun >= limit,
        }
    }
}
