//! The search itself.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use stateright::{Checker, Expectation, Model, Property};

use crate::graph::Graph;
use crate::timeline::{Story, Timeline};

use super::asked::{Alone, Together};
use super::{Case, Failure, Fair, Outcome, Scenario, Size, number};

pub(super) fn check<M>(case: &Case<M>, exact: bool) -> Outcome
where
    M: Story + Fair + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let began = Instant::now();
    let explored = explore(&case.model, TIMES_TOO_BIG * case.size.unique);
    let size = explored.size;
    let mut failures = unfounded(&case.model.properties());
    failures.append(&mut wrong(case, &explored));
    if (exact || !case.liveness.is_empty()) && failures.iter().all(|failure| !ends_it(failure)) {
        failures.append(&mut put_off(case, size));
    }
    Outcome {
        scenario: case.name,
        size,
        properties: case.properties(),
        witnesses: count(&case.model.properties(), &Expectation::Sometimes),
        failures,
        took: began.elapsed(),
    }
}

pub(super) fn witnesses<M>(case: &Case<M>) -> Vec<(String, String)>
where
    M: Story + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    case.model
        .properties()
        .into_iter()
        .filter(|property| property.expectation == Expectation::Sometimes)
        .map(|property| {
            let told = shortest(&case.model, property.name)
                .map_or_else(|| "never seen".to_owned(), |run| run.to_string());
            (property.name.to_owned(), told)
        })
        .collect()
}

/// What would make a verdict worthless before any search.
fn unfounded<M: Model>(properties: &[Property<M>]) -> Vec<Failure> {
    let mut failures: Vec<Failure> = properties
        .iter()
        .filter(|property| property.expectation == Expectation::Always)
        .filter(|safety| {
            !properties.iter().any(|witness| {
                witness.expectation == Expectation::Sometimes
                    && number(witness.name) == number(safety.name)
            })
        })
        .map(|property| Failure::NoWitness {
            property: property.name.to_owned(),
        })
        .collect();
    if count(properties, &Expectation::Always) == 0 {
        failures.push(Failure::NothingToHold);
    }
    failures
}

fn count<M: Model>(properties: &[Property<M>], expectation: &Expectation) -> usize {
    properties
        .iter()
        .filter(|property| property.expectation == *expectation)
        .count()
}

/// A world so many times as big as it is written down is taken to be endless.
const TIMES_TOO_BIG: usize = 8;

/// What a search has seen.
pub(crate) struct Explored {
    /// How much.
    pub(crate) size: Size,
    /// The properties that no state has decided: an `always` that none breaks, a `sometimes` that none shows.
    pub(crate) undecided: Vec<&'static str>,
    /// Whether that was not all.
    pub(crate) is_cut_off: bool,
}

/// Visits every state there is, unless there are more than `most`.
pub(crate) fn explore<M>(model: &M, most: usize) -> Explored
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let checker = Together::new(model, most).checker().spawn_bfs().join();
    Explored {
        size: Size {
            unique: checker.unique_state_count(),
            generated: checker.state_count(),
            depth: checker.max_depth(),
        },
        undecided: checker.model().undecided(),
        is_cut_off: checker.model().is_too_big(),
    }
}

/// What a search has found wrong. Each violated property is searched for again, alone: only so is the run to it the
/// shortest.
fn wrong<M>(case: &Case<M>, explored: &Explored) -> Vec<Failure>
where
    M: Story + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let properties = case.model.properties().into_iter();
    let mut failures: Vec<Failure> = properties
        .filter_map(|property| {
            let decided = !explored.undecided.contains(&property.name);
            let name = property.name.to_owned();
            match property.expectation {
                Expectation::Always => decided.then(|| Failure::Violated {
                    timeline: shortest(&case.model, property.name)
                        .expect("what was violated once is violated again"),
                    property: name,
                }),
                Expectation::Sometimes => (!decided && !explored.is_cut_off)
                    .then_some(Failure::NeverSeen { property: name }),
                Expectation::Eventually => {
                    unreachable!("stateright's eventually is unsound: state a Liveness instead")
                }
            }
        })
        .collect();
    let expected = case.size;
    if explored.is_cut_off {
        failures.push(Failure::TooBig { expected });
    } else if failures.is_empty() && explored.size != expected {
        let found = explored.size;
        failures.push(Failure::OtherSize { expected, found });
    }
    failures
}

/// Whether there is no point in asking about endless runs as well.
fn ends_it(failure: &Failure) -> bool {
    match failure {
        Failure::Violated { .. } | Failure::TooBig { .. } => true,
        Failure::PutOffForEver { .. }
        | Failure::NeverSeen { .. }
        | Failure::NoWitness { .. }
        | Failure::NothingToHold
        | Failure::OtherSize { .. }
        | Failure::CountsDiffer { .. } => false,
    }
}

fn put_off<M>(case: &Case<M>, size: Size) -> Vec<Failure>
where
    M: Story + Fair,
    M::State: Clone + Eq + Hash,
    M::Action: Clone,
{
    let graph = Graph::explore(&case.model, |state, action| {
        case.model.serves(state, action)
    });
    let mut failures = Vec::new();
    if graph.len() != size.unique {
        failures.push(Failure::CountsDiffer {
            stateright: size.unique,
            graph: graph.len(),
        });
    }
    for live in &case.liveness {
        let run = graph.fair_cycle(live.assumed, |state| (live.waiting)(&case.model, state));
        failures.extend(run.map(|run| Failure::PutOffForEver {
            property: live.name.clone(),
            timeline: Timeline::of_cycle(&case.model, &run),
        }));
    }
    failures
}

/// A shortest run to where `property` is found, or `None` if it never is.
pub(crate) fn shortest<M>(model: &M, property: &str) -> Option<Timeline>
where
    M: Story + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq,
{
    let property = model
        .properties()
        .into_iter()
        .find(|candidate| candidate.name == property)
        .expect("a property of this model");
    let name = property.name;
    let run = Alone::new(model, property)
        .checker()
        .spawn_bfs()
        .join()
        .discovery(name)?;
    Some(Timeline::of_states(model, &run.into_states()))
}
