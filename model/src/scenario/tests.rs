use stateright::{Model, Property};

use super::{Case, Failure, Fair, Liveness, Scenario, Size};
use crate::graph::Fairness;
use crate::timeline::Story;

/// Counts up to 5 and starts again; what is asked of it is a parameter.
#[derive(Clone)]
struct Counter {
    properties: fn() -> Vec<Property<Self>>,
}

impl Model for Counter {
    type State = u8;
    type Action = u8;

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, _: &u8, actions: &mut Vec<u8>) {
        actions.extend([1, 2]);
    }

    fn next_state(&self, state: &u8, by: u8) -> Option<u8> {
        Some((state + by) % 6)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}

impl Fair for Counter {
    fn serves(&self, _: &u8, _: &u8) -> Fairness {
        Fairness::kind(0)
    }
}

impl Story for Counter {
    fn columns(&self) -> Vec<String> {
        vec!["count".to_owned()]
    }

    fn cells(&self, state: &u8) -> Vec<String> {
        vec![state.to_string()]
    }

    fn tell(&self, _: &u8, by: &u8, _: &u8) -> String {
        format!("add {by}")
    }

    fn seconds(&self, _: &u8) -> u64 {
        30
    }
}

const SIZE: Size = Size {
    unique: 6,
    generated: 13,
    depth: 4,
};

fn case(properties: fn() -> Vec<Property<Counter>>) -> Case<Counter> {
    Case {
        name: "counter",
        about: "counts",
        model: Counter { properties },
        size: SIZE,
        liveness: Vec::new(),
    }
}

fn small() -> Vec<Property<Counter>> {
    vec![
        Property::always("S1 small", |_, &count| count < 6),
        Property::sometimes("S1 seen: 5", |_, &count| count == 5),
    ]
}

#[test]
fn what_holds_is_counted_exactly() {
    let outcome = case(small).check(false);
    assert!(outcome.holds(), "{:?}", outcome.failures);
    assert_eq!((outcome.size, outcome.witnesses), (SIZE, 1));
}

#[test]
fn another_size_is_a_failure() {
    let mut case = case(small);
    case.size.generated += 1;
    assert!(matches!(
        case.check(false).failures[..],
        [Failure::OtherSize { .. }]
    ));
}

#[test]
fn a_world_without_end_is_given_up_and_fails() {
    let mut case = case(small);
    case.size.unique = 0;
    assert!(matches!(
        case.check(false).failures[..],
        [Failure::TooBig { .. }]
    ));
}

#[test]
fn a_property_without_a_witness_is_a_failure() {
    let case = case(|| vec![Property::always("S1 small", |_, &count| count < 6)]);
    assert!(matches!(
        case.check(false).failures[..],
        [Failure::NoWitness { .. }]
    ));
}

#[test]
fn a_witness_never_seen_is_a_failure() {
    let case = case(|| {
        let mut properties = small();
        properties.push(Property::sometimes("S1 seen: 6", |_, &count| count == 6));
        properties
    });
    assert!(matches!(
        case.check(false).failures[..],
        [Failure::NeverSeen { .. }]
    ));
}

#[test]
fn witnesses_alone_prove_nothing() {
    let case = case(|| vec![Property::sometimes("S1 seen: 5", |_, &count| count == 5)]);
    let failures = case.check(false).failures;
    assert!(
        matches!(failures[0], Failure::NothingToHold),
        "{failures:?}"
    );
}

#[test]
fn the_run_to_a_violation_is_the_shortest_although_other_properties_are_open() {
    let case = case(|| {
        let mut properties = small();
        properties.push(Property::always("S2 never 4", |_, &count| count != 4));
        properties.push(Property::sometimes("S2 seen: 3", |_, &count| count == 3));
        properties
    });
    let failures = case.check(false).failures;
    let [Failure::Violated { property, timeline }] = &failures[..] else {
        panic!("one violation: {failures:?}");
    };
    assert_eq!((property.as_str(), timeline.steps()), ("S2 never 4", 2));
    let told = timeline.to_string();
    assert!(told.contains("0:30  add 2          2"), "{told}");
    assert!(told.contains("1:00  add 2          4"), "{told}");
}

#[test]
fn what_is_put_off_for_ever_is_told_as_a_cycle() {
    let mut case = case(small);
    case.liveness.push(Liveness {
        name: "L1 reaches 3".to_owned(),
        assumed: Fairness::kind(0),
        waiting: Box::new(|_, &count| count != 3),
    });
    let failures = case.check(false).failures;
    let [Failure::PutOffForEver { timeline, .. }] = &failures[..] else {
        panic!("a cycle round 3: {failures:?}");
    };
    assert!(timeline.to_string().contains("over and over"), "{timeline}");
}

#[test]
fn the_numbers_of_the_properties_come_sorted() {
    assert_eq!(case(small).properties(), ["S1"]);
}
