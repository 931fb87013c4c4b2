//! Our own interface, `"Vendor everslot"`, as `include/everslot.h` has it for C.

use cryptoki_sys::{
    CK_RV, CK_SLOT_ID, CK_ULONG, CK_UNAVAILABLE_INFORMATION, CK_UTF8CHAR, CK_VERSION,
};
use everslot_core::ckr;

use super::entry::entry;
use super::group;
use super::luna::{self, SERIAL};
use crate::status::{MemberStatus, Read, Role, State};

/// `EVERSLOT_FUNCTION_LIST`
#[repr(C)]
pub(super) struct EVERSLOT_FUNCTION_LIST {
    pub(super) version: CK_VERSION,
    pub(super) get_members:
        unsafe extern "C" fn(CK_SLOT_ID, *mut EVERSLOT_MEMBER, *mut CK_ULONG) -> CK_RV,
    pub(super) recover_member:
        unsafe extern "C" fn(CK_SLOT_ID, *const CK_UTF8CHAR, CK_ULONG) -> CK_RV,
}

pub(super) static FUNCTIONS: EVERSLOT_FUNCTION_LIST = EVERSLOT_FUNCTION_LIST {
    version: CK_VERSION { major: 1, minor: 0 },
    get_members: members,
    recover_member: recover,
};

/// `EVERSLOT_MEMBER`
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct EVERSLOT_MEMBER {
    pub(super) name: [CK_UTF8CHAR; 64],
    pub(super) serial: [CK_UTF8CHAR; SERIAL],
    pub(super) role: CK_ULONG,
    pub(super) state: CK_ULONG,
    pub(super) status: CK_RV,
    incarnation: CK_ULONG,
    attempts: CK_ULONG,
    pub(super) attempts_allowed: CK_ULONG,
    pub(super) next_attempt: CK_ULONG,
    in_flight: CK_ULONG,
    calls: CK_ULONG,
    failures: CK_ULONG,
    losses: CK_ULONG,
    recoveries: CK_ULONG,
}

/// `EV_GetMembers`: the members of a group; looking changes nothing.
unsafe extern "C" fn members(
    id: CK_SLOT_ID,
    members: *mut EVERSLOT_MEMBER,
    count: *mut CK_ULONG,
) -> CK_RV {
    entry("EV_GetMembers", |caller| {
        let group = group(id)?;
        caller.answer_list(members, count, || {
            Ok(group
                .group_status(Read::Peek)
                .members
                .iter()
                .map(of)
                .collect())
        })
    })
}

/// `EV_RecoverMember`: has one member tried at once, or all that do not serve.
unsafe extern "C" fn recover(id: CK_SLOT_ID, name: *const CK_UTF8CHAR, length: CK_ULONG) -> CK_RV {
    entry("EV_RecoverMember", |caller| {
        let group = group(id)?;
        let name = match name.is_null() {
            true => None,
            false => {
                Some(str::from_utf8(caller.slice(name, length)?).map_err(|_| ckr::ARGUMENTS_BAD)?)
            }
        };
        group.recover_member(name).map_err(|_| ckr::ARGUMENTS_BAD)
    })
}

fn of(member: &MemberStatus) -> EVERSLOT_MEMBER {
    EVERSLOT_MEMBER {
        name: luna::text(&member.name),
        serial: luna::serial(member),
        role: match member.role {
            Role::Active => 0,
            Role::Standby => 1,
        },
        state: match member.state {
            State::Active => 0,
            State::Standby => 1,
            State::Lost => 2,
            State::Recovering => 3,
            State::GivenUp => 4,
            State::Quarantined => 5,
            State::Parked => 6,
        },
        status: member.code.number,
        incarnation: member.incarnation.into(),
        attempts: member.attempts.into(),
        attempts_allowed: (member.attempts_allowed).map_or(CK_UNAVAILABLE_INFORMATION, Into::into),
        next_attempt: member.next_attempt_ms.unwrap_or(CK_UNAVAILABLE_INFORMATION),
        in_flight: member.in_flight.into(),
        calls: member.calls,
        failures: member.failures,
        losses: member.losses,
        recoveries: member.recoveries,
    }
}
