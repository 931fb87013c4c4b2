//! Sessions, logins and PINs.

use std::ptr::null_mut;

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::memory::Memory;
use crate::world::World;

pub(super) fn open_session(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let flags = match choice.below(8) {
        0 => choice.number(),
        1 | 2 => CKF_SERIAL_SESSION,
        _ => CKF_SERIAL_SESSION | CKF_RW_SESSION,
    };
    // An asynchronous session may do anything.
    let flags = flags & 0x6;
    let (slot, place, application) = (
        world.slot(choice),
        memory.place(choice),
        memory.reserved(choice),
    );
    let code = call!(world, C_OpenSession(slot, flags, application, None, place));
    if code == CKR_OK && !place.is_null() {
        // SAFETY: the call has written a handle there.
        world.sessions.push(unsafe { place.read() });
    }
}

pub(super) fn close_session(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_CloseSession(session));
}

pub(super) fn close_all_sessions(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    if choice.one_in(4) {
        let slot = world.slot(choice);
        call!(world, C_CloseAllSessions(slot));
    }
}

pub(super) fn session_info(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let info = if choice.one_in(8) {
        null_mut()
    } else {
        memory.keep(&[0; size_of::<CK_SESSION_INFO>()])
    };
    let session = world.session(choice);
    call!(world, C_GetSessionInfo(session, info.cast()));
}

/// A PIN that is right, wrong, null or endless.
pub(super) fn pin(world: &World, choice: &mut Choice, memory: &mut Memory) -> (*mut u8, CK_ULONG) {
    match choice.below(12) {
        0 => (null_mut(), 4),
        1 => (null_mut(), 0),
        2 => (memory.keep(b"0000"), 4),
        3 => (memory.keep(b"0000"), Memory::endless(choice)),
        _ => (memory.keep(world.pin), world.pin.len() as CK_ULONG),
    }
}

pub(super) fn login(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let user = *choice
        .of(&[
            CKU_USER,
            CKU_USER,
            CKU_USER,
            CKU_SO,
            CKU_CONTEXT_SPECIFIC,
            77,
        ])
        .unwrap_or(&CKU_USER);
    let (pin, length) = pin(world, choice, memory);
    let session = world.session(choice);
    call!(world, C_Login(session, user, pin, length));
}

pub(super) fn logout(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_Logout(session));
}

/// Every new PIN is the one that it is, or none that a token takes.
pub(super) fn pins(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let session = world.session(choice);
    let (old, old_length) = pin(world, choice, memory);
    let (new, new_length) = match choice.below(4) {
        0 => (null_mut(), 6),
        1 => (memory.keep(b"1"), Memory::endless(choice)),
        _ => (memory.keep(world.pin), world.pin.len() as CK_ULONG),
    };
    if choice.one_in(2) {
        call!(world, C_SetPIN(session, old, old_length, new, new_length));
    } else {
        call!(world, C_InitPIN(session, new, new_length));
    }
}

pub(super) fn operation_state(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let session = world.session(choice);
    if choice.one_in(2) {
        let (buffer, length) = memory.output(choice);
        call!(world, C_GetOperationState(session, buffer, length));
    } else {
        let ((state, length), keys) = (
            memory.input(choice),
            [world.object(choice), world.object(choice)],
        );
        call!(
            world,
            C_SetOperationState(session, state, length, keys[0], keys[1])
        );
    }
}
