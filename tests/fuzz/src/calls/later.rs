//! What PKCS#11 3.0 to 3.2 have beside messages.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::made;
use super::sessions::pin;
use crate::choice::Choice;
use crate::mechanism::mechanism;
use crate::memory::Memory;
use crate::template::template;
use crate::world::World;

pub(super) fn interfaces(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    if choice.one_in(2) {
        let (count, room) = (memory.place(choice), choice.below(10));
        if !count.is_null() {
            // SAFETY: it is a place for a number.
            unsafe { count.write(room as CK_ULONG) };
        }
        let list = if choice.one_in(3) {
            null_mut()
        } else {
            memory.keep(&vec![0; size_of::<CK_INTERFACE>() * room])
        };
        call!(world, C_GetInterfaceList(list.cast(), count));
        return;
    }
    let name = match choice.below(4) {
        0 => null_mut(),
        1 => memory.keep(b"Vendor nobody\0"),
        _ => memory.keep(b"PKCS 11\0"),
    };
    let version = match choice.below(3) {
        0 => null_mut(),
        _ => memory.keep(&[choice.below(4) as u8, choice.below(3) as u8]),
    };
    let flags = if choice.one_in(4) { choice.number() } else { 0 };
    let place = memory.place(choice).cast();
    call!(world, C_GetInterface(name, version.cast(), place, flags));
}

pub(super) fn login_user(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let user = *choice.of(&[CKU_USER, CKU_SO, 77]).unwrap_or(&CKU_USER);
    let (session, (pin, length)) = (world.session(choice), pin(world, choice, memory));
    let (name, extent) = match choice.below(3) {
        0 => (null_mut(), 0),
        1 => (memory.keep(b"nobody"), 6),
        _ => memory.input(choice),
    };
    call!(world, C_LoginUser(session, user, pin, length, name, extent));
}

pub(super) fn cancel(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let (session, flags) = (world.session(choice), choice.number());
    call!(world, C_SessionCancel(session, flags));
}

pub(super) fn validation(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, kind) = (world.session(choice), choice.below(3) as CK_ULONG);
    let place = memory.place(choice);
    call!(world, C_GetSessionValidationFlags(session, kind, place));
}

/// No session is asynchronous, so there is nothing to find.
pub(super) fn asynchronous(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, name) = (world.session(choice), memory.keep(b"C_Sign\0"));
    let name = if choice.one_in(4) { null_mut() } else { name };
    match choice.below(3) {
        0 => {
            let result = memory.keep(&[0; size_of::<CK_ASYNC_DATA>()]);
            call!(world, C_AsyncComplete(session, name, result.cast()))
        }
        1 => call!(world, C_AsyncGetID(session, name, memory.place(choice))),
        _ => {
            let ((data, length), id) = (memory.input(choice), choice.number());
            call!(world, C_AsyncJoin(session, name, id, data, length))
        }
    };
}

pub(super) fn verify_signature(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    match choice.below(5) {
        0 | 1 => {
            let (mechanism, key) = (mechanism(choice, world, memory), world.object(choice));
            call!(
                world,
                C_VerifySignatureInit(session, mechanism, key, data, length)
            )
        }
        2 => call!(world, C_VerifySignature(session, data, length)),
        3 => call!(world, C_VerifySignatureUpdate(session, data, length)),
        _ => call!(world, C_VerifySignatureFinal(session)),
    };
}

pub(super) fn encapsulate(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let key = world.object(choice);
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = if choice.one_in(2) {
        let (output, room) = memory.output(choice);
        call!(
            world,
            C_EncapsulateKey(
                session, mechanism, key, template, count, output, room, place
            )
        )
    } else {
        let (data, length) = memory.input(choice);
        call!(
            world,
            C_DecapsulateKey(
                session, mechanism, key, template, count, data, length, place
            )
        )
    };
    made(world, code, place);
}

pub(super) fn wrap_authenticated(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let keys = [world.object(choice), world.object(choice)];
    let ((associated, extent), (output, room)) = (memory.input(choice), memory.output(choice));
    call!(
        world,
        C_WrapKeyAuthenticated(
            session, mechanism, keys[0], keys[1], associated, extent, output, room
        )
    );
}

pub(super) fn unwrap_authenticated(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let (key, (wrapped, length)) = (world.object(choice), memory.input(choice));
    let ((template, count), (associated, extent)) =
        (template(choice, memory), memory.input(choice));
    let place = memory.place(choice);
    let code = call!(
        world,
        C_UnwrapKeyAuthenticated(
            session, mechanism, key, wrapped, length, template, count, associated, extent, place
        )
    );
    made(world, code, place);
}
