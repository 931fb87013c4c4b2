//! A member's objects in the order of their fingerprints, in fixed memory: marks of each stand in a temporary database, which SQLite keeps on disk and
//! which goes with it. No attribute's value is in it.

use cryptoki_sys as ck;
use everslot_core::{MemberEntry, ObjectKey};
use everslot_protocol::ObjectHandle;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::look::Seen;
use super::{Halt, core_revision, key};
use crate::domain::key::KeyName;
use crate::domain::{Attributes, Fingerprint, Revision, Token};
use crate::journal::{Intent, Journal, Plant};
use crate::objects::{known_as, planted};

const TABLES: &str = "
PRAGMA cache_size = -1024; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE object (
    handle INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL, revision BLOB NOT NULL, class INTEGER NOT NULL, carryable INTEGER NOT NULL,
    pending INTEGER NOT NULL
);
CREATE INDEX by_fingerprint ON object (fingerprint);
CREATE TABLE seen (handle INTEGER PRIMARY KEY);
";

const COLUMNS: &str = "handle, fingerprint, revision, class, carryable, pending";

/// The objects of one member, as they were seen last.
pub(super) struct Index {
    store: Connection,
    /// The member's name.
    member: String,
    key_name: KeyName,
    pub(super) freshness: Freshness,
}

/// How far an index is what the member has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Freshness {
    /// Something may have come, gone or changed since the pass began.
    Stale,
    /// What had come or gone was seen, not what has changed.
    Listed,
    /// All of them have been looked at.
    Whole,
}

/// What a member has under one fingerprint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) handle: ObjectHandle,
    pub(super) fingerprint: Fingerprint,
    pub(super) revision: Revision,
    pub(super) class: u64,
    pub(super) carryable: bool,
    pub(super) pending: bool,
    /// Whether more than one object of the member has it.
    pub(super) twins: bool,
}

impl Found {
    pub(super) const fn entry(&self) -> (ObjectKey, MemberEntry) {
        let entry = MemberEntry {
            revision: core_revision(self.revision),
            twins: self.twins,
            pending: self.pending,
            // Whether it can be is found out where one lacks it: all may have it already.
            carryable: true,
        };
        (key(self.fingerprint), entry)
    }
}

impl Index {
    /// Of a member of which nothing has been seen yet.
    ///
    /// # Errors
    /// There is no room for a temporary file; so for all that follow.
    pub(super) fn new(member: &str, key_name: &KeyName) -> Result<Self, Halt> {
        // The empty name is that of a temporary file.
        let store = Connection::open("")?;
        store.execute_batch(TABLES)?;
        Ok(Self {
            store,
            member: member.to_owned(),
            key_name: key_name.clone(),
            freshness: Freshness::Stale,
        })
    }

    /// Looks at every object of the member's token.
    ///
    /// # Errors
    /// The member, the journal or the temporary file fails; so for all that follow.
    pub(super) fn scan(
        &mut self,
        token: &mut Token<'_>,
        journal: &mut Journal,
    ) -> Result<(), Halt> {
        self.store.execute_batch("DELETE FROM object")?;
        self.look_at_new(token, journal)?;
        self.freshness = Freshness::Whole;
        Ok(())
    }

    /// Looks at objects that have come since, and forgets those that have gone.
    pub(super) fn refresh(
        &mut self,
        token: &mut Token<'_>,
        journal: &mut Journal,
    ) -> Result<(), Halt> {
        self.look_at_new(token, journal)?;
        self.freshness = Freshness::Listed;
        Ok(())
    }

    fn look_at_new(&mut self, token: &mut Token<'_>, journal: &mut Journal) -> Result<(), Halt> {
        let on_token = Attributes::new().flags(&[ck::CKA_TOKEN], true);
        let all = token.find(&on_token)?;
        self.store.execute_batch("BEGIN")?;
        let looked = self.look_at_all(&all, token, journal);
        // What was seen was seen, also where it ends half-way.
        self.store.execute_batch("COMMIT")?;
        looked
    }

    fn look_at_all(
        &mut self,
        all: &[ObjectHandle],
        token: &mut Token<'_>,
        journal: &mut Journal,
    ) -> Result<(), Halt> {
        self.store.execute_batch("DELETE FROM seen")?;
        for handle in all {
            let mut add = self
                .store
                .prepare_cached("INSERT OR IGNORE INTO seen VALUES (?1)")?;
            add.execute([handle.0.cast_signed()])?;
        }
        self.store
            .execute_batch("DELETE FROM object WHERE handle NOT IN (SELECT handle FROM seen)")?;
        for handle in all {
            if !self.has(*handle)? {
                self.look(*handle, token, journal)?;
            }
        }
        Ok(())
    }

    fn has(&self, handle: ObjectHandle) -> Result<bool, Halt> {
        let mut known = self
            .store
            .prepare_cached("SELECT 1 FROM object WHERE handle = ?1")?;
        Ok(known.exists([handle.0.cast_signed()])?)
    }

