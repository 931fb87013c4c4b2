//! `make faults`: a loss at every request of a creation, an update, a destruction and a reconcile.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use everslot_tests::faults::{Campaign, Fault, Outcome, Scenario, Tally, application, look};

/// Tries every point out; exits with 1 if anything is wrong at any of them.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Only these scenarios.
    #[arg(long, value_enum)]
    scenario: Vec<Scenario>,
    /// Every so manieth point only; a number that shares no factor with 6 meets every kind of loss.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Points at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Keep the tokens and the journal of points at which something is wrong.
    #[arg(long)]
    keep: bool,
}

/// What the processes that it starts do.
#[derive(Subcommand)]
enum Part {
    /// Make the objects that every scenario begins with.
    #[command(hide = true)]
    Furnish,
    /// Make the change of a scenario.
    #[command(hide = true)]
    Change {
        #[arg(value_enum)]
        scenario: Scenario,
        #[arg(long)]
        directory: PathBuf,
        #[arg(long)]
        serving: usize,
    },
    /// Look at each token.
    #[command(hide = true)]
    Look { directory: PathBuf },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.part {
        None => return all(&arguments),
        Some(Part::Furnish) => application::furnish(),
        Some(Part::Change {
            scenario,
            directory,
            serving,
        }) => application::change(directory, &directory.join("ledger"), *scenario, *serving),
        Some(Part::Look { directory }) => println!("{}", look::print(directory)),
    }
    ExitCode::SUCCESS
}

fn all(arguments: &Arguments) -> ExitCode {
    let furnished = Campaign::furnished();
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "SCENARIO",
        "REQUESTS",
        "POINTS",
        "TRIED",
        "NOT REACHED",
        "REFUSED",
        "LOST",
        "BACK",
        "TWINS",
        "LEFT OVER",
        "APART",
        "ANSWER",
        "SECONDS",
    ]);
    let (mut sum, mut failed) = (Tally::default(), false);
    for scenario in chosen(arguments) {
        let start = Instant::now();
        let campaign = match Campaign::new(scenario, &furnished) {
            Ok(campaign) => campaign,
            Err(error) => {
                eprintln!("{error}");
                failed = true;
                continue;
            }
        };
        let points = campaign.faults();
        let some: Vec<Fault> = points.iter().copied().step_by(arguments.every).collect();
        let tell = |fault: &Fault, outcome: &Outcome| tell(scenario, fault, outcome);
        let tally = campaign.run(&some, arguments.jobs, arguments.keep, &tell);
        let requests = campaign.counts().map(|count| count.to_string()).join("+");
        let begin = [format!("{scenario:?}"), requests, points.len().to_string()];
        table.add_row(row(begin, &tally, start));
        sum += tally;
    }
    println!("{table}");
    println!(
        "points tried {}, lost {}, back {}, twins {}",
        sum.tried, sum.wrong[0], sum.wrong[1], sum.wrong[2]
    );
    if sum.is_right() && !failed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn chosen(arguments: &Arguments) -> Vec<Scenario> {
    if arguments.scenario.is_empty() {
        Scenario::ALL.to_vec()
    } else {
        arguments.scenario.clone()
    }
}

fn row(begin: [String; 3], tally: &Tally, start: Instant) -> Vec<String> {
    let counts = [tally.tried, tally.not_reached, tally.refused];
    let counts = counts.iter().chain(&tally.wrong).map(usize::to_string);
    let seconds = start.elapsed().as_secs().to_string();
    begin.into_iter().chain(counts).chain([seconds]).collect()
}

fn tell(scenario: Scenario, fault: &Fault, outcome: &Outcome) {
    for violation in &outcome.violations {
        println!(
            "{scenario:?}, {fault}: told {:?}: {violation}",
            outcome.answer
        );
    }
    if let Some(kept) = &outcome.kept {
        println!("  kept in {}", kept.display());
    }
}
