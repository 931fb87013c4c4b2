//! `everslot sync`

mod report;

use std::process::ExitCode;
use std::time::Duration;

use everslot_core::{Ended, MemberId, MemberSet};

use super::crew::Crew;
use super::domain::Which;
use super::domain::opened::GroupPin;
use super::{Outcome, output};
use crate::journal::Journal;
use crate::objects::{Gate, Peer, Tools, reconcile};
use report::Report;

const EXAMPLES: &str = "\
Examples:
  everslot sync --dry-run
  everslot sync
  everslot sync --group signing

Every member gets what it lacks, loses what was destroyed while it was away, and what is new on it becomes the group's. It may be interrupted at any point
and run again, and applications may go on meanwhile.
Ends with 2 when something stays undone; a line on standard error says what, and why.";

/// How long another process's reconcile of a member is waited for.
const CLAIM: Duration = Duration::from_secs(60);
/// How long the changes that are under way may take to end.
const CLOSE: Duration = Duration::from_secs(30);
/// A member is reconciled at most so often because of what others have brought.
const ROUNDS: usize = 4;

/// Make the objects of all members the same
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    /// The objects of this group's members.
    pub(super) const fn of(which: Which) -> Self {
        Self {
            which,
            dry_run: false,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    run_with(arguments, &GroupPin::default())
}

/// The same with a PIN for members that have none in the configuration.
pub(super) fn run_with(arguments: &Arguments, pin: &GroupPin) -> Outcome {
    let group = arguments.which.find()?;
    let mut journal = Journal::open_existing(&group.journal, &group.serial)?;
    let mut crew = Crew::open(&group, &mut journal, pin)?;
    let is_trial = arguments.dry_run;
    if is_trial {
        journal = journal.duplicate()?;
    }
    let gate = Gate::new(&group.journal, &group.serial);
    let mut report = Report::new(is_trial);
    report.add_missing(std::mem::take(&mut crew.missing));
    let (present, names) = (crew.present(), crew.names.clone());
    let key_name = crew.key_name.clone();
    let mut tools = Tools {
        journal: &mut journal,
        gate: &gate,
        key_name: &key_name,
        names: &names,
        copies: group.copies,
        patience: CLOSE,
        is_trial,
        trace: None,
    };
    all(&mut tools, &mut crew.peers(), present, &mut report)?;
    output::print(&report.table(&names))?;
    Ok(if report.is_all_done() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// Each member, and again those that lack what another has brought, until nobody does.
fn all(
    tools: &mut Tools<'_>,
    peers: &mut [Peer<'_>],
    present: MemberSet,
    report: &mut Report,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut left = present;
    for _ in 0..ROUNDS {
        let mut owed = MemberSet::EMPTY;
        for member in left.iter() {
            owed = owed
                .without(member)
                .union(one(member, tools, peers, report)?);
        }
        left = owed.intersection(present);
        if left.is_empty() {
            break;
        }
    }
    Ok(())
}

fn one(
    member: MemberId,
    tools: &mut Tools<'_>,
    peers: &mut [Peer<'_>],
    report: &mut Report,
) -> Result<MemberSet, Box<dyn std::error::Error>> {
    let name = &tools.names[usize::from(member.0)];
    let _claim = if tools.is_trial {
        None
    } else {
        Some(tools.gate.claim(name, CLAIM)?)
    };
    report.begin(member, name);
    let outcome = reconcile(member, tools, peers, report);
    let owed = outcome.owed;
    if let Ended::JournalFailed = outcome.ended {
        let why = outcome.why.unwrap_or_default();
        return Err(format!("member {name:?}: {why}").into());
    }
    report.end(&outcome);
    Ok(owed)
}
