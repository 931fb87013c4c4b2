//! The model's witnesses, played against the real adapter.
//!
//! The model's world has the core's machines and a model of the adapter around them. Here the adapter itself stands in that place, from
//! the virtual slot's sessions down to the members' links: a script that the model has written says which thread goes on when, what each
//! member answers and what time it is, and after each step everybody must stand as in the model, and each call must have the same answer.

mod application;
mod lines;
pub(crate) mod objects;
mod outline;
mod player;
mod script;
mod stops;
mod token;
mod world;

pub(super) use stops::{Point, Stops};

use std::path::Path;

use super::GroupDriver;
use player::Player;
use script::{Setting, Step};

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

#[test]
fn the_adapter_does_what_the_model_says() {
    let scenarios = lines::all::<Setting, Step>("");
    let play = |setting: &Setting, directory: &Path, steps: &[Step]| {
        Player::new(setting, directory).play(steps)
    };
    lines::play_all(&scenarios, |setting| &setting.scenario, play);
}
