//! A member: its role, the states it can be in, and what was seen of it.

use crate::{AttemptSerial, Incarnation, Instant, Rv};

/// A read-only copy of what the group knows of a member.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Member {
    /// What it is there for.
    pub role: Role,
    /// What it is doing.
    pub state: MemberState,
    /// How often it has come (back) into service; goes on counting over all states.
    pub incarnation: Incarnation,
    /// Whether its real login is the group's.
    pub login: LoginSync,
}

impl Member {
    /// Whether calls may go to it: it serves, and its login is the group's (S2, S7).
    #[must_use]
    pub const fn is_usable(&self) -> bool {
        self.state.serves() && matches!(self.login, LoginSync::Reached)
    }
}

/// What a member is there for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// Takes its share of the calls.
    Active,
    /// Kept ready; takes calls only when no active member is left.
    Standby,
}

impl Role {
    /// The state of a member of this role that serves.
    pub(crate) const fn serving(self) -> MemberState {
        match self {
            Self::Active => MemberState::Active,
            Self::Standby => MemberState::Standby,
        }
    }
}

/// What a member is doing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum MemberState {
    /// Serves.
    Active,
    /// Serves when no active member is left.
    Standby,
    /// Gone; an attempt to bring it back is due or will be, if the policy gives it one.
    Lost {
        /// What happened, and what has been tried.
        outage: Outage,
    },
    /// An attempt is under way.
    Recovering {
        /// The step that is being performed.
        step: Step,
        /// The attempt.
        serial: AttemptSerial,
        /// What happened, and what has been tried, this attempt included.
        outage: Outage,
    },
    /// All attempts of the outage are used up; an operator can recover it.
    GivenUp {
        /// What happened, and what has been tried.
        outage: Outage,
    },
    /// Set aside, since trying it again would do harm or help nobody; an operator can recover it.
    Quarantined {
        /// Why.
        why: QuarantineReason,
        /// Whether a status read has told of it (S5).
        reported: bool,
    },
    /// Taken out of service by an operator.
    Parked,
}

impl MemberState {
    /// Whether the member is in service: [`Active`](Self::Active) or [`Standby`](Self::Standby).
    #[inline]
    #[must_use]
    pub const fn serves(&self) -> bool {
        match self {
            Self::Active | Self::Standby => true,
            Self::Lost { .. }
            | Self::Recovering { .. }
            | Self::GivenUp { .. }
            | Self::Quarantined { .. }
            | Self::Parked => false,
        }
    }

    /// The outage that the member is in.
    #[must_use]
    pub const fn outage(&self) -> Option<&Outage> {
        match self {
            Self::Lost { outage } | Self::Recovering { outage, .. } | Self::GivenUp { outage } => {
                Some(outage)
            }
            Self::Active | Self::Standby | Self::Quarantined { .. } | Self::Parked => None,
        }
    }

    pub(crate) const fn outage_mut(&mut self) -> Option<&mut Outage> {
        match self {
            Self::Lost { outage } | Self::Recovering { outage, .. } | Self::GivenUp { outage } => {
                Some(outage)
            }
            Self::Active | Self::Standby | Self::Quarantined { .. } | Self::Parked => None,
        }
    }

    /// The same state, told of by a status read (S5).
    pub(crate) const fn reported(mut self) -> Self {
        match &mut self {
            Self::Lost { outage } | Self::Recovering { outage, .. } | Self::GivenUp { outage } => {
                outage.reported = true;
            }
            Self::Quarantined { reported, .. } => *reported = true,
            Self::Active | Self::Standby | Self::Parked => {}
        }
        self
    }

    /// Whether real sessions of the member can be open: it serves, or is being brought back.
    pub(crate) const fn has_sessions(&self) -> bool {
        self.serves() || matches!(self, Self::Recovering { .. })
    }
}

/// From a member's loss to its return.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Outage {
    /// What was seen last: of the loss, or of the last attempt that failed.
    pub evidence: Evidence,
    /// Attempts begun since the loss, or since an operator's recover; stays at its greatest value.
    pub attempts: u16,
    /// The earliest beginning of the next attempt, if the policy gives one.
    pub next_attempt_at: Instant,
    /// Whether a status read has told of it (S5).
    pub reported: bool,
}

/// What was seen of a member that is not well.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Evidence {
    /// It returned this.
    Code(Rv),
    /// It did not answer in time.
    DeadlinePassed,
    /// The process in which its module runs has ended.
    HostEnded,
    /// It could not be reached, and no code says why.
    NotReached,
    /// Its module answers, but the token is not in any slot.
    TokenAbsent,
    /// It was set aside, for this.
    SetAside(QuarantineReason),
    /// It was added or unparked, and has not been tried yet.
    Joining,
}

/// Why a member is set aside.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum QuarantineReason {
    /// It refuses a PIN that another member has accepted: trying again would lock it (S12).
    PinRefused,
    /// A PIN was changed on the others while it was away, or could not be brought back on it as on them.
    PinChanged,
    /// The token in its slot is another one, or has been initialised again.
    TokenChanged,
    /// It has another domain key than the others, or none: no key can be brought to it.
    DomainKeyDiffers,
    /// It keeps an object that was destroyed while it was away (S9).
    KeepsDestroyed,
    /// It failed its self-test: it answers `CKR_GENERAL_ERROR` from then on (PKCS#11 v3.2 §5.1.6).
    SelfTestFailed,
    /// It returned this, and its settings say that this sets it aside.
    Other(Rv),
}

/// A step of a recovery attempt, in this order. After the last one the group admits the member.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Step {
    /// Reach the module: start its process, load and initialise it, as far as that is needed.
    Connect,
    /// Find the token and open a session with it.
    Open,
    /// Bring its login to the group's, which may also be none.
    LogIn,
    /// Make its objects equal to the group's.
    Synchronise,
}

impl Step {
    /// The step after this one; none after the last.
    pub(crate) const fn next(self) -> Option<Self> {
        match self {
            Self::Connect => Some(Self::Open),
            Self::Open => Some(Self::LogIn),
            Self::LogIn => Some(Self::Synchronise),
            Self::Synchronise => None,
        }
    }
}

/// Whether a member's real login is the group's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LoginSync {
    /// It does not serve: it has no login.
    Void,
    /// It has been told to log in or out, and has not said that it did.
    Changing,
    /// It is the group's.
    Reached,
}
