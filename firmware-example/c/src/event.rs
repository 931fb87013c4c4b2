//! What happened, for the log.

use everslot_core::Event as Core;

use crate::codes::{Evidence, Policy, Role, Step, User};

/// Something that happened. What goes with each kind in an `EverslotEvent`, the member aside, is in brackets.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum EventKind {
    /// Nothing.
    #[default]
    None,
    /// There is a further member (role).
    Added,
    /// It is no member any more.
    Removed,
    /// A member that served is lost (incarnation, evidence).
    Lost,
    /// An attempt to bring a member back has begun (number).
    AttemptBegan,
    /// An attempt has failed (number, step, evidence, has_next, next).
    AttemptFailed,
    /// The attempts of an outage are used up (number).
    GaveUp,
    /// A member is in service again (incarnation, number).
    Returned,
    /// A member is set aside (evidence).
    Quarantined,
    /// A member is taken out of service by an operator.
    Parked,
    /// A parked member is to come back.
    Unparked,
    /// A member is there for something else (role).
    RoleChanged,
    /// Lost members are brought back in another way (policy); of no member.
    PolicyChanged,
    /// No active member is left, standby members serve; of no member.
    StandbyServing,
    /// An active member serves again, standby members rest; of no member.
    ActiveServing,
    /// No member is left; of no member.
    GroupDown,
    /// A member serves again; of no member.
    GroupUp,
    /// The group is logged in (user); of no member.
    LoggedIn,
    /// The group is logged out; of no member.
    LoggedOut,
}

/// A text that is not ended by a zero: `printf("%.*s", (int)words.length, words.text)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Its first byte; it stays where it is. Null if there is none.
    pub text: *const u8,
    /// How many bytes.
    pub length: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            text: core::ptr::null(),
            length: 0,
        }
    }
}

/// Something that happened: a line for the log.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Event {
    /// The policy from now on.
    pub policy: Policy,
    /// What was seen.
    pub evidence: Evidence,
    /// The earliest beginning of the next attempt, in milliseconds.
    pub next: u64,
    /// What happened, in words: those that the log of libeverslot.so has.
    pub words: Words,
    /// The incarnation that was lost or begins.
    pub incarnation: u32,
    /// The how manieth attempt of the outage, or how many there were.
    pub number: u16,
    /// An `EverslotEventKind`.
    pub kind: u8,
    /// The member.
    pub member: u8,
    /// An `EverslotRole`.
    pub role: u8,
    /// An `EverslotStep`.
    pub step: u8,
    /// An `EverslotUser`.
    pub user: u8,
    /// Whether there will be a next attempt by itself.
    pub has_next: u8,
}

impl Event {
    pub(crate) fn of(event: &Core) -> Self {
        let words = event.words();
        Self {
            kind: EventKind::of(event) as u8,
            words: Words {
                text: words.as_ptr(),
                length: words.len(),
            },
            ..Self::what_goes_with(event)
        }
    }

    fn what_goes_with(event: &Core) -> Self {
        let mut this = Self::default();
        match *event {
            Core::Added { member, role } | Core::RoleChanged { member, role } => {
                (this.member, this.role) = (member.0, Role::of(role) as u8);
            }
            Core::Removed { member } | Core::Parked { member } | Core::Unparked { member } => {
                this.member = member.0;
            }
            Core::Lost {
                member,
                incarnation,
                evidence,
            } => {
                (this.member, this.incarnation) = (member.0, incarnation.0);
                this.evidence = Evidence::of(evidence);
            }
            Core::AttemptBegan { member, number }
            | Core::GaveUp {
                member,
                attempts: number,
            } => (this.member, this.number) = (member.0, number),
            Core::AttemptFailed {
                member,
                number,
                step,
                evidence,
                next,
            } => {
                (this.member, this.number, this.step) = (member.0, number, Step::of(step) as u8);
                this.evidence = Evidence::of(evidence);
                this.has_next = next.is_some().into();
                this.next = next.map_or(0, everslot_core::Instant::as_millis);
            }
            Core::Returned {
                member,
                incarnation,
                attempts,
            } => (this.member, this.incarnation, this.number) = (member.0, incarnation.0, attempts),
            Core::Quarantined { member, why } => {
                this.member = member.0;
                this.evidence = Evidence::of(everslot_core::Evidence::SetAside(why));
            }
            Core::PolicyChanged { policy } => this.policy = Policy::of(policy),
            Core::LoggedIn { user } => this.user = User::of(user) as u8,
            Core::StandbyServing
            | Core::ActiveServing
            | Core::GroupDown
            | Core::GroupUp
            | Core::LoggedOut => {}
        }
        this
    }
}

impl EventKind {
    const fn of(event: &Core) -> Self {
        match event {
            Core::Added { .. } => Self::Added,
            Core::Removed { .. } => Self::Removed,
            Core::Lost { .. } => Self::Lost,
            Core::AttemptBegan { .. } => Self::AttemptBegan,
            Core::AttemptFailed { .. } => Self::AttemptFailed,
            Core::GaveUp { .. } => Self::GaveUp,
            Core::Returned { .. } => Self::Returned,
            Core::Quarantined { .. } => Self::Quarantined,
            Core::Parked { .. } => Self::Parked,
            Core::Unparked { .. } => Self::Unparked,
            Core::RoleChanged { .. } => Self::RoleChanged,
            Core::PolicyChanged { .. } => Self::PolicyChanged,
            Core::StandbyServing => Self::StandbyServing,
            Core::ActiveServing => Self::ActiveServing,
            Core::GroupDown => Self::GroupDown,
            Core::GroupUp => Self::GroupUp,
            Core::LoggedIn { .. } => Self::LoggedIn,
            Core::LoggedOut => Self::LoggedOut,
        }
    }
}
