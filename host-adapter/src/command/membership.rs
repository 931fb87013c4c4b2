//! `everslot member`

use std::process::ExitCode;

use toml_edit::{InlineTable, Table, value};

use super::change::change;
use super::edit::{self, Role};
use super::init::argument::{MemberArgument, names};
use super::{Outcome, output};
use crate::config::{Config, GroupConfig};

const EXAMPLES: &str = "\
Examples:
  everslot member add module=/usr/lib/softhsm/libsofthsm2.so,token=gamma
  everslot member add name=c,module=/opt/hsm/libhsm.so,serial=0042,role=standby,pin_file=/etc/everslot/c.pin
  everslot member park b      out of service until it is unparked: for maintenance
  everslot member unpark b
  everslot member role b standby
  everslot member --group signing remove b

The configuration is changed, comments and all else in it stay, and applications that run take the change at once: calls that are under way
end, further ones go to the other members. One that is to come back is better parked than removed, since what was destroyed while a removed
member was away is forgotten once the others have done so. `everslot status` shows what has become of it.";

/// Add, remove, park or unpark a member, or change its role, in all running applications
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The group, by its label or serial; need not be said if there is only one
    #[arg(long, value_name = "LABEL", global = true)]
    group: Option<String>,
    #[command(subcommand)]
    deed: Deed,
}

#[derive(clap::Subcommand, Debug)]
enum Deed {
    /// Let a further token join
    #[command(
        after_help = "Examples:\n  everslot member add name=c,module=/opt/hsm/libhsm.so,token=gamma,role=standby"
    )]
    Add {
        /// KEY=VALUE,… with name, module, token, serial, slot, role, isolation, deadline, init_string, pin_file and environment.NAME; a comma in a
        /// value is written twice
        member: MemberArgument,
    },
    /// Let a member go for good
    #[command(after_help = "Examples:\n  everslot member remove c")]
    Remove {
        /// Its name
        member: String,
    },
    /// Take a member out of service
    #[command(after_help = "Examples:\n  everslot member park c")]
    Park {
        /// Its name
        member: String,
    },
    /// Bring a parked member back
    #[command(after_help = "Examples:\n  everslot member unpark c")]
    Unpark {
        /// Its name
        member: String,
    },
    /// Say what a member is there for
    #[command(after_help = "Examples:\n  everslot member role c standby")]
    Role {
        /// Its name
        member: String,
        /// What it is there for
        role: Role,
    },
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let path = Config::find()?;
    let config = Config::from_file(&path)?;
    let group = chosen(&config, arguments.group.as_deref())?.serial.as_str();
    let said = match &arguments.deed {
        Deed::Add { member } => {
            let mut name = String::new();
            change(&path, |document| {
                let wanted: Box<dyn Iterator<Item = String>> = match &member.name {
                    Some(name) => Box::new(std::iter::once(name.clone())),
                    None => Box::new(names()),
                };
                name = edit::add_table(document, group, wanted, keys(member))?;
                Ok(())
            })?;
            format!("{name} joins")
        }
        Deed::Remove { member } => {
            change(&path, |document| {
                edit::remove_member(document, group, member)
            })?;
            format!("{member} goes")
        }
        Deed::Park { member } => {
            change(&path, |document| {
                edit::set_parked(document, group, member, true)
            })?;
            format!("{member} is parked")
        }
        Deed::Unpark { member } => {
            change(&path, |document| {
                edit::set_parked(document, group, member, false)
            })?;
            format!("{member} comes back")
        }
        Deed::Role { member, role } => {
            change(&path, |document| {
                edit::set_role(document, group, member, *role)
            })?;
            format!("{member} is {}", role.word())
        }
    };
    output::print(&format!("{}: {said}\n", path.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The group that is meant.
fn chosen<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c GroupConfig, String> {
    match (name, &config.groups[..]) {
        (Some(name), groups) => {
            let is_named = |group: &&GroupConfig| group.label == name || group.serial == name;
            let group = groups.iter().find(is_named);
            group.ok_or_else(|| format!("there is no group {name:?}"))
        }
        (None, [group]) => Ok(group),
        (None, groups) => {
            let labels: Vec<_> = groups.iter().map(|group| group.label.as_str()).collect();
            Err(format!(
                "which group? give --group with one of: {}",
                labels.join(", ")
            ))
        }
    }
}

/// A member as it is written, but for its name.
fn keys(member: &MemberArgument) -> Table {
    let mut table = Table::new();
    for (key, text) in &member.texts {
        table[key.name()] = value(text);
    }
    if let Some(slot) = member.slot {
        table["slot"] = value(i64::try_from(slot).unwrap_or(i64::MAX));
    }
    if !member.environment.is_empty() {
        let environment: InlineTable = member.environment.iter().collect();
        table["environment"] = value(environment);
    }
    if let Some(file) = &member.pin_file {
        let pin: InlineTable = [("file", file)].into_iter().collect();
        table["pin"] = value(pin);
    }
    table
}