    /// Looks at one object, and notes what it is. None if it is not there, or not the group's.
    pub(super) fn look(
        &mut self,
        handle: ObjectHandle,
        token: &mut Token<'_>,
        journal: &mut Journal,
    ) -> Result<Option<Found>, Halt> {
        let Seen::Object(look) = Seen::at(token, handle, &self.key_name)? else {
            self.remove(handle)?;
            return Ok(None);
        };
        let fingerprint = known_as(&look.shown, journal, &self.member)?;
        let pending = match look.plant {
            Some(plant) => self.settle(handle, plant, token, journal)?,
            None => false,
        };
        let found = Found {
            handle,
            fingerprint,
            revision: look.revision,
            class: look.class,
            carryable: look.carryable,
            pending,
            twins: false,
        };
        self.put(&found)?;
        Ok(Some(found))
    }

    fn put(&self, found: &Found) -> Result<(), Halt> {
        self.store
            .prepare_cached("INSERT OR REPLACE INTO object VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                found.handle.0.cast_signed(),
                found.fingerprint.0,
                found.revision.0,
                found.class.cast_signed(),
                found.carryable,
                found.pending
            ])?;
        Ok(())
    }

    /// Whether what bears this plant is still being made, or is what was not made. If it was made, whoever made it has not come to take the plant
    /// off: that is done here. Whether the intent stands is asked after the plant was seen, so what is being made is never taken for what was.
    fn settle(
        &self,
        handle: ObjectHandle,
        plant: Plant,
        token: &mut Token<'_>,
        journal: &mut Journal,
    ) -> Result<bool, Halt> {
        let stands =
            |intent: &Intent| intent.plant == plant && intent.members.contains(&self.member);
        if journal.intents()?.iter().any(stands) {
            return Ok(true);
        }
        let label = token.attribute(handle, ck::CKA_LABEL)?.unwrap_or_default();
        let named = Attributes::new().bytes(ck::CKA_LABEL, planted::label_of(&label));
        match token.set(handle, &named) {
            // It is known by the label without it all the same.
            Err(error) if !error.is_refusal() => Err(error.into()),
            _ => Ok(false),
        }
    }

    /// What a copy would be that is only pretended: it is there as the original is, under a handle that no token gives.
    pub(super) fn pretend(&self, found: &Found) -> Result<(), Halt> {
        let next = "SELECT MIN(handle, 0) - 1 FROM (SELECT COALESCE(MIN(handle), 0) AS handle FROM object)";
        let handle: i64 = self.store.query_row(next, [], |row| row.get(0))?;
        self.put(&Found {
            handle: ObjectHandle(handle.cast_unsigned()),
            pending: false,
            ..found.clone()
        })
    }

    /// Forgets an object.
    pub(super) fn remove(&self, handle: ObjectHandle) -> Result<(), Halt> {
        self.store
            .prepare_cached("DELETE FROM object WHERE handle = ?1")?
            .execute([handle.0.cast_signed()])?;
        Ok(())
    }

    /// What there is with the least fingerprint above this one; with the least of all if there is none.
    pub(super) fn after(&self, after: Option<Fingerprint>) -> Result<Option<Found>, Halt> {
        // Nothing is below a blob without a byte.
        let after = after.map_or(Vec::new(), |after| after.0.to_vec());
        let next = self
            .store
            .prepare_cached(
                "SELECT fingerprint FROM object WHERE fingerprint > ?1 ORDER BY fingerprint LIMIT 1",
            )?
            .query_row([after], |row| row.get(0))
            .optional()?;
        next.map_or(Ok(None), |next| self.at(Fingerprint(next)))
    }

    /// What was seen under this fingerprint. Of several: one that is nobody's yet, if there is one, so that it is left alone.
    pub(super) fn at(&self, fingerprint: Fingerprint) -> Result<Option<Found>, Halt> {
        let sql = format!(
            "SELECT {COLUMNS} FROM object WHERE fingerprint = ?1 ORDER BY pending DESC, handle LIMIT 2"
        );
        let mut here = self.store.prepare_cached(&sql)?;
        let here = here.query_map([fingerprint.0], found)?;
        let here: Vec<Found> = here.collect::<Result<_, _>>()?;
        let twins = here.len() > 1;
        Ok(here
            .into_iter()
            .next()
            .map(|first| Found { twins, ..first }))
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> Result<u64, Halt> {
        let count: i64 = self
            .store
            .query_row("SELECT COUNT(*) FROM object", [], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }
}

fn found(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        handle: ObjectHandle(row.get::<_, i64>(0)?.cast_unsigned()),
        fingerprint: Fingerprint(row.get(1)?),
        revision: Revision(row.get(2)?),
        class: row.get::<_, i64>(3)?.cast_unsigned(),
        carryable: row.get(4)?,
        pending: row.get(5)?,
        twins: false,
    })
}
