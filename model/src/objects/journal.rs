//! The journal: intents, tombstones, the catalogue with who holds what. Each of its steps is one transaction.

use std::collections::BTreeMap;

use everslot_core::{
    ChangeInput, ChangeKind, GroupEntry, Intent, Live, MemberId, MemberSet, ObjectKey, Plant,
    Revision, Sequence,
};

use super::{Target, Thread};

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Journal {
    pub(super) sequence: u64,
    pub(super) entries: BTreeMap<ObjectKey, Entry>,
    pub(super) intents: BTreeMap<Plant, Open>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Entry {
    pub(super) changed: u64,
    pub(super) revision: Revision,
    pub(super) rows: BTreeMap<MemberId, Option<Revision>>,
    pub(super) is_destroyed: bool,
    /// Of a tombstone: the members that were found equal beyond it. Of others nothing is ever asked up to where a member is equal.
    beyond: MemberSet,
}

/// A process and what it does.
pub(super) type Owner = (u8, Thread);

/// An intent that stands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Open {
    pub(super) intent: Intent,
    pub(super) target: Target,
    /// Who carries it out.
    pub(super) owner: Option<Owner>,
}

impl Journal {
    fn count(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(super) fn add(&mut self, key: ObjectKey, revision: Revision, rows: MemberSet) {
        let entry = Entry {
            changed: self.count(),
            revision,
            rows: rows
                .into_iter()
                .map(|member| (member, Some(revision)))
                .collect(),
            is_destroyed: false,
            beyond: MemberSet::EMPTY,
        };
        self.entries.insert(key, entry);
    }

    pub(super) fn live(&self, key: ObjectKey) -> Option<&Entry> {
        self.entries.get(&key).filter(|entry| !entry.is_destroyed)
    }

    /// The group's object of a base.
    pub(super) fn key_of(&self, base: u8) -> Option<ObjectKey> {
        self.live_keys(base).next()
    }

    pub(super) fn live_keys(&self, base: u8) -> impl Iterator<Item = ObjectKey> + '_ {
        let of_base = self.entries.iter().filter(move |(key, _)| key.0[0] == base);
        of_base
            .filter(|(_, entry)| !entry.is_destroyed)
            .map(|(key, _)| *key)
    }

    pub(super) fn is_pending(&self, plant: Plant, member: MemberId) -> bool {
        self.intents.get(&plant).is_some_and(|open| {
            open.intent.kind == ChangeKind::Create && open.intent.members.contains(member)
        })
    }

