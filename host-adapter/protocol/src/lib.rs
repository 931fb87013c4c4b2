//! A PKCS#11 call as a plain value.
//!
//! Every call that reaches a member is a [`Request`] and its answer a [`Reply`]. The same two types are what an
//! in-process member executes, what travels to a member host or down a UART, what a transcript keeps for replay and what a
//! trace records. Building one borrows the caller's memory and copies nothing.
//!
//! Bytes that a call puts out (a signature, random data, a list of handles) never stand in the [`Reply`]: they go to the output
//! buffer that is given beside the request, and [`Body::Written`] says how many; so do the long descriptions of modules, slots and
//! tokens. So a reply is a small `Copy` value.
//!
//! The wire form of both is serde with postcard: see [`wire`].
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod bytes;
pub mod frame;
mod function;
mod info;
mod list;
mod mechanism;
mod message;
mod reply;
mod request;
mod template;
pub mod wire;

pub use bytes::Bytes;
pub use function::{Dual, Function, Operation};
pub use info::{MechanismInfo, ModuleInfo, SessionInfo, SlotInfo, TokenInfo, Version};
pub use list::{Iter, List};
pub use mechanism::{Field, Mechanism, Parameter};
pub use message::{
    Aead, AeadForm, MADE_IV_MAX, MessageCall, MessageOperation, MessageParameter, Sealed,
    SignatureCall, TAG_MAX, Tag,
};
pub use reply::{Body, Reply, Rv};
pub use request::{Deadline, ObjectHandle, Request, Room, SessionHandle, SlotId};
pub use template::{Attribute, AttributeValue, NestedValue, Template, Value, Wanted};
