//! `make random-objects`: objects made, changed and destroyed at random while members are killed, taken away and brought back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use everslot_tests::faults::judge::Wrong;
use everslot_tests::random_objects::{Report, run};

/// Does random steps on three SoftHSM tokens for each seed; exits with 1 if an acknowledged object is lost, a destroyed one is back, one is
/// there twice, or the members differ.
#[derive(Parser)]
struct Arguments {
    /// Only these seeds; else 1 to 10.
    #[arg(long)]
    seed: Vec<u64>,
    /// Steps of each seed.
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// Say each step on standard error.
    #[arg(long)]
    verbose: bool,
    /// Put the traces of a seed, and its journal, into a directory of its number in this one.
    #[arg(long)]
    traces: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = if arguments.seed.is_empty() {
        (1..=10).collect()
    } else {
        arguments.seed
    };
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header([
        "SEED",
        "STEPS",
        "DONE",
        "REFUSED",
        "LOST",
        "BACK",
        "TWINS",
        "LEFT OVER",
        "APART",
        "ANSWER",
        "TORN",
        "SECONDS",
    ]);
    let mut is_right = true;
    for seed in seeds {
        let start = Instant::now();
        let traces = arguments
            .traces
            .as_ref()
            .map(|all| all.join(seed.to_string()));
        if let Some(traces) = &traces {
            std::fs::create_dir_all(traces).expect("the directory for traces can be made");
        }
        let report = run(seed, arguments.steps, arguments.verbose, traces.as_deref());
        for violation in &report.violations {
            println!("seed {seed}: {violation}");
        }
        is_right &= report.violations.is_empty();
        let row = row(seed, &report, start);
        println!("{}", row.join(" "));
        table.add_row(row);
    }
    println!("{table}");
    if is_right {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn row(seed: u64, report: &Report, start: Instant) -> Vec<String> {
    let begin = [seed.to_string()];
    let steps = [report.steps, report.done, report.refused];
    let wrong = Wrong::ALL.map(|wrong| report.count(wrong));
    let counts = steps.into_iter().chain(wrong).chain([report.torn]);
    let counts = counts.map(|count| count.to_string());
    let seconds = [start.elapsed().as_secs().to_string()];
    begin.into_iter().chain(counts).chain(seconds).collect()
}
