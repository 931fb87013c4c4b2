//! What a call over the members is given and what it gives back.

use everslot_core::{Evidence, MemberId, MemberSet, Repeat, Rv};
use everslot_protocol::Reply;

use super::lease::Lease;
use crate::module::{LinkCause, LinkFailure};

/// No member is ruled out.
pub(crate) const EVERY_MEMBER: MemberSet = MemberSet::from_bits(u32::MAX);

/// What the caller of [`GroupDriver::perform`](super::GroupDriver::perform) wants done, beside the sending itself.
pub(crate) struct Errand {
    pub(crate) repeat: Repeat,
    /// The members that may serve it.
    pub(crate) eligible: MemberSet,
    /// The member to be tried before the others while it serves.
    pub(crate) preferred: Option<MemberId>,
    /// The lease that the work already has: tried first.
    pub(crate) lease: Option<Lease>,
    /// The work cannot leave its lease: multi-part work that has taken in data.
    pub(crate) pinned: bool,
    /// The call is a login: a refused PIN is the caller's.
    pub(crate) login: bool,
}

impl Errand {
    /// Work that any member may do, and do again.
    pub(crate) fn anywhere(repeat: Repeat) -> Self {
        Self::among(EVERY_MEMBER, repeat)
    }

    /// Work that any of these members may do, and do again.
    pub(crate) fn among(eligible: MemberSet, repeat: Repeat) -> Self {
        Self {
            repeat,
            eligible,
            preferred: None,
            lease: None,
            pinned: false,
            login: false,
        }
    }
}

/// Why sending to one member gave no reply.
pub(crate) enum Stop {
    /// The member gave no answer.
    Unanswered(LinkFailure),
    /// The member has not got the object that the call is about; the code for the application if no other has it either.
    NotHere(Rv),
    /// The member answers so to what goes before the call itself.
    Refused(Rv),
    /// Whatever a member might say, this is the answer for the application.
    Final(Rv),
}

impl From<LinkFailure> for Stop {
    fn from(failure: LinkFailure) -> Self {
        Self::Unanswered(failure)
    }
}

/// A call that was answered by a member.
pub(crate) struct Done {
    pub(crate) reply: Reply,
    /// The lease that it was answered over; `None` when the answer is not a member's.
    pub(crate) lease: Option<Lease>,
}

impl LinkCause {
    /// What the core is told of a call that got no answer.
    pub(crate) fn evidence(self) -> Evidence {
        match self {
            Self::DeadlinePassed => Evidence::DeadlinePassed,
            Self::HostEnded | Self::Garbled => Evidence::HostEnded,
            Self::NotInitialized(rv) => Evidence::Code(Rv(rv.0)),
            Self::HostNotStarted
            | Self::ModuleNotLoaded
            | Self::NotTransferable
            | Self::Exhausted => Evidence::NotReached,
        }
    }
}
