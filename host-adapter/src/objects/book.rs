//! What the journal has on record of all objects, as far as this process has read it: looked up by every search, read anew where it has grown.

use std::collections::HashMap;

use super::known::Known;
use crate::domain::{Candidate, Fingerprint, Shown};
use crate::journal::{Entries, Entry, Journal, JournalError, ObjectId, Range};

/// The journal's objects and tombstones by their names and fingerprints.
#[derive(Default)]
pub(super) struct Book {
    /// How far the journal had counted when it was read.
    read: Option<u64>,
    lines: HashMap<ObjectId, Line>,
    names: HashMap<Fingerprint, Vec<ObjectId>>,
    /// Private keys by what they would be known by without a public value.
    bare: HashMap<Fingerprint, Vec<ObjectId>>,
}

#[derive(Clone, Copy)]
struct Line {
    known: Known,
    bare: Option<Fingerprint>,
    gone: bool,
}

/// What is on record of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Record {
    /// Nothing.
    None,
    /// It is the group's.
    Live(Known),
    /// It was destroyed, and what a member still has of it goes.
    Gone,
}

impl Book {
    /// Reads what the journal has more than it had.
    pub(super) fn catch_up(&mut self, journal: &mut Journal) -> Result<(), JournalError> {
        let now = journal.sequence()?;
        match self.read {
            Some(read) if read == now => return Ok(()),
            // Another journal is in its place.
            Some(read) if read > now => *self = Self::default(),
            Some(_) | None => {}
        }
        let since = self.read;
        let mut entries = Entries::new(Range {
            since,
            ..Range::default()
        });
        while let Some(entry) = entries.next(journal)? {
            self.note(&entry);
        }
        self.read = Some(now);
        Ok(())
    }

    fn note(&mut self, entry: &Entry) {
        let object = &entry.object;
        let known = Known {
            id: object.id,
            fingerprint: object.fingerprint,
            class: object.class,
            remembered: object.remembered,
        };
        let line = Line {
            known,
            bare: object.bare,
            gone: entry.gone,
        };
        if let Some(before) = self.lines.insert(object.id, line) {
            forget(&mut self.names, before.known.fingerprint, object.id);
            if let Some(bare) = before.bare {
                forget(&mut self.bare, bare, object.id);
            }
        }
        let names = self.names.entry(object.fingerprint).or_default();
        names.push(object.id);
        if let Some(bare) = object.bare {
            self.bare.entry(bare).or_default().push(object.id);
        }
    }

    /// By the group's own name of it. A name that has gone may have been taken over by a twin that has not.
    pub(super) fn of_id(&self, id: ObjectId) -> Record {
        match self.lines.get(&id) {
            None => Record::None,
            Some(line) if line.gone => self.of_fingerprint(line.known.fingerprint),
            Some(line) => Record::Live(line.known),
        }
    }

    /// What it is known by. What no journal knows any more, as a tombstone that all have heeded, is on record here still: it is nobody's.
    pub(super) fn known_as(&self, shown: &Shown) -> Fingerprint {
        let ids = shown.open_name().and_then(|bare| self.bare.get(&bare));
        let lines = ids.into_iter().flatten();
        let candidate = |line: &Line| Candidate {
            fingerprint: line.known.fingerprint,
            gone: line.gone,
            is_held: false,
        };
        let lines = lines.filter_map(|id| self.lines.get(id));
        let candidates: Vec<_> = lines.map(candidate).collect();
        shown.known_as(&candidates)
    }

    /// By what it is known by at the members. Of several the first that is not gone.
    pub(super) fn of_fingerprint(&self, of: Fingerprint) -> Record {
        let ids = self.names.get(&of).map(Vec::as_slice).unwrap_or_default();
        let lines = ids.iter().filter_map(|id| self.lines.get(id));
        let mut record = Record::None;
        for line in lines {
            if !line.gone {
                return Record::Live(line.known);
            }
            record = Record::Gone;
        }
        record
    }
}

fn forget(names: &mut HashMap<Fingerprint, Vec<ObjectId>>, name: Fingerprint, id: ObjectId) {
    if let Some(ids) = names.get_mut(&name) {
        ids.retain(|other| *other != id);
    }
}

#[cfg(test)]
mod tests;
