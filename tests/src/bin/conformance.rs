//! `make conformance`: other people's test suites against everslot and against the bare member.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use everslot_tests::Artifact;
use everslot_tests::conformance::{self, Category, Choice, Situation, Suite};

/// Runs other people's test suites against the bare member and against everslot, and prints which cases either fails.
///
/// Exits with 1 when everslot fails a case that the bare member does not. Everything takes about half an hour.
#[derive(Parser)]
struct Arguments {
    /// Only this suite; may be given more than once.
    #[arg(long)]
    suite: Vec<Suite>,
    /// Only this category of pkcs11-check; may be given more than once.
    #[arg(long)]
    category: Vec<Category>,
    /// Only this situation; may be given more than once.
    #[arg(long)]
    situation: Vec<Situation>,
    /// everslot's module; else the one that was built with this program.
    #[arg(long)]
    module: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let met = conformance::run(&Choice {
        module: arguments.module.unwrap_or_else(|| Artifact::Module.path()),
        suites: or_all(arguments.suite),
        categories: or_all(arguments.category),
        situations: or_all(arguments.situation),
    });
    if met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn or_all<T: ValueEnum + Clone>(chosen: Vec<T>) -> Vec<T> {
    if chosen.is_empty() {
        T::value_variants().to_vec()
    } else {
        chosen
    }
}
