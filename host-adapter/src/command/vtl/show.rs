//! `haAdmin show`, in Luna's layout.

use std::fmt::Write;
use std::process::ExitCode;

use everslot_core::{Attempts, Role};

use crate::command::probe::{Found, ProbeError, probe};
use crate::command::{Outcome, output};
use crate::config::{Config, GroupConfig, LogLevel, LogTo, text};

/// Prints the configuration's settings and how the members are, who are asked now; nobody is logged in.
pub(super) fn run() -> Outcome {
    let config = Config::load()?;
    let program = std::env::current_exe()?;
    let mut screen = settings(&config);
    screen += "\n================ HA Group and Member Information ================\n";
    for (slot, group) in config.groups.iter().enumerate() {
        screen += &group_text(slot, group, &probe(&group.members, &program));
    }
    output::print(&screen)?;
    Ok(ExitCode::SUCCESS)
}

/// Luna has one setting of the recovery for all groups: that of the first one is shown above, and that of another one that differs with it.
fn settings(config: &Config) -> String {
    let mut text =
        "\n================ HA Global Configuration Settings ===============\n\n".to_owned();
    // Luna's library shares one connection between processes where it is enabled.
    text += "HA Proxy: disabled\n";
    if let Some(group) = config.groups.first() {
        text += &recovery(group);
    }
    text += &log(config);
    let only = if is_ha_only(config) { "yes" } else { "no" };
    text + &format!("Only Show HA Slots: {only}\n")
}

fn is_ha_only(config: &Config) -> bool {
    config.groups.iter().all(|group| !group.expose_members)
}

/// `haAdmin HAOnly -show`
pub(super) fn ha_only(config: &Config) -> Outcome {
    output::print(if is_ha_only(config) {
        "HA Only is enabled: applications see the virtual slots alone.\n"
    } else {
        "HA Only is disabled: applications see the members' own slots, too.\n"
    })?;
    Ok(ExitCode::SUCCESS)
}

fn recovery(group: &GroupConfig) -> String {
    let policy = &group.recovery.policy;
    let (enabled, retry) = match policy.attempts {
        Attempts::AtMost(0) => ("disabled", 0),
        Attempts::AtMost(number) => ("enabled", i64::from(number)),
        Attempts::Unlimited => ("enabled", -1),
    };
    let seconds = policy.interval.as_secs_f64();
    format!(
        "HA Auto Recovery: {enabled}\nMaximum Auto Recovery Retry: {retry}\nAuto Recovery Poll Interval: {seconds} seconds\n"
    )
}

/// The lines about the log.
pub(super) fn log(config: &Config) -> String {
    let enabled = match config.log.level {
        LogLevel::Off => "disabled",
        LogLevel::Error | LogLevel::Warn | LogLevel::Info | LogLevel::Debug | LogLevel::Trace => {
            "enabled"
        }
    };
    let file = match &config.log.to {
        LogTo::File(file) => file.path.display().to_string(),
        LogTo::StandardError => "standard error".to_owned(),
        LogTo::Syslog => "syslog".to_owned(),
        LogTo::Journal => "systemd's journal".to_owned(),
    };
    format!("HA Logging: {enabled}\nHA Log File: {file}\n")
}

fn group_text(slot: usize, group: &GroupConfig, findings: &[Result<Found, ProbeError>]) -> String {
    let serials: Vec<_> = group
        .members
        .iter()
        .zip(findings)
        .map(|(member, finding)| match finding {
            Ok(found) => text(&found.info.serial),
            // A token that is away is called by what it is looked for by.
            Err(_) => member.name.clone(),
        })
        .collect();
    let of_role = |role: Role| {
        let members = group.members.iter().zip(&serials);
        let serials = members.filter(|(member, _)| member.role == role);
        serials
            .map(|(_, serial)| serial.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut screen = format!(
        "\n HA Group Label: {}\n HA Group Number: {}\n HA Group Slot #: {slot}\n{}",
        group.label, group.serial, " Synchronization: enabled\n"
    );
    // Writing to a String cannot fail.
    let _ = writeln!(screen, " Group Members: {}", serials.join(", "));
    let _ = writeln!(screen, " Standby members: {}\n", of_role(Role::Standby));
    screen += "Slot #    Member S/N                      Member Label    Status\n";
    screen += "======    ==========                      ============    ======\n";
    for ((member, serial), finding) in group.members.iter().zip(&serials).zip(findings) {
        let (slot, label, status) = match finding {
            Ok(found) => (found.slot.0.to_string(), text(&found.info.label), "alive"),
            Err(_) => ("-".to_owned(), member.name.clone(), "down"),
        };
        let _ = writeln!(screen, "{slot:>6}    {serial:<20}{label:>24}    {status}");
    }
    screen
}
