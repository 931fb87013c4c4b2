//! Changes that a crash has interrupted: each is undone or finished, from its intent.

use cryptoki_sys as ck;
use everslot_core::{
    Change, ChangeAnswer, ChangeInput, ChangeKind, Intent, MemberId, MemberSet, Plant,
};
use everslot_protocol::ObjectHandle;

use super::alike::known_as;
use super::change::{Deeds, Watch, carry_through, plant as in_journal, written};
use super::keeper::Keeper;
use super::owner::Owner;
use super::planted;
use super::reach::{NotCarried, Reach};
use crate::domain::{
    Attributes, CallError, CarryError, Fingerprint, Revision, Shown, Token, update as carry_update,
};
use crate::journal::{self, Entry, Journal, JournalError, Object};

/// What has become of the intents.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Resumed {
    /// Undone or finished.
    pub(crate) done: usize,
    /// Waiting for members that cannot be reached.
    pub(crate) left: usize,
}

/// Resumes the intents of processes that have ended, and what changes that are over have left at members that were away. Whoever calls it has
/// logged in: what is not seen is taken for gone.
///
/// # Errors
/// The journal cannot be used; what was not resumed stands.
pub(crate) fn resume_intents(keeper: &Keeper, reach: &dyn Reach) -> Result<Resumed, JournalError> {
    let mut resumed = Resumed::default();
    for intent in keeper.with_journal(Journal::intents)? {
        let named = keeper.members(intent.members.iter().map(String::as_str));
        if !keeper.is_abandoned(&intent) {
            continue;
        }
        let claimed = keeper.with_journal(|journal| {
            journal.claim(intent.plant, &intent.owner, keeper.owner().as_str())
        })?;
        // Another process was quicker.
        if !claimed {
            continue;
        }
        match resume(keeper, reach, &intent, named)? {
            ChangeAnswer::Done => resumed.done += 1,
            ChangeAnswer::Refused
            | ChangeAnswer::NotCarryable
            | ChangeAnswer::TooFew
            | ChangeAnswer::Gone
            | ChangeAnswer::Unavailable
            | ChangeAnswer::JournalFailed
            | ChangeAnswer::Unknown => {
                resumed.left += 1;
                keeper.with_journal(|journal| journal.disown(intent.plant))?;
            }
        }
    }
    Ok(resumed)
}

fn resume(
    keeper: &Keeper,
    reach: &dyn Reach,
    intent: &journal::Intent,
    named: MemberSet,
) -> Result<ChangeAnswer, JournalError> {
    let entry = match intent.object {
        Some(id) => keeper.with_journal(|journal| journal.entry(id))?,
        None => None,
    };
    let _under_way = keeper.begin(intent.plant.mark);
    let in_core = Intent {
        plant: Plant {
            mark: intent.plant.mark,
            attempt: intent.plant.attempt,
        },
        kind: match intent.kind {
            journal::IntentKind::Create => ChangeKind::Create,
            journal::IntentKind::Update => ChangeKind::Update,
            journal::IntentKind::Destroy => ChangeKind::Destroy,
        },
        members: named,
    };
    let reachable = reach.reachable();
    let current = keeper.members(entry.iter().flat_map(Entry::current));
    let change = Change::resume(in_core, reachable, current);
    let mut deeds = Resumption {
        keeper,
        reach,
        watch: Watch::over(reach, reachable),
        entry,
        becomes: intent.fingerprint,
    };
    Ok(carry_through(change, keeper, &mut deeds))
}

impl Keeper {
    /// Whether there are intents that nobody is about any more.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn has_abandoned(&self) -> Result<bool, JournalError> {
        let intents = self.with_journal(Journal::intents)?;
        Ok(intents.iter().any(|intent| self.is_abandoned(intent)))
    }

    /// Whether nobody is about the intent any more.
    fn is_abandoned(&self, intent: &journal::Intent) -> bool {
        if intent.owner == self.owner().as_str() {
            return !self.is_under_way(intent.plant.mark);
        }
        Owner::has_ended(&intent.owner)
    }
}

/// The deeds of a change that is resumed.
struct Resumption<'r> {
    keeper: &'r Keeper,
    reach: &'r dyn Reach,
    watch: Watch,
    /// The object, of a change of one that there is.
    entry: Option<Entry>,
    /// What it is known by where an update has reached it.
    becomes: Option<Fingerprint>,
}

