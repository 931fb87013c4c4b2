//! `everslot init`

pub(super) mod argument;
pub(super) mod file;
mod softhsm;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::library::library;
use super::probe::{Found, Likeness, ProbeError, doubles, probe};
use super::{Outcome, output};
use crate::config::{Config, MemberConfig, text, user_place};
use argument::MemberArgument;
use file::{GroupText, Tuning};

const EXAMPLES: &str = "\
Examples:
  everslot init --member module=/usr/lib/softhsm/libsofthsm2.so,token=alpha --member module=/opt/hsm/libhsm.so,serial=0042
  everslot init --output hsm.toml --label signing --member name=main,module=/opt/hsm/libhsm.so,slot=0 \\
      --member name=spare,module=/opt/hsm/libhsm.so,slot=1,role=standby
  everslot init --demo 3

Keys of --member: name, module, token (its label), serial, slot, role, isolation, deadline, init_string, pin_file and
environment.NAME. A comma in a value is written twice. All else is set by editing the file, which explains itself.";

/// Write a configuration for given tokens, or make tokens to try everslot with
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A token that is to be a member, as KEY=VALUE pairs; repeated for each
    #[arg(long = "member", value_name = "KEY=VALUE,...", conflicts_with = "demo")]
    members: Vec<MemberArgument>,
    /// Make so many SoftHSM tokens that hold the same keys, and a configuration for them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=softhsm::MOST))]
    demo: Option<u8>,
    /// Where the SoftHSM tokens are made
    #[arg(
        long,
        value_name = "DIRECTORY",
        default_value = "everslot-demo",
        conflicts_with = "members"
    )]
    directory: PathBuf,
    /// SoftHSM's module, where it is in none of the usual places
    #[arg(long, value_name = "FILE", requires = "demo")]
    softhsm: Option<PathBuf>,
    /// The file to write; otherwise $EVERSLOT_CONF, else the user's configuration; for --demo a file in its directory
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// The label of the virtual token
    #[arg(long, default_value = "everslot")]
    label: String,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    match arguments.demo {
        Some(count) => make_tokens(arguments, count),
        None if arguments.members.is_empty() => {
            Err("which tokens? give --member module=…,token=… for each, or --demo 3 to try everslot without any".into())
        }
        None => write_configuration(arguments),
    }
}

fn write_configuration(arguments: &Arguments) -> Outcome {
    let path = match &arguments.output {
        Some(path) => std::path::absolute(path)?,
        None => usual_place()?,
    };
    file::check_free(&path, arguments.force)?;
    let group = GroupText {
        label: &arguments.label,
        serial: &new_serial()?,
        members: &argument::named(&arguments.members),
        tuning: &Tuning::default(),
    };
    let text = group.to_string();
    let config = Config::parse(&text, &path).map_err(|error| in_arguments(&error))?;
    let found = verified(&config)?;
    file::write(&path, &text, arguments.force)?;
    let mut report = String::new();
    for (member, found) in config.groups[0].members.iter().zip(&found) {
        report += &format!("member {}: {}\n", member.name, describe(found));
    }
    report += &format!("wrote {}\n\n", path.display());
    report += &next_steps(&path, &config.groups[0].label, arguments.output.is_some());
    output::print(&report)?;
    Ok(ExitCode::SUCCESS)
}

fn make_tokens(arguments: &Arguments, count: u8) -> Outcome {
    let directory = std::path::absolute(&arguments.directory)?;
    let path = match &arguments.output {
        Some(path) => std::path::absolute(path)?,
        None => directory.join("everslot.toml"),
    };
    file::check_free(&path, arguments.force)?;
    let module = softhsm::module(arguments.softhsm.as_deref())?;
    let made = softhsm::make(&directory, count, &module, &std::env::current_exe()?)?;
    let group = GroupText {
        label: &arguments.label,
        serial: &new_serial()?,
        members: &made.members,
        tuning: &softhsm::TUNING,
    };
    let text = group.to_string();
    let config = Config::parse(&text, &path)?;
    verified(&config)?;
    file::write(&path, &text, arguments.force)?;
    let mut report = made.to_string();
    report += &format!("wrote {}\n\n", path.display());
    report += &next_steps(&path, &config.groups[0].label, true);
    report += &softhsm::sign_line(
        &arguments.label,
        &made.pin_file,
        &library().display().to_string(),
    );
    output::print(&report)?;
    Ok(ExitCode::SUCCESS)
}

/// Looks for each member's token.
fn verified(config: &Config) -> Result<Vec<Found>, Box<dyn Error>> {
    let host_program = std::env::current_exe()?;
    let members = &config.groups[0].members;
    let findings = probe(members, &host_program);
    if let Some((member, error)) = first_failure(members, &findings) {
        return Err(format!("member {:?}: {error}", member.name).into());
    }
    for double in doubles(members, &findings) {
        match double.likeness {
            Likeness::Same => return Err(double.line.into()),
            Likeness::Alike => output::warn(&double.line),
        }
    }
    Ok(findings.into_iter().flatten().collect())
}

fn first_failure<'a>(
    members: &'a [MemberConfig],
    findings: &'a [Result<Found, ProbeError>],
) -> Option<(&'a MemberConfig, &'a ProbeError)> {
    members
        .iter()
        .zip(findings)
        .find_map(|(member, finding)| Some((member, finding.as_ref().err()?)))
}

/// The text that was refused is not in a file that people could look at, so its line numbers tell nothing.
fn in_arguments(error: &crate::config::ConfigError) -> String {
    match error {
        crate::config::ConfigError::Wrong { problem, .. } => problem.to_string(),
        other @ (crate::config::ConfigError::Missing { .. }
        | crate::config::ConfigError::Unreadable { .. }
        | crate::config::ConfigError::OpenToOthers { .. }
        | crate::config::ConfigError::ReadableByOthers { .. }) => other.to_string(),
    }
}

fn usual_place() -> Result<PathBuf, Box<dyn Error>> {
    match std::env::var_os("EVERSLOT_CONF").filter(|path| !path.is_empty()) {
        Some(path) => Ok(std::path::absolute(path)?),
        None => {
            user_place().ok_or_else(|| "$HOME is not set; say with --output where to write".into())
        }
    }
}

fn describe(found: &Found) -> String {
    let info = &found.info;
    format!(
        "token {:?}, serial {}, {} {}, in slot {}",
        text(&info.label),
        text(&info.serial),
        text(&info.manufacturer),
        text(&info.model),
        found.slot.0
    )
}

fn next_steps(path: &Path, label: &str, elsewhere: bool) -> String {
    let export = if elsewhere {
        format!("  export EVERSLOT_CONF={}\n", path.display())
    } else {
        String::new()
    };
    let library = library();
    let library = library.display();
    format!(
        "next:\n{export}  everslot status\n  everslot domain init  # then what applications make is made on every member\n  pkcs11-tool --module {library} --token-label {label:?} --list-objects\n"
    )
}

/// 16 hexadecimal digits that no other group has.
fn new_serial() -> Result<String, Box<dyn Error>> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(format!("{:016x}", u64::from_ne_bytes(bytes)))
}
