//! Objects and who holds them, read in the order of their fingerprints.

use std::collections::VecDeque;

use super::engine::{Row, Statements, Value};
use super::{
    Entry, Fingerprint, Holder, Journal, JournalError, Object, ObjectId, Revision, bytes, count,
    integer, optional, text,
};

/// Entries that a stream reads at once: all that it holds in memory.
pub(super) const PAGE: i64 = 64;

pub(super) const COLUMNS: &str =
    "id, fingerprint, bare, class, revision, remembered, gone, sequence";

/// Which entries a stream gives.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Range {
    /// Only those with a fingerprint above this one.
    pub after: Option<Fingerprint>,
    /// Only those whose last change has a number above this one.
    pub since: Option<u64>,
    /// Only those whose last change has no number above this one.
    pub upto: Option<u64>,
}

/// Entries in the order of their fingerprints, read in pages; several of one fingerprint come one after the other.
#[derive(Debug)]
pub struct Entries {
    range: Range,
    cursor: (Vec<u8>, Vec<u8>),
    page: VecDeque<Entry>,
    ended: bool,
}

impl Entries {
    /// The entries in `range`.
    #[must_use]
    pub fn new(range: Range) -> Self {
        // Above every id of that fingerprint; the least of all bytes is none.
        let cursor = match range.after {
            Some(fingerprint) => (fingerprint.0.to_vec(), vec![0xff; 17]),
            None => (Vec::new(), Vec::new()),
        };
        Self {
            range,
            cursor,
            page: VecDeque::new(),
            ended: false,
        }
    }

    /// The next entry; none at the end. What is changed meanwhile behind the cursor is seen, what is changed before it is not.
    ///
    /// # Errors
    /// See [`JournalError`]; the stream can be asked again.
    pub fn next(&mut self, journal: &mut Journal) -> Result<Option<Entry>, JournalError> {
        if self.page.is_empty() && !self.ended {
            self.page = journal.page(&self.cursor, self.range)?.into();
            self.ended = self.page.len() < PAGE as usize;
            if let Some(last) = self.page.back() {
                let object = &last.object;
                self.cursor = (object.fingerprint.0.to_vec(), object.id.0.to_vec());
            }
        }
        Ok(self.page.pop_front())
    }
}

impl Journal {
    /// Takes in an object that a member turned out to have, with those who hold it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn adopt(&mut self, object: &Object, holders: &[Holder]) -> Result<(), JournalError> {
        self.write(|statements| {
            insert(statements, object)?;
            set_holders(statements, object.id, holders)
        })
    }

    /// An object or its tombstone; none if it is not on record.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn entry(&mut self, id: ObjectId) -> Result<Option<Entry>, JournalError> {
        let of = "SELECT * FROM object WHERE id = $1";
        let entries = self.entries(of, &[Value::Bytes(&id.0)])?;
        Ok(entries.into_iter().next())
    }

    /// Every object and tombstone with this fingerprint: more than one live object are twins.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn with_fingerprint(&mut self, of: Fingerprint) -> Result<Vec<Entry>, JournalError> {
        let from = "SELECT * FROM object WHERE fingerprint = $1";
        self.entries(from, &[Value::Bytes(&of.0)])
    }

    /// Every private key, and the tombstone of every one, that [would be known](crate::domain::Shown::bare) by this without a public value.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn with_bare(&mut self, of: Fingerprint) -> Result<Vec<Entry>, JournalError> {
        let from = "SELECT * FROM object WHERE bare = $1";
        self.entries(from, &[Value::Bytes(&of.0)])
    }

    /// How many objects live on fewer than so many members.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn short(&mut self, of: u8) -> Result<u64, JournalError> {
        let sql = "SELECT COUNT(*) FROM object WHERE gone = 0
             AND (SELECT COUNT(*) FROM holder WHERE holder.object = object.id) < $1";
        self.read(|statements| {
            let rows = statements.query(sql, &[Value::Integer(i64::from(of))])?;
            Ok(rows
                .first()
                .map_or(0, |row| integer(row, 0))
                .cast_unsigned())
        })
    }

    /// Notes how a member has an object; it must be on record.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn set_holder(&mut self, object: ObjectId, holder: &Holder) -> Result<(), JournalError> {
        self.write(|statements| set_holders(statements, object, std::slice::from_ref(holder)))
    }

    /// Notes that a member does not have an object.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn remove_holder(&mut self, object: ObjectId, member: &str) -> Result<(), JournalError> {
        let sql = "DELETE FROM holder WHERE object = $1 AND member = $2";
        let values = [Value::Bytes(&object.0), Value::Text(member)];
        self.write(|statements| statements.execute(sql, &values).map(drop))
    }

    /// Forgets a tombstone: no member has the object any more, or can come back with it.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn forget(&mut self, tombstone: ObjectId) -> Result<(), JournalError> {
        let sql = "DELETE FROM object WHERE id = $1 AND gone = 1";
        let values = [Value::Bytes(&tombstone.0)];
        self.write(|statements| statements.execute(sql, &values).map(drop))
    }

    fn page(
        &mut self,
        cursor: &(Vec<u8>, Vec<u8>),
        range: Range,
    ) -> Result<Vec<Entry>, JournalError> {
        let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        self.entries(
            "SELECT * FROM object
             WHERE (fingerprint, id) > ($1, $2) AND sequence > $3 AND sequence <= $4
             ORDER BY fingerprint, id LIMIT $5",
            &[
                Value::Bytes(&cursor.0),
                Value::Bytes(&cursor.1),
                number(range.since.unwrap_or(0)),
                number(range.upto.unwrap_or(u64::MAX)),
                Value::Integer(PAGE),
            ],
        )
    }

    /// Objects with their holders in one statement, so that both are of one moment.
    fn entries(&mut self, of: &str, values: &[Value<'_>]) -> Result<Vec<Entry>, JournalError> {
        let place = self.place().to_owned();
        self.read(|statements| {
            let sql = format!(
                "SELECT chosen.id, chosen.fingerprint, chosen.bare, chosen.class, chosen.revision, chosen.remembered,
                 chosen.gone, chosen.sequence, holder.member, holder.revision
                 FROM ({of}) AS chosen LEFT JOIN holder ON holder.object = chosen.id
                 ORDER BY chosen.fingerprint, chosen.id, holder.member"
            );
            let rows = statements.query(&sql, values)?;
            let mut entries: Vec<Entry> = Vec::new();
            for row in &rows {
                let entry = entry(row).ok_or_else(|| JournalError::Corrupt {
                    place: place.clone(),
                    reason: "an object in it is not whole".to_owned(),
                })?;
                let holder = (!text(row, 8).is_empty()).then(|| Holder {
                    member: text(row, 8).to_owned(),
                    revision: bytes(row, 9).map(Revision),
                });
                match entries.last_mut() {
                    Some(last) if last.object.id == entry.object.id => {
                        last.holders.extend(holder);
                    }
                    _ => {
                        entries.push(entry);
                        if let Some(last) = entries.last_mut() {
                            last.holders.extend(holder);
                        }
                    }
                }
            }
            Ok(entries)
        })
    }
}

