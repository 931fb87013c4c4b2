//! `everslot vtl haAdmin`: Luna's own commands for a group, on everslot's configuration.

mod members;
mod show;
mod words;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use self::words::{Deed, LogDeed, Shown, deed};
use super::change::{self, change};
use super::domain::Which;
use super::edit::{self, Recovery, Role};
use super::{Outcome, output, recover, sync};
use crate::config::Config;

const EXAMPLES: &str = "\
Examples:
  everslot vtl haAdmin newGroup -label signing -serialNum 599447001 -module /usr/lib/libCryptoki2_64.so
  everslot vtl haAdmin addMember -group signing -serialNum 78665001
  everslot vtl haAdmin standbyMembers -set -group signing -serialNum 78665001
  everslot vtl haAdmin removeMember -group signing -serialNum 78665001
  everslot vtl haAdmin deleteGroup -label signing
  everslot vtl haAdmin autorecovery -retry 500 -interval 60
  everslot vtl haAdmin recover -group signing
  everslot vtl haAdmin synchronize -group signing
  everslot vtl haAdmin HAOnly -disable
  everslot vtl haAdmin halog -path /var/log/everslot.log
  everslot vtl haAdmin halog -maxlength 262144
  everslot vtl haAdmin show

A group is named by its label or its number. Words are taken in capitals or not, with or without a hyphen before the first. A token is looked for
through the modules that the configuration has; -module FILE names another one, and -environment NAME=VALUE, given for each, what it needs.
Applications that run take all of it at once, but for groups that come or go, members' own slots and the log: these they take when they start again.";

/// Luna's haAdmin commands, on everslot's configuration
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// haAdmin, one of its commands, and that command's options, as Luna's vtl takes them
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "WORD"
    )]
    words: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let deed = deed(&arguments.words)?;
    match deed {
        Deed::Show => show::run(),
        Deed::Recover { group } => recover::run(&recover::Arguments::of_group(group)),
        Deed::Synchronize { group } => sync::run(&sync::Arguments::of(Which::group(group))),
        Deed::HaOnly(shown) => ha_only(shown),
        Deed::NewGroup { label, token } => {
            let path = change::path_to_write()?;
            let found = members::find(&token, change::read(&path)?.as_ref())?;
            change(&path, |document| edit::add_group(document, &label, &found))?;
            said(
                &format!("group {label:?} with member {}", found.serial),
                &path,
            )
        }
        Deed::AddMember { group, token } => {
            let path = Config::find()?;
            let found = members::find(&token, change::read(&path)?.as_ref())?;
            change(&path, |document| edit::add_member(document, &group, &found))?;
            said(
                &format!("member {} of group {group:?}", found.serial),
                &path,
            )
        }
        Deed::RemoveMember { group, serial } => {
            let (path, name) = named(&group, &serial)?;
            change(&path, |document| {
                edit::remove_member(document, &group, &name)
            })?;
            said(&format!("group {group:?} without member {serial}"), &path)
        }
        Deed::Standby {
            group,
            serial,
            is_standby,
        } => {
            let (path, name) = named(&group, &serial)?;
            let role = if is_standby {
                Role::Standby
            } else {
                Role::Active
            };
            change(&path, |document| {
                edit::set_role(document, &group, &name, role)
            })?;
            said(
                &format!("member {serial} of group {group:?}: {}", role.word()),
                &path,
            )
        }
        Deed::DeleteGroup { group } => {
            let path = Config::find()?;
            change(&path, |document| edit::remove_group(document, &group))?;
            said(&format!("group {group:?} removed"), &path)
        }
        Deed::AutoRecovery { retry, interval } => {
            let path = Config::find()?;
            let recovery = Recovery { retry, interval };
            change(&path, |document| edit::set_recovery(document, &recovery))?;
            said("recovery of every group", &path)
        }
        Deed::Log(deed) => log(&deed),
    }
}

/// Luna calls it HA only when members are not slots of their own beside the virtual ones.
fn ha_only(shown: Shown) -> Outcome {
    let path = Config::find()?;
    let only = match shown {
        Shown::Show => return show::ha_only(&Config::from_file(&path)?),
        Shown::Enable => true,
        Shown::Disable => false,
    };
    change(&path, |document| edit::set_exposed(document, !only))?;
    let word = if only { "enabled" } else { "disabled" };
    said(&format!("HA Only is {word}"), &path)
}

fn log(deed: &LogDeed) -> Outcome {
    let path = Config::find()?;
    match deed {
        LogDeed::Show => {
            let config = Config::from_file(&path)?;
            output::print(&show::log(&config))?;
            Ok(ExitCode::SUCCESS)
        }
        LogDeed::Path(file) => {
            let file = std::path::absolute(file)?;
            change(&path, |document| {
                edit::set_log_file(document, &file.display().to_string())
            })?;
            said(&format!("log file {}", file.display()), &path)
        }
        LogDeed::MaxLength(bytes) => {
            let size = format!("{bytes}B");
            change(&path, |document| edit::set_log(document, "size", &size))?;
            said(
                &format!("the log file is put aside at {bytes} bytes"),
                &path,
            )
        }
        LogDeed::Level(level) => {
            change(&path, |document| edit::set_log(document, "level", level))?;
            said(&format!("log level {level}"), &path)
        }
    }
}

/// Where the configuration is, and the name that the group's member with that serial has in it.
fn named(group: &str, serial: &str) -> Result<(PathBuf, String), Box<dyn Error>> {
    let path = Config::find()?;
    let config = Config::from_file(&path)?;
    Ok((path, members::name(&config, group, serial)?))
}

fn said(what: &str, path: &std::path::Path) -> Outcome {
    output::print(&format!("{}: {what}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}
