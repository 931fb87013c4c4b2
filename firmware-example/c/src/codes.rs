//! What inputs and outputs have in common, as numbers.

use core::time::Duration;

use everslot_core::{Attempts, QuarantineReason, Rv};

use crate::UNLIMITED;

/// Turns a number that C has written into one of an enumeration.
pub(crate) fn of_code<T: Copy>(all: &[T], code: u8) -> Option<T> {
    all.get(usize::from(code)).copied()
}

/// What a member is there for.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Takes its share of the calls.
    Active,
    /// Takes calls only when no active member is left.
    Standby,
}

impl Role {
    pub(crate) const fn of(role: everslot_core::Role) -> Self {
        match role {
            everslot_core::Role::Active => Self::Active,
            everslot_core::Role::Standby => Self::Standby,
        }
    }

    pub(crate) fn core(code: u8) -> Option<everslot_core::Role> {
        of_code(
            &[everslot_core::Role::Active, everslot_core::Role::Standby],
            code,
        )
    }
}

/// A step of an attempt to bring a member back, in this order.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// Reach it.
    Connect,
    /// Find the token and open a session.
    Open,
    /// Bring its login to the group's, which may be none.
    LogIn,
    /// Make its objects equal to the group's; where the keys are on every member, there is nothing to do.
    Synchronise,
}

impl Step {
    const CORE: [everslot_core::Step; 4] = [
        everslot_core::Step::Connect,
        everslot_core::Step::Open,
        everslot_core::Step::LogIn,
        everslot_core::Step::Synchronise,
    ];

    pub(crate) const fn of(step: everslot_core::Step) -> Self {
        match step {
            everslot_core::Step::Connect => Self::Connect,
            everslot_core::Step::Open => Self::Open,
            everslot_core::Step::LogIn => Self::LogIn,
            everslot_core::Step::Synchronise => Self::Synchronise,
        }
    }

    pub(crate) fn core(code: u8) -> Option<everslot_core::Step> {
        of_code(&Self::CORE, code)
    }
}

/// Who can log in.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum User {
    /// `CKU_SO`.
    SecurityOfficer,
    /// `CKU_USER`.
    User,
}

impl User {
    pub(crate) const fn of(user: everslot_core::User) -> Self {
        match user {
            everslot_core::User::SecurityOfficer => Self::SecurityOfficer,
            everslot_core::User::User => Self::User,
        }
    }

    pub(crate) fn core(code: u8) -> Option<everslot_core::User> {
        of_code(
            &[
                everslot_core::User::SecurityOfficer,
                everslot_core::User::User,
            ],
            code,
        )
    }
}

/// The group's login.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Login {
    /// Nobody is logged in.
    Out,
    /// The security officer is.
    SecurityOfficer,
    /// The user is.
    User,
}

impl Login {
    pub(crate) const fn of(login: everslot_core::Login) -> Self {
        match login {
            everslot_core::Login::Out => Self::Out,
            everslot_core::Login::In(everslot_core::User::SecurityOfficer) => Self::SecurityOfficer,
            everslot_core::Login::In(everslot_core::User::User) => Self::User,
        }
    }
}

/// Why a member is set aside.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SetAsideReason {
    /// It refuses a PIN that another member has accepted.
    PinRefused,
    /// A PIN was changed on the others while it was away.
    PinChanged,
    /// The token in its slot is another one.
    TokenChanged,
    /// It has another domain key than the others.
    DomainKeyDiffers,
    /// It keeps an object that was destroyed while it was away.
    KeepsDestroyed,
    /// It failed its self-test.
    SelfTestFailed,
    /// It returned the code that is beside this.
    Other,
}

impl SetAsideReason {
    /// The reason, and the code that goes with it, else 0.
    pub(crate) const fn of(why: QuarantineReason) -> (Self, u64) {
        match why {
            QuarantineReason::PinRefused => (Self::PinRefused, 0),
            QuarantineReason::PinChanged => (Self::PinChanged, 0),
            QuarantineReason::TokenChanged => (Self::TokenChanged, 0),
            QuarantineReason::DomainKeyDiffers => (Self::DomainKeyDiffers, 0),
            QuarantineReason::KeepsDestroyed => (Self::KeepsDestroyed, 0),
            QuarantineReason::SelfTestFailed => (Self::SelfTestFailed, 0),
            QuarantineReason::Other(rv) => (Self::Other, rv.0),
        }
    }

