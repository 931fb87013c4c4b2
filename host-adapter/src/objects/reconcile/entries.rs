//! The group's stream: what the journal has, in the order of the fingerprints, one entry for each.

use everslot_core::{GroupEntry, Live, MemberId, MemberSet, ObjectKey, ReconcileEvent, Sequence};

use super::{Driver, Halt, core_revision, key};
use crate::journal::{Entries, Entry, Intent, Journal, JournalError, Range};
use crate::objects::Owner;

/// Where it stands.
pub(super) struct Walk {
    entries: Entries,
    /// Read, but not given yet.
    next: Option<Entry>,
}

impl Walk {
    fn new(range: Range, journal: &mut Journal) -> Result<Self, JournalError> {
        let mut entries = Entries::new(range);
        let next = entries.next(journal)?;
        Ok(Self { entries, next })
    }

    /// All entries of the next fingerprint.
    fn take(&mut self, journal: &mut Journal) -> Result<Vec<Entry>, JournalError> {
        let Some(first) = self.next.take() else {
            return Ok(Vec::new());
        };
        let fingerprint = first.object.fingerprint;
        let mut same = vec![first];
        loop {
            match self.entries.next(journal)? {
                Some(entry) if entry.object.fingerprint == fingerprint => same.push(entry),
                next => {
                    self.next = next;
                    return Ok(same);
                }
            }
        }
    }
}

impl Driver<'_, '_, '_> {
    /// The next entry of the pass.
    pub(super) fn read_group(
        &mut self,
        after: Option<ObjectKey>,
        since: Option<Sequence>,
        upto: Sequence,
    ) -> Result<Option<(ObjectKey, GroupEntry)>, Halt> {
        let journal = &mut *self.tools.journal;
        let mut walk = match self.walk.take() {
            Some(walk) => walk,
            None => {
                let passed_over = self
                    .passed_over
                    .map_or(u64::MAX, |first| first.saturating_sub(1));
                let range = Range {
                    after: after.map(super::fingerprint),
                    since: since.map(|since| since.0.min(passed_over)),
                    upto: Some(upto.0),
                };
                Walk::new(range, journal)?
            }
        };
        let read = loop {
            let read = walk.take(self.tools.journal)?;
            let Some(first) = read.first() else {
                break None;
            };
            let fingerprint = first.object.fingerprint;
            // The range may leave out what the object with the same fingerprint is that was not changed: a tombstone alone says nothing of it.
            let all = if since.is_some() || read.iter().all(|entry| entry.gone) {
                self.tools.journal.with_fingerprint(fingerprint)?
            } else {
                read
            };
            if self.is_being_destroyed(&all)? {
                continue;
            }
            let live = all.iter().filter(|entry| !entry.gone).count();
            match live {
                0 | 1 => match all.into_iter().max_by_key(|entry| !entry.gone) {
                    // A tombstone that another member's reconcile has made needless since it was read is not the end of the stream.
                    None => {}
                    found @ Some(_) => break found,
                },
                _ if since.is_none() => {
                    self.ambiguous = self.ambiguous.saturating_add(1);
                    self.why = Some("the group has more than one such object".to_owned());
                    self.tell(ReconcileEvent::Ambiguous(key(fingerprint)));
                }
                _ => {}
            }
        };
        self.walk = Some(walk);
        let given = read.as_ref().map(|entry| {
            let member = &self.peers[self.at].name;
            let given = group_entry(entry, member, self.tools.names);
            (key(entry.object.fingerprint), given)
        });
        self.entry = read;
        Ok(given)
    }
}

impl Driver<'_, '_, '_> {
    /// Whether somebody may be about to destroy an object of this fingerprint: that may yet be taken back, so no member heeds the tombstone before. Nobody
    /// is once the gate is closed.
    fn is_being_destroyed(&mut self, all: &[Entry]) -> Result<bool, Halt> {
        if self.closed.is_some() || !all.iter().any(|entry| entry.gone) {
            return Ok(false);
        }
        let intents = self.tools.journal.intents()?;
        let is_under_way = |entry: &&Entry| {
            let of_it = |intent: &&Intent| intent.object == Some(entry.object.id);
            let mut of_it = intents.iter().filter(of_it);
            entry.gone && of_it.any(|intent| !Owner::has_ended(&intent.owner))
        };
        let under_way = all.iter().filter(is_under_way).map(|entry| entry.sequence);
        let first = under_way.min();
        self.passed_over = self.passed_over.into_iter().chain(first).min();
        Ok(first.is_some())
    }
}

fn group_entry(entry: &Entry, member: &str, names: &[String]) -> GroupEntry {
    if entry.gone {
        return GroupEntry::Tombstone;
    }
    let (mut holders, mut behind, mut known) = (MemberSet::EMPTY, MemberSet::EMPTY, None);
    for holder in &entry.holders {
        if holder.member == member {
            known = holder.revision.map(core_revision);
        }
        let index = names.iter().position(|name| *name == holder.member);
        // One that the group has no more has nothing to give.
        let Some(id) = index.and_then(|index| u8::try_from(index).ok()) else {
            continue;
        };
        if holder.revision == Some(entry.object.revision) {
            holders.insert(MemberId(id));
        } else {
            behind.insert(MemberId(id));
        }
    }
    GroupEntry::Live(Live {
        revision: core_revision(entry.object.revision),
        known,
        holders,
        behind,
        carryable: true,
    })
}
