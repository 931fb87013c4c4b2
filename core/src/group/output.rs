//! What a group answers: actions to carry out, events to log.

use heapless::Vec;

use super::{Login, User};
use crate::{
    AttemptSerial, Evidence, Incarnation, Instant, LoginGeneration, MemberId, Policy,
    QuarantineReason, Role, Step,
};

/// The most events that one input has: what happened to one member, and two about who serves.
pub const EVENTS: usize = 3;

/// What is to be done about an input, and what to log of it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct Output<const MEMBERS: usize = 32> {
    /// To be carried out; those for one member in order. There is at most one for each member.
    pub actions: Vec<Action, MEMBERS>,
    /// What happened, in order.
    pub events: Vec<Event, EVENTS>,
}

impl<const MEMBERS: usize> Output<MEMBERS> {
    /// Nothing to do and nothing to log.
    pub const fn new() -> Self {
        Self {
            actions: Vec::new(),
            events: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.actions.clear();
        self.events.clear();
    }

    pub(super) fn act(&mut self, action: Action) {
        let pushed = self.actions.push(action);
        debug_assert!(pushed.is_ok(), "more than one action for a member");
    }

    pub(super) fn tell(&mut self, event: Event) {
        let pushed = self.events.push(event);
        debug_assert!(pushed.is_ok(), "more than EVENTS events");
    }
}

/// Something to do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Action {
    /// Perform a step of an attempt, then feed [`Input::Step`](crate::Input::Step).
    Perform {
        /// The member.
        member: MemberId,
        /// The attempt.
        serial: AttemptSerial,
        /// The step.
        step: Step,
        /// The group's login, to which [`Step::LogIn`] brings the member, and which change of it that is.
        login: (Login, LoginGeneration),
    },
    /// Log the user in at a member that serves, then feed
    /// [`Input::LoginChanged`](crate::Input::LoginChanged).
    LogIn {
        /// The member.
        member: MemberId,
        /// Its incarnation.
        incarnation: Incarnation,
        /// Which change of the login it is.
        generation: LoginGeneration,
        /// Who is to be logged in.
        user: User,
    },
    /// Log out at a member that serves, then feed [`Input::LoginChanged`](crate::Input::LoginChanged).
    LogOut {
        /// The member.
        member: MemberId,
        /// Its incarnation.
        incarnation: Incarnation,
        /// Which change of the login it is.
        generation: LoginGeneration,
    },
    /// Drop the member's real sessions: the leases of this and all older incarnations are void, and what
    /// an attempt that is over has opened goes as well (S6, S11).
    Close {
        /// The member.
        member: MemberId,
        /// Its last incarnation.
        incarnation: Incarnation,
    },
}

impl Action {
    /// The member that it is for.
    #[must_use]
    pub const fn member(&self) -> MemberId {
        match self {
            Self::Perform { member, .. }
            | Self::LogIn { member, .. }
            | Self::LogOut { member, .. }
            | Self::Close { member, .. } => *member,
        }
    }
}

impl Event {
    /// What happened, in words: a log line begins with them, whoever writes it.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Lost { .. } => "lost",
            Self::AttemptBegan { .. } => "attempt to recover began",
            Self::AttemptFailed { .. } => "attempt to recover failed",
            Self::GaveUp { .. } => "given up",
            Self::Returned { .. } => "in service",
            Self::Quarantined { .. } => "set aside",
            Self::Parked { .. } => "parked",
            Self::Unparked { .. } => "unparked",
            Self::RoleChanged { .. } => "role changed",
            Self::PolicyChanged { .. } => "policy changed",
            Self::StandbyServing => "no active member is left: standby members serve",
            Self::ActiveServing => "an active member serves",
            Self::GroupDown => "no member is left",
            Self::GroupUp => "the group serves",
            Self::LoggedIn { .. } => "logged in",
            Self::LoggedOut => "logged out",
        }
    }
}

/// Something that happened.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Event {
    /// There is a further member.
    Added {
        /// The member.
        member: MemberId,
        /// What it is there for.
        role: Role,
    },
    /// It is no member any more.
    Removed {
        /// The member.
        member: MemberId,
    },
    /// A member that served is lost.
    Lost {
        /// The member.
        member: MemberId,
        /// The incarnation that was lost.
        incarnation: Incarnation,
        /// What was seen.
        evidence: Evidence,
    },
    /// An attempt to bring a member back has begun.
    AttemptBegan {
        /// The member.
        member: MemberId,
        /// The how manieth of the outage.
        number: u16,
    },
    /// An attempt has failed.
    AttemptFailed {
        /// The member.
        member: MemberId,
        /// The how manieth of the outage.
        number: u16,
        /// The step at which it failed.
        step: Step,
        /// What was seen.
        evidence: Evidence,
        /// The earliest beginning of the next attempt; none if there will be none by itself.
        next: Option<Instant>,
    },
    /// The attempts of an outage are used up.
    GaveUp {
        /// The member.
        member: MemberId,
        /// How many there were.
        attempts: u16,
    },
    /// A member is in service (again).
    Returned {
        /// The member.
        member: MemberId,
        /// The incarnation that begins.
        incarnation: Incarnation,
        /// How many attempts it took.
        attempts: u16,
    },
    /// A member is set aside.
    Quarantined {
        /// The member.
        member: MemberId,
        /// Why.
        why: QuarantineReason,
    },
    /// A member is taken out of service by an operator.
    Parked {
        /// The member.
        member: MemberId,
    },
    /// A parked member is to come back.
    Unparked {
        /// The member.
        member: MemberId,
    },
    /// A member is there for something else.
    RoleChanged {
        /// The member.
        member: MemberId,
        /// What it is there for from now on.
        role: Role,
    },
    /// Lost members are brought back in another way.
    PolicyChanged {
        /// The policy from now on.
        policy: Policy,
    },
    /// No active member is left, standby members serve.
    StandbyServing,
    /// An active member serves again, standby members rest.
    ActiveServing,
    /// No member is left.
    GroupDown,
    /// A member serves again.
    GroupUp,
    /// The group is logged in.
    LoggedIn {
        /// Who.
        user: User,
    },
    /// The group is logged out.
    LoggedOut,
}
