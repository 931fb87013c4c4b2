//! `make bench`: what everslot costs over the bare member, beside p11-kit's proxy and client.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use everslot_tests::bench::{self, Effort, Workload};

/// Measures what everslot costs over the bare member, beside p11-kit's proxy and client.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// How often every way takes its turn.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// Milliseconds of one turn at one workload.
    #[arg(long, default_value_t = 40)]
    turn: u64,
    /// Only count instructions, for which the machine need not be quiet.
    #[arg(long)]
    instructions: bool,
    /// Exit with 1 when a floor is missed.
    #[arg(long)]
    check: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Measures one way, as told over standard input; the benchmark starts it for itself.
    #[command(hide = true)]
    Worker {
        module: PathBuf,
        label: String,
        pin: String,
    },
    /// Goes one way again and again; the benchmark starts it for itself, under valgrind.
    #[command(hide = true)]
    Repeat {
        module: PathBuf,
        label: String,
        pin: String,
        workload: Workload,
        times: u32,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.command {
        Some(Command::Worker { module, label, pin }) => {
            bench::worker::serve(module, label, pin);
            return ExitCode::SUCCESS;
        }
        Some(Command::Repeat {
            module,
            label,
            pin,
            workload,
            times,
        }) => {
            bench::worker::repeat((module, label, pin), *workload, *times);
            return ExitCode::SUCCESS;
        }
        None => {}
    }
    let met = if arguments.instructions {
        bench::count()
    } else {
        bench::run(Effort {
            rounds: arguments.rounds.max(1),
            turn: Duration::from_millis(arguments.turn),
        })
    };
    if met || !arguments.check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
