//! What a group is told.

use super::User;
use crate::{
    AttemptSerial, Evidence, Incarnation, LoginGeneration, MemberId, Policy, QuarantineReason,
    Role, Step,
};

/// What a group is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Input {
    /// There is a further member. It begins as a lost one whose first attempt is due at once, which it
    /// is given even if the policy gives none. Void if the id is taken or too great.
    Add {
        /// Its id.
        member: MemberId,
        /// What it is there for.
        role: Role,
    },
    /// It is no member any more.
    Remove {
        /// The member.
        member: MemberId,
    },
    /// Take it out of service until it is unparked.
    Park {
        /// The member.
        member: MemberId,
    },
    /// Bring a parked member back, as if it had just been added.
    Unpark {
        /// The member.
        member: MemberId,
    },
    /// An operator's order to try a member at once, whatever the interval, and to count its attempts
    /// anew. Void for a member that serves, is being tried, or is parked.
    Recover {
        /// The member.
        member: MemberId,
    },
    /// Change what a member is there for.
    SetRole {
        /// The member.
        member: MemberId,
        /// What it is there for from now on.
        role: Role,
    },
    /// Change how lost members are brought back; a member that has used up the old number of attempts
    /// is tried again if the new one is greater.
    SetPolicy(Policy),
    /// A call has found a member lost. Void for an older incarnation (S6) and out of service.
    Lost {
        /// The member.
        member: MemberId,
        /// The incarnation that was lost.
        incarnation: Incarnation,
        /// What was seen.
        evidence: Evidence,
    },
    /// A call has found that a member is to be set aside. Void as [`Lost`](Self::Lost) is.
    Quarantine {
        /// The member.
        member: MemberId,
        /// The incarnation that gave the answer.
        incarnation: Incarnation,
        /// Why.
        why: QuarantineReason,
    },
    /// Time has passed. Begins at most one attempt, at the member that is due longest; harmless early
    /// and often. In the seed's way of recovery it is fed at the beginning of each call.
    Timer,
    /// A step of an attempt has ended. Void unless it is the step that the attempt waits for.
    Step {
        /// The member.
        member: MemberId,
        /// The attempt.
        serial: AttemptSerial,
        /// The step.
        step: Step,
        /// How it ended.
        outcome: StepOutcome,
    },
    /// A member has accepted the application's PIN: its word decides, and the group is logged in (S12).
    /// Void if the same user is logged in already.
    LoginAccepted {
        /// The member that accepted it.
        member: MemberId,
        /// The incarnation that accepted it.
        incarnation: Incarnation,
        /// Who is logged in.
        user: User,
    },
    /// The application logs out.
    LogOut,
    /// A member has carried out [`LogIn`](crate::Action::LogIn) or [`LogOut`](crate::Action::LogOut).
    /// Void unless it is the group's latest change of login, and its first outcome.
    LoginChanged {
        /// The member.
        member: MemberId,
        /// The incarnation.
        incarnation: Incarnation,
        /// The change, as the action said.
        generation: LoginGeneration,
        /// How it ended.
        outcome: LoginOutcome,
    },
    /// A status has been read ([`Group::status`](crate::Group::status) of each member): what is lost
    /// has been told of (S5).
    StatusRead,
}

/// How a step of an attempt ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum StepOutcome {
    /// As it should.
    Done {
        /// The login that [`Perform`](crate::Action::Perform) said and that the member has therefore.
        login: LoginGeneration,
    },
    /// The attempt has failed.
    Failed(Evidence),
    /// The member is to be set aside.
    Refused(QuarantineReason),
}

/// How a change of a member's login ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LoginOutcome {
    /// As it should.
    Done,
    /// The member was lost.
    Lost(Evidence),
    /// The member is to be set aside.
    Refused(QuarantineReason),
}
