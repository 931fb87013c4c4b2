//! Searching many scenarios, and the table of what came of it.

use std::sync::Mutex;
use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use crate::scenario::{Outcome, Scenario};

/// Searches all of them on so many threads, the biggest first; `done` is told of each as it ends. `exact` counts the
/// states of each once more, see [`Scenario::check`].
///
/// The outcomes come in the order of the scenarios. A search is one thread's work: stateright's own threads share it
/// badly, and with one thread the depth is exact.
pub fn search(
    scenarios: &[Box<dyn Scenario>],
    threads: usize,
    exact: bool,
    done: impl Fn(&Outcome) + Sync,
) -> Vec<Outcome> {
    let mut pending: Vec<usize> = (0..scenarios.len()).collect();
    pending.sort_by_key(|&nth| scenarios[nth].size().unique);
    let pending = Mutex::new(pending);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(nth) = taken(&pending) {
                    let outcome = scenarios[nth].check(exact);
                    done(&outcome);
                    found.lock().expect("no search panics").push((nth, outcome));
                }
            });
        }
    });
    let mut found = found.into_inner().expect("no search panics");
    found.sort_by_key(|(nth, _)| *nth);
    found.into_iter().map(|(_, outcome)| outcome).collect()
}

fn taken(pending: &Mutex<Vec<usize>>) -> Option<usize> {
    pending.lock().expect("no search panics").pop()
}

/// A row for each search.
#[must_use]
pub fn table(outcomes: &[Outcome]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header([
            "scenario",
            "unique states",
            "depth",
            "properties",
            "verdict",
            "seconds",
        ]);
    for outcome in outcomes {
        table.add_row(row(outcome));
    }
    let unique: usize = outcomes.iter().map(|outcome| outcome.size.unique).sum();
    table.add_row([Cell::new("all"), number(unique)]);
    table.trim_fmt()
}

/// What it took: states, seconds, states a second, and memory where the system tells.
#[must_use]
pub fn effort(outcomes: &[Outcome], took: Duration) -> String {
    let unique: usize = outcomes.iter().map(|outcome| outcome.size.unique).sum();
    let seconds = took.as_secs_f64();
    let rate = spaced((unique as f64 / seconds) as usize);
    let told = format!(
        "{} unique states in {seconds:.1} s: {rate} a second",
        spaced(unique)
    );
    match memory() {
        Some(mebibytes) => format!("{told}, at most {} MiB of memory", spaced(mebibytes)),
        None => told,
    }
}

/// The most memory that this process has had, in MiB, where there is a `/proc`.
fn memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1024)
}

fn row(outcome: &Outcome) -> Vec<Cell> {
    let verdict = if outcome.holds() {
        format!("holds, {} witnesses", outcome.witnesses)
    } else {
        "FAILS".to_owned()
    };
    vec![
        Cell::new(outcome.scenario),
        number(outcome.size.unique),
        number(outcome.size.depth),
        Cell::new(outcome.properties.join(" ")),
        Cell::new(verdict),
        right(format!("{:.1}", outcome.took.as_secs_f64())),
    ]
}

fn number(number: usize) -> Cell {
    right(spaced(number))
}

/// A number with its thousands apart.
fn spaced(number: usize) -> String {
    let digits = number.to_string();
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// All scenarios, what they are about, and what they are asked.
#[must_use]
pub fn list(scenarios: &[Box<dyn Scenario>]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["scenario", "unique states", "properties", "what happens"]);
    for scenario in scenarios {
        table.add_row([
            Cell::new(scenario.name()),
            number(scenario.size().unique),
            Cell::new(scenario.properties().join(" ")),
            Cell::new(scenario.about()),
        ]);
    }
    table.trim_fmt()
}
