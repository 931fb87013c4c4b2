//! `make bench`: what everslot costs over the bare member, beside p11-kit's proxy and client.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use everslot_tests::bench::{self, Effort};

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
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Worker { module, label, pin }) = &arguments.command {
        bench::worker::serve(module, label, pin);
        return ExitCode::SUCCESS;
    }
    let met = bench::run(Effort {
        rounds: arguments.rounds.max(1),
        turn: Duration::from_millis(arguments.turn),
    });
    if met || !arguments.check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
