//! `make turnover`: members join, go, are parked and change their role, again and again, while two applications use them.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use everslot_tests::turnover::{lab, turnover, work};

/// Changes a group's members under load; exits with 1 if any call fails.
#[derive(Parser)]
struct Arguments {
    /// How many changes.
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// Be one of the applications.
    #[arg(long, hide = true)]
    work: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.work {
        work();
        return ExitCode::SUCCESS;
    }
    let worker = std::env::current_exe().expect("Linux tells a program's path");
    let begun = Instant::now();
    let tell = |number: usize, change: &str| {
        let shown = change.split(",module").next().unwrap_or(change);
        println!(
            "{:>4} {:>6.1} s  {shown}",
            number + 1,
            begun.elapsed().as_secs_f64()
        );
    };
    let seen = turnover(&lab(), &worker, arguments.changes, tell);
    println!(
        "{} changes, {} calls of two processes, {} failed",
        arguments.changes,
        seen.calls,
        seen.failures.len()
    );
    seen.failures.iter().for_each(|line| println!("{line}"));
    if seen.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
