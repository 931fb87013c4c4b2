mod changing;
mod reconciling;

pub(super) use changing::asked;

use std::collections::BTreeMap;
use std::vec::Vec;

use super::{A, ALL};
use crate::{
    ChangeInput, ChangeKind, ChangeNext, Deed, DeedOutcome, GroupEntry, Intent, Live, MemberEntry,
    MemberId, MemberSet, ObjectKey, Plant, ReconcileInput, ReconcileNext, Revision, Sequence,
};

/// What fails at a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    None,
    /// The member dies before it is asked, in the call before it does anything, or after it has done all of it.
    Dies(MemberId, When),
    /// The application dies before the step, or after it.
    Crash(When),
    /// The member that is asked, or the journal, refuses.
    Refuses,
    /// The object cannot be carried.
    NotCarryable,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum When {
    Before,
    During,
    After,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    New {
        base: u8,
    },
    Revised {
        key: ObjectKey,
        revision: u64,
    },
    /// An interrupted update is settled on what one holder has.
    Settled {
        key: ObjectKey,
    },
    Gone {
        key: ObjectKey,
    },
}

impl Target {
    /// What is left of it after an interruption.
    pub(super) const fn resumed(self) -> Self {
        match self {
            Self::Revised { key, .. } => Self::Settled { key },
            Self::New { .. } | Self::Settled { .. } | Self::Gone { .. } => self,
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct World {
    tokens: [Token; 3],
    sequence: u64,
    entries: BTreeMap<ObjectKey, Entry>,
    intents: BTreeMap<Plant, (Intent, Target)>,
    marks: u64,
    pub(super) gate_closed: bool,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Token {
    down: bool,
    objects: Vec<Object>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Object {
    pub(super) key: ObjectKey,
    pub(super) revision: Revision,
    /// Never taken off, which is the worst that a caller may do.
    plant: Option<Plant>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Entry {
    changed: Sequence,
    revision: Revision,
    rows: BTreeMap<MemberId, Option<Revision>>,
    destroyed: bool,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            tokens: Default::default(),
            sequence: 0,
            entries: BTreeMap::new(),
            intents: BTreeMap::new(),
            marks: 0,
            gate_closed: false,
        }
    }

    pub(super) fn random(&mut self) -> u64 {
        self.marks += 1;
        self.marks
    }

    pub(super) fn up(&self) -> MemberSet {
        ALL.into_iter()
            .filter(|member| self.is_up(*member))
            .collect()
    }

    fn is_up(&self, member: MemberId) -> bool {
        !self.tokens[member.index()].down
    }

    pub(super) fn dies(&mut self, member: MemberId) {
        self.tokens[member.index()].down = true;
    }

    pub(super) fn returns(&mut self, member: MemberId) {
        self.tokens[member.index()].down = false;
    }

    pub(super) fn all_return(&mut self) {
        for member in ALL {
            self.returns(member);
        }
    }

    pub(super) fn objects(&self, member: MemberId) -> impl Iterator<Item = Object> + '_ {
        self.tokens[member.index()].objects.iter().copied()
    }

    /// Puts an object on a token behind everybody's back.
    pub(super) fn plant_foreign(&mut self, member: MemberId, base: u8, revision: u64) {
        let object = Object {
            key: new_key(base, 0),
            revision: Revision(revision),
            plant: None,
        };
        self.tokens[member.index()].objects.push(object);
    }

    /// Changes what a token has behind everybody's back.
    pub(super) fn revise_foreign(&mut self, member: MemberId, base: u8, revision: u64) {
        for object in &mut self.tokens[member.index()].objects {
            if object.key.0[0] == base {
                object.revision = Revision(revision);
            }
        }
    }

    pub(super) fn empty(&mut self, member: MemberId) {
        self.tokens[member.index()].objects.clear();
    }

    /// The key of the group's object of a base.
    pub(super) fn key_of(&self, base: u8) -> Option<ObjectKey> {
        self.entries
            .iter()
            .find(|(key, entry)| key.0[0] == base && !entry.destroyed)
            .map(|(key, _)| *key)
    }

    pub(super) fn holders(&self, key: ObjectKey) -> MemberSet {
        self.entries.get(&key).map_or(MemberSet::EMPTY, |entry| {
            entry.rows.keys().copied().collect()
        })
    }

    pub(super) fn is_tombstone(&self, base: u8) -> bool {
        self.entries
            .iter()
            .any(|(key, entry)| key.0[0] == base && entry.destroyed)
    }

    pub(super) fn intents(&self, members: MemberSet) -> Vec<(Intent, Target)> {
        self.intents
            .values()
            .copied()
            .filter(|(intent, _)| !intent.members.intersection(members).is_empty())
            .collect()
    }

    fn bump(&mut self) -> Sequence {
        self.sequence += 1;
        Sequence(self.sequence)
    }

    /// Whether an open intent has made it.
    fn is_pending(&self, member: MemberId, object: Object) -> bool {
        object
            .plant
            .and_then(|plant| self.intents.get(&plant))
            .is_some_and(|(intent, _)| {
                intent.kind == ChangeKind::Create && intent.members.contains(member)
            })
    }

    fn find(&self, member: MemberId, key: ObjectKey) -> Option<Object> {
        self.objects(member)
            .find(|object| object.key == key && !self.is_pending(member, *object))
    }

    fn remove(&mut self, member: MemberId, fits: impl Fn(Object) -> bool) -> bool {
        let objects = &mut self.tokens[member.index()].objects;
        let before = objects.len();
        objects.retain(|object| !fits(*object));
        objects.len() < before
    }

    fn revise(&mut self, member: MemberId, key: ObjectKey, revision: Revision) -> bool {
        let mut found = false;
        for object in &mut self.tokens[member.index()].objects {
            if object.key == key {
                object.revision = revision;
                found = true;
            }
        }
        found
    }
}

impl Entry {
    fn seen_by(&self, member: MemberId) -> GroupEntry {
        if self.destroyed {
            return GroupEntry::Tombstone;
        }
        let current = |known: &Option<Revision>| *known == Some(self.revision);
        let which = |wanted: bool| {
            self.rows
                .iter()
                .filter(|(_, known)| current(known) == wanted)
                .map(|(member, _)| *member)
                .collect()
        };
        GroupEntry::Live(Live {
            revision: self.revision,
            known: self.rows.get(&member).copied().flatten(),
            holders: which(true),
            behind: which(false),
            carryable: true,
        })
    }
}

/// What is generated anew is another key.
fn new_key(base: u8, attempt: u8) -> ObjectKey {
    let mut key = [0; 16];
    key[0] = base;
    key[1] = attempt;
    ObjectKey(key)
}
