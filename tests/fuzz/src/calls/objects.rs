//! Objects and searches.

use std::ptr::null_mut;

use cryptoki_sys::*;

use super::made;
use crate::choice::Choice;
use crate::memory::Memory;
use crate::template::{question, template};
use crate::world::World;

pub(super) fn create_object(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (template, count)) = (world.session(choice), template(choice, memory));
    let place = memory.place(choice);
    let code = call!(world, C_CreateObject(session, template, count, place));
    made(world, code, place);
}

pub(super) fn copy_object(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (template, count)) = (world.session(choice), template(choice, memory));
    // The copy of a token object is one too, unless the template says otherwise.
    let (object, place) = (world.own_object(choice), memory.place(choice));
    let code = call!(world, C_CopyObject(session, object, template, count, place));
    made(world, code, place);
}

pub(super) fn destroy_object(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let (session, object) = (world.session(choice), world.own_object(choice));
    call!(world, C_DestroyObject(session, object));
}

pub(super) fn object_size(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object, place) = (
        world.session(choice),
        world.object(choice),
        memory.place(choice),
    );
    call!(world, C_GetObjectSize(session, object, place));
}

pub(super) fn get_attributes(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object) = (world.session(choice), world.object(choice));
    let (question, count) = question(choice, memory);
    call!(world, C_GetAttributeValue(session, object, question, count));
}

pub(super) fn set_attributes(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object) = (world.session(choice), world.own_object(choice));
    let (template, count) = template(choice, memory);
    call!(world, C_SetAttributeValue(session, object, template, count));
}

pub(super) fn find(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let session = world.session(choice);
    let (template, count) = if choice.one_in(2) {
        (null_mut(), 0)
    } else {
        template(choice, memory)
    };
    call!(world, C_FindObjectsInit(session, template, count));
}

pub(super) fn find_next(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let session = world.session(choice);
    let (room, count) = (choice.below(20), memory.place(choice));
    let (objects, claimed) = match choice.below(16) {
        0 => (null_mut(), room as CK_ULONG),
        1 => (
            memory.keep(&[0; 8]).cast::<CK_ULONG>(),
            Memory::endless(choice),
        ),
        _ => (memory.keep(&vec![0; 8 * room]).cast(), room as CK_ULONG),
    };
    let code = call!(world, C_FindObjects(session, objects, claimed, count));
    if code == CKR_OK && !count.is_null() && !objects.is_null() {
        // SAFETY: the call has written so many handles, no more than there is room for.
        let found = unsafe { std::slice::from_raw_parts(objects, count.read() as usize) };
        world.objects.extend_from_slice(found);
    }
}

pub(super) fn find_end(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_FindObjectsFinal(session));
}
