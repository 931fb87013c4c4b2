//! The journal of a group: what is being done to its objects, which there are, who holds them, which are gone, and how its members wrap.
//!
//! It is SQLite on one host ([`Journal::open`] of a path), PostgreSQL for many (of a URL), with one schema. All processes of a group use the same one;
//! each of its steps is one transaction, durable when the call returns. It holds no key, no PIN, and of attributes only which of a few flags the
//! application asked for.

mod catalogue;
mod engine;
mod error;
mod intents;
mod notes;
mod postgres;
mod profiles;
mod schema;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod tombstone;

use std::path::{Path, PathBuf};

use crate::domain::policy::Remembered;
use crate::domain::{Fingerprint, Revision};
use engine::{Cell, Engine, Row, Statements, Value};

pub use catalogue::{Entries, Range};
pub use error::JournalError;
pub use notes::Note;

/// The journal of one group.
pub struct Journal {
    engine: Box<dyn Engine>,
}

/// The group's own name of an object: random, and the same for as long as it lives (`CKA_UNIQUE_ID`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId(pub [u8; 16]);

impl ObjectId {
    /// A new object's name; none where the system has no randomness.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok().map(|()| Self(id))
    }
}

/// The name of an intent: the mark that one try of a change bears at the members.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Plant {
    /// A random number chosen for the change.
    pub mark: u64,
    /// The try of the change.
    pub attempt: u8,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IntentKind {
    /// Make an object, or the pair that one call makes.
    Create,
    /// Set an object's attributes.
    Update,
    /// Destroy it.
    Destroy,
}

/// A change that is under way: all that is needed to finish it, or to undo it, after a crash.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Intent {
    /// Its name.
    pub plant: Plant,
    /// What is to be done.
    pub kind: IntentKind,
    /// The members (by name) at which it may have been done.
    pub members: Vec<String>,
    /// The object, of a change of one that there is.
    pub object: Option<ObjectId>,
    /// What it is known by, as far as that is known.
    pub fingerprint: Option<Fingerprint>,
    /// Which process does it, in words that tell whether it still runs.
    pub owner: String,
}

/// An object of the group's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Object {
    /// Its name.
    pub id: ObjectId,
    /// What it is known by at the members.
    pub fingerprint: Fingerprint,
    /// Of a private key: what it would be known by [without a public value](crate::domain::Shown::bare).
    pub bare: Option<Fingerprint>,
    /// `CKO_…`
    pub class: u64,
    /// As the group has it.
    pub revision: Revision,
    /// What the application is answered for it, of a private or secret key.
    pub remembered: Option<Remembered>,
}

/// A member that has an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holder {
    /// Its name.
    pub member: String,
    /// How it has it; `None` when a change may have been made there or not.
    pub revision: Option<Revision>,
}

/// What the group has on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// The object.
    pub object: Object,
    /// Whether it was destroyed: this is its tombstone.
    pub gone: bool,
    /// When it was last created, adopted, changed or destroyed.
    pub sequence: u64,
    /// Who has it, in the order of their names.
    pub holders: Vec<Holder>,
}

impl Entry {
    /// The names of those who have it as the group has it.
    pub fn current(&self) -> impl Iterator<Item = &str> {
        let revision = Some(self.object.revision);
        let current = self
            .holders
            .iter()
            .filter(move |holder| holder.revision == revision);
        current.map(|holder| holder.member.as_str())
    }
}

impl Journal {
    /// Opens the journal of the group with this serial at `place`: a path, or a URL that begins with `postgresql://`. One that is not there
    /// is made.
    ///
    /// # Errors
    /// See [`JournalError`].
    pub fn open(place: &str, serial: &str) -> Result<Self, JournalError> {
        if is_url(place) {
            return Self::with(Box::new(postgres::Postgres::open(place, serial)?));
        }
        if place.is_empty() || place.contains("://") {
            return Err(JournalError::NoPlace(without_password(place)));
        }
        Self::with(Box::new(sqlite::Sqlite::open(Path::new(place))?))
    }

