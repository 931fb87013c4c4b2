//! `everslot demo`: an ordinary client signs through `libeverslot.so` while its tokens die and come back.

mod fault;
mod host;
mod show;
mod signing;
mod stage;

use std::error::Error;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use super::output;
use fault::Script;
use show::Show;
use signing::Signers;
use stage::Stage;

const EXAMPLES: &str = "\
Examples:
  everslot demo
  everslot demo --seconds 60 --threads 8
  everslot demo --kill-all

Makes three SoftHSM tokens that hold the same key, signs through libeverslot.so and verifies each signature, while one member's process
is killed, another's frozen, and the third one's token taken away; each comes back. Ends with 1 when a call failed.";

/// Sign over three tokens that are killed, frozen and taken away, and come back
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How long to sign; the faults are spread over this time
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(4..=86_400))]
    seconds: u64,
    /// Threads that sign, each with a session of its own
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: u8,
    /// Lose every member at once, which no call survives
    #[arg(long)]
    kill_all: bool,
    /// Where the tokens are made and kept; [default: ~/.local/share/everslot-demo]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
    /// Write down what the group is told and decides, for `everslot replay`; the process's id is added to the name
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The tokens are there and the environment names their configuration
    #[arg(long, hide = true)]
    prepared: bool,
}

/// Runs the demo; ends with 1 when a call failed or the demo could not be set up, for which there is one line on standard error.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let outcome = if arguments.prepared {
        perform(arguments)
    } else {
        prepare(arguments)
    };
    outcome.unwrap_or_else(|error| {
        output::complain(&*error);
        ExitCode::FAILURE
    })
}

/// Makes the stage, then starts over with an environment that names it: the library reads its configuration from there.
fn prepare(arguments: &Arguments) -> super::Outcome {
    let trace = arguments.trace.as_ref().map(std::path::absolute);
    let stage = Stage::make(&directory(arguments)?, trace.transpose()?.as_deref())?;
    output::print(&stage.to_string())?;
    let mut again = Command::new(std::env::current_exe()?);
    again
        .args(["demo", "--prepared", "--directory"])
        .arg(stage.directory());
    again.args([
        "--seconds".to_owned(),
        arguments.seconds.to_string(),
        "--threads".to_owned(),
        arguments.threads.to_string(),
    ]);
    again.args(arguments.kill_all.then_some("--kill-all"));
    // Only an error returns.
    Err(again.env("EVERSLOT_CONF", stage.config()).exec().into())
}

fn perform(arguments: &Arguments) -> super::Outcome {
    let stage = Stage::open(&directory(arguments)?)?;
    let signers = Signers::start(&stage, arguments.threads)?;
    let script = if arguments.kill_all {
        Script::of_disaster(&stage)
    } else {
        Script::of_faults(&stage)
    };
    let mut show = Show::begin()?;
    let ran = show.run(&signers, script, Duration::from_secs(arguments.seconds));
    let tally = signers.stop();
    stage.bring_all_back()?;
    ran?;
    output::print(&show.summary(&tally))?;
    output::print(&stage.hints())?;
    Ok(if tally.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn directory(arguments: &Arguments) -> Result<PathBuf, Box<dyn Error>> {
    if let Some(directory) = &arguments.directory {
        return Ok(std::path::absolute(directory)?);
    }
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    data.map(|data| data.join("everslot-demo"))
        .ok_or_else(|| "$HOME is not set; say with --directory where to make the tokens".into())
}
