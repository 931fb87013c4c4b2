//! What `everslot-model scripts` writes of objects, as `model/src/objects/script.rs` has it.

use everslot_core::{Copies, MemberId};
use serde::Deserialize;
use serde_json::Value;

/// The world that a file of scripts is about.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) scenario: String,
    pub(super) members: usize,
    pub(super) wishes: Vec<Vec<Wish>>,
    pub(super) copies: Copies,
    pub(super) start: Start,
    /// How everybody stands then.
    pub(super) stands: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Wish {
    Create(u8),
    Update(u8),
    Destroy(u8),
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Start {
    Equal(u8),
    Behind,
}

/// A step of a script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) act: Act,
    /// What is done in it, if it is a machine's step.
    pub(super) does: Option<Value>,
    /// How everybody stands after it.
    pub(super) then: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Act {
    Wish(u8),
    Skip(#[expect(dead_code, reason = "nothing happens")] u8),
    Reconcile(u8, MemberId),
    Step(u8, Thread),
    Lost {
        process: u8,
        thread: Thread,
        done: bool,
    },
    Dies(MemberId),
    /// The same, but that nobody notices before it is next asked: no step of the model's.
    Fails(MemberId),
    Returns(MemberId),
    ReturnsEmpty(MemberId),
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Thread {
    Change,
    Recovery,
}
