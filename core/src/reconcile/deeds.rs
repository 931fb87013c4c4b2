//! What is done to one object, and what follows from how it ends.

use super::{
    Deed, DeedOutcome, Ended, Live, ObjectKey, Pass, Phase, Progress, Reconcile, ReconcileEvent,
    ReconcileOutput, Walk,
};
use crate::{MemberId, MemberSet};

/// Something that is being done to one object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Task {
    pub(super) key: ObjectKey,
    pub(super) deed: Deed,
    /// The group's entry, if it is an object.
    live: Option<Live>,
    /// Who has the object and has not been asked for it.
    left: MemberSet,
}

impl Reconcile {
    /// Takes how a deed has ended.
    pub(super) fn deed_ended(
        &mut self,
        pass: Pass,
        rest: Walk,
        task: Task,
        outcome: DeedOutcome,
    ) -> ReconcileOutput {
        match task.deed {
            Deed::Copy { from } => self.copy_ended(pass, rest, task, from, outcome),
            Deed::Update { from } => self.update_ended(pass, rest, task, from, outcome),
            Deed::Destroy
            | Deed::Record { .. }
            | Deed::RecordAbsent
            | Deed::Adopt { .. }
            | Deed::AdoptChange { .. } => match outcome {
                DeedOutcome::Done => self.done(pass, rest, task),
                DeedOutcome::Gone => self.go_on(pass, rest),
                DeedOutcome::Refused if task.deed == Deed::Destroy => {
                    self.end(Ended::KeepsDestroyed(task.key))
                }
                DeedOutcome::Refused => self.refused(pass, rest, task.key),
                DeedOutcome::NotCarryable | DeedOutcome::SourceLost => self.void(),
            },
        }
    }

    fn copy_ended(
        &mut self,
        pass: Pass,
        rest: Walk,
        task: Task,
        from: MemberId,
        outcome: DeedOutcome,
    ) -> ReconcileOutput {
        match outcome {
            DeedOutcome::Done => self.done(pass, rest, task),
            DeedOutcome::NotCarryable => self.stays(pass, rest, task.key, task.live),
            DeedOutcome::SourceLost | DeedOutcome::Gone => {
                self.source_failed(from, outcome);
                self.copy(pass, rest, task)
            }
            DeedOutcome::Refused => {
                count(&mut self.progress.refused);
                let output = self.note_absent(pass, rest, task.key, task.live);
                told(output, ReconcileEvent::Refused(task.key))
            }
        }
    }

    fn update_ended(
        &mut self,
        pass: Pass,
        rest: Walk,
        task: Task,
        from: MemberId,
        outcome: DeedOutcome,
    ) -> ReconcileOutput {
        match outcome {
            DeedOutcome::Done => self.done(pass, rest, task),
            DeedOutcome::SourceLost | DeedOutcome::Gone => {
                self.source_failed(from, outcome);
                self.update_from(pass, rest, task)
            }
            DeedOutcome::NotCarryable | DeedOutcome::Refused => self.refused(pass, rest, task.key),
        }
    }

    /// A member that is lost is no source any more; one that lacks what it is on record to have is to be reconciled.
    fn source_failed(&mut self, from: MemberId, outcome: DeedOutcome) {
        match outcome {
            DeedOutcome::SourceLost => self.sources.remove(from),
            DeedOutcome::Gone => self.owed.insert(from),
            DeedOutcome::Done | DeedOutcome::NotCarryable | DeedOutcome::Refused => {}
        }
    }

    /// Counts what a deed has done, and what it means to others.
    fn done(&mut self, pass: Pass, rest: Walk, task: Task) -> ReconcileOutput {
        let others = self.sources;
        match task.deed {
            Deed::Record { .. } | Deed::RecordAbsent => {}
            Deed::Copy { .. } => count(&mut self.progress.copied),
            Deed::Update { .. } => count(&mut self.progress.updated),
            Deed::Destroy => count(&mut self.progress.destroyed),
            Deed::AdoptChange { .. } => {
                count(&mut self.progress.changes_adopted);
                if let Some(live) = task.live {
                    self.owed = self.owed.union(live.on_record().intersection(others));
                    self.owe_those_that_lack(live);
                }
            }
            Deed::Adopt {
                carryable: true, ..
            } => {
                count(&mut self.progress.adopted);
                if !self.copies.has_enough(MemberSet::of(self.member)) {
                    self.owed = self.owed.union(others);
                }
            }
            Deed::Adopt {
                carryable: false, ..
            } => {
                count(&mut self.progress.adopted);
                count(&mut self.progress.stay);
                let output = self.go_on(pass, rest);
                return told(output, ReconcileEvent::Stays(task.key));
            }
        }
        self.go_on(pass, rest)
    }

    /// What nobody else who serves has as the group has it, others may lack or have otherwise.
    pub(super) fn owe_what_only_it_has(&mut self, live: Live) {
        if live.holders.intersection(self.sources).is_empty() {
            self.owed = self.owed.union(live.behind.intersection(self.sources));
        }
        self.owe_those_that_lack(live);
    }

    /// If nobody else who serves has it as the group has it, those that lack it may have had nobody to get it from.
    fn owe_those_that_lack(&mut self, live: Live) {
        let have = live.on_record().with(self.member);
        let alone = live.holders.intersection(self.sources).is_empty();
        if alone && live.carryable && !self.copies.has_enough(have) {
            self.owed = self.owed.union(self.sources.difference(have));
        }
    }

