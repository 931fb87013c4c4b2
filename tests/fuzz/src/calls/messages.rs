//! Message-based operations (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).

use std::ptr::null_mut;

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::mechanism::{mechanism, message_mechanism, message_parameter};
use crate::memory::Memory;
use crate::world::World;

pub(super) fn begin(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, key) = (world.session(choice), world.object(choice));
    let mechanism = if choice.one_in(4) {
        mechanism(choice, world, memory)
    } else {
        message_mechanism(choice, memory)
    };
    match choice.below(4) {
        0 => call!(world, C_MessageEncryptInit(session, mechanism, key)),
        1 => call!(world, C_MessageDecryptInit(session, mechanism, key)),
        2 => call!(world, C_MessageSignInit(session, mechanism, key)),
        _ => call!(world, C_MessageVerifyInit(session, mechanism, key)),
    };
}

pub(super) fn end(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    match choice.below(4) {
        0 => call!(world, C_MessageEncryptFinal(session)),
        1 => call!(world, C_MessageDecryptFinal(session)),
        2 => call!(world, C_MessageSignFinal(session)),
        _ => call!(world, C_MessageVerifyFinal(session)),
    };
}

pub(super) fn cipher(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (parameter, size)) = (world.session(choice), message_parameter(choice, memory));
    let ((associated, extent), (data, length)) = (memory.input(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    if choice.one_in(2) {
        call!(
            world,
            C_EncryptMessage(
                session, parameter, size, associated, extent, data, length, output, room
            )
        );
    } else {
        call!(
            world,
            C_DecryptMessage(
                session, parameter, size, associated, extent, data, length, output, room
            )
        );
    }
}

pub(super) fn cipher_begin(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (parameter, size)) = (world.session(choice), message_parameter(choice, memory));
    let (associated, extent) = memory.input(choice);
    if choice.one_in(2) {
        call!(
            world,
            C_EncryptMessageBegin(session, parameter, size, associated, extent)
        );
    } else {
        call!(
            world,
            C_DecryptMessageBegin(session, parameter, size, associated, extent)
        );
    }
}

pub(super) fn cipher_next(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (parameter, size)) = (world.session(choice), message_parameter(choice, memory));
    let ((data, length), (output, room)) = (memory.input(choice), memory.output(choice));
    let flags = match choice.below(6) {
        0 => choice.number(),
        1 | 2 => CKF_END_OF_MESSAGE,
        _ => 0,
    };
    if choice.one_in(2) {
        call!(
            world,
            C_EncryptMessageNext(session, parameter, size, data, length, output, room, flags)
        );
    } else {
        call!(
            world,
            C_DecryptMessageNext(session, parameter, size, data, length, output, room, flags)
        );
    }
}

pub(super) fn sign(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (parameter, size)) = (world.session(choice), message_parameter(choice, memory));
    let ((data, length), (output, room)) = (memory.input(choice), memory.output(choice));
    match choice.below(4) {
        0 => call!(
            world,
            C_SignMessage(session, parameter, size, data, length, output, room)
        ),
        1 => call!(world, C_SignMessageBegin(session, parameter, size)),
        2 => call!(
            world,
            C_SignMessageNext(session, parameter, size, data, length, output, room)
        ),
        // No place for a length: it is not the last part.
        _ => call!(
            world,
            C_SignMessageNext(
                session,
                parameter,
                size,
                data,
                length,
                null_mut(),
                null_mut()
            )
        ),
    };
}

pub(super) fn verify(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (parameter, size)) = (world.session(choice), message_parameter(choice, memory));
    let ((data, length), (signature, extent)) = (memory.input(choice), memory.input(choice));
    match choice.below(4) {
        0 => call!(
            world,
            C_VerifyMessage(session, parameter, size, data, length, signature, extent)
        ),
        1 => call!(world, C_VerifyMessageBegin(session, parameter, size)),
        2 => call!(
            world,
            C_VerifyMessageNext(session, parameter, size, data, length, signature, extent)
        ),
        _ => call!(
            world,
            C_VerifyMessageNext(session, parameter, size, data, length, null_mut(), 0)
        ),
    };
}