    /// Opens the journal of the group with this serial, which is there.
    ///
    /// # Errors
    /// See [`JournalError`]; a file that is not there is [`JournalError::Unusable`].
    pub fn open_existing(place: &str, serial: &str) -> Result<Self, JournalError> {
        if !is_url(place) && !Path::new(place).exists() {
            return Err(JournalError::Unusable {
                place: place.to_owned(),
                reason: "it is not there, so the group has no domain key: run everslot domain init"
                    .to_owned(),
            });
        }
        Self::open(place, serial)
    }

    fn with(engine: Box<dyn Engine>) -> Result<Self, JournalError> {
        let mut journal = Self { engine };
        schema::migrate(&mut *journal.engine)?;
        Ok(journal)
    }

    /// Path, or host and database, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        self.engine.place()
    }

    /// How far the journal has counted: each object that is created, adopted, changed or destroyed takes the next number.
    ///
    /// # Errors
    /// See [`JournalError`]; so for all that follow.
    pub fn sequence(&mut self) -> Result<u64, JournalError> {
        self.read(|statements| {
            let rows = statements.query("SELECT value FROM counter", &[])?;
            Ok(rows
                .first()
                .map_or(0, |row| integer(row, 0))
                .cast_unsigned())
        })
    }

    fn write<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Statements) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut result = None;
        self.engine.write(&mut |statements| {
            result = Some(work(statements)?);
            Ok(())
        })?;
        result.ok_or_else(|| self.unusable())
    }

    fn read<T>(
        &mut self,
        mut work: impl FnMut(&mut dyn Statements) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut result = None;
        self.engine.read(&mut |statements| {
            result = Some(work(statements)?);
            Ok(())
        })?;
        result.ok_or_else(|| self.unusable())
    }

    fn unusable(&self) -> JournalError {
        JournalError::Unusable {
            place: self.engine.place().to_owned(),
            reason: "the transaction was not run".to_owned(),
        }
    }
}

/// Whether a journal's place is a server's.
#[must_use]
pub fn is_url(place: &str) -> bool {
    place.starts_with("postgresql://") || place.starts_with("postgres://")
}

/// The file of a group in `directory`: named by the serial, which never changes.
#[must_use]
pub fn file_of_group(directory: &Path, serial: &str) -> PathBuf {
    let mut name = String::new();
    for byte in serial.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' {
            name.push(char::from(byte));
        } else {
            name += &format!("%{byte:02x}");
        }
    }
    directory.join(name + ".sqlite")
}

/// A journal's place for people: of a URL only what it begins with, since there may be a password in it.
pub(crate) fn shown(place: &str) -> String {
    if is_url(place) {
        return without_password(place);
    }
    place.to_owned()
}

fn without_password(url: &str) -> String {
    url.split_once("://")
        .map_or_else(|| url.to_owned(), |(scheme, _)| format!("{scheme}://…"))
}

/// The next number of the sequence; also what lets only one writer in at a time on a server.
fn count(statements: &mut dyn Statements) -> Result<i64, JournalError> {
    let rows = statements.query("UPDATE counter SET value = value + 1 RETURNING value", &[])?;
    Ok(rows.first().map_or(0, |row| integer(row, 0)))
}

fn integer(row: &Row, column: usize) -> i64 {
    match row.get(column) {
        Some(Cell::Integer(number)) => *number,
        _ => 0,
    }
}

fn text(row: &Row, column: usize) -> &str {
    match row.get(column) {
        Some(Cell::Text(text)) => text,
        _ => "",
    }
}

/// Bytes of a fixed length; none when there are none, or they have another length.
fn bytes<const N: usize>(row: &Row, column: usize) -> Option<[u8; N]> {
    match row.get(column) {
        Some(Cell::Bytes(bytes)) => bytes.as_slice().try_into().ok(),
        _ => None,
    }
}

const fn optional<'a>(bytes: Option<&'a [u8]>) -> Value<'a> {
    match bytes {
        Some(bytes) => Value::Bytes(bytes),
        None => Value::Null,
    }
}
