//! Finding the token of a serial.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use super::words::Wanted;
use crate::command::edit::Found;
use crate::command::probe::probe;
use crate::config::{Config, GroupConfig, MemberConfig, TokenChoice, is_member_name, text};
use crate::module::{Isolation, ModuleSettings};
use crate::objects::Own;

const DEADLINE: Duration = Duration::from_secs(5);

/// The token that is wanted: in the module that is named, else in one of the configuration's.
///
/// # Errors
/// No module has it, or one that is named cannot be used.
pub(super) fn find(wanted: &Wanted, config: Option<&Config>) -> Result<Found, Box<dyn Error>> {
    let serial = &wanted.serial;
    let loads = match &wanted.module {
        Some(module) => vec![ModuleSettings {
            path: std::path::absolute(module)?,
            environment: wanted.environment.clone(),
            init_string: None,
            isolation: Isolation::Process,
        }],
        None => known(config),
    };
    if loads.is_empty() {
        return Err(format!("in which module is the token {serial}? give -module FILE").into());
    }
    let program = std::env::current_exe()?;
    for settings in &loads {
        let tokens =
            Own::start(settings, &program, DEADLINE).and_then(|mut member| member.tokens());
        let tokens = match tokens {
            Ok(tokens) => tokens,
            // Another one may have it.
            Err(_) if wanted.module.is_none() => continue,
            Err(error) => return Err(format!("module {}: {error}", settings.path.display()).into()),
        };
        if let Some((_, info)) = tokens
            .iter()
            .find(|(_, info)| text(&info.serial) == *serial)
        {
            return Ok(found(settings, serial, &text(&info.label)));
        }
    }
    let looked: Vec<_> = loads
        .iter()
        .map(|load| load.path.display().to_string())
        .collect();
    Err(format!(
        "no token has the serial {serial:?} in {}",
        looked.join(", ")
    )
    .into())
}

/// Each load that the configuration has.
fn known(config: Option<&Config>) -> Vec<ModuleSettings> {
    let groups = config.iter().flat_map(|config| &config.groups);
    let mut loads: Vec<_> = groups
        .flat_map(|group| &group.members)
        .map(MemberConfig::settings)
        .collect();
    loads.sort();
    loads.dedup();
    loads
}

fn found(settings: &ModuleSettings, serial: &str, label: &str) -> Found {
    Found {
        serial: serial.to_owned(),
        name: if is_member_name(label) { label } else { serial }.to_owned(),
        module: settings.path.display().to_string(),
        environment: settings.environment.clone(),
        init_string: settings.init_string.clone(),
        in_process: settings.isolation == Isolation::None,
    }
}

/// The name of the group's member with that serial; tokens that are not chosen by their serial are asked for it.
///
/// # Errors
/// There is no such group or member.
pub(super) fn name(config: &Config, group: &str, serial: &str) -> Result<String, Box<dyn Error>> {
    let group = group_of(config, group)?;
    let known = group.members.iter().find(|member| match &member.token {
        TokenChoice::Serial(chosen) | TokenChoice::LabelAndSerial { serial: chosen, .. } => {
            chosen == serial
        }
        TokenChoice::Label(_) | TokenChoice::Slot(_) => false,
    });
    if let Some(member) = known {
        return Ok(member.name.clone());
    }
    let program: PathBuf = std::env::current_exe()?;
    let findings = probe(&group.members, &program);
    let members = group.members.iter().zip(&findings);
    let has_it = |finding: &Result<crate::command::probe::Found, _>| {
        finding
            .as_ref()
            .is_ok_and(|found| text(&found.info.serial) == serial)
    };
    members
        .into_iter()
        .find(|(_, finding)| has_it(finding))
        .map(|(member, _)| member.name.clone())
        .ok_or_else(|| {
            format!(
                "group {:?} has no member with the serial {serial:?}",
                group.label
            )
            .into()
        })
}

fn group_of<'c>(config: &'c Config, name: &str) -> Result<&'c GroupConfig, String> {
    let is_named = |group: &&GroupConfig| group.label == name || group.serial == name;
    let group = config.groups.iter().find(is_named);
    group.ok_or_else(|| format!("there is no group {name:?}"))
}
