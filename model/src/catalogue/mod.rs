//! All scenarios: which worlds are searched, what is asked of each, and how big it is.
//!
//! One world in which everything may happen often is too big for any search. So each scenario is generous with what its
//! rules are about and sparing with the rest, and `everything` has a little of all.

mod calls;
mod large;
mod login;
mod objects;
mod recovery;

#[cfg(test)]
mod tests;

use crate::exhibit::{Core, Stage};
use crate::scenario::{Case, Scenario, Size};
use crate::world::{Budget, Plan};

/// All scenarios, in the order in which a person would read them; with the feature `large` the larger ones.
#[must_use]
pub fn all() -> Vec<Box<dyn Scenario>> {
    if cfg!(feature = "large") {
        large::all()
    } else {
        usual()
    }
}

fn usual() -> Vec<Box<dyn Scenario>> {
    let mut all: Vec<Box<dyn Scenario>> = vec![Box::new(seed())];
    for world in worlds() {
        all.push(Box::new(world));
    }
    for world in of_objects() {
        all.push(Box::new(world));
    }
    all
}

/// Those of calls, logins and recovery: what their runs show, the real adapter can be put through.
#[must_use]
pub fn worlds() -> Vec<Case<Plan>> {
    let worlds = [recovery::all(), calls::all(), login::all()];
    worlds.into_iter().flatten().collect()
}

/// Those of objects: as for [`worlds`].
#[must_use]
pub fn of_objects() -> Vec<Case<crate::objects::Plan>> {
    objects::all()
}

/// The core in the world of the exhibit, beside the pseudo-code that it grew from.
fn seed() -> Case<Stage<Core>> {
    Case {
        name: "seed",
        about: "the core in the world of the exhibit: what the seed's text promises of recovery",
        model: Stage {
            library: Core::new(),
        },
        size: size(111_676, 329_992, 46),
        liveness: Stage::comes_back(),
    }
}

const fn size(unique: usize, generated: usize, depth: usize) -> Size {
    Size {
        unique,
        generated,
        depth,
    }
}

/// Nothing happens but so many deaths of tokens, calls and time.
const fn failures(failures: u8) -> Budget {
    Budget {
        failures,
        ..Budget::QUIET
    }
}

/// A scenario without questions about endless runs.
fn world(name: &'static str, about: &'static str, model: Plan, size: Size) -> Case<Plan> {
    Case {
        name,
        about,
        model,
        size,
        liveness: Vec::new(),
    }
}

/// A scenario that also asks whether members come back and calls end, however long it takes.
fn endless(name: &'static str, about: &'static str, model: Plan, size: Size) -> Case<Plan> {
    let liveness = model
        .comes_back()
        .into_iter()
        .chain(model.calls_end())
        .collect();
    Case {
        liveness,
        ..world(name, about, model, size)
    }
}
