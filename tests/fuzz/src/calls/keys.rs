//! Keys that are made, wrapped and derived.

use cryptoki_sys::*;

use super::made;
use crate::choice::Choice;
use crate::mechanism::mechanism;
use crate::memory::Memory;
use crate::template::template;
use crate::world::World;

pub(super) fn generate_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = call!(
        world,
        C_GenerateKey(session, mechanism, template, count, place)
    );
    made(world, code, place);
}

pub(super) fn generate_key_pair(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let ((public, public_count), (private, private_count)) =
        (template(choice, memory), template(choice, memory));
    let places = [memory.place(choice), memory.place(choice)];
    let code = call!(
        world,
        C_GenerateKeyPair(
            session,
            mechanism,
            public,
            public_count,
            private,
            private_count,
            places[0],
            places[1]
        )
    );
    places
        .into_iter()
        .for_each(|place| made(world, code, place));
}

pub(super) fn wrap_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let (wrapping, key) = (world.object(choice), world.object(choice));
    let (output, room) = memory.output(choice);
    call!(
        world,
        C_WrapKey(session, mechanism, wrapping, key, output, room)
    );
}

pub(super) fn unwrap_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let (key, (wrapped, length)) = (world.object(choice), memory.input(choice));
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = call!(
        world,
        C_UnwrapKey(
            session, mechanism, key, wrapped, length, template, count, place
        )
    );
    made(world, code, place);
}

pub(super) fn derive_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let key = world.object(choice);
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = call!(
        world,
        C_DeriveKey(session, mechanism, key, template, count, place)
    );
    made(world, code, place);
}
