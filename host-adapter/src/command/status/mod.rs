//! `everslot status`

mod report;
mod table;

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{Outcome, output};
use report::Report;

const EXAMPLES: &str = "\
Examples:
  everslot status
  everslot status --watch
  everslot status --json | jq '.processes[].groups[].members[] | {name, state}'

What is shown is what each running application knows. Where none runs, everslot looks for the tokens itself, without logging in.
CK_RV is what HA status has always shown: CKR_DEVICE_ERROR at the first look after a loss, CKR_TOKEN_NOT_PRESENT at each later one.
Ends with 2 when a group has no member that serves, with 1 when something could not be seen.";

/// Show the members, as the running applications see them
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// JSON instead of a table; with --watch one line each time
    #[arg(long)]
    json: bool,
    /// Show it again and again until interrupted
    #[arg(long)]
    watch: bool,
    /// How often, with --watch
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    every: Duration,
    /// Look for the tokens without asking the running applications
    #[arg(long)]
    probe: bool,
    /// The same for the tokens of another configuration than the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    if !arguments.watch {
        return show(arguments, "");
    }
    // Over the earlier picture: cursor home, then clear what follows.
    let before = if stdout().is_terminal() && !arguments.json {
        "\x1b[H\x1b[J"
    } else {
        ""
    };
    loop {
        show(arguments, before)?;
        std::thread::sleep(arguments.every);
    }
}

fn show(arguments: &Arguments, before: &str) -> Outcome {
    let report = report(arguments)?;
    let text = match (arguments.json, arguments.watch) {
        (true, true) => serde_json::to_string(&report)? + "\n",
        (true, false) => serde_json::to_string_pretty(&report)? + "\n",
        (false, _) => table::text(&report),
    };
    output::print(&format!("{before}{text}"))?;
    if !arguments.json {
        report
            .problems
            .iter()
            .for_each(|problem| output::warn(problem));
    }
    Ok(match (report.can_serve(), report.problems.is_empty()) {
        (false, _) => ExitCode::from(2),
        (true, false) => ExitCode::FAILURE,
        (true, true) => ExitCode::SUCCESS,
    })
}

fn report(arguments: &Arguments) -> Result<Report, Box<dyn std::error::Error>> {
    let applications = if arguments.probe || arguments.config.is_some() {
        None
    } else {
        Report::of_applications()
    };
    match applications {
        Some(report) => Ok(report),
        None => Report::of_probe(arguments.config.as_deref()),
    }
}
