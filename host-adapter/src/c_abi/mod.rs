//! The C ABI: what an application finds in `libeverslot.so`.
//!
//! Each function of PKCS#11 3.2 is exported and stands in the function lists of the interfaces that have it. A function here does no more than to check its
//! arguments, to call the virtual slot or session, and to write the answer where the application wants it. When several things are
//! wrong, the session handle is complained of first (PKCS#11 v3.1 §5.1.7). Pointers are followed in `pointers` only, and every call
//! goes through `entry`, so that nothing unwinds into the application.

mod application_mutex;
mod decryption;
mod digest;
mod dual;
mod encryption;
mod entry;
mod general;
mod interfaces;
mod keys;
mod later_keys;
mod later_session;
pub(crate) mod luna;
mod message;
mod message_decryption;
mod message_encryption;
mod message_signing;
mod message_verifying;
mod object;
mod operation;
mod pointers;
mod random;
mod session;
mod signing;
mod slot_token;
mod vendor;
mod verify_signature;
mod verifying;

#[cfg(test)]
mod double;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cryptoki_sys::{CK_SESSION_HANDLE, CK_SLOT_ID};
use everslot_core::Rv;

#[cfg(test)]
use double::{Library, Session, VirtualSlot};

use crate::library::InitialiseArguments;
#[cfg(not(test))]
use crate::library::Library;
#[cfg(not(test))]
use crate::slot::{Session, VirtualSlot};

fn slot(id: CK_SLOT_ID) -> Result<Arc<VirtualSlot>, Rv> {
    Library::with(|library| library.slot(id))
}

fn group(id: CK_SLOT_ID) -> Result<Arc<VirtualSlot>, Rv> {
    Library::with(|library| library.group(id))
}

fn session(handle: CK_SESSION_HANDLE) -> Result<Arc<Session>, Rv> {
    Library::session(handle)
}
