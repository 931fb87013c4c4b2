//! What the machines of a group, its calls, operations and objects were told and what they answered, line by line in a file, and the same once
//! more.
//!
//! A trace holds ids, states, times, return codes and the hashes that objects are told apart by, never a PIN, a key or an attribute. Since the core is a function of its inputs,
//! [`replay()`] tells from a trace whether the core at hand does what the one in the field has done, and whether its invariants held.

mod file;
mod noted;
mod recorder;
mod replay;

pub(crate) use noted::{Machine, Noted, Steps};
pub use recorder::Recorder;
pub use replay::{Replayed, TraceError, replay};

use everslot_core::{
    Binding, CallInput, CallOutput, Change, Group, Input, Instant, Output, Reconcile, Repeat,
    WakeUp, Work,
};
use serde::{Deserialize, Serialize};

/// The number of the format; a trace of another one is not read.
pub const FORMAT: u32 = 2;

/// A line of a trace: JSON.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Line {
    /// The first line of each file.
    Trace { format: u32, version: String },
    /// The state that the steps after it begin in: at the beginning of a file, and where steps are missing.
    State {
        /// Steps before it are missing.
        gap: bool,
        group: Box<Group>,
    },
    /// An input of the group's machine, and what came of it.
    Step(Box<Step>),
    /// A call that is over.
    Call(CallSteps),
    /// Steps of an operation of many calls.
    Work(Box<Steps<Work>>),
    /// Steps of a change of the group's objects.
    Change(Box<Steps<Change>>),
    /// Steps of a reconcile of a member's objects.
    Reconcile(Box<Steps<Reconcile>>),
    /// So many lines were not written down, since they came faster than they could be written.
    Missed(u64),
}

/// An input of the group's machine, and what came of it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Step {
    pub(crate) at: Instant,
    pub(crate) input: Input,
    pub(crate) output: Output,
    /// When the machine wants to be woken after it.
    pub(crate) wake_up: WakeUp,
}

/// The inputs and outputs of a call's machine, from its start to its answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct CallSteps {
    pub(crate) repeat: Repeat,
    pub(crate) binding: Binding,
    pub(crate) steps: Vec<(CallInput, CallOutput)>,
}

#[cfg(test)]
mod tests;
