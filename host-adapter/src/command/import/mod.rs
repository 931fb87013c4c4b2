//! `everslot import`: a Luna client's groups as a configuration of ours.

mod chrystoki;
mod convert;

use std::path::PathBuf;
use std::process::ExitCode;

use self::chrystoki::Chrystoki;
use self::convert::convert;
use super::init::file;
use super::{Outcome, output};
use crate::config::{Config, user_place};

const EXAMPLES: &str = "\
Examples:
  everslot import /etc/Chrystoki.conf
  everslot import Chrystoki.conf --output signing.toml --module /usr/lib/libCryptoki2_64.so

Takes the groups, their members and standby members, recovery, log and timeout. Every setting that has no counterpart is named. Luna's own module goes
on to reach its HSMs, by its own settings in the same file; set HAOnly = 0 in it, or its own group hides the members.";

/// Turn a Luna client's HA configuration (Chrystoki.conf) into one of everslot's
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Luna's configuration: Chrystoki.conf, or crystoki.ini of Windows
    file: PathBuf,
    /// The file to write; otherwise $EVERSLOT_CONF, else the user's configuration
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The members' module; otherwise the one that Luna's configuration names
    #[arg(long, value_name = "FILE")]
    module: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let place = arguments.file.display();
    let text = std::fs::read_to_string(&arguments.file)
        .map_err(|error| format!("{place}: cannot be read: {error}"))?;
    let chrystoki = Chrystoki::parse(&text).map_err(|error| format!("{place}: {error}"))?;
    let path = match &arguments.output {
        Some(path) => std::path::absolute(path)?,
        None => usual_place()?,
    };
    file::check_free(&path, arguments.force)?;
    let module = arguments.module.as_deref().map(std::path::absolute);
    let converted = convert(chrystoki, module.transpose()?.as_deref())
        .map_err(|error| format!("{place}: {error}"))?;
    let config = Config::parse(&converted.text, &path)
        .map_err(|error| format!("what it says does not hold together here: {error}"))?;
    file::write(&path, &converted.text, arguments.force)?;
    let mut report = format!("wrote {}\n", path.display());
    for group in &config.groups {
        let members: Vec<_> = group
            .members
            .iter()
            .map(|member| member.name.as_str())
            .collect();
        report += &format!("group {}: {}\n", group.label, members.join(", "));
    }
    for note in &converted.notes {
        report += &format!("note: {note}\n");
    }
    for setting in &converted.without_counterpart {
        report += &format!("no counterpart: {setting}\n");
    }
    output::print(&report)?;
    Ok(ExitCode::SUCCESS)
}

fn usual_place() -> Result<PathBuf, Box<dyn std::error::Error>> {
    match std::env::var_os("EVERSLOT_CONF").filter(|path| !path.is_empty()) {
        Some(path) => Ok(std::path::absolute(path)?),
        None => {
            user_place().ok_or_else(|| "$HOME is not set; say with --output where to write".into())
        }
    }
}
