//! Drives the C functions of everslot with arbitrary sequences of calls and arguments, against members of every kind.
//!
//! Each sequence comes from a seed and may do whatever an application may: handles that are good, stale or made up, pointers that are null,
//! lengths that are true or that no memory has, mechanisms and templates of all kinds, calls in any order. After each one a fresh session
//! signs, and no member has been lost; after some hundred the library ends and begins again.
//!
//! The sequences run in processes of their own, one for each kind of member, so that a crash or a hang is found and told with its seed.

mod calls;
mod choice;
mod mechanism;
mod memory;
mod progress;
mod supervisor;
mod template;
mod worker;
mod world;

// The C functions that are driven.
use everslot as _;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// What the members are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Members {
    /// The test module, each in a host.
    HostedTest,
    /// The test module, in the application.
    InProcessTest,
    /// SoftHSM, each in a host.
    HostedSoftHsm,
}

impl Members {
    const ALL: [Self; 3] = [Self::HostedTest, Self::InProcessTest, Self::HostedSoftHsm];
}

/// Drives the C functions of everslot with arbitrary sequences of calls and arguments.
#[derive(Debug, Parser)]
struct Arguments {
    /// For how long, in seconds, over all kinds of members.
    #[arg(long, default_value_t = 60, overrides_with = "seconds")]
    seconds: u64,
    /// Begin with this seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only against these members.
    #[arg(long, value_enum)]
    members: Option<Members>,
    /// Run just this many sequences.
    #[arg(long)]
    sequences: Option<u64>,
    /// The process that drives: where it says how far it is.
    #[arg(long, hide = true)]
    progress: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match (&arguments.progress, arguments.members) {
        (Some(progress), Some(members)) => worker::run(&arguments, members, progress),
        _ => supervisor::run(&arguments),
    }
}
