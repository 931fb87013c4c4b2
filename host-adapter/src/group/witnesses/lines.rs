//! The files that `everslot-model scripts` writes, as `model/src/scenario/scripts.rs` has them.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line<W, S> {
    World(W),
    Witness(String),
    Farthest(String),
    Beyond(#[expect(dead_code, reason = "it cannot be played")] String),
    Step(S),
}

/// A run to one witness.
pub(super) struct Script<S> {
    pub(super) witness: String,
    pub(super) steps: Vec<S>,
}

/// The world that a file of scripts is about, and its runs.
pub(super) type Scenario<W, S> = (W, Vec<Script<S>>);

/// The scripts of all scenarios in this directory under that of all witnesses.
pub(super) fn all<W: DeserializeOwned, S: DeserializeOwned>(
    directory: &str,
) -> Vec<Scenario<W, S>> {
    let witnesses = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/witnesses");
    let entries = std::fs::read_dir(witnesses.join(directory)).expect("the scripts are there");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<_> = paths.filter(|path| path.is_file()).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read<W: DeserializeOwned, S: DeserializeOwned>(path: &Path) -> Scenario<W, S> {
    let text = std::fs::read_to_string(path).expect("a script can be read");
    let mut setting = None;
    let mut scripts: Vec<Script<S>> = Vec::new();
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

/// Plays all of them, each in a directory of its own.
///
/// # Panics
/// The adapter differs from the model in any.
pub(super) fn play_all<W, S>(
    scenarios: &[Scenario<W, S>],
    name: impl Fn(&W) -> &str,
    play: impl Fn(&W, &Path, &[S]) -> Result<(), String>,
) {
    let mut differ = Vec::new();
    let mut played = 0;
    for (setting, scripts) in scenarios {
        for Script { witness, steps } in scripts {
            played += 1;
            let directory = tempfile::tempdir().expect("a directory");
            if let Err(why) = play(setting, directory.path(), steps) {
                differ.push(format!("{}: {witness}: {why}", name(setting)));
            }
        }
    }
    assert!(played > 0, "there is nothing to play");
    assert!(
        differ.is_empty(),
        "{} of {played}:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
