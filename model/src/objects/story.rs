//! A run of this world, told to a person.

use everslot_core::{ChangeNext, MemberId};

use super::actions::Action;
use super::{Answered, NAMES, Plan, State, Thread};
use crate::timeline::Story;

impl Story for Plan {
    fn columns(&self) -> Vec<String> {
        let tokens = NAMES
            .iter()
            .take(self.members)
            .map(|name| format!("token {name}"));
        let processes = (0..self.wishes.len()).map(|number| format!("process {number}"));
        tokens
            .chain(["journal".to_owned()])
            .chain(processes)
            .chain(["told".to_owned()])
            .collect()
    }

    fn cells(&self, state: &State) -> Vec<String> {
        let tokens = state.members().map(|member| token(state, member));
        let processes = (0..state.processes.len()).map(|number| process(state, number));
        tokens
            .chain([journal(state)])
            .chain(processes)
            .chain([told(state)])
            .collect()
    }

    fn tell(&self, before: &State, action: &Action, _after: &State) -> String {
        match action {
            Action::Wish(number) => {
                format!("process {number}: {:?}", self.wishes[usize::from(*number)])
            }
            Action::Skip(number) => format!("process {number} leaves off a wish"),
            Action::Resume(number, _) => format!("process {number} takes an intent over"),
            Action::Reconcile(number, member) => {
                format!("process {number} reconciles {}", name(*member))
            }
            Action::Step(number, thread) => {
                format!("process {number}: {}", asked(before, *number, *thread))
            }
            Action::Lost {
                process,
                thread,
                done,
            } => {
                let when = if *done { "after" } else { "before" };
                format!(
                    "process {process}: {}; the member dies {when} it",
                    asked(before, *process, *thread)
                )
            }
            Action::Dies(member) => format!("{} dies", name(*member)),
            Action::Returns(member) => format!("{} is back", name(*member)),
            Action::ReturnsEmpty(member) => format!("{} is back, empty", name(*member)),
            Action::Crash(number) => format!("process {number} dies"),
        }
    }

    fn seconds(&self, _action: &Action) -> u64 {
        1
    }
}

fn name(member: MemberId) -> &'static str {
    NAMES[member.index()]
}

fn asked(state: &State, number: u8, thread: Thread) -> String {
    let process = &state.processes[usize::from(number)];
    match (thread, &process.change, &process.recovery) {
        (Thread::Change, Some(changing), _) => format!("{:?}", changing.next),
        (Thread::Recovery, _, Some(recovering)) => match &recovering.cleaning {
            Some(cleaning) => format!("cleans: {:?}", cleaning.next),
            None => format!("{:?}", recovering.next),
        },
        (Thread::Change | Thread::Recovery, _, _) => "nothing".to_owned(),
    }
}

fn token(state: &State, member: MemberId) -> String {
    let token = state.token(member);
    let objects: Vec<String> = token
        .objects
        .iter()
        .map(|object| {
            let plant = if object.plant.is_some() { "*" } else { "" };
            format!(
                "{}.{}r{}{plant}",
                object.base, object.attempt, object.revision
            )
        })
        .collect();
    let down = if token.up { "" } else { " (dead)" };
    format!("[{}]{down}", objects.join(" "))
}

fn journal(state: &State) -> String {
    let entries = state.journal.entries.iter().map(|(key, entry)| {
        let name = format!("{}.{}", key.0[0], key.0[1]);
        if entry.is_destroyed {
            format!("{name} destroyed")
        } else {
            let rows: Vec<&str> = entry.rows.keys().map(|member| name_of(*member)).collect();
            format!("{name}r{} at {}", entry.revision.0, rows.concat())
        }
    });
    let intents = state.journal.intents.values().map(|open| {
        let members: Vec<&str> = open.intent.members.into_iter().map(name_of).collect();
        format!("{:?} intent at {}", open.intent.kind, members.concat())
    });
    let all: Vec<String> = entries.chain(intents).collect();
    all.join(", ")
}

fn name_of(member: MemberId) -> &'static str {
    name(member)
}

fn process(state: &State, number: usize) -> String {
    let process = &state.processes[number];
    let serving: Vec<&str> = process.serving.into_iter().map(name).collect();
    let change = match process.change.as_ref().map(|changing| changing.next) {
        None => "",
        Some(ChangeNext::Commit { .. }) => ", committing",
        Some(_) => ", changing",
    };
    let recovery = if process.recovery.is_some() {
        ", reconciling"
    } else {
        ""
    };
    let gate = if state.gate == Some(number as u8) {
        ", gate closed"
    } else {
        ""
    };
    format!("{} serve{change}{recovery}{gate}", serving.concat())
}

fn told(state: &State) -> String {
    let told = state.ledger.iter().map(|(base, told)| {
        let made = match told.made {
            Answered::No => "not made",
            Answered::Unclear => "perhaps made",
            Answered::Yes => "made",
        };
        let destroyed = match told.destroyed {
            Answered::No => "",
            Answered::Unclear => ", perhaps destroyed",
            Answered::Yes => ", destroyed",
        };
        format!("{base}: {made}{destroyed}")
    });
    told.collect::<Vec<_>>().join("; ")
}
