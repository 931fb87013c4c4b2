//! `everslot replay`

use std::path::PathBuf;
use std::process::ExitCode;

use super::{Outcome, output};
use crate::trace;

const EXAMPLES: &str = "\
Examples:
  everslot replay /var/tmp/signing.trace.4711
  everslot replay signing.trace.4711.1 signing.trace.4711    the file before, and the current one

A group writes a trace when its configuration has `trace = \"/var/tmp/signing.trace\"`; each process adds its id. There is no PIN, key
or attribute in it. Ends with 1 at the first line that this everslot answers otherwise, or after which one of its invariants is broken.";

/// Feed what a group was told to the same decisions again, and compare
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Files that a group has written
    #[arg(required = true, value_name = "TRACE")]
    traces: Vec<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    for path in &arguments.traces {
        let trace::Replayed {
            steps,
            calls,
            operations,
            changes,
            reconciles,
            missed,
        } = trace::replay(path)?;
        let missed = match missed {
            0 => String::new(),
            missed => format!("; {missed} came too fast to be recorded"),
        };
        output::print(&format!(
            "{}: {steps} steps, {calls} calls, {operations} steps of operations, {changes} of changes and {reconciles} of reconciles of objects, 0 differences{missed}\n",
            path.display()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
