//! A gateway over members on serial lines: what firmware around [`everslot_core`] looks like.
//!
//! It is the adapter of a small machine: one thread, no allocator, one real session a member. The core decides; the parts here carry out:
//!
//! | part | what |
//! |---|---|
//! | [`Gateway`] | feeds the core, carries its actions out, makes the calls |
//! | [`Line`] | asks a member over a line of bytes, in the frames of [`everslot_protocol::frame`] |
//! | [`Board`] | the machine: lines, lights, clock, delay, and who hears of events |
//!
//! Nothing of it knows a machine: lines are `embedded-io`, lights and waiting `embedded-hal`.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod board;
mod errand;
mod gateway;
mod line;
mod post;

pub use board::{Board, Clock, Watch};
pub use gateway::{Failure, Gateway, Settings};
pub use line::{FRAME, Line, OUTPUT};
pub use post::MemberSettings;

#[cfg(test)]
mod tests;