/// Puts an object on record, or in the place of what there was of it, with the next number; a tombstone of such an object goes.
pub(super) fn insert(statements: &mut dyn Statements, object: &Object) -> Result<(), JournalError> {
    let sequence = count(statements)?;
    statements.execute(
        "DELETE FROM object WHERE fingerprint = $1 AND gone = 1",
        &[Value::Bytes(&object.fingerprint.0)],
    )?;
    put(statements, object, sequence)
}

/// Puts an object on record with this number.
pub(super) fn put(
    statements: &mut dyn Statements,
    object: &Object,
    sequence: i64,
) -> Result<(), JournalError> {
    let remembered = object
        .remembered
        .map(|remembered| serde_json::to_string(&remembered).unwrap_or_default());
    let sql = format!(
        "INSERT INTO object ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, 0, $7)
         ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, bare = excluded.bare,
         revision = excluded.revision, remembered = excluded.remembered, sequence = excluded.sequence"
    );
    let values = [
        Value::Bytes(&object.id.0),
        Value::Bytes(&object.fingerprint.0),
        optional(object.bare.as_ref().map(|bare| &bare.0[..])),
        Value::Integer(object.class.cast_signed()),
        Value::Bytes(&object.revision.0),
        remembered.as_deref().map_or(Value::Null, Value::Text),
        Value::Integer(sequence),
    ];
    statements.execute(&sql, &values).map(drop)
}

/// Notes who holds an object, beside those on record.
pub(super) fn set_holders(
    statements: &mut dyn Statements,
    object: ObjectId,
    holders: &[Holder],
) -> Result<(), JournalError> {
    for holder in holders {
        statements.execute(
            "INSERT INTO holder (object, member, revision) VALUES ($1, $2, $3)
             ON CONFLICT (object, member) DO UPDATE SET revision = excluded.revision",
            &[
                Value::Bytes(&object.0),
                Value::Text(&holder.member),
                optional(holder.revision.as_ref().map(|revision| &revision.0[..])),
            ],
        )?;
    }
    Ok(())
}

/// Notes that these members hold an object in a way that is not known.
pub(super) fn set_unclear(
    statements: &mut dyn Statements,
    object: ObjectId,
    members: &[String],
) -> Result<(), JournalError> {
    for member in members {
        let (member, revision) = (member.clone(), None);
        set_holders(statements, object, &[Holder { member, revision }])?;
    }
    Ok(())
}

fn entry(row: &Row) -> Option<Entry> {
    let remembered = match text(row, 5) {
        "" => None,
        written => Some(serde_json::from_str(written).ok()?),
    };
    Some(Entry {
        object: Object {
            id: ObjectId(bytes(row, 0)?),
            fingerprint: Fingerprint(bytes(row, 1)?),
            bare: bytes(row, 2).map(Fingerprint),
            class: integer(row, 3).cast_unsigned(),
            revision: Revision(bytes(row, 4)?),
            remembered,
        },
        gone: integer(row, 6) != 0,
        sequence: integer(row, 7).cast_unsigned(),
        holders: Vec::new(),
    })
}
