//! `everslot doctor`

mod finding;
mod member;
mod surroundings;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use super::probe::doubles;
use super::{Outcome, output};
use crate::command::domain::show::difference;
use crate::config::{Config, GroupConfig, MechanismPolicy};
use finding::Finding;
use member::Examined;

const EXAMPLES: &str = "\
Examples:
  everslot doctor
  everslot doctor --config /etc/everslot/everslot.toml

Looks at the configuration and at every member as an application would, and says what to do about what it finds. A PIN that the configuration has is tried
once, and not at all where the token says that few tries are left. Ends with 1 when something must be done.";

/// Look for what keeps the members from working together, and say what to do
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Another configuration than the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let config = match &arguments.config {
        Some(path) => Config::from_file(&std::path::absolute(path)?)?,
        None => Config::load()?,
    };
    let mut findings = surroundings::examine(&config);
    let host_program = std::env::current_exe()?;
    for group in &config.groups {
        findings.extend(examine(group, &host_program));
    }
    output::print(&finding::page(&findings))?;
    Ok(if findings.iter().any(Finding::is_problem) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A group's members, each by itself and then beside each other.
fn examine(group: &GroupConfig, host_program: &Path) -> Vec<Finding> {
    let examined: Vec<Examined> = thread::scope(|scope| {
        let members = group.members.iter();
        let started: Vec<_> = members
            .map(|member| scope.spawn(|| member::examine(group, member, host_program)))
            .collect();
        let joined = started.into_iter().map(|member| {
            member
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    });
    let about = format!("group {}", group.label);
    let mut together = vec![mechanisms(group, &about, &examined)];
    together.extend(domain_key(&about, &examined));
    let (members, found): (Vec<_>, Vec<_>) = examined
        .into_iter()
        .map(|member| (member.findings, member.found))
        .unzip();
    let twins = doubles(&group.members, &found).into_iter();
    together.extend(twins.map(|twin| Finding::of_double(&about, &twin)));
    members.into_iter().flatten().chain(together).collect()
}

/// What applications may use whatever member they get.
fn mechanisms(group: &GroupConfig, about: &str, members: &[Examined]) -> Finding {
    let lists: Vec<_> = members
        .iter()
        .filter_map(|member| member.mechanisms.as_ref())
        .collect();
    let common = lists.split_first().map_or(0, |(first, others)| {
        let in_all = |mechanism: &&u64| others.iter().all(|list| list.contains(*mechanism));
        first.iter().filter(in_all).count()
    });
    let any: std::collections::BTreeSet<_> = lists.iter().copied().flatten().collect();
    let any = any.len();
    match group.mechanisms {
        _ if lists.is_empty() => Finding::problem(
            about,
            "no member's mechanisms are known",
            "see to the members first",
        ),
        MechanismPolicy::Common if common == 0 => Finding::problem(
            about,
            "its members have no mechanism in common, so it offers none",
            "write mechanisms = \"any\", or group tokens that can do the same",
        ),
        MechanismPolicy::Common if common < any => Finding::fine(
            about,
            format!(
                "offers the {common} mechanisms that all members have, of {any} that some have"
            ),
        ),
        MechanismPolicy::Common => Finding::fine(
            about,
            format!("offers {common} mechanisms, which all members have"),
        ),
        MechanismPolicy::Any => Finding::fine(
            about,
            format!("offers {any} mechanisms; {common} of them survive the loss of any member"),
        ),
    }
}

/// Whether keys can travel. Nothing is said where no member could be asked.
fn domain_key(about: &str, members: &[Examined]) -> Option<Finding> {
    let seen: Vec<_> = members
        .iter()
        .filter_map(|member| Some((member.name.clone(), member.domain_key?)))
        .collect();
    if seen.is_empty() {
        return None;
    }
    if seen.iter().all(|(_, key)| key.value().is_none()) {
        return Some(Finding::warning(
            about,
            "its members have no domain key, so what an application makes lives on one member only",
            "run `everslot domain init`",
        ));
    }
    Some(match difference(&seen) {
        Some(line) => Finding::problem(about, line, "until then keys cannot be carried"),
        None => Finding::fine(
            about,
            "the domain key is the same on every member that was asked",
        ),
    })
}
