//! Luna's own calls for the state of a group, with the structures of its header (`CK_HA_STATUS` with serials as text, as since version 6).
//!
//! Luna's opens a session at each member to answer; here the answer is taken from what is known, so it comes at once and asks nobody.

use cryptoki_sys::{CK_CHAR, CK_RV, CK_SLOT_ID, CK_ULONG};

use super::entry::entry;
use super::group;
use crate::status::{GroupStatus, MemberStatus, Read};

/// `CK_HA_MAX_MEMBERS`
const MOST_MEMBERS: usize = 32;
/// `CK_TOKEN_SERIAL_NUMBER_SIZE + 4`
pub(super) const SERIAL: usize = 20;

/// One member: its token's serial, and what the seed's status shows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CK_HA_MEMBER {
    pub(crate) member_serial: [CK_CHAR; SERIAL],
    pub(crate) member_status: CK_RV,
}

/// A group.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct CK_HA_STATUS {
    pub(crate) group_serial: [CK_CHAR; SERIAL],
    pub(crate) member_list: [CK_HA_MEMBER; MOST_MEMBERS],
    pub(crate) list_size: CK_ULONG,
}

/// `CA_GetHAState`: each member's `CK_RV`. It is a status read: the first one after a loss says `CKR_DEVICE_ERROR`, each later one
/// `CKR_TOKEN_NOT_PRESENT`, until the member is back (the seed, "Detecting the Failure of an HA Member").
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn CA_GetHAState(id: CK_SLOT_ID, state: *mut CK_HA_STATUS) -> CK_RV {
    entry("CA_GetHAState", |caller| {
        let group = group(id)?;
        caller
            .place(state)?
            .set(of(&group.group_status(Read::Status)));
        Ok(())
    })
}

/// `CA_GetCurrentHAState`: the same. Luna has it beside the older one because that is slow and leaves sessions behind.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn CA_GetCurrentHAState(
    id: CK_SLOT_ID,
    state: *mut CK_HA_STATUS,
) -> CK_RV {
    entry("CA_GetCurrentHAState", |caller| {
        let group = group(id)?;
        caller
            .place(state)?
            .set(of(&group.group_status(Read::Status)));
        Ok(())
    })
}

impl CK_HA_STATUS {
    /// Of no group.
    pub(crate) const NONE: Self = Self {
        group_serial: [0; SERIAL],
        member_list: [CK_HA_MEMBER {
            member_serial: [0; SERIAL],
            member_status: 0,
        }; MOST_MEMBERS],
        list_size: 0,
    };
}

fn of(group: &GroupStatus) -> CK_HA_STATUS {
    let mut state = CK_HA_STATUS {
        group_serial: text(&group.serial),
        list_size: group.members.len().min(MOST_MEMBERS) as CK_ULONG,
        ..CK_HA_STATUS::NONE
    };
    for (place, member) in state.member_list.iter_mut().zip(&group.members) {
        *place = CK_HA_MEMBER {
            member_serial: serial(member),
            member_status: member.code.number,
        };
    }
    state
}

/// A token that was never seen has none.
pub(super) fn serial(member: &MemberStatus) -> [CK_CHAR; SERIAL] {
    text(member.serial.as_deref().unwrap_or_default())
}

/// `text` with a zero byte behind it, cut between two characters where it is too long.
pub(super) fn text<const N: usize>(text: &str) -> [CK_CHAR; N] {
    let mut field = [0; N];
    let end = text.floor_char_boundary(N.saturating_sub(1));
    for (place, byte) in field.iter_mut().zip(text.bytes().take(end)) {
        *place = byte;
    }
    field
}
