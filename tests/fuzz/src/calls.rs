//! Every function of PKCS#11 2.40 with arbitrary arguments.

use std::ptr::null_mut;

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::mechanism::mechanism;
use crate::memory::Memory;
use crate::template::{question, template};
use crate::world::World;

/// One call.
pub(crate) type Call = fn(&mut World, &mut Choice, &mut Memory);

/// Calls a function of the list.
macro_rules! call {
    ($world:ident, $function:ident ( $($argument:expr),* $(,)? )) => {{
        let code = match $world.functions.$function {
            // SAFETY: every pointer is null or of memory that lives until the call is over; the length beside it is the memory's, or
            // one that no memory has.
            Some(function) => unsafe { function($($argument),*) },
            None => CKR_FUNCTION_NOT_SUPPORTED,
        };
        $world.answered(code)
    }};
}

/// The calls, each as often as it is to come up among the others.
pub(crate) const CALLS: &[(usize, Call)] = &[
    (6, open_session),
    (2, close_session),
    (1, close_all_sessions),
    (1, session_info),
    (4, login),
    (1, logout),
    (1, pins),
    (2, slots_and_tokens),
    (2, operation_state),
    (3, create_object),
    (1, copy_object),
    (2, destroy_object),
    (1, object_size),
    (5, get_attributes),
    (2, set_attributes),
    (4, find),
    (3, find_next),
    (1, find_end),
    (8, begin),
    (8, whole),
    (8, update),
    (6, finish),
    (5, verification),
    (2, recovery),
    (2, dual),
    (1, digest_key),
    (3, generate_key),
    (2, generate_key_pair),
    (3, wrap_key),
    (3, unwrap_key),
    (2, derive_key),
    (2, random),
    (1, legacy),
    (1, initialise),
];

fn made(world: &mut World, code: CK_RV, place: *mut CK_ULONG) {
    if code == CKR_OK && !place.is_null() {
        // SAFETY: the call has written a handle there.
        let handle = unsafe { place.read() };
        world.objects.push(handle);
        world.own.push(handle);
    }
}

fn open_session(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn close_session(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_CloseSession(session));
}

fn close_all_sessions(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    if choice.one_in(4) {
        let slot = world.slot(choice);
        call!(world, C_CloseAllSessions(slot));
    }
}

fn session_info(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let info = if choice.one_in(8) {
        null_mut()
    } else {
        memory.keep(&[0; size_of::<CK_SESSION_INFO>()])
    };
    let session = world.session(choice);
    call!(world, C_GetSessionInfo(session, info.cast()));
}

/// A PIN that is right, wrong, null or endless.
fn pin(world: &World, choice: &mut Choice, memory: &mut Memory) -> (*mut u8, CK_ULONG) {
    match choice.below(12) {
        0 => (null_mut(), 4),
        1 => (null_mut(), 0),
        2 => (memory.keep(b"0000"), 4),
        3 => (memory.keep(b"0000"), Memory::endless(choice)),
        _ => (memory.keep(world.pin), world.pin.len() as CK_ULONG),
    }
}

fn login(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn logout(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_Logout(session));
}

/// Every new PIN is the one that it is, or none that a token takes.
fn pins(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn slots_and_tokens(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn operation_state(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn create_object(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (template, count)) = (world.session(choice), template(choice, memory));
    let place = memory.place(choice);
    let code = call!(world, C_CreateObject(session, template, count, place));
    made(world, code, place);
}

fn copy_object(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (template, count)) = (world.session(choice), template(choice, memory));
    // The copy of a token object is one too, unless the template says otherwise.
    let (object, place) = (world.own_object(choice), memory.place(choice));
    let code = call!(world, C_CopyObject(session, object, template, count, place));
    made(world, code, place);
}

fn destroy_object(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let (session, object) = (world.session(choice), world.own_object(choice));
    call!(world, C_DestroyObject(session, object));
}

fn object_size(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object, place) = (
        world.session(choice),
        world.object(choice),
        memory.place(choice),
    );
    call!(world, C_GetObjectSize(session, object, place));
}

fn get_attributes(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object) = (world.session(choice), world.object(choice));
    let (question, count) = question(choice, memory);
    call!(world, C_GetAttributeValue(session, object, question, count));
}

fn set_attributes(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, object) = (world.session(choice), world.own_object(choice));
    let (template, count) = template(choice, memory);
    call!(world, C_SetAttributeValue(session, object, template, count));
}

fn find(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let session = world.session(choice);
    let (template, count) = if choice.one_in(2) {
        (null_mut(), 0)
    } else {
        template(choice, memory)
    };
    call!(world, C_FindObjectsInit(session, template, count));
}

fn find_next(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn find_end(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_FindObjectsFinal(session));
}

fn begin(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn whole(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    match choice.below(4) {
        0 => call!(world, C_Encrypt(session, data, length, output, room)),
        1 => call!(world, C_Decrypt(session, data, length, output, room)),
        2 => call!(world, C_Digest(session, data, length, output, room)),
        _ => call!(world, C_Sign(session, data, length, output, room)),
    };
}

fn update(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn finish(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (output, room)) = (world.session(choice), memory.output(choice));
    match choice.below(4) {
        0 => call!(world, C_EncryptFinal(session, output, room)),
        1 => call!(world, C_DecryptFinal(session, output, room)),
        2 => call!(world, C_DigestFinal(session, output, room)),
        _ => call!(world, C_SignFinal(session, output, room)),
    };
}

fn verification(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn recovery(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    let (output, room) = memory.output(choice);
    if choice.one_in(2) {
        call!(world, C_SignRecover(session, data, length, output, room));
    } else {
        call!(world, C_VerifyRecover(session, data, length, output, room));
    }
}

fn dual(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn digest_key(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let (session, key) = (world.session(choice), world.object(choice));
    call!(world, C_DigestKey(session, key));
}

fn generate_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = call!(
        world,
        C_GenerateKey(session, mechanism, template, count, place)
    );
    made(world, code, place);
}

fn generate_key_pair(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn wrap_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let (wrapping, key) = (world.object(choice), world.object(choice));
    let (output, room) = memory.output(choice);
    call!(
        world,
        C_WrapKey(session, mechanism, wrapping, key, output, room)
    );
}

fn unwrap_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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

fn derive_key(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, mechanism) = (world.session(choice), mechanism(choice, world, memory));
    let key = world.object(choice);
    let ((template, count), place) = (template(choice, memory), memory.place(choice));
    let code = call!(
        world,
        C_DeriveKey(session, mechanism, key, template, count, place)
    );
    made(world, code, place);
}

fn random(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
    let (session, (data, length)) = (world.session(choice), memory.input(choice));
    if choice.one_in(2) {
        call!(world, C_GenerateRandom(session, data, length));
    } else {
        call!(world, C_SeedRandom(session, data, length));
    }
}

fn legacy(world: &mut World, choice: &mut Choice, _: &mut Memory) {
    let session = world.session(choice);
    call!(world, C_GetFunctionStatus(session));
    call!(world, C_CancelFunction(session));
    call!(world, C_GetFunctionList(null_mut()));
}

/// To be refused while the library is initialised; now and then it ends and begins again.
fn initialise(world: &mut World, choice: &mut Choice, memory: &mut Memory) {
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
