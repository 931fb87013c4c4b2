//! The library, its slot and its token.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::sessions::pin;
use crate::choice::Choice;
use crate::memory::Memory;
use crate::world::World;

pub(super) fn slots_and_tokens(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (slot, count) = (world.slot(choice), memory.place(choice));
    let room = choice.below(100);
    if !count.is_null() {
        // SAFETY: it is a place for a number.
        unsafe { count.write(room as CK_ULONG) };
    }
    let list = if choice.one_in(3) {
        null_mut()
    } else {
        memory.keep(&vec![0; 8 * room]).cast()
    };
    let info = if choice.one_in(8) {
        null_mut()
    } else {
        memory.keep(&[0; size_of::<CK_TOKEN_INFO>()])
    };
    let (kind, reserved) = (choice.number() & 0x1fff, memory.reserved(choice));
    match choice.below(8) {
        0 => call!(world, C_GetSlotList(choice.below(3) as u8, list, count)),
        1 => call!(world, C_GetMechanismList(slot, list, count)),
        2 => call!(world, C_GetSlotInfo(slot, info.cast())),
        3 => call!(world, C_GetTokenInfo(slot, info.cast())),
        4 => call!(world, C_GetMechanismInfo(slot, kind, info.cast())),
        5 => call!(world, C_GetInfo(info.cast())),
        6 => call!(
            world,
            C_WaitForSlotEvent(CKF_DONT_BLOCK | choice.number(), list, reserved)
        ),
        _ => {
            let (pin, length) = pin(world, choice, memory);
            // Only where no token is: one that is initialised is empty.
            call!(
                world,
                C_InitToken(slot | 1 << 40, pin, length, memory.keep(&[b' '; 32]))
            )
        }
    };
}

pub(super) fn random(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    if choice.one_in(2) {
        call!(world, C_GenerateRandom(session, data, length));
    } else {
        call!(world, C_SeedRandom(session, data, length));
    }
}

pub(super) fn legacy(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_GetFunctionStatus(session));
    call!(world, C_CancelFunction(session));
    call!(world, C_GetFunctionList(null_mut()));
}

/// To be refused while the library is initialised; now and then it ends and begins again.
pub(super) fn initialise(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let reserved = memory.reserved(choice);
    let arguments = CK_C_INITIALIZE_ARGS {
        flags: choice.number(),
        pReserved: reserved,
        ..Default::default()
    };
    call!(world, C_Initialize(memory.keep_all(&[arguments]).cast()));
    if !reserved.is_null() {
        call!(world, C_Finalize(reserved));
    }
    if choice.one_in(64) {
        call!(world, C_Finalize(null_mut()));
        let session = world.session(choice);
        call!(world, C_CloseSession(session));
        call!(world, C_Initialize(null_mut()));
    }
}
