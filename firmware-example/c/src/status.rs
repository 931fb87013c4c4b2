//! What a group shows of itself.

use everslot_core::{Member, Rv};

use crate::codes::{Evidence, Role};

/// Who may be sent calls: bit n is member n. To be had anew after each input.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Serving {
    /// Those that take their share.
    pub active: u32,
    /// Those that take calls when no active one is left.
    pub standby: u32,
    /// Those that are logging in or out: a call that finds no other member waits for them.
    pub changing: u32,
}

impl Serving {
    pub(crate) const fn of(serving: everslot_core::Serving) -> Self {
        Self {
            active: serving.active.bits(),
            standby: serving.standby.bits(),
            changing: serving.changing.bits(),
        }
    }

    pub(crate) const fn core(self) -> everslot_core::Serving {
        everslot_core::Serving {
            active: everslot_core::MemberSet::from_bits(self.active),
            standby: everslot_core::MemberSet::from_bits(self.standby),
            changing: everslot_core::MemberSet::from_bits(self.changing),
        }
    }
}

/// What a member is doing.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemberState {
    /// Serves.
    Active,
    /// Serves when no active member is left.
    Standby,
    /// Gone; an attempt is due or will be.
    Lost,
    /// An attempt is under way.
    Recovering,
    /// All attempts are used up; an operator can recover it.
    GivenUp,
    /// Set aside; an operator can recover it.
    Quarantined,
    /// Taken out of service by an operator.
    Parked,
}

/// What is known of a member.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MemberStatus {
    /// What was seen of it last, unless it serves or is parked.
    pub evidence: Evidence,
    /// The code that a status read shows: `CKR_OK`, `CKR_DEVICE_ERROR` or `CKR_TOKEN_NOT_PRESENT`. Feed `STATUS_READ` once all members have been shown.
    pub code: u64,
    /// How often it has come into service.
    pub incarnation: u32,
    /// Attempts of its outage that have begun.
    pub attempts: u16,
    /// An `EverslotRole`.
    pub role: u8,
    /// An `EverslotMemberState`.
    pub state: u8,
    /// Whether calls may go to it.
    pub is_usable: u8,
}

impl MemberStatus {
    pub(crate) fn of(member: &Member, code: Rv) -> Self {
        use everslot_core::MemberState as Core;
        let state = match member.state {
            Core::Active => MemberState::Active,
            Core::Standby => MemberState::Standby,
            Core::Lost { .. } => MemberState::Lost,
            Core::Recovering { .. } => MemberState::Recovering,
            Core::GivenUp { .. } => MemberState::GivenUp,
            Core::Quarantined { .. } => MemberState::Quarantined,
            Core::Parked => MemberState::Parked,
        };
        let seen = match member.state {
            Core::Quarantined { why, .. } => Some(everslot_core::Evidence::SetAside(why)),
            Core::Active
            | Core::Standby
            | Core::Lost { .. }
            | Core::Recovering { .. }
            | Core::GivenUp { .. }
            | Core::Parked => member.state.outage().map(|outage| outage.evidence),
        };
        Self {
            evidence: seen.map_or_else(Evidence::default, Evidence::of),
            code: code.0,
            incarnation: member.incarnation.0,
            attempts: member.state.outage().map_or(0, |outage| outage.attempts),
            role: Role::of(member.role) as u8,
            state: state as u8,
            is_usable: member.is_usable().into(),
        }
    }
}
