//! What `everslot-model scripts` writes, as `model/src/world/script.rs` has it.

use everslot_core::{Attempts, MemberId, Replayable, Role, Rv};
use serde::Deserialize;

use super::MEMBERS;

/// The world that a file of scripts is about.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setting {
    pub(super) scenario: String,
    pub(super) roles: [Role; MEMBERS],
    pub(super) policy: (u64, Attempts),
    pub(super) other_policy: (u64, Attempts),
    pub(super) recovery: Recovery,
    pub(super) pace: Pace,
    pub(super) start: Start,
    pub(super) job: Job,
    pub(super) other_pin: Option<MemberId>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
pub(super) enum Recovery {
    Background,
    InCall,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
pub(super) enum Pace {
    StepByStep,
    AtOnce,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
pub(super) enum Start {
    Cold,
    Warm,
    LoggedIn,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub(super) replayable: Replayable,
    pub(super) bound: usize,
    pub(super) output: bool,
    #[serde(rename = "parts")]
    pub(super) _parts: u8,
    pub(super) unlike: bool,
}

/// A step of a script.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) act: Act,
    /// How everybody stands after it.
    pub(super) then: String,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Act {
    Tick,
    Timer,
    Fails(MemberId),
    Comes(MemberId),
    Noticed(MemberId),
    TaskEnds(MemberId),
    TaskRefused(MemberId),
    Obey(Order),
    StatusRead,
    LogOut,
    Start(usize, Kind),
    Choose(usize, Option<MemberId>),
    Issue(usize),
    Resolve(usize, Fate),
    Reopen(usize),
    Probe(usize),
    Return(usize),
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub(super) enum Kind {
    Sign,
    Generate,
    Begin,
    Part,
    Finish,
    LogIn { right: bool },
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub(super) enum Fate {
    Reply { code: Rv, executed: bool },
    Silence { delivered: bool, executed: bool },
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) enum Order {
    Add(MemberId),
    Remove(MemberId),
    Park(MemberId),
    Unpark(MemberId),
    Recover(MemberId),
    SetRole(MemberId, Role),
    SetPolicy,
}
