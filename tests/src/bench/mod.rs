//! What everslot costs: the same calls over several ways to the same token, in interleaved rounds.
//!
//! A module is one in a process, so each way is measured in a process of its own ([`worker`]), one at a time while the others
//! wait. What a round gives is the median of many short batches; what the report gives is the median of the rounds. So
//! whatever slows the machine for a while slows every way alike.

mod instructions;
mod path;
mod report;
pub mod worker;
mod workload;

use std::time::Duration;

use instructions::Instructions;
use path::{Member, Path, Way};
use report::Report;
use worker::Worker;
pub use workload::Workload;

/// How much to measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Effort {
    /// How often every way takes its turn.
    pub rounds: usize,
    /// How long one turn at one workload takes.
    pub turn: Duration,
}

/// Measures everything and prints the tables; whether every floor was met.
#[must_use]
pub fn run(effort: Effort) -> bool {
    println!(
        "Medians of {} interleaved rounds, 1 thread, in µs of one operation, which is one or two calls of C functions; in brackets the \
         difference to bare, of the operation and of each of its calls. The floors are for one call (hosted: one request).",
        effort.rounds
    );
    let softhsm = measure(Member::SoftHsm, effort);
    println!("\nOver SoftHSM:\n{}", softhsm.table());
    let instant = measure(Member::TestModule, effort);
    println!(
        "\nOver a member that answers at once, which shows our own cost:\n{}",
        instant.table()
    );
    let pace = softhsm.pace();
    let floors = [softhsm.floors(pace), instant.floors(pace)].concat();
    println!(
        "\nFloors, which are 1 µs a call in process and 12 µs a request hosted on a machine where SoftHSM signs in {:?}; this one takes \
         {pace:.2} times as long:",
        report::SIGNATURE_WHERE_FLOORS_WERE_SET
    );
    floors.iter().for_each(|floor| println!("{floor}"));
    count() && floors.iter().all(report::Floor::is_met)
}

/// Counts the instructions of operations, which are the same however busy the machine is; whether there are not too many.
#[must_use]
pub fn count() -> bool {
    let counts = Instructions::of_all();
    counts.iter().for_each(|count| println!("{count}"));
    counts.iter().all(Instructions::is_met)
}

fn measure(member: Member, effort: Effort) -> Report {
    let paths: Vec<Path> = Way::to(member)
        .iter()
        .map(|&way| Path::lay(member, way))
        .collect();
    let mut workers: Vec<Worker> = paths.iter().map(Path::worker).collect();
    let mut report = Report::new(member);
    for _ in 0..effort.rounds {
        for workload in Workload::ALL {
            for (path, worker) in paths.iter().zip(&mut workers) {
                report.add(path.way(), workload, worker.measure(workload, effort.turn));
            }
        }
    }
    report
}