impl Resumption<'_> {
    /// The object at a member by what it is known by; of twins all but as many as are on record.
    fn same_as(
        &self,
        token: &mut Token<'_>,
        name: &str,
        entry: &Entry,
        spared: usize,
    ) -> Result<Vec<ObjectHandle>, CallError> {
        let wanted = Attributes::new()
            .number(ck::CKA_CLASS, entry.object.class)
            .flags(&[ck::CKA_TOKEN], true);
        let mut found = Vec::new();
        for object in token.find(&wanted)? {
            let shown = Shown::of(token, object)?;
            let seen = self
                .keeper
                .with_journal(|journal| known_as(&shown, journal, name));
            // What cannot be told is left alone.
            let Ok(seen) = seen else { continue };
            let updated = self.becomes.filter(|_| !entry.gone);
            if seen == entry.object.fingerprint || Some(seen) == updated {
                found.push(object);
            }
        }
        found.truncate(found.len().saturating_sub(spared));
        Ok(found)
    }

    /// How many live objects have the same fingerprint.
    fn twins(&self, entry: &Entry) -> Result<usize, JournalError> {
        let of = entry.object.fingerprint;
        let entries = self
            .keeper
            .with_journal(|journal| journal.with_fingerprint(of))?;
        let other = |twin: &&Entry| !twin.gone && twin.object.id != entry.object.id;
        Ok(entries.iter().filter(other).count())
    }

    /// The object as a member has it, for the record.
    fn read(&self, member: MemberId, entry: &Entry) -> Option<Object> {
        let mut read = None;
        let done = self.reach.at(member, &mut |end| {
            if let [object] = self.same_as(end.token, end.name, entry, 0)?[..] {
                let shown = Shown::of(end.token, object)?;
                let known = |journal: &mut Journal| known_as(&shown, journal, end.name);
                let Ok(fingerprint) = self.keeper.with_journal(known) else {
                    return Ok(());
                };
                read = Some(Object {
                    fingerprint,
                    bare: shown.bare(),
                    revision: Revision::of(end.token, object)?,
                    ..entry.object.clone()
                });
            }
            Ok(())
        });
        done.ok().and(read)
    }
}

impl Deeds for Resumption<'_> {
    fn lost(&mut self) -> Option<MemberId> {
        self.watch.lost(self.reach)
    }

    fn clean(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let plant = in_journal(plant);
        let mut any = false;
        let cleaned = self.reach.at(member, &mut |end| {
            let all = Attributes::new().flags(&[ck::CKA_TOKEN], true);
            for object in end.token.find(&all)? {
                let label = end.token.attribute(object, ck::CKA_LABEL)?;
                if label.is_some_and(|label| planted::plant_of(&label) == Some(plant)) {
                    end.token.destroy(object)?;
                    any = true;
                }
            }
            Ok(())
        });
        match cleaned {
            Ok(()) if any => ChangeInput::Done,
            Ok(()) => ChangeInput::Gone,
            // Some other object went while all were looked at.
            Err(super::reach::Missed::Refused(_)) => ChangeInput::Refused,
            Err(missed) => missed.input(),
        }
    }

    fn destroy(&mut self, member: MemberId) -> ChangeInput {
        let Some(entry) = &self.entry else {
            return ChangeInput::Gone;
        };
        let Ok(spared) = self.twins(entry) else {
            return ChangeInput::NotSent;
        };
        let mut any = false;
        let destroyed = self.reach.at(member, &mut |end| {
            for object in self.same_as(end.token, end.name, entry, spared)? {
                end.token.destroy(object)?;
                any = true;
            }
            Ok(())
        });
        match destroyed {
            Ok(()) if any => ChangeInput::Done,
            Ok(()) => ChangeInput::Gone,
            Err(super::reach::Missed::Refused(_)) => ChangeInput::Refused,
            Err(missed) => missed.input(),
        }
    }

    fn restore(&mut self, member: MemberId, from: MemberId) -> ChangeInput {
        let Some(entry) = &self.entry else {
            return ChangeInput::Gone;
        };
        let mut is_there = true;
        let restored = self.reach.between(from, member, &mut |from, to| {
            let original = self
                .same_as(from.token, from.name, entry, 0)
                .map_err(CarryError::Source)?;
            let copy = self
                .same_as(to.token, to.name, entry, 0)
                .map_err(CarryError::Target)?;
            match (&original[..], &copy[..]) {
                ([original], [copy]) => {
                    carry_names(*original, from.token, *copy, to.token)?;
                    carry_update(*original, from.token, *copy, to.token)?;
                }
                _ => is_there = false,
            }
            Ok(())
        });
        match restored {
            Ok(()) if is_there => ChangeInput::Done,
            Ok(()) | Err(NotCarried::SourceGone) => ChangeInput::Gone,
            Err(missed) => missed.input(),
        }
    }

    fn commit(&mut self, plant: Plant, done: MemberSet, unclear: MemberSet) -> ChangeInput {
        let (done_names, unclear) = (self.keeper.names(done), self.keeper.names(unclear));
        let Some(entry) = &self.entry else {
            return ChangeInput::Gone;
        };
        let plant = in_journal(plant);
        if entry.gone {
            let id = entry.object.id;
            let committed = self
                .keeper
                .with_journal(|journal| journal.commit_destruction(plant, id, &done_names));
            return written(&committed);
        }
        let read = done.iter().find_map(|member| self.read(member, entry));
        let Some(object) = read else {
            return ChangeInput::Unknown;
        };
        let committed = self
            .keeper
            .with_journal(|journal| journal.settle_update(plant, &object, &done_names, &unclear));
        match committed {
            Ok(false) => ChangeInput::Gone,
            committed => written(&committed.map(|_| ())),
        }
    }

    fn retract(&mut self, plant: Plant, left: MemberSet) -> ChangeInput {
        self.keeper.retract(plant, left)
    }
}

/// Gives the copy the original's label and id, which are no part of its revision.
fn carry_names(
    original: ObjectHandle,
    from: &mut Token<'_>,
    copy: ObjectHandle,
    to: &mut Token<'_>,
) -> Result<(), CarryError> {
    let names = [ck::CKA_LABEL, ck::CKA_ID];
    let wanted = from.attributes(original, &names);
    let wanted = wanted.map_err(CarryError::Source)?;
    let present = to.attributes(copy, &names).map_err(CarryError::Target)?;
    if present == wanted {
        return Ok(());
    }
    to.set(copy, &wanted).map_err(CarryError::Target)
}
