//! Which scenario asks which property of the design: the table in `README.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::scenario::Scenario;

/// A property of the design, what of it is the product's own code, and what is modelled around that.
struct Row {
    property: &'static str,
    shared: &'static str,
    modelled: &'static str,
}

const fn row(property: &'static str, shared: &'static str, modelled: &'static str) -> Row {
    Row {
        property,
        shared,
        modelled,
    }
}

const ROWS: [Row; 15] = [
    row("S1", "`Call`", "callers, answers, silence"),
    row(
        "S2",
        "`Group`, `Call`, `candidates`",
        "leases, tokens, callers",
    ),
    row("S3", "`Group`", "tokens, time, the operator"),
    row(
        "S4",
        "`Call`, `Work`, `repeat`, `Change`",
        "effects on tokens, lost answers, the journal",
    ),
    row("S5", "`Group`", "who reads the status, and when"),
    row("S6", "`Group`, `Call`", "leases by incarnation"),
    row("S7", "`Group`, `Call`", "logins of tokens, the application"),
    row(
        "S8",
        "`Change`, `Reconcile`, `decide`",
        "what tokens hold, the journal, crashes",
    ),
    row(
        "S9",
        "`Change`, `Reconcile`, `decide`",
        "what tokens hold, the journal, crashes",
    ),
    row(
        "S10",
        "`Call`, `Work`, `verdict`, `candidates`",
        "answers, silence, deaths",
    ),
    row(
        "S11",
        "`Group`, `Call`",
        "sessions of tokens, tasks of the adapter",
    ),
    row("S12", "`Group`, `Call`", "PINs of tokens, logins"),
    row("L1", "`Group`", "tokens, time"),
    row("L2", "`Call`, `candidates`", "answers, silence, time"),
    row(
        "L3",
        "`Change`, `Reconcile`, `decide`",
        "what tokens hold, the journal, crashes",
    ),
];

/// A row for each property: what is shared with the product, what is modelled, where it is asked and in how many states, and what shows
/// that it is not asked in vain. Markdown.
#[must_use]
pub fn coverage(scenarios: &[Box<dyn Scenario>]) -> String {
    let mut table = String::from(
        "| | shared | modelled | scenarios | unique states | seen on the way |\n|---|---|---|---|--:|---|\n",
    );
    for Row {
        property,
        shared,
        modelled,
    } in ROWS
    {
        let asking = || {
            let all = scenarios.iter().map(Box::as_ref);
            all.filter(|scenario| scenario.properties().iter().any(|asked| asked == property))
        };
        let names: Vec<String> = asking()
            .map(|scenario| format!("`{}`", scenario.name()))
            .collect();
        let states = asking().map(|scenario| scenario.size().unique).sum();
        let seen: BTreeSet<&str> = asking()
            .flat_map(|scenario| scenario.shown())
            .filter_map(|name| name.strip_prefix(property)?.strip_prefix(" seen: "))
            .collect();
        let seen: Vec<&str> = seen.into_iter().collect();
        let (names, states, seen) = (names.join(" "), thousands(states), seen.join("; "));
        // Writing to a text does not fail.
        let _ = writeln!(
            table,
            "| {property} | {shared} | {modelled} | {names} | {states} | {seen} |"
        );
    }
    table
}

/// A number with its thousands apart.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
