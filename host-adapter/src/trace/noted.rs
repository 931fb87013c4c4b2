//! The machines that run from a beginning to an end, with all that they are told and answer where a trace is written.

use std::fmt::Debug;
use std::ops::Deref;

use everslot_core::{
    Change, ChangeInput, ChangeNext, Reconcile, ReconcileInput, ReconcileOutput, Work, WorkInput,
    WorkNext,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Line, Recorder};

/// Steps of one machine in a line: a reconcile has thousands, and lines wait in memory.
const TOGETHER: usize = 64;

/// A machine of the core that is a plain value and a function of its inputs.
pub(crate) trait Machine: Copy + Debug + DeserializeOwned + Eq + Serialize {
    type Input: Copy + Debug + DeserializeOwned + Serialize;
    type Output: Copy + Debug + DeserializeOwned + Eq + Serialize;

    fn take(&mut self, input: Self::Input) -> Self::Output;

    /// Whether its invariants hold.
    ///
    /// # Errors
    /// The one that does not, in words.
    fn verify(&self) -> Result<(), String>;

    /// The line of a trace with its steps.
    fn line(steps: Steps<Self>) -> Line;
}

/// Some steps of a machine, one after the other.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(bound = "", deny_unknown_fields)]
pub(crate) struct Steps<M: Machine> {
    /// The machine before them.
    pub(crate) before: M,
    pub(crate) steps: Vec<(M::Input, M::Output)>,
    /// The machine after them.
    pub(crate) after: M,
}

macro_rules! machine {
    ($machine:ident, $input:ident, $output:ident) => {
        impl Machine for $machine {
            type Input = $input;
            type Output = $output;

            #[inline(always)]
            fn take(&mut self, input: $input) -> $output {
                self.handle(input)
            }

            fn verify(&self) -> Result<(), String> {
                self.check().map_err(|violation| format!("{violation:?}"))
            }

            fn line(steps: Steps<Self>) -> Line {
                Line::$machine(Box::new(steps))
            }
        }
    };
}

machine!(Work, WorkInput, WorkNext);
machine!(Change, ChangeInput, ChangeNext);
machine!(Reconcile, ReconcileInput, ReconcileOutput);

/// A machine; what it is told and answers goes to the recorder, if there is one.
pub(crate) struct Noted<M: Machine> {
    machine: M,
    /// Apart, and hardly ever there.
    notes: Option<Box<Notes<M>>>,
}

struct Notes<M: Machine> {
    recorder: Recorder,
    steps: Steps<M>,
}

impl<M: Machine> Noted<M> {
    /// A machine that is to begin.
    #[inline(always)]
    pub(crate) fn new(machine: M, recorder: Option<&Recorder>) -> Self {
        let notes = recorder.map(|recorder| Notes::begin(machine, recorder));
        Self { machine, notes }
    }

    /// Gives the machine an input.
    #[inline(always)]
    pub(crate) fn handle(&mut self, input: M::Input) -> M::Output {
        let output = self.machine.take(input);
        if let Some(notes) = &mut self.notes {
            notes.note(input, output, self.machine);
        }
        output
    }
}

impl<M: Machine> Deref for Noted<M> {
    type Target = M;

    #[inline(always)]
    fn deref(&self) -> &M {
        &self.machine
    }
}

impl<M: Machine> Steps<M> {
    const fn of(machine: M) -> Self {
        Self {
            before: machine,
            steps: Vec::new(),
            after: machine,
        }
    }
}

impl<M: Machine> Notes<M> {
    #[cold]
    #[inline(never)]
    fn begin(machine: M, recorder: &Recorder) -> Box<Self> {
        Box::new(Self {
            recorder: recorder.clone(),
            steps: Steps::of(machine),
        })
    }

    #[cold]
    #[inline(never)]
    fn note(&mut self, input: M::Input, output: M::Output, after: M) {
        self.steps.steps.push((input, output));
        self.steps.after = after;
        if self.steps.steps.len() >= TOGETHER {
            self.put();
        }
    }

    fn put(&mut self) {
        let next = Steps::of(self.steps.after);
        let steps = std::mem::replace(&mut self.steps, next);
        if !steps.steps.is_empty() {
            self.recorder.note_run(M::line(steps));
        }
    }
}

/// The rest is written down when the machine is done with, however it ends.
impl<M: Machine> Drop for Notes<M> {
    fn drop(&mut self) {
        self.put();
    }
}

#[cfg(test)]
mod tests;
