//! A run of this world as the real adapter can be put through it: what happens, what is done in it, and how everybody stands after it.

use everslot_core::{Copies, MemberId, MemberSet};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateright::Model;

use super::journal::Entry;
use super::{Action, Answered, NAMES, Plan, Start, State, Thread, Wish};
use crate::scenario::Scripted;

/// A step of a script.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens.
    pub act: Action,
    /// What the machine has asked for that is done in it, if it is a machine's step.
    pub does: Option<Value>,
    /// How everybody stands then, as [`State::outline`] has it.
    pub then: String,
}

/// What the adapter has to be told of a world before anything happens in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The scenario's name.
    pub scenario: String,
    /// How many tokens there are.
    pub members: usize,
    /// What each process wishes for.
    pub wishes: Vec<Vec<Wish>>,
    /// How many members an object is to live on.
    pub copies: Copies,
    /// How it begins.
    pub start: Start,
    /// How everybody stands then.
    pub stands: String,
}

impl Scripted for Plan {
    type Setting = Setting;
    type Step = Step;

    fn as_shipped(&self) -> Self {
        Self {
            as_shipped: true,
            ..self.clone()
        }
    }

    fn setting(&self, scenario: &str) -> Setting {
        Setting {
            scenario: scenario.to_owned(),
            members: self.members,
            wishes: self.wishes.clone(),
            copies: self.copies,
            start: self.start,
            stands: self.begin().outline(),
        }
    }

    fn step(&self, before: &State, act: Action) -> Option<(Step, State)> {
        let after = self.next_state(before, act)?;
        let step = Step {
            act,
            does: before.does(act),
            then: after.outline(),
        };
        Some((step, after))
    }

    fn act(step: &Step) -> Action {
        step.act
    }
}

impl State {
    fn does(&self, act: Action) -> Option<Value> {
        let (Action::Step(process, thread)
        | Action::Lost {
            process, thread, ..
        }) = act
        else {
            return None;
        };
        let process = &self.processes[usize::from(process)];
        let of_change = |changing: &super::Changing| serde_json::to_value(changing.next);
        let asked = match (thread, &process.recovery) {
            (Thread::Change, _) => process.change.as_ref().map(of_change),
            (Thread::Recovery, Some(recovering)) => Some(match &recovering.cleaning {
                Some(cleaning) => of_change(cleaning),
                None => serde_json::to_value(recovering.next),
            }),
            (Thread::Recovery, None) => None,
        };
        let asked = asked?.expect("what a machine asks for can be written down");
        Some(plain(asked))
    }

    /// How everybody stands, in a line: the tokens, the journal unless a reconcile is to note something in it yet, who serves, and what the
    /// application was told.
    #[must_use]
    pub fn outline(&self) -> String {
        let tokens = self.members().map(|member| {
            let mut objects: Vec<_> = self.token(member).objects.iter().collect();
            objects.sort_by_key(|object| (object.base, object.revision));
            let objects = objects
                .iter()
                .map(|object| format!(" {}r{}", object.base, object.revision));
            format!("{}{}", NAMES[member.index()], objects.collect::<String>())
        });
        let serves = self.processes.iter().map(|process| names(process.serving));
        let has_notes = self.recoveries().next().is_some();
        format!(
            "{}; journal{}; serve {}; told{}",
            tokens.collect::<Vec<_>>().join(", "),
            if has_notes {
                " …".to_owned()
            } else {
                self.recorded()
            },
            serves.collect::<Vec<_>>().join("|"),
            self.answers(),
        )
    }

    fn recorded(&self) -> String {
        let entries = self.journal.entries.iter();
        let live = entries.filter(|(_, entry)| !entry.is_destroyed);
        let entries = live.map(|(key, entry)| {
            let revision = entry.revision.0;
            format!(" {}r{revision} at {}", key.0[0], holders(entry))
        });
        let mut intents: Vec<_> = self
            .journal
            .intents
            .values()
            .map(|open| {
                let left = if open.owner.is_none() { " left" } else { "" };
                let members = names(open.intent.members);
                format!("{left} {:?} intent at {members}", open.intent.kind)
            })
            .collect();
        intents.sort();
        entries.chain(intents).collect()
    }

    fn answers(&self) -> String {
        let told = |word: &str, is_told: fn(&super::Told) -> bool| {
            let told = self.ledger.iter().filter(|(_, told)| is_told(told));
            told.map(|(base, _)| format!(" {base} {word}"))
                .collect::<String>()
        };
        told("made", |told| told.made == Answered::Yes)
            + &told("destroyed", |told| told.destroyed == Answered::Yes)
    }
}

/// Who has an object, in capitals if as the group has it.
fn holders(entry: &Entry) -> String {
    let holders = entry.rows.iter().map(|(member, has)| {
        let name = NAMES[member.index()];
        if *has == Some(entry.revision) {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    });
    holders.collect()
}

fn names(members: MemberSet) -> String {
    let name = |member: MemberId| NAMES[member.index()];
    members.into_iter().map(name).collect()
}

/// Without what is another thing in the adapter: marks, hashes, and how far a walk is; of an object only the base.
fn plain(asked: Value) -> Value {
    match asked {
        Value::Object(fields) => {
            let hidden = ["mark", "after", "since", "upto", "revision", "instead_of"];
            let fields = fields
                .into_iter()
                .filter(|(name, _)| !hidden.contains(&name.as_str()));
            let fields = fields.map(|(name, value)| match (name.as_str(), value) {
                ("key", Value::Array(bytes)) => {
                    (name, bytes.into_iter().next().unwrap_or_default())
                }
                (_, value) => (name, plain(value)),
            });
            Value::Object(fields.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::catalogue::of_objects;
    use crate::scenario::checked_in;

    #[test]
    fn the_scripts_that_the_adapter_is_put_through_are_runs_to_all_witnesses() {
        checked_in::are_runs_to_all_witnesses("objects/", &of_objects());
    }

    #[test]
    fn a_script_with_anything_altered_is_found_out() {
        let cases = of_objects();
        let case = cases.iter().find(|case| case.name == "update");
        checked_in::are_found_out_when_altered(
            "objects/",
            case.expect("a scenario"),
            |setting| setting.members += 1,
            |step| step.does = Some(Value::from("another thing")),
        );
    }
}
