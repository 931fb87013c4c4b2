//! Every function of PKCS#11 3.2 with arbitrary arguments.

use cryptoki_sys::*;

use crate::choice::Choice;
use crate::memory::Memory;
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

// Below the macro, which they use.
mod keys;
mod later;
mod library;
mod messages;
mod objects;
mod operations;
mod sessions;

/// The calls, each as often as it is to come up among the others.
pub(crate) const CALLS: &[(usize, Call)] = &[
    (6, sessions::open_session),
    (2, sessions::close_session),
    (1, sessions::close_all_sessions),
    (1, sessions::session_info),
    (4, sessions::login),
    (1, sessions::logout),
    (1, sessions::pins),
    (2, library::slots_and_tokens),
    (2, sessions::operation_state),
    (3, objects::create_object),
    (1, objects::copy_object),
    (2, objects::destroy_object),
    (1, objects::object_size),
    (5, objects::get_attributes),
    (2, objects::set_attributes),
    (4, objects::find),
    (3, objects::find_next),
    (1, objects::find_end),
    (8, operations::begin),
    (8, operations::whole),
    (8, operations::update),
    (6, operations::finish),
    (5, operations::verification),
    (2, operations::recovery),
    (2, operations::dual),
    (1, operations::digest_key),
    (3, keys::generate_key),
    (2, keys::generate_key_pair),
    (3, keys::wrap_key),
    (3, keys::unwrap_key),
    (2, keys::derive_key),
    (2, library::random),
    (1, library::legacy),
    (1, library::initialise),
    (1, later::interfaces),
    (1, later::login_user),
    (1, later::cancel),
    (1, later::validation),
    (1, later::asynchronous),
    (4, later::verify_signature),
    (2, later::encapsulate),
    (2, later::wrap_authenticated),
    (2, later::unwrap_authenticated),
    (6, messages::begin),
    (2, messages::end),
    (4, messages::cipher),
    (3, messages::cipher_begin),
    (5, messages::cipher_next),
    (4, messages::sign),
    (4, messages::verify),
];

/// Notes an object that a call has made.
fn made(world: &mut World, code: CK_RV, place: *mut CK_ULONG) {
    if code == CKR_OK && !place.is_null() {
        // SAFETY: the call has written a handle there.
        let handle = unsafe { place.read() };
        world.objects.push(handle);
        world.own.push(handle);
    }
}
