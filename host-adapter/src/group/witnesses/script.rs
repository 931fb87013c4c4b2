//! What `everslot-model scripts` writes, as `model/src/world/script.rs` has it.

use std::path::PathBuf;

use everslot_core::{Attempts, MemberId, Replayable, Role, Rv};
use serde::Deserialize;

use super::MEMBERS;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    World(Setting),
    Witness(String),
    Farthest(String),
    Beyond(#[expect(dead_code, reason = "it cannot be played")] String),
    Step(Step),
}

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

/// A run to one witness.
pub(super) struct Script {
    pub(super) witness: String,
    pub(super) steps: Vec<Step>,
}

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

/// The scripts of all scenarios.
pub(super) fn all() -> Vec<(Setting, Vec<Script>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/witnesses");
    let entries = std::fs::read_dir(&directory).expect("the scripts are there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> (Setting, Vec<Script>) {
    let text = std::fs::read_to_string(&path).expect("a script can be read");
    let mut setting = None;
    let mut scripts: Vec<Script> = Vec::new();
    for line in text.lines() {
        let line = serde_json::from_str(line);
        match line.unwrap_or_else(|error| panic!("{}: {error}", path.display())) {
            Line::World(world) => setting = Some(world),
            Line::Witness(witness) | Line::Farthest(witness) => scripts.push(Script {
                witness,
                steps: Vec::new(),
            }),
            Line::Beyond(_) => {}
            Line::Step(step) => scripts.last_mut().expect("a witness").steps.push(step),
        }
    }
    (setting.expect("a world"), scripts)
}
