//! What is begun when both sides of a key are known.

use super::deeds::{Task, count, told};
use super::{
    Decision, Deed, GroupEntry, Live, MemberEntry, ObjectKey, Pair, Pass, Reconcile,
    ReconcileEvent, ReconcileOutput, Walk, decide,
};

impl Reconcile {
    /// Decides on a pair, and begins what is to be done or goes on to the next.
    pub(super) fn meet(&mut self, pass: Pass, rest: Walk, pair: Pair) -> ReconcileOutput {
        let decision = decide(self.member, self.copies, pair.group, pair.object);
        match (pair.group, pair.object) {
            (Some(GroupEntry::Live(live)), Some(object)) => {
                self.meet_held(pass, rest, pair.key, decision, live, object)
            }
            (Some(GroupEntry::Live(live)), None) => {
                self.meet_lacking(pass, rest, pair.key, decision, live)
            }
            (Some(GroupEntry::Tombstone) | None, object) => {
                self.meet_stranger(pass, rest, pair.key, decision, object)
            }
        }
    }

    fn meet_held(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        decision: Decision,
        live: Live,
        object: MemberEntry,
    ) -> ReconcileOutput {
        let revision = object.revision;
        let task = |deed| Task::new(key, deed, Some(live));
        match decision {
            Decision::Keep => {
                self.owe_what_only_it_has(live);
                self.go_on(pass, rest)
            }
            Decision::Record => {
                self.owe_what_only_it_has(live);
                self.begin(pass, rest, task(Deed::Record { revision }))
            }
            Decision::AdoptChange => {
                let instead_of = live.revision;
                let deed = Deed::AdoptChange {
                    revision,
                    instead_of,
                };
                self.begin(pass, rest, task(deed))
            }
            Decision::Update => self.update(pass, rest, key, live),
            Decision::Overrule => {
                count(&mut self.progress.conflicts);
                let output = self.update(pass, rest, key, live);
                told(output, ReconcileEvent::Conflict(key))
            }
            Decision::Leave => {
                // Only a change that is under way can tell what this is; if it comes to nothing, the object is lacking.
                self.owed.insert(self.member);
                self.go_on(pass, rest)
            }
            Decision::Ambiguous
            | Decision::Copy
            | Decision::Enough
            | Decision::Stays
            | Decision::Missing
            | Decision::Destroy
            | Decision::Adopt => self.ambiguous(pass, rest, key),
        }
    }

    fn meet_lacking(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        decision: Decision,
        live: Live,
    ) -> ReconcileOutput {
        match decision {
            Decision::Copy => self.copy(pass, rest, Task::of_copies(key, live, self.member)),
            Decision::Stays => self.stays(pass, rest, key, Some(live)),
            Decision::Missing => {
                count(&mut self.progress.missing);
                let output = self.note_absent(pass, rest, key, Some(live));
                told(output, ReconcileEvent::Missing(key))
            }
            Decision::Enough
            | Decision::Keep
            | Decision::Record
            | Decision::Update
            | Decision::Overrule
            | Decision::AdoptChange
            | Decision::Destroy
            | Decision::Adopt
            | Decision::Ambiguous
            | Decision::Leave => self.note_absent(pass, rest, key, Some(live)),
        }
    }

    /// What the group does not have: destroyed, or never known.
    fn meet_stranger(
        &mut self,
        pass: Pass,
        rest: Walk,
        key: ObjectKey,
        decision: Decision,
        object: Option<MemberEntry>,
    ) -> ReconcileOutput {
        match (decision, object) {
            (Decision::Destroy, _) => self.begin(pass, rest, Task::new(key, Deed::Destroy, None)),
            (Decision::Adopt, Some(object)) => {
                let deed = Deed::Adopt {
                    revision: object.revision,
                    carryable: object.carryable,
                };
                self.begin(pass, rest, Task::new(key, deed, None))
            }
            (Decision::Ambiguous, _) => self.ambiguous(pass, rest, key),
            (
                Decision::Keep
                | Decision::Leave
                | Decision::Adopt
                | Decision::Record
                | Decision::Update
                | Decision::Overrule
                | Decision::AdoptChange
                | Decision::Copy
                | Decision::Enough
                | Decision::Stays
                | Decision::Missing,
                _,
            ) => self.go_on(pass, rest),
        }
    }
}
