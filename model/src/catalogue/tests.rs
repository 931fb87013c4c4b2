use std::collections::BTreeSet;

use super::all;
use crate::coverage::thousands;
use crate::scenario::Scenario;

/// What is searched in a test rather than by `check` alone.
const SMALL: usize = 30_000;

#[test]
fn the_small_scenarios_hold_and_are_as_big_as_written_down() {
    let small: Vec<Box<dyn Scenario>> = all()
        .into_iter()
        .filter(|scenario| scenario.size().unique < SMALL)
        .collect();
    assert!(!small.is_empty());
    for scenario in small {
        let outcome = scenario.check(false);
        assert!(
            outcome.holds(),
            "{}: {:?}",
            outcome.scenario,
            outcome.failures
        );
    }
}

#[test]
fn every_property_is_asked_of_some_scenario() {
    let asked: BTreeSet<String> = all()
        .iter()
        .flat_map(|scenario| scenario.properties())
        .collect();
    let wanted = [
        "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "L1", "L2",
        "L3", "C1", "V1", "O1", "O2", "O3", "O4",
    ];
    for property in wanted {
        assert!(asked.contains(property), "nobody asks {property}");
    }
}

fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    std::fs::read_to_string(path).expect("the document is there")
}

#[test]
fn the_tables_of_scenarios_are_those_of_the_catalogue() {
    let document = document();
    let all = all();
    for scenario in &all {
        let states = thousands(scenario.size().unique);
        let row = format!("| `{}` | {states} |", scenario.name());
        assert!(document.contains(&row), "{row}");
    }
    let states = all.iter().map(|scenario| scenario.size().unique).sum();
    let together = format!(" {} states", thousands(states));
    assert!(document.contains(&together), "all have{together}");
}

#[test]
fn the_table_of_coverage_is_that_of_the_catalogue() {
    let table = crate::coverage::coverage(&all());
    assert!(
        document().contains(&table),
        "README.md has to have what `everslot-model coverage` prints:\n{table}"
    );
}

#[test]
fn names_are_unique_and_there_are_states_enough() {
    let all = all();
    let names: BTreeSet<&str> = all.iter().map(|scenario| scenario.name()).collect();
    assert_eq!(names.len(), all.len());
    assert!(
        all.iter()
            .map(|scenario| scenario.size().unique)
            .sum::<usize>()
            >= 5_000_000
    );
}
