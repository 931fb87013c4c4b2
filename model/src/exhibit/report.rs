//! What each library makes of each promise.

use crate::graph::Graph;
use crate::scenario::{Fair, explore, shortest};
use crate::timeline::Timeline;
use stateright::{Expectation, Model};

use super::library::Library;
use super::scene::{Scene, Stage};

/// A promise, and a run that breaks it if there is one.
#[derive(Debug)]
pub struct Finding {
    /// What is promised.
    pub promise: String,
    /// The shortest run that breaks it; for a promise about the future, a run that goes on for ever.
    pub broken: Option<Timeline>,
}

/// Every promise asked of one library, over every state that it can be brought into.
#[must_use]
pub fn findings<L: Library>(library: L) -> Vec<Finding> {
    let stage = Stage { library };
    let kept = explore(&stage, usize::MAX).undecided;
    let mut findings: Vec<Finding> = stage
        .properties()
        .into_iter()
        .filter(|property| property.expectation == Expectation::Always)
        .map(|property| Finding {
            promise: property.name.to_owned(),
            broken: if kept.contains(&property.name) {
                None
            } else {
                shortest(&stage, property.name)
            },
        })
        .collect();
    let graph = Graph::explore(&stage, |scene: &Scene<L>, event| stage.serves(scene, event));
    findings.extend(Stage::<L>::comes_back().into_iter().map(|live| {
        let run = graph.fair_cycle(live.assumed, |scene| (live.waiting)(&stage, scene));
        Finding {
            promise: live.name,
            broken: run.map(|run| Timeline::of_cycle(&stage, &run)),
        }
    }));
    findings
}
