//! Starts the processes that drive, and watches them.

use std::path::Path;
use std::process::{Child, Command, ExitCode};
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::{Arguments, Members};

/// A sequence that takes longer hangs: each of its calls has a deadline.
const HANG: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// Runs all kinds of members one after the other, each for its share of the time. Prints how many sequences were run.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let kinds = arguments
        .members
        .map_or(Members::ALL.to_vec(), |one| vec![one]);
    let share = arguments.seconds.div_ceil(kinds.len() as u64);
    let mut executions = 0;
    for members in kinds {
        match drive(arguments, members, share) {
            Ok(count) => executions += count,
            Err(what) => {
                eprintln!("{what}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{executions} sequences of calls, no crash, no hang, no member lost");
    ExitCode::SUCCESS
}

/// How many sequences were run, or what went wrong and how to see it again.
fn drive(arguments: &Arguments, members: Members, seconds: u64) -> Result<u64, String> {
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let progress = directory.path().join("progress");
    let name = clap::ValueEnum::to_possible_value(&members)
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    let mut command = Command::new("/proc/self/exe");
    command.args(["--members", &name, "--seconds", &seconds.to_string()]);
    command
        .args(["--seed", &arguments.seed.to_string(), "--progress"])
        .arg(&progress);
    if let Some(sequences) = arguments.sequences {
        command.args(["--sequences", &sequences.to_string()]);
    }
    let mut worker = command.spawn().map_err(|error| error.to_string())?;
    let outcome = watch(&mut worker, &progress);
    let reached = Progress::read(&progress).unwrap_or_default();
    let seed = reached.seed.max(arguments.seed);
    let again = format!("again by: fuzz --members {name} --seed {seed} --sequences 1");
    match outcome {
        Ok(status) if status.success() => {
            let count = (seed + 1).saturating_sub(arguments.seed);
            let Progress {
                calls, successes, ..
            } = reached;
            println!("{name}: {count} sequences, {calls} calls, {successes} of them successful");
            Ok(count)
        }
        Ok(status) => Err(format!("{name}: {status} at seed {seed}; {again}")),
        Err(what) => Err(format!("{name}: {what} at seed {seed}; {again}")),
    }
}

fn watch(worker: &mut Child, progress: &Path) -> Result<std::process::ExitStatus, String> {
    let (mut seen, mut since) = (None, Instant::now());
    loop {
        if let Some(status) = worker.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        let now = Progress::read(progress);
        if now != seen {
            (seen, since) = (now, Instant::now());
        } else if since.elapsed() > HANG {
            // It hangs already.
            let _ = worker.kill().and_then(|()| worker.wait());
            return Err(format!("no end within {HANG:?}"));
        }
        std::thread::sleep(LOOK);
    }
}
