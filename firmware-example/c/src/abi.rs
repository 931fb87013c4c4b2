//! The functions, and the one file with unsafe code: what C hands in are pointers.

#![expect(
    unsafe_code,
    reason = "C hands in pointers, and finds functions by their names"
)]
#![expect(
    clippy::missing_safety_doc,
    reason = "the crate says what holds for every pointer, and so does the header"
)]

use core::mem::{align_of, size_of};

use everslot_core::{Instant, MemberId, MemberSet, Reason, WakeUp, candidates, choose};

use crate::{
    CALL_WORDS, CallInput, CallOptions, CallOutput, CoreGroup, CoreOutput, GROUP_WORDS, Input,
    MEMBERS, MemberStatus, NOBODY, Output, Policy, Serving,
};

/// A group: memory of the caller's, of which only `everslot_group_new` and the functions that get it know what is in it. It can be moved and
/// copied as it is, and needs no end.
#[repr(C)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Tells a group that was made from memory that was not.
    made: u64,
    state: [u64; GROUP_WORDS],
}

/// A call: memory of the caller's, as a group is.
#[repr(C)]
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// Tells a call that was made from memory that was not.
    made: u32,
    state: [u32; CALL_WORDS],
}

const GROUP_MADE: u64 = u64::from_be_bytes(*b"everslot");
const CALL_MADE: u32 = u32::from_be_bytes(*b"call");

const _: () = {
    assert!(size_of::<CoreGroup>() == size_of::<[u64; GROUP_WORDS]>());
    assert!(align_of::<CoreGroup>() <= align_of::<u64>());
    assert!(size_of::<everslot_core::Call>() == size_of::<[u32; CALL_WORDS]>());
    assert!(align_of::<everslot_core::Call>() <= align_of::<u32>());
};

/// What a pointer of the caller's points at; `None` if it is null or not aligned.
///
/// # Safety
/// Else it is valid for its structure, for as long as the function lasts that was given it, and nothing else that it was given overlaps.
unsafe fn read<'a, T>(pointer: *const T) -> Option<&'a T> {
    if !pointer.is_aligned() {
        return None;
    }
    // SAFETY: it is aligned, and any bytes are one of these structures of numbers; the rest is the caller's word.
    unsafe { pointer.as_ref() }
}

/// As [`read`], to be written.
///
/// # Safety
/// As of [`read`].
unsafe fn write<'a, T>(pointer: *mut T) -> Option<&'a mut T> {
    if !pointer.is_aligned() {
        return None;
    }
    // SAFETY: as in `read`.
    unsafe { pointer.as_mut() }
}

/// The machine in memory of the caller's; `None` if none was made there.
///
/// # Safety
/// As of [`read`].
unsafe fn group<'a>(pointer: *const Group) -> Option<&'a CoreGroup> {
    // SAFETY: the caller's word.
    let group = unsafe { read(pointer) }.filter(|group| group.made == GROUP_MADE)?;
    // SAFETY: it was made, so there is a group in `state`, whose size and alignment were compared above.
    Some(unsafe { &*(&raw const group.state).cast() })
}

/// The machine in memory of the caller's; `None` if none was made there.
///
/// # Safety
/// As of [`read`].
unsafe fn group_mut<'a>(pointer: *mut Group) -> Option<&'a mut CoreGroup> {
    // SAFETY: the caller's word.
    let group = unsafe { write(pointer) }.filter(|group| group.made == GROUP_MADE)?;
    // SAFETY: as in `group`.
    Some(unsafe { &mut *(&raw mut group.state).cast() })
}

/// The machine in memory of the caller's; `None` if none was made there.
///
/// # Safety
/// As of [`read`].
unsafe fn call_mut<'a>(pointer: *mut Call) -> Option<&'a mut everslot_core::Call> {
    // SAFETY: the caller's word.
    let call = unsafe { write(pointer) }.filter(|call| call.made == CALL_MADE)?;
    // SAFETY: it was made, so there is a call in `state`, whose size and alignment were compared above.
    Some(unsafe { &mut *(&raw mut call.state).cast() })
}

/// Puts a value where the caller wants it; whether it could.
///
/// # Safety
/// As of [`read`].
unsafe fn answer<T>(pointer: *mut T, value: Option<T>) -> bool {
    // SAFETY: the caller's word.
    let (Some(place), Some(value)) = (unsafe { write(pointer) }, value) else {
        return false;
    };
    *place = value;
    true
}

