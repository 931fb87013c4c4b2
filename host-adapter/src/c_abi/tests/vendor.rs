use std::mem::MaybeUninit;
use std::ptr;

use everslot_core::{Rv, ckr};

use super::super::double::{SLOT, calls, world};
use super::super::luna::{CA_GetCurrentHAState, CA_GetHAState, CK_HA_STATUS};
use super::super::vendor::{EVERSLOT_MEMBER, FUNCTIONS};

#[test]
fn a_group_is_told_in_lunas_structure() {
    let size = 20 + 32 * (24 + 8) + 4 + 8;
    assert_eq!(size_of::<CK_HA_STATUS>(), size, "the C compiler's");
    let mut state = MaybeUninit::<CK_HA_STATUS>::zeroed();
    // SAFETY: there is room for the structure, whose every bit pattern is a value.
    let state = unsafe {
        assert_eq!(CA_GetHAState(SLOT, state.as_mut_ptr()), ckr::OK.0);
        assert_eq!(CA_GetCurrentHAState(SLOT, state.as_mut_ptr()), ckr::OK.0);
        state.assume_init()
    };
    assert_eq!(calls(), ["group_status Status"; 2]);
    assert_eq!(state.group_serial, *b"1599447001\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(state.list_size, 2);
    let members = state.member_list.map(|member| member.member_status);
    assert_eq!(members[..3], [ckr::DEVICE_ERROR.0, 0, 0]);
    let [first, second, ..] = state.member_list;
    assert_eq!(first.member_serial, *b"599447001\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(second.member_serial, [0; 20], "never seen");
}

#[test]
fn luna_s_calls_want_a_slot_and_a_place() {
    let mut state = MaybeUninit::<CK_HA_STATUS>::uninit();
    for function in [CA_GetHAState, CA_GetCurrentHAState] {
        // SAFETY: null, or room for the structure.
        let answers = unsafe {
            [
                function(SLOT, ptr::null_mut()),
                function(SLOT + 1, state.as_mut_ptr()),
            ]
        };
        assert_eq!(answers, [ckr::ARGUMENTS_BAD.0, ckr::SLOT_ID_INVALID.0]);
    }
    world(|world| world.initialised = false);
    // SAFETY: room for the structure.
    let answer = unsafe { CA_GetHAState(SLOT, state.as_mut_ptr()) };
    assert_eq!(answer, ckr::CRYPTOKI_NOT_INITIALIZED.0);
}

#[test]
fn our_own_interface_lists_members_by_the_two_call_convention() {
    let get = FUNCTIONS.get_members;
    let mut count = 0;
    // SAFETY: the count is the room that there is.
    unsafe {
        assert_eq!(get(SLOT, ptr::null_mut(), &raw mut count), ckr::OK.0);
        assert_eq!(count, 2);
        let mut members = [const { MaybeUninit::<EVERSLOT_MEMBER>::zeroed() }; 2];
        count = 1;
        let place = members.as_mut_ptr().cast();
        assert_eq!(get(SLOT, place, &raw mut count), ckr::BUFFER_TOO_SMALL.0);
        assert_eq!(get(SLOT, place, &raw mut count), ckr::OK.0);
        let [first, second] = members.map(|member| member.assume_init());
        assert_eq!((first.name[0], first.name[1]), (b'a', 0));
        assert_eq!(
            (first.role, first.state, first.status),
            (0, 2, ckr::DEVICE_ERROR.0)
        );
        assert_eq!((second.role, second.state, second.status), (1, 1, 0));
        assert_eq!(first.attempts_allowed, u64::MAX, "no limit");
        assert_eq!(first.next_attempt, 1500);
        assert_eq!(second.name[..62], *"ü".repeat(31).as_bytes());
        assert_eq!(second.name[62..], [0, 0], "no half of a character");
    }
    assert_eq!(calls(), ["group_status Peek"; 3]);
}

#[test]
fn a_member_is_recovered_by_its_name() {
    let recover = |name: &[u8]| {
        // SAFETY: the bytes are there.
        Rv(unsafe { (FUNCTIONS.recover_member)(SLOT, name.as_ptr(), name.len() as u64) })
    };
    assert_eq!(recover(b"a"), ckr::OK);
    assert_eq!(recover(b"\xff"), ckr::ARGUMENTS_BAD);
    // SAFETY: a null pointer.
    let all = Rv(unsafe { (FUNCTIONS.recover_member)(SLOT, ptr::null(), 0) });
    assert_eq!(all, ckr::OK);
    assert_eq!(
        calls(),
        [r#"recover_member Some("a")"#, "recover_member None"]
    );
    world(|world| world.rv = ckr::GENERAL_ERROR);
    assert_eq!(recover(b"b"), ckr::ARGUMENTS_BAD, "there is none");
}
