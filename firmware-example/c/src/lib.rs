//! everslot's core for firmware in C: `include/everslot_core.h` and a static library.
//!
//! The core itself is untouched: this crate turns its values into plain structures and back. All memory is the caller's, nothing is
//! allocated, nothing waits, and there is no state but in the structures that are handed in, so that a group per interrupt
//! level or per core of the machine needs no lock between them.
//!
//! A number that is none of its enumeration, a null or misaligned pointer, and a structure that was not made are refused: the
//! function answers `false` and changes nothing. A pointer that is neither of these must be valid for its structure, and no two arguments may overlap.

#![cfg_attr(target_os = "none", no_std)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    unsafe_code
)]
#![cfg_attr(
    test,
    allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic)
)]

mod abi;
mod call;
mod codes;
mod event;
mod input;
mod output;
mod status;

pub use abi::*;
pub use call::{Answer, CallInput, CallInputKind, CallOptions, CallOutput, NextKind};
pub use codes::{Evidence, EvidenceKind, Login, Policy, Role, SetAsideReason, Step, User};
pub use event::{Event, EventKind, Words};
pub use input::{Input, InputKind, Outcome};
pub use output::{Action, ActionKind, Output};
pub use status::{MemberState, MemberStatus, Serving};

/// The most members that a group can have. Another number goes into `src/lib.rs`, with the words of a group after it.
pub const MEMBERS: usize = 4;
/// The most events of one input.
pub const EVENTS: usize = 3;
/// The size of a group's state, in words of 64 bits.
pub const GROUP_WORDS: usize = 36;
/// The size of a call's state, in words of 32 bits.
pub const CALL_WORDS: usize = 7;
/// No member: what `everslot_choose` answers if there is none.
pub const NOBODY: u8 = 255;
/// As the attempts of a policy: without end.
pub const UNLIMITED: u16 = 65535;

/// cbindgen:ignore
type CoreGroup = everslot_core::Group<MEMBERS>;
/// cbindgen:ignore
type CoreOutput = everslot_core::Output<MEMBERS>;

const _: () = assert!(EVENTS == everslot_core::EVENTS);

/// For the linker: the core has no panic path in a release build (`core/check-panic-free`).
#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests;
