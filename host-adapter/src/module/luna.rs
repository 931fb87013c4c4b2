//! Luna's own call for the state of a group, as a program that loads a module makes it.

use cryptoki_sys::{CK_RV, CK_SLOT_ID, CKR_FUNCTION_NOT_SUPPORTED};
use everslot_protocol::{Rv, SlotId};

use crate::c_abi::luna::CK_HA_STATUS;

/// `CA_GetHAState` of Luna's header.
pub(super) type GetHaState = unsafe extern "C" fn(CK_SLOT_ID, *mut CK_HA_STATUS) -> CK_RV;

/// How the members of a group are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HaState {
    /// The virtual token's serial.
    pub group: String,
    /// Each member's serial and its state, in the order of the group.
    pub members: Vec<(String, Rv)>,
}

pub(super) fn ha_state(function: Option<GetHaState>, slot: SlotId) -> Result<HaState, Rv> {
    let Some(function) = function else {
        return Err(Rv(CKR_FUNCTION_NOT_SUPPORTED));
    };
    let mut state = CK_HA_STATUS::NONE;
    // SAFETY: the function writes one structure of this layout.
    match Rv(unsafe { function(slot.0, &raw mut state) }) {
        Rv::OK => Ok(HaState::of(&state)),
        rv => Err(rv),
    }
}

impl HaState {
    fn of(state: &CK_HA_STATUS) -> Self {
        // The length is the module's word.
        let count = usize::try_from(state.list_size).unwrap_or(usize::MAX);
        let members = state.member_list.iter().take(count);
        Self {
            group: text(&state.group_serial),
            members: members
                .map(|member| (text(&member.member_serial), Rv(member.member_status)))
                .collect(),
        }
    }
}

/// Up to the zero byte.
fn text(field: &[u8]) -> String {
    let text = field.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    unsafe extern "C" fn boastful(_slot: CK_SLOT_ID, state: *mut CK_HA_STATUS) -> CK_RV {
        let mut told = CK_HA_STATUS::NONE;
        told.group_serial = [b'7'; 20];
        told.list_size = u64::MAX;
        // SAFETY: the caller gives the address of such a structure.
        unsafe { state.write(told) };
        0
    }

    #[test]
    fn a_module_that_counts_too_many_members_is_read_no_further_than_the_structure() {
        let state = ha_state(Some(boastful), SlotId(0)).expect("it answers");
        assert_eq!((state.group, state.members.len()), ("7".repeat(20), 32));
    }

    #[test]
    fn a_module_without_the_function_does_not_support_it() {
        let refused = ha_state(None, SlotId(0)).expect_err("there is no function");
        assert_eq!(refused, Rv(CKR_FUNCTION_NOT_SUPPORTED));
    }
}
