//! `everslot recover`

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use super::{Outcome, output};
use crate::status::{Application, Client, ClientError, Read};

const TIMEOUT: Duration = Duration::from_secs(2);

const EXAMPLES: &str = "\
Examples:
  everslot recover                    every member that does not serve, in every running application
  everslot recover b                  member b
  everslot recover --group signing b  member b of the group with that label

Attempts begin at once and are counted afresh; `everslot status` shows how they end.";

/// Give lost, given-up or quarantined members a fresh start in all running applications
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only the group with this label or serial
    #[arg(long, value_name = "LABEL")]
    group: Option<String>,
    /// Only this member; without it all that do not serve
    member: Option<String>,
}

impl Arguments {
    /// Every member of this group that does not serve.
    pub(super) const fn of_group(group: String) -> Self {
        Self {
            group: Some(group),
            member: None,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let applications = Client::of_this_user().applications();
    if applications.is_empty() {
        return Err("no running application of this user has loaded libeverslot.so; there is nothing to recover".into());
    }
    let mut begun = 0;
    let mut refusals = BTreeSet::new();
    for application in &applications {
        match recover_in(application, arguments) {
            Ok(groups) => begun += groups,
            Err(error) => {
                refusals.insert(error.to_string());
            }
        }
    }
    for refusal in &refusals {
        output::warn(refusal);
    }
    if begun == 0 && refusals.is_empty() {
        return Err(nowhere(arguments).into());
    }
    Ok(if refusals.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn nowhere(arguments: &Arguments) -> String {
    let what = match (&arguments.group, &arguments.member) {
        (Some(group), _) => format!("group {group:?}"),
        (None, Some(member)) => format!("member {member:?}"),
        (None, None) => "group".to_owned(),
    };
    format!("no running application has a {what}; see `everslot status`")
}

/// Says in how many groups of the application recovery has begun.
fn recover_in(application: &Application, arguments: &Arguments) -> Result<usize, ClientError> {
    let snapshot = application.snapshot(Read::Peek, TIMEOUT)?;
    let wanted = |label: &str, serial: &str| {
        arguments
            .group
            .as_deref()
            .is_none_or(|group| group == label || group == serial)
    };
    let mut begun = 0;
    for group in snapshot
        .groups
        .iter()
        .filter(|group| wanted(&group.label, &group.serial))
    {
        // A member's name alone means the groups that have it.
        let named = |name: &str| group.members.iter().any(|member| member.name == name);
        if arguments.group.is_none()
            && arguments
                .member
                .as_deref()
                .is_some_and(|member| !named(member))
        {
            continue;
        }
        application.recover(&group.serial, arguments.member.as_deref(), TIMEOUT)?;
        let what = arguments
            .member
            .as_deref()
            .unwrap_or("all that do not serve");
        let process = &snapshot.process;
        let line = format!(
            "{} ({}): recovering {what} of {}\n",
            process.program, process.pid, group.label
        );
        output::print(&line).map_err(|error| ClientError::Failed(application.pid, error))?;
        begun += 1;
    }
    Ok(begun)
}
