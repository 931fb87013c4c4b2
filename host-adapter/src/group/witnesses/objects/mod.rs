//! The witnesses of the model's world of objects, played against the real adapter.
//!
//! The tokens keep their objects in memory, everything else is the adapter's own: the virtual slot, the group with its recovery, the journal in SQLite,
//! the gate and the claims. A change waits before each deed that the core's machine asks for, and so does a reconcile, until the script says that it goes
//! on; what it then does must be what the model has it do, and after each step everybody must stand as in the model.

mod application;
mod by_hand;
mod outline;
mod player;
mod script;
mod stage;
mod store;
mod world;

pub(crate) use stage::{Asked, before, hold, notice};
pub(super) use store::{Doom, Store};

use std::path::Path;

use super::lines;
use player::Player;
use script::{Setting, Step};

#[test]
fn objects_fare_as_the_model_says() {
    let scenarios = lines::all::<Setting, Step>("objects");
    let play = |setting: &Setting, directory: &Path, steps: &[Step]| {
        Player::new(setting, directory).play(steps)
    };
    lines::play_all(&scenarios, |setting| &setting.scenario, play);
}
