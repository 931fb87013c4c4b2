//! What `everslot sync` shows: a bar while it works, a line for what stays undone, a table at the end.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use everslot_core::{Ended, MemberId, Progress, ReconcileEvent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::command::output;
use crate::objects::{Outcome, Watcher};

/// Every member's part.
pub(super) struct Report {
    is_trial: bool,
    bar: ProgressBar,
    name: String,
    member: MemberId,
    members: BTreeMap<MemberId, Progress>,
    /// Members of which something is to be said, and was not put right since.
    unequal: BTreeMap<MemberId, bool>,
    is_short: bool,
    /// Lines that were printed, by their hashes: a reconcile may come across one thing more than once.
    told: HashSet<u64>,
}

impl Report {
    pub(super) fn new(is_trial: bool) -> Self {
        // Drawn on a terminal only.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {per_sec} {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self {
            is_trial,
            bar,
            name: String::new(),
            member: MemberId(0),
            members: BTreeMap::new(),
            unequal: BTreeMap::new(),
            is_short: false,
            told: HashSet::new(),
        }
    }

    /// Members that are not there, a line each.
    pub(super) fn add_missing(&mut self, lines: Vec<String>) {
        self.is_short |= !lines.is_empty();
        for line in lines {
            self.warn(&line);
        }
    }

    pub(super) fn begin(&mut self, member: MemberId, name: &str) {
        self.member = member;
        name.clone_into(&mut self.name);
        self.bar.reset();
        self.bar.set_prefix(name.to_owned());
    }

    pub(super) fn end(&mut self, outcome: &Outcome) {
        self.bar.finish_and_clear();
        let why = outcome.why.as_deref().unwrap_or("no more is known");
        let name = &self.name;
        let line = match outcome.ended {
            Ended::Equal { .. } => None,
            Ended::MemberLost => Some(format!(
                "member {name:?} was lost: {why}; run everslot sync again when it is back"
            )),
            Ended::JournalFailed => Some(format!("member {name:?}: {why}")),
            Ended::KeepsDestroyed(_) => Some(format!(
                "member {name:?} keeps an object that was destroyed: {why}; destroy it there"
            )),
            Ended::GateNotClosed => Some(format!(
                "member {name:?}: applications change objects without an end; run everslot sync again"
            )),
            Ended::NotAscending(_) => Some(format!(
                "member {name:?}: its objects could not be put in order; run everslot sync again"
            )),
        };
        self.unequal.insert(self.member, line.is_some());
        if let Some(line) = line {
            self.warn(&line);
        }
        let sums = self.members.entry(self.member).or_default();
        *sums = added(*sums, outcome.progress);
    }

    /// Whether the members are the same now, but for objects that the policy does not ask for.
    pub(super) fn is_all_done(&self) -> bool {
        let undone =
            |of: &Progress| of.ambiguous + of.stay + of.postponed + of.refused + of.missing > 0;
        !self.is_short
            && !self.members.values().any(undone)
            && !self.unequal.values().any(|unequal| *unequal)
    }

    pub(super) fn table(&self, names: &[String]) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED).set_header([
            "MEMBER",
            "COPIED",
            "UPDATED",
            "DESTROYED",
            "ADOPTED",
            "CONFLICTS",
            "AMBIGUOUS",
            "STAY",
            "REFUSED",
            "MISSING",
        ]);
        for (member, of) in &self.members {
            let name = names.get(usize::from(member.0)).cloned();
            let numbers = [
                of.copied,
                of.updated,
                of.destroyed,
                of.adopted + of.changes_adopted,
                of.conflicts,
                of.ambiguous,
                of.stay + of.postponed,
                of.refused,
                of.missing,
            ];
            let numbers = numbers.map(|number| number.to_string());
            table.add_row([name.unwrap_or_default()].into_iter().chain(numbers));
        }
        let note = if self.is_trial {
            "Nothing was done: this is what everslot sync would do.\n"
        } else {
            ""
        };
        format!("{table}\n{note}")
    }

    fn warn(&mut self, line: &str) {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        if self.told.insert(hasher.finish()) {
            self.bar.suspend(|| output::warn(line));
        }
    }
}

impl Watcher for Report {
    fn progress(&mut self, progress: &Progress, of_about: u64) {
        self.bar
            .set_length(of_about.max(u64::from(progress.looked_at)));
        self.bar.set_position(u64::from(progress.looked_at));
    }

    fn happened(&mut self, event: ReconcileEvent, object: &str, why: Option<&str>) {
        let words = match event {
            ReconcileEvent::Conflict(_) => {
                "was changed there and in the group: the group's change wins"
            }
            ReconcileEvent::Ambiguous(_) => {
                "is there more than once, and which is meant cannot be told: destroy all but one"
            }
            ReconcileEvent::Stays(_) => "cannot be carried there",
            ReconcileEvent::Postponed(_) => "waits for a member that has it",
            ReconcileEvent::Refused(_) => "cannot be set right there",
            ReconcileEvent::Missing(_) => "is on no member any more",
        };
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        self.warn(&format!("member {:?}: {object} {words}{why}", self.name));
    }

    /// Whoever interrupts the command ends it: what it has done stands, and it can be run again.
    fn is_over(&self) -> bool {
        false
    }
}

/// What was done adds up; what stays undone is as the last look found it.
const fn added(before: Progress, now: Progress) -> Progress {
    Progress {
        copied: before.copied.saturating_add(now.copied),
        updated: before.updated.saturating_add(now.updated),
        destroyed: before.destroyed.saturating_add(now.destroyed),
        adopted: before.adopted.saturating_add(now.adopted),
        changes_adopted: before.changes_adopted.saturating_add(now.changes_adopted),
        conflicts: before.conflicts.saturating_add(now.conflicts),
        ..now
    }
}