    pub(crate) fn core(code: u8, rv: u64) -> Option<QuarantineReason> {
        let all = [
            QuarantineReason::PinRefused,
            QuarantineReason::PinChanged,
            QuarantineReason::TokenChanged,
            QuarantineReason::DomainKeyDiffers,
            QuarantineReason::KeepsDestroyed,
            QuarantineReason::SelfTestFailed,
            QuarantineReason::Other(Rv(rv)),
        ];
        of_code(&all, code)
    }
}

/// What was seen of a member that is not well.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EvidenceKind {
    /// It returned a code.
    Code,
    /// It did not answer in time.
    DeadlinePassed,
    /// The process in which its module runs has ended.
    HostEnded,
    /// It could not be reached, and no code says why.
    NotReached,
    /// The token is not in any slot.
    TokenAbsent,
    /// It was set aside.
    SetAside,
    /// It was added or unparked, and has not been tried yet.
    Joining,
}

/// What was seen of a member that is not well, with what goes with it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Evidence {
    /// The code: of `CODE`, and of `SET_ASIDE` for `OTHER`; else 0.
    pub rv: u64,
    /// An `EverslotEvidenceKind`.
    pub kind: u8,
    /// Of `SET_ASIDE`: an `EverslotSetAsideReason`; else 0.
    pub why: u8,
}

impl Evidence {
    pub(crate) const fn of(evidence: everslot_core::Evidence) -> Self {
        let (kind, why, rv) = match evidence {
            everslot_core::Evidence::Code(rv) => (EvidenceKind::Code, 0, rv.0),
            everslot_core::Evidence::DeadlinePassed => (EvidenceKind::DeadlinePassed, 0, 0),
            everslot_core::Evidence::HostEnded => (EvidenceKind::HostEnded, 0, 0),
            everslot_core::Evidence::NotReached => (EvidenceKind::NotReached, 0, 0),
            everslot_core::Evidence::TokenAbsent => (EvidenceKind::TokenAbsent, 0, 0),
            everslot_core::Evidence::SetAside(why) => {
                let (why, rv) = SetAsideReason::of(why);
                (EvidenceKind::SetAside, why as u8, rv)
            }
            everslot_core::Evidence::Joining => (EvidenceKind::Joining, 0, 0),
        };
        Self {
            rv,
            kind: kind as u8,
            why,
        }
    }

    pub(crate) fn core(self) -> Option<everslot_core::Evidence> {
        let why = SetAsideReason::core(self.why, self.rv)?;
        let all = [
            everslot_core::Evidence::Code(Rv(self.rv)),
            everslot_core::Evidence::DeadlinePassed,
            everslot_core::Evidence::HostEnded,
            everslot_core::Evidence::NotReached,
            everslot_core::Evidence::TokenAbsent,
            everslot_core::Evidence::SetAside(why),
            everslot_core::Evidence::Joining,
        ];
        of_code(&all, self.kind)
    }
}

/// How lost members are brought back.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Policy {
    /// X: milliseconds from the beginning of one attempt at a member to the earliest beginning of the next.
    pub interval: u64,
    /// N: how many attempts an outage is given, or `EVERSLOT_UNLIMITED`; 0 leaves it to the operator.
    pub attempts: u16,
}

impl Policy {
    pub(crate) fn of(policy: everslot_core::Policy) -> Self {
        Self {
            interval: u64::try_from(policy.interval.as_millis()).unwrap_or(u64::MAX),
            attempts: match policy.attempts {
                Attempts::AtMost(attempts) => attempts,
                Attempts::Unlimited => UNLIMITED,
            },
        }
    }

    pub(crate) const fn core(self) -> everslot_core::Policy {
        everslot_core::Policy {
            interval: Duration::from_millis(self.interval),
            attempts: match self.attempts {
                UNLIMITED => Attempts::Unlimited,
                attempts => Attempts::AtMost(attempts),
            },
        }
    }
}
