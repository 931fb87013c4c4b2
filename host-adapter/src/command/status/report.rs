//! What there is to show: the applications' snapshots, or one of the command's own.

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::Duration;

use everslot_core::{Attempts, ckr};
use serde::Serialize;

use crate::command::probe::{Found, Likeness, ProbeError, doubles, probe};
use crate::config::{Config, GroupConfig, MemberConfig, text};
use crate::objects::Keeper;
use crate::status::{
    Client, GroupStatus, LoginState, MemberStatus, Process, Read, Role, Snapshot, State,
};

const TIMEOUT: Duration = Duration::from_secs(2);

/// What `everslot status` shows.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Who looked.
    pub(super) source: Source,
    /// What they saw.
    pub(super) processes: Vec<Snapshot>,
    /// What could not be seen, one line each.
    pub(super) problems: Vec<String>,
}

/// Who looked at the members.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Source {
    /// The applications that use them.
    Applications,
    /// The command, since no application runs.
    Probe,
}

impl Report {
    /// What the running applications know; `None` when there is none.
    pub(super) fn of_applications() -> Option<Self> {
        let applications = Client::of_this_user().applications();
        if applications.is_empty() {
            return None;
        }
        let answers: Vec<_> = thread::scope(|scope| {
            let ask = |application| {
                scope.spawn(move || {
                    crate::status::Application::snapshot(application, Read::Status, TIMEOUT)
                })
            };
            let asked: Vec<_> = applications.iter().map(ask).collect();
            asked
                .into_iter()
                .filter_map(|answer| answer.join().ok())
                .collect()
        });
        let mut report = Self {
            source: Source::Applications,
            processes: Vec::new(),
            problems: Vec::new(),
        };
        for answer in answers {
            match answer {
                Ok(snapshot) => report.processes.push(snapshot),
                Err(error) => report.problems.push(error.to_string()),
            }
        }
        Some(report)
    }

    /// What the command finds by itself.
    ///
    /// # Errors
    /// There is no configuration that holds together, or this program cannot be started again as a member host.
    pub(super) fn of_probe(config: Option<&Path>) -> Result<Self, Box<dyn Error>> {
        let config = match config {
            Some(path) => Config::from_file(path)?,
            None => Config::load()?,
        };
        let host_program = std::env::current_exe()?;
        let mut problems = Vec::new();
        let groups = config
            .groups
            .iter()
            .map(|group| probed(group, &host_program, &mut problems))
            .collect();
        Ok(Self {
            source: Source::Probe,
            processes: vec![Snapshot {
                process: Process::this(),
                groups,
            }],
            problems,
        })
    }

    /// Whether each group that was seen has a member that serves.
    pub(super) fn can_serve(&self) -> bool {
        self.processes
            .iter()
            .flat_map(|process| &process.groups)
            .all(GroupStatus::can_serve)
    }
}

fn probed(group: &GroupConfig, host_program: &Path, problems: &mut Vec<String>) -> GroupStatus {
    let findings = probe(&group.members, host_program);
    let doubles = doubles(&group.members, &findings).into_iter();
    problems.extend(
        doubles
            .filter(|double| double.likeness == Likeness::Same)
            .map(|double| double.line),
    );
    let members = group
        .members
        .iter()
        .zip(&findings)
        .map(|(member, finding)| member_status(group, member, finding));
    GroupStatus {
        label: group.label.clone(),
        serial: group.serial.clone(),
        login: LoginState::Out,
        objects: Keeper::new(group).status(),
        members: members.collect(),
    }
}

fn member_status(
    group: &GroupConfig,
    member: &MemberConfig,
    finding: &Result<Found, ProbeError>,
) -> MemberStatus {
    let role = Role::from(member.role);
    let state = match (finding, role) {
        (Ok(_), Role::Active) => State::Active,
        (Ok(_), Role::Standby) => State::Standby,
        (Err(_), Role::Active | Role::Standby) => State::Lost,
    };
    MemberStatus {
        name: member.name.clone(),
        serial: finding.as_ref().ok().map(|found| text(&found.info.serial)),
        role,
        state,
        incarnation: 0,
        code: finding
            .as_ref()
            .map_or_else(ProbeError::code, |_| ckr::OK)
            .into(),
        evidence: finding.as_ref().err().map(ToString::to_string),
        attempts: 0,
        attempts_allowed: match group.recovery.policy.attempts {
            Attempts::AtMost(limit) => Some(limit),
            Attempts::Unlimited => None,
        },
        next_attempt_ms: None,
        in_flight: 0,
        calls: 0,
        failures: 0,
        losses: 0,
        recoveries: 0,
    }
}
