//! The model's witnesses, played against the real adapter.
//!
//! The model's world has the core's machines and a model of the adapter around them. Here the adapter itself stands in that place, from
//! the virtual slot's sessions down to the members' links: a script that the model has written says which thread goes on when, what each
//! member answers and what time it is, and after each step everybody must stand as in the model, and each call must have the same answer.

mod application;
pub(crate) mod objects;
mod outline;
mod player;
mod script;
mod stops;
mod token;
mod world;

pub(super) use stops::{Point, Stops};

use super::GroupDriver;
use player::Player;
use script::{Script, Setting};

/// Members in the model's world.
const MEMBERS: usize = 3;

impl GroupDriver {
    /// Waits until the script says that this thread goes on.
    pub(super) fn pause(&self, point: Point) {
        if let Some(stops) = &self.stops {
            stops.pause(point);
        }
    }
}

fn play(setting: &Setting, script: &Script) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a directory");
    Player::new(setting, directory.path()).play(&script.steps)
}

#[test]
fn the_adapter_does_what_the_model_says() {
    let mut differ = Vec::new();
    let mut played = 0;
    for (setting, scripts) in script::all() {
        for script in scripts {
            played += 1;
            if let Err(why) = play(&setting, &script) {
                differ.push(format!("{}: {}: {why}", setting.scenario, script.witness));
            }
        }
    }
    assert!(
        differ.is_empty(),
        "{} of {played}:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
