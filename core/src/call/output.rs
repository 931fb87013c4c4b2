//! What a call wants, and how it ends.

use crate::{Incarnation, MemberId, MemberSet, QuarantineReason};

/// What a call wants.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct CallOutput {
    /// What to do now.
    pub next: Next,
    /// A member that this call has found lost: to be reported to the group as
    /// [`Input::Lost`](crate::Input::Lost) with the evidence that the caller has.
    pub lost: Option<(MemberId, Incarnation)>,
    /// A member that this call has found to be set aside: to be reported to the group as
    /// [`Input::Quarantine`](crate::Input::Quarantine).
    pub set_aside: Option<SetAside>,
}

/// A member that is to be set aside.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetAside {
    /// The member.
    pub member: MemberId,
    /// The incarnation that gave the answer.
    pub incarnation: Incarnation,
    /// Why.
    pub why: QuarantineReason,
}

/// What to do for a call; its outcome is the next input.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Next {
    /// Choose a member that serves and is not among these ([`candidates`](crate::candidates),
    /// [`choose`](crate::choose)), then [`CallInput::Chosen`](crate::CallInput::Chosen).
    Choose {
        /// The members that it has been sent to.
        tried: MemberSet,
    },
    /// Send it over a session of this member and incarnation, then [`CallInput::Verdict`](crate::CallInput::Verdict) or
    /// [`CallInput::Unanswered`](crate::CallInput::Unanswered).
    Send {
        /// The member.
        member: MemberId,
        /// The incarnation that the session must be of (S6); if it is over, the call is unanswered and
        /// was not delivered.
        incarnation: Incarnation,
    },
    /// Make a fresh session with the group's login at this member, then [`CallInput::Reopened`](crate::CallInput::Reopened).
    Reopen {
        /// The member.
        member: MemberId,
        /// Its incarnation.
        incarnation: Incarnation,
    },
    /// Make a harmless call to this member, then [`CallInput::Probed`](crate::CallInput::Probed).
    Probe {
        /// The member.
        member: MemberId,
        /// Its incarnation.
        incarnation: Incarnation,
    },
    /// Answer the application: the call is over.
    Answer(Answer),
}

/// What the application is answered.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Answer {
    /// The last reply, as it came.
    Reply,
    /// No member was left that could serve it, and none has executed it or it does not matter:
    /// `CKR_DEVICE_ERROR`.
    Unavailable,
    /// It may have taken effect, and may not be repeated: `CKR_DEVICE_ERROR`.
    Unknown,
}