/// Makes a group without members.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_group_new(group: *mut Group, policy: *const Policy) -> bool {
    // SAFETY: the caller's word.
    let (Some(group), Some(policy)) = (unsafe { (write(group), read(policy)) }) else {
        return false;
    };
    // SAFETY: `state` has the size and the alignment of a group, which was compared above.
    unsafe {
        (&raw mut group.state)
            .cast::<CoreGroup>()
            .write(CoreGroup::new(policy.core()));
    }
    group.made = GROUP_MADE;
    true
}

/// Feeds a group an input. `now` is in milliseconds from any start, and does not go back. An input that does not fit the state is void: it is
/// accepted, nothing changes, and nothing comes out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_group_handle(
    group: *mut Group,
    input: *const Input,
    now: u64,
    output: *mut Output,
) -> bool {
    // SAFETY: the caller's word.
    let (group, input, output) = unsafe { (group_mut(group), read(input), write(output)) };
    let (Some(group), Some(input), Some(output)) = (group, input.and_then(Input::core), output)
    else {
        return false;
    };
    let mut found = CoreOutput::new();
    group.handle_into(input, Instant::from_millis(now), &mut found);
    Output::of(&found, output);
    true
}

/// When `TIMER` is wanted, in milliseconds, and for which member; `false` if not before another input. To be asked after each input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_group_poll_timeout(
    group: *const Group,
    at: *mut u64,
    member: *mut u8,
) -> bool {
    // SAFETY: the caller's word.
    match unsafe { self::group(group) }.map(CoreGroup::poll_timeout) {
        Some(WakeUp::At(instant, Reason::Attempt(who))) => {
            // SAFETY: the caller's word.
            unsafe { answer(at, Some(instant.as_millis())) && answer(member, Some(who.0)) }
        }
        Some(WakeUp::Idle) | None => false,
    }
}

/// Who may be sent calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_group_serving(
    group: *const Group,
    serving: *mut Serving,
) -> bool {
    // SAFETY: the caller's word.
    unsafe {
        let found = self::group(group).map(|group| Serving::of(group.view().serving()));
        answer(serving, found)
    }
}

/// What is known of a member; `false` if there is none of this number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_group_member(
    group: *const Group,
    member: u8,
    status: *mut MemberStatus,
) -> bool {
    let id = MemberId(member);
    // SAFETY: the caller's word.
    unsafe {
        let found = self::group(group)
            .and_then(|group| Some(MemberStatus::of(&group.member(id)?, group.status(id)?)));
        answer(status, found)
    }
}

/// The member that a call goes to: the least busy of those that serve, are eligible and have not been tried, standby members last;
/// `EVERSLOT_NOBODY` if there is none.
///
/// `eligible` and `tried` have bit n for member n. `loads` says of each of `EVERSLOT_MEMBERS` members how many calls it has outstanding;
/// null if they are all alike. Among equals they take turns as `cursor` counts up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_choose(
    serving: *const Serving,
    eligible: u32,
    tried: u32,
    loads: *const u32,
    cursor: u32,
) -> u8 {
    // SAFETY: the caller's word.
    let (Some(serving), loads) = (unsafe { (read(serving), read(loads.cast::<[u32; MEMBERS]>())) })
    else {
        return NOBODY;
    };
    let (eligible, tried) = (MemberSet::from_bits(eligible), MemberSet::from_bits(tried));
    let load = |member: MemberId| {
        let load = loads.and_then(|loads| loads.get(member.index()));
        load.copied().unwrap_or(0)
    };
    let chosen = choose(candidates(serving.core(), eligible, tried), load, cursor);
    chosen.map_or(NOBODY, |member| member.0)
}

/// Makes a call. What it is to do first comes with `START`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_call_new(call: *mut Call, options: *const CallOptions) -> bool {
    // SAFETY: the caller's word.
    let (Some(call), Some(options)) = (unsafe { (write(call), read(options)) }) else {
        return false;
    };
    // SAFETY: `state` has the size and the alignment of a call, which was compared above.
    unsafe {
        (&raw mut call.state)
            .cast::<everslot_core::Call>()
            .write(options.core());
    }
    call.made = CALL_MADE;
    true
}

/// Tells a call what has come of what it wanted, and gets what it wants next. An input that is not that is void: what it waits for is said again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn everslot_call_handle(
    call: *mut Call,
    input: *const CallInput,
    output: *mut CallOutput,
) -> bool {
    // SAFETY: the caller's word.
    let (call, input, output) = unsafe { (call_mut(call), read(input), write(output)) };
    let (Some(call), Some(input), Some(output)) = (call, input.and_then(CallInput::core), output)
    else {
        return false;
    };
    *output = CallOutput::of(&call.handle(input));
    true
}
