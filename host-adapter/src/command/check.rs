//! `everslot check`

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;
use std::process::ExitCode;

use everslot_core::{Attempts, Copies, Role};
use humantime::format_duration;

use super::{Outcome, output};
use crate::config::{Config, GroupConfig};
use crate::prove::{Proof, Standby, prove};

const EXAMPLES: &str = "\
Examples:
  everslot check                     the configuration that applications find
  everslot check examples/unsafe.toml

Searches every state that a group of these members, roles, interval and attempts can get into, with the decisions that libeverslot.so
ships, and says what holds in all of them. Nothing is loaded and no token is touched. Ends with 1 when a group is unsafe.";

/// Say what a configuration guarantees whatever dies when, and what it does not
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The configuration; without it the one that applications find
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let config = match &arguments.config {
        Some(path) => Config::from_file(path)?,
        None => Config::load()?,
    };
    let mut is_safe = true;
    for group in &config.groups {
        let proof = prove(group);
        is_safe &= proof.gaps.iter().all(|gap| !gap.is_unsafe);
        output::print(&Shown { group, proof }.to_string())?;
    }
    Ok(if is_safe {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Shown<'a> {
    group: &'a GroupConfig,
    proof: Proof,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Proof {
            states,
            is_complete,
            attempts,
            survives,
            standby,
            times,
            gaps,
        } = &self.proof;
        let extent = if *is_complete { "all" } else { "the first" };
        writeln!(f, "group {:?}: {}", self.group.label, policy(self.group))?;
        let attempts = attempts.map_or(String::new(), |searched| {
            format!(", with {searched} attempts an outage: more of them only take longer")
        });
        line(
            f,
            "looked at",
            &format!("{extent} {states} states{attempts}"),
        )?;
        line(f, "survives", &survived(*survives))?;
        let notice = format!(
            "a silent member by a call after {}; a member host that ends within about 10ms",
            format_duration(times.notice)
        );
        line(f, "notices", &notice)?;
        let fail_over = format!(
            "a call that may be repeated is at a member that is well after {}, were all others silent",
            format_duration(times.fail_over)
        );
        line(f, "fails over", &fail_over)?;
        if self.group.recovery.policy.attempts != Attempts::AtMost(0) {
            let recovers = format!(
                "an attempt begins at most {} after a token is back; each request of it takes at most {}",
                format_duration(times.retry),
                format_duration(times.request)
            );
            line(f, "recovers", &recovers)?;
        }
        line(f, "standby", &standby_needed(*standby))?;
        line(f, "objects", &objects(self.group))?;
        for gap in gaps {
            let verdict = if gap.is_unsafe {
                "UNSAFE"
            } else {
                "not guaranteed"
            };
            line(f, verdict, &gap.what)?;
            for step in &gap.run {
                writeln!(f, "      {step}")?;
            }
        }
        writeln!(f)
    }
}

fn line(f: &mut Formatter<'_>, about: &str, what: &str) -> fmt::Result {
    writeln!(f, "  {about:<15} {what}")
}

fn policy(group: &GroupConfig) -> String {
    let of_role = |wanted| {
        let members = group.members.iter().filter(|member| member.role == wanted);
        members.count()
    };
    let attempts = match group.recovery.policy.attempts {
        Attempts::AtMost(0) => "never tried by itself".to_owned(),
        Attempts::AtMost(most) => format!("tried {most} times an outage"),
        Attempts::Unlimited => "tried without end".to_owned(),
    };
    format!(
        "{} active, {} standby; a lost member is {attempts}, {} apart",
        of_role(Role::Active),
        of_role(Role::Standby),
        format_duration(group.recovery.policy.interval)
    )
}

/// Of a group that has a domain key: nothing is opened to see whether this one has.
fn objects(group: &GroupConfig) -> String {
    let members = group.members.len();
    let where_to = match group.copies {
        Copies::All if members == 1 => return "on the one member".to_owned(),
        Copies::All => {
            "on every member that serves when they are made or changed, on the others once they are back".to_owned()
        }
        Copies::Number(copies) if usize::from(copies) == members => {
            "on every member before the call that makes them ends".to_owned()
        }
        Copies::Number(copies) => {
            format!("on {copies} of {members} members before the call that makes them ends")
        }
    };
    let survives = match group.copies {
        Copies::All | Copies::Number(0 | 1) => String::new(),
        Copies::Number(2) => "; any one token may be lost for good".to_owned(),
        Copies::Number(copies) => format!("; any {} tokens may be lost for good", copies - 1),
    };
    format!("{where_to}{survives}; before `everslot domain init`, on the member that made them")
}

fn survived(losses: usize) -> String {
    match losses {
        0 => "no loss".to_owned(),
        1 => "the loss of any member: somebody serves".to_owned(),
        losses => format!("the loss of any {losses} members at once: somebody serves"),
    }
}

fn standby_needed(standby: Standby) -> String {
    match standby {
        Standby::None => "there is none".to_owned(),
        Standby::NeededAfter(lost) => {
            format!("takes calls once {lost} members are out of service, not before")
        }
    }
}