    /// Turns an object into a tombstone, or back.
    pub(super) fn mark(&mut self, key: ObjectKey, is_destroyed: bool) {
        let changed = self.count();
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.changed = changed;
            entry.is_destroyed = is_destroyed;
            entry.beyond = MemberSet::EMPTY;
        }
    }

    pub(super) fn revise(&mut self, key: ObjectKey, revision: Revision, rows: MemberSet) {
        let changed = self.count();
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.changed = changed;
            entry.revision = revision;
            entry
                .rows
                .extend(rows.into_iter().map(|member| (member, Some(revision))));
        }
    }

    pub(super) fn record(&mut self, intent: Intent, target: Target, owner: Owner) -> ChangeInput {
        match target {
            Target::Revised { key, .. } | Target::Gone { key } if self.live(key).is_none() => {
                return ChangeInput::Gone;
            }
            Target::Gone { key } => self.mark(key, true),
            Target::New { .. } | Target::Revised { .. } => {}
        }
        let owner = Some(owner);
        self.intents.insert(
            intent.plant,
            Open {
                intent,
                target,
                owner,
            },
        );
        ChangeInput::Done
    }

    /// An intent stands for these members alone, or goes. Nobody carries it out any more.
    pub(super) fn narrow(&mut self, plant: Plant, members: MemberSet) {
        if members.is_empty() {
            self.intents.remove(&plant);
        } else if let Some(open) = self.intents.get_mut(&plant) {
            open.intent.members = members;
            open.owner = None;
        }
    }

    /// Who is on record to have the object as the group has it.
    pub(super) fn current(&self, target: Target) -> MemberSet {
        let key = match target {
            Target::New { .. } => return MemberSet::EMPTY,
            Target::Revised { key, .. } | Target::Gone { key } => key,
        };
        let Some(entry) = self.entries.get(&key) else {
            return MemberSet::EMPTY;
        };
        let is_current = |(_, has): &(&MemberId, &Option<Revision>)| **has == Some(entry.revision);
        let current = entry.rows.iter().filter(is_current);
        current.map(|(member, _)| *member).collect()
    }

    /// Which of these members alone can tell what the object is now: nobody else has it as the group has it.
    pub(super) fn doubted(&self, target: Target, members: MemberSet) -> MemberSet {
        let current = self.current(target);
        if current.difference(members).is_empty() {
            current
        } else {
            MemberSet::EMPTY
        }
    }

    /// Whether all of these are on record to have the object as it was before it was last changed.
    pub(super) fn are_behind(&self, key: ObjectKey, has: Revision, members: MemberSet) -> bool {
        self.entries.get(&key).is_some_and(|entry| {
            let behind = |member| entry.rows.get(&member) == Some(&Some(has));
            has != entry.revision && members.into_iter().all(behind)
        })
    }

    /// What was in doubt of an object is of no interest once it has changed: those who were to tell follow.
    pub(super) fn supersede(&mut self, key: ObjectKey, done: MemberSet) {
        let mut doubted = MemberSet::EMPTY;
        self.intents.retain(|_, open| {
            let of_it = matches!(open.target, Target::Revised { key: of, .. } if of == key);
            let stale = of_it && open.owner.is_none();
            if stale {
                doubted = doubted.union(open.intent.members);
            }
            !stale
        });
        self.forget_rows(key, doubted.difference(done));
    }

    pub(super) fn forget_rows(&mut self, key: ObjectKey, members: MemberSet) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry
                .rows
                .extend(members.into_iter().map(|member| (member, None)));
        }
    }

    /// These have destroyed it.
    pub(super) fn remove_rows(&mut self, key: ObjectKey, members: MemberSet) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.rows.retain(|member, _| !members.contains(*member));
        }
    }

    /// A member is equal to the group up to here. Tombstones go that all `members` have been found equal beyond, that nobody is on record to hold, and
    /// that no intent is about.
    pub(super) fn set_equal(&mut self, member: MemberId, upto: u64, members: MemberSet) {
        for entry in self.entries.values_mut() {
            if entry.is_destroyed && entry.changed <= upto {
                entry.rows.remove(&member);
                entry.beyond.insert(member);
            }
        }
        let intents = &self.intents;
        self.entries.retain(|key, entry| {
            let is_asked_of = intents.values().any(|open| open.target.is_of(*key));
            let is_over = entry.beyond == members && entry.rows.is_empty() && !is_asked_of;
            !(entry.is_destroyed && is_over)
        });
    }

    /// When the object was destroyed, if somebody is about to do so, or to change it: that may yet be taken back.
    pub(super) fn being_destroyed(&self, key: ObjectKey) -> Option<u64> {
        let entry = self.entries.get(&key).filter(|entry| entry.is_destroyed)?;
        let mut intents = self.intents.values();
        let under_way = intents.any(|open| open.target.is_of(key) && open.owner.is_some());
        under_way.then_some(entry.changed)
    }

    /// A process has left off what it did, or all of it: the intents are anybody's.
    pub(super) fn abandon(&mut self, process: u8, thread: Option<Thread>) {
        let owned =
            |owner: Owner| owner.0 == process && thread.is_none_or(|thread| owner.1 == thread);
        for open in self.intents.values_mut() {
            open.owner = open.owner.filter(|owner| !owned(*owner));
        }
    }

    /// Notes what a member holds.
    pub(super) fn note(&mut self, member: MemberId, key: ObjectKey, has: Option<Revision>) {
        if let Some(entry) = self.entries.get_mut(&key) {
            match has {
                Some(_) => entry.rows.insert(member, has),
                None => entry.rows.remove(&member),
            };
        }
    }

    /// The next entry for the reconcile of a member.
    pub(super) fn read(
        &self,
        member: MemberId,
        after: Option<ObjectKey>,
        since: Option<Sequence>,
        upto: Sequence,
    ) -> Option<(ObjectKey, GroupEntry)> {
        let mut wanted = self.entries.iter().filter(|(key, entry)| {
            let changed =
                entry.changed <= upto.0 && since.is_none_or(|since| entry.changed > since.0);
            changed && after.is_none_or(|after| **key > after)
        });
        wanted
            .next()
            .map(|(key, entry)| (*key, entry.seen_by(member)))
    }
}

impl Entry {
    fn seen_by(&self, member: MemberId) -> GroupEntry {
        if self.is_destroyed {
            return GroupEntry::Tombstone;
        }
        let rows = |is_current: bool| {
            let fits = self
                .rows
                .iter()
                .filter(move |(_, has)| (**has == Some(self.revision)) == is_current);
            fits.map(|(member, _)| *member).collect()
        };
        GroupEntry::Live(Live {
            revision: self.revision,
            known: self.rows.get(&member).copied().flatten(),
            holders: rows(true),
            behind: rows(false),
            carryable: true,
        })
    }
}
