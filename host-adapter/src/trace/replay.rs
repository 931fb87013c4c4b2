//! Feeds a trace to the core at hand and compares.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use everslot_core::{Call, CallViolation, Group, Instant, Violation};

use super::{CallSteps, FORMAT, Line, Machine, Step, Steps};

/// What a trace had in it that was the same once more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Replayed {
    /// Inputs of the group's machine.
    pub steps: u64,
    /// Calls.
    pub calls: u64,
    /// Inputs of operations of many calls.
    pub operations: u64,
    /// Inputs of changes of the group's objects.
    pub changes: u64,
    /// Inputs of reconciles of the members' objects.
    pub reconciles: u64,
    /// What the application did too fast to be written down: it says nothing about these.
    pub missed: u64,
}

/// Why a trace is not the same once more: one line, with the first line of the trace that differs.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no trace, or one of another format.
    #[error("{}:{line}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// This core does something else than the one that was traced.
    #[error("{}:{line}: {what} was recorded as {recorded}, this core says {replayed}", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What differs.
        what: &'static str,
        /// As it stands in the trace.
        recorded: String,
        /// As it is now.
        replayed: String,
    },
    /// An invariant of the core does not hold after a line: a fault of everslot.
    #[error("{}:{line}: an invariant of the core is broken: {violation}; please report it with this trace", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// Which.
        violation: String,
    },
}

/// Feeds each recorded input to the core and compares what it answers with what was recorded; its invariants are checked on the way.
///
/// # Errors
/// The first line of the file at `path` that differs, breaks an invariant or cannot be understood.
pub fn replay(path: &Path) -> Result<Replayed, TraceError> {
    let unreadable = |source| TraceError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut replay = Replay::default();
    for (number, text) in (1..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(unreadable)?;
        replay
            .line(number, &text)
            .map_err(|fault| fault.at(path, number))?;
    }
    if replay.begun {
        Ok(replay.done)
    } else {
        Err(Fault::Malformed("the trace is empty".to_owned()).at(path, 1))
    }
}

#[derive(Default)]
struct Replay {
    begun: bool,
    /// The group after the last step; none before the first state.
    group: Option<Box<Group>>,
    now: Instant,
    done: Replayed,
}

enum Fault {
    Malformed(String),
    Differs(&'static str, String, String),
    Broken(String),
}

impl Replay {
    fn line(&mut self, number: u64, text: &str) -> Result<(), Fault> {
        let line = serde_json::from_str(text)
            .map_err(|error| Fault::Malformed(format!("this is no line of a trace: {error}")))?;
        match line {
            Line::Trace { format, .. } if number == 1 && format == FORMAT => self.begun = true,
            Line::Trace { format, .. } if number == 1 => {
                return Err(Fault::Malformed(format!(
                    "the trace has format {format}, this everslot reads {FORMAT}"
                )));
            }
            _ if !self.begun => {
                return Err(Fault::Malformed(
                    "a trace begins with its format".to_owned(),
                ));
            }
            Line::Trace { .. } => {
                return Err(Fault::Malformed("a second beginning".to_owned()));
            }
            Line::State { gap, group } => self.begin_at(gap, group)?,
            Line::Step(step) => self.step(*step)?,
            Line::Call(call) => self.call(&call)?,
            Line::Work(steps) => self.done.operations += run("an operation", &steps)?,
            Line::Change(steps) => self.done.changes += run("a change", &steps)?,
            Line::Reconcile(steps) => self.done.reconciles += run("a reconcile", &steps)?,
            Line::Missed(missed) => self.done.missed += missed,
        }
        Ok(())
    }

    fn begin_at(&mut self, gap: bool, group: Box<Group>) -> Result<(), Fault> {
        if let Some(known) = &self.group
            && !gap
        {
            compare("the state", &group, known)?;
        }
        group.check().map_err(broken)?;
        self.group = Some(group);
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), Fault> {
        let Some(group) = &mut self.group else {
            return Err(Fault::Malformed("no state to begin in".to_owned()));
        };
        if step.at < self.now {
            return Err(Fault::Malformed("time goes back".to_owned()));
        }
        self.now = step.at;
        let output = group.handle(step.input, step.at);
        compare("what is to be done", &step.output.actions, &output.actions)?;
        compare("what is told", &step.output.events, &output.events)?;
        compare("the next wake-up", &step.wake_up, &group.poll_timeout())?;
        group.check().map_err(broken)?;
        self.done.steps += 1;
        Ok(())
    }

    fn call(&mut self, recorded: &CallSteps) -> Result<(), Fault> {
        let mut call = Call::new(recorded.repeat, recorded.binding);
        for (input, output) in &recorded.steps {
            compare("a call's answer", output, &call.handle(*input))?;
            call.check()
                .map_err(|violation: CallViolation| Fault::Broken(format!("{violation:?}")))?;
        }
        self.done.calls += 1;
        Ok(())
    }
}

/// Steps of a machine that runs from a beginning to an end; how many.
fn run<M: Machine>(what: &'static str, recorded: &Steps<M>) -> Result<u64, Fault> {
    let mut machine = recorded.before;
    machine.verify().map_err(Fault::Broken)?;
    for (input, output) in &recorded.steps {
        compare(what, output, &machine.take(*input))?;
        machine.verify().map_err(Fault::Broken)?;
    }
    compare(what, &recorded.after, &machine)?;
    Ok(recorded.steps.len() as u64)
}

impl Fault {
    fn at(self, path: &Path, line: u64) -> TraceError {
        let path = path.to_owned();
        match self {
            Self::Malformed(what) => TraceError::Malformed { path, line, what },
            Self::Differs(what, recorded, replayed) => TraceError::Differs {
                path,
                line,
                what,
                recorded,
                replayed,
            },
            Self::Broken(violation) => TraceError::Broken {
                path,
                line,
                violation,
            },
        }
    }
}

fn compare<T: Eq + std::fmt::Debug>(
    what: &'static str,
    recorded: &T,
    replayed: &T,
) -> Result<(), Fault> {
    if recorded == replayed {
        return Ok(());
    }
    let (recorded, replayed) = (format!("{recorded:?}"), format!("{replayed:?}"));
    Err(Fault::Differs(what, recorded, replayed))
}

fn broken(violation: Violation) -> Fault {
    Fault::Broken(format!("{violation:?}"))
}