    pub(super) fn begin(&mut self, pass: Pass, rest: Walk, task: Task) -> ReconcileOutput {
        self.transition(Phase::Doing(pass, rest, task))
    }

    /// Asks the next of those who have it, the ones that have it as the group has it first (S8).
    pub(super) fn copy(&mut self, pass: Pass, rest: Walk, task: Task) -> ReconcileOutput {
        match task.next_source(self.sources) {
            Some((from, left)) => {
                let deed = Deed::Copy { from };
                self.begin(pass, rest, Task { deed, left, ..task })
            }
            None => {
                count(&mut self.progress.postponed);
                let output = self.note_absent(pass, rest, task.key, task.live);
                told(output, ReconcileEvent::Postponed(task.key))
            }
        }
    }

    pub(super) fn update(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        live: Live,
    ) -> ReconcileOutput {
        self.update_from(pass, rest, Task::of_updates(key, live, self.member))
    }

    fn update_from(&mut self, pass: Pass, rest: Walk, task: Task) -> ReconcileOutput {
        match task.next_source(self.sources) {
            Some((from, left)) => {
                let deed = Deed::Update { from };
                self.begin(pass, rest, Task { deed, left, ..task })
            }
            None => {
                count(&mut self.progress.postponed);
                let nobody = |live: &Live| live.behind.intersection(self.sources).is_empty();
                if let Some(live) = task.live.filter(nobody) {
                    self.owe_those_that_lack(live);
                }
                let output = self.go_on(pass, rest);
                told(output, ReconcileEvent::Postponed(task.key))
            }
        }
    }

    pub(super) fn stays(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        live: Option<Live>,
    ) -> ReconcileOutput {
        count(&mut self.progress.stay);
        let output = self.note_absent(pass, rest, key, live);
        told(output, ReconcileEvent::Stays(key))
    }

    /// The member does without the object: if the journal has it otherwise, that is set right, so that nobody relies on it.
    pub(super) fn note_absent(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        live: Option<Live>,
    ) -> ReconcileOutput {
        let on_record =
            live.is_some_and(|live| live.known.is_some() || live.on_record().contains(self.member));
        if on_record {
            self.begin(pass, rest, Task::new(key, Deed::RecordAbsent, live))
        } else {
            self.go_on(pass, rest)
        }
    }

    fn refused(&mut self, pass: Pass, rest: Walk, key: ObjectKey) -> ReconcileOutput {
        count(&mut self.progress.refused);
        let output = self.go_on(pass, rest);
        told(output, ReconcileEvent::Refused(key))
    }

    pub(super) fn ambiguous(&mut self, pass: Pass, rest: Walk, key: ObjectKey) -> ReconcileOutput {
        count(&mut self.progress.ambiguous);
        let output = self.go_on(pass, rest);
        told(output, ReconcileEvent::Ambiguous(key))
    }
}

impl Task {
    pub(super) const fn new(key: ObjectKey, deed: Deed, live: Option<Live>) -> Self {
        Self {
            key,
            deed,
            live,
            left: MemberSet::EMPTY,
        }
    }

    /// A copy from anybody who has it: one that has it otherwise is better than none (S8).
    pub(super) const fn of_copies(key: ObjectKey, live: Live, member: MemberId) -> Self {
        let deed = Deed::Copy { from: member };
        Self {
            left: live.on_record().without(member),
            ..Self::new(key, deed, Some(live))
        }
    }

    /// An update from one that has it as the group has it.
    const fn of_updates(key: ObjectKey, live: Live, member: MemberId) -> Self {
        let deed = Deed::Update { from: member };
        Self {
            left: live.holders.without(member),
            ..Self::new(key, deed, Some(live))
        }
    }

    /// Whom to ask, and who is left then.
    fn next_source(&self, serving: MemberSet) -> Option<(MemberId, MemberSet)> {
        let left = self.left.intersection(serving);
        let current = self
            .live
            .map_or(MemberSet::EMPTY, |live| live.holders.intersection(left));
        let from = current.first().or_else(|| left.first())?;
        Some((from, left.without(from)))
    }

    /// Whom the object comes from.
    pub(super) const fn source(&self) -> Option<MemberId> {
        match self.deed {
            Deed::Copy { from } | Deed::Update { from } => Some(from),
            Deed::Record { .. }
            | Deed::RecordAbsent
            | Deed::Destroy
            | Deed::Adopt { .. }
            | Deed::AdoptChange { .. } => None,
        }
    }
}

impl Progress {
    pub(super) const NOTHING: Self = Self {
        looked_at: 0,
        copied: 0,
        updated: 0,
        destroyed: 0,
        adopted: 0,
        changes_adopted: 0,
        conflicts: 0,
        ambiguous: 0,
        stay: 0,
        postponed: 0,
        refused: 0,
        missing: 0,
    };
}

pub(super) fn count(counter: &mut u32) {
    *counter = counter.saturating_add(1);
}

pub(super) fn told(output: ReconcileOutput, event: ReconcileEvent) -> ReconcileOutput {
    ReconcileOutput {
        event: Some(event),
        ..output
    }
}
