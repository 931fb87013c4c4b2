//! What `everslot-model scripts` writes of objects, as `model/src/objects/script.rs` has it.

use std::path::{Path, PathBuf};

use everslot_core::{Copies, MemberId};
use serde::Deserialize;
use serde_json::Value;

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

/// A run to one witness.
pub(super) struct Script {
    pub(super) witness: String,
    pub(super) steps: Vec<Step>,
}

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

/// The scripts of all scenarios.
pub(super) fn all() -> Vec<(Setting, Vec<Script>)> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/witnesses/objects");
    let entries = std::fs::read_dir(&directory).expect("the scripts are there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> (Setting, Vec<Script>) {
    let text = std::fs::read_to_string(path).expect("a script can be read");
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
