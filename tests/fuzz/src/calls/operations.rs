//! Operations on data.

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::mechanism::mechanism;
use crate::memory::Memory;
use crate::world::World;

pub(super) fn begin(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, key) = (world.session(choice), world.object(choice));
    let mechanism = mechanism(choice, world, memory);
    match choice.below(7) {
        0 => call!(world, C_EncryptInit(session, mechanism, key)),
        1 => call!(world, C_DecryptInit(session, mechanism, key)),
        2 => call!(world, C_DigestInit(session, mechanism)),
        3 => call!(world, C_SignInit(session, mechanism, key)),
        4 => call!(world, C_VerifyInit(session, mechanism, key)),
        5 => call!(world, C_SignRecoverInit(session, mechanism, key)),
        _ => call!(world, C_VerifyRecoverInit(session, mechanism, key)),
    };
}

pub(super) fn whole(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    match choice.below(4) {
        0 => call!(world, C_Encrypt(session, data, length, output, room)),
        1 => call!(world, C_Decrypt(session, data, length, output, room)),
        2 => call!(world, C_Digest(session, data, length, output, room)),
        _ => call!(world, C_Sign(session, data, length, output, room)),
    };
}

pub(super) fn update(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    match choice.below(5) {
        0 | 1 => {
            let (output, room) = memory.output(choice);
            if choice.one_in(2) {
                call!(world, C_EncryptUpdate(session, data, length, output, room))
            } else {
                call!(world, C_DecryptUpdate(session, data, length, output, room))
            }
        }
        2 => call!(world, C_DigestUpdate(session, data, length)),
        3 => call!(world, C_SignUpdate(session, data, length)),
        _ => call!(world, C_VerifyUpdate(session, data, length)),
    };
}

pub(super) fn finish(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (output, room)) = (world.session(choice), memory.output(choice));
    match choice.below(4) {
        0 => call!(world, C_EncryptFinal(session, output, room)),
        1 => call!(world, C_DecryptFinal(session, output, room)),
        2 => call!(world, C_DigestFinal(session, output, room)),
        _ => call!(world, C_SignFinal(session, output, room)),
    };
}

pub(super) fn verification(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (signature, signature_length) = memory.input(choice);
    if choice.one_in(2) {
        call!(
            world,
            C_Verify(session, data, length, signature, signature_length)
        );
    } else {
        call!(world, C_VerifyFinal(session, signature, signature_length));
    }
}

pub(super) fn recovery(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    if choice.one_in(2) {
        call!(world, C_SignRecover(session, data, length, output, room));
    } else {
        call!(world, C_VerifyRecover(session, data, length, output, room));
    }
}

pub(super) fn dual(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    match choice.below(4) {
        0 => call!(
            world,
            C_DigestEncryptUpdate(session, data, length, output, room)
        ),
        1 => call!(
            world,
            C_DecryptDigestUpdate(session, data, length, output, room)
        ),
        2 => call!(
            world,
            C_SignEncryptUpdate(session, data, length, output, room)
        ),
        _ => call!(
            world,
            C_DecryptVerifyUpdate(session, data, length, output, room)
        ),
    };
}

pub(super) fn digest_key(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let (session, key) = (world.session(choice), world.object(choice));
    call!(world, C_DigestKey(session, key));
}
