//! The `everslot` command: sets up a configuration, shows how the members are, and has them recovered.

mod change;
mod check;
mod console;
mod crew;
mod dashboard;
pub mod demo;
mod doctor;
mod domain;
mod edit;
mod import;
mod init;
mod library;
mod log;
mod membership;
mod metrics;
mod objects;
mod output;
mod pin;
mod probe;
mod recover;
mod replay;
mod serial;
mod shell;
mod status;
mod sync;
mod vtl;

use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::hosted::{HOST_COMMAND, run_member_host};

/// What a command ends with; the error is one line for people.
type Outcome = Result<ExitCode, Box<dyn Error>>;

const EXAMPLES: &str = "\
Examples:
  everslot init --member module=/usr/lib/softhsm/libsofthsm2.so,token=alpha --member module=/opt/hsm/libhsm.so,token=beta
  everslot status
  everslot recover b

Applications load libeverslot.so like any PKCS#11 module.
The configuration is $EVERSLOT_CONF, else ~/.config/everslot/everslot.toml, else /etc/everslot/everslot.toml.";

/// One PKCS#11 slot that never goes away, over any real tokens.
#[derive(Debug, Parser)]
#[command(name = "everslot", version, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Arguments),
    Status(status::Arguments),
    Recover(recover::Arguments),
    Member(membership::Arguments),
    Log(log::Arguments),
    Metrics(metrics::Arguments),
    Dashboard(dashboard::Arguments),
    Check(check::Arguments),
    Replay(replay::Arguments),
    Domain(domain::Arguments),
    Doctor(doctor::Arguments),
    Objects(objects::Arguments),
    Sync(sync::Arguments),
    Console(console::Arguments),
    Vtl(vtl::Arguments),
    Import(import::Arguments),
    Demo(demo::Arguments),
    Completions(shell::Completions),
    Man(shell::Man),
    #[command(name = HOST_COMMAND)]
    MemberHost(serial::Arguments),
}

/// The whole command; the first of `arguments` is the program's own name.
///
/// Ends with 0 when all is well, 1 after an error, which is one line on standard error, and 2 after arguments that cannot be
/// understood, or as the command in question says.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<_> = arguments.into_iter().collect();
    // Started by a library of ours, not by people; it wants the process as untouched as it is.
    if is_started_by_library(&arguments) {
        return run_member_host(arguments.into_iter().skip(2));
    }
    let outcome = match CommandLine::parse_from(arguments).command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Status(arguments) => status::run(&arguments),
        Command::Recover(arguments) => recover::run(&arguments),
        Command::Member(arguments) => membership::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Metrics(arguments) => metrics::run(&arguments),
        Command::Dashboard(arguments) => dashboard::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Domain(arguments) => domain::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Objects(arguments) => objects::run(&arguments),
        Command::Sync(arguments) => sync::run(&arguments),
        Command::Console(arguments) => console::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Vtl(arguments) => vtl::run(&arguments),
        Command::Demo(arguments) => return demo::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
        Command::MemberHost(arguments) => serial::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        output::complain(&*error);
        ExitCode::FAILURE
    })
}

/// `member-host MODULE`; with an option after it, it is people's.
fn is_started_by_library(arguments: &[OsString]) -> bool {
    match arguments {
        [_, command, rest @ ..] => {
            let is_option = |argument: &OsString| argument.as_encoded_bytes().starts_with(b"--");
            command == HOST_COMMAND && !rest.first().is_some_and(is_option)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in CommandLine::command().get_subcommands() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains(&format!("  everslot {}", command.get_name())),
                "{}: {help}",
                command.get_name()
            );
        }
    }
}
