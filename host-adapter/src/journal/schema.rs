//! The journal's tables, the same in both databases, and how they come to be.

use super::JournalError;
use super::engine::{Cell, Engine, Value};

/// Each step makes of the version before it the next one; a step that has been released never changes. `{bytes}` is the database's type.
///
/// A tombstone is an object that is gone: it keeps its place in the order, and takes it back if the destruction is taken back.
const STEPS: [&str; 3] = [
    "
CREATE TABLE counter (one BIGINT PRIMARY KEY, value BIGINT NOT NULL);
INSERT INTO counter (one, value) VALUES (1, 0);
CREATE TABLE object (
    id {bytes} PRIMARY KEY,
    fingerprint {bytes} NOT NULL,
    class BIGINT NOT NULL,
    revision {bytes} NOT NULL,
    remembered TEXT,
    gone BIGINT NOT NULL,
    sequence BIGINT NOT NULL
);
CREATE INDEX object_by_fingerprint ON object (fingerprint, id);
CREATE INDEX object_by_sequence ON object (sequence);
CREATE TABLE holder (
    object {bytes} NOT NULL REFERENCES object (id) ON DELETE CASCADE,
    member TEXT NOT NULL,
    revision {bytes},
    PRIMARY KEY (object, member)
);
CREATE TABLE intent (
    mark BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    kind TEXT NOT NULL,
    members TEXT NOT NULL,
    object {bytes},
    fingerprint {bytes},
    owner TEXT NOT NULL,
    PRIMARY KEY (mark, attempt)
);
CREATE TABLE profile (member TEXT PRIMARY KEY, profile TEXT NOT NULL);
",
    "CREATE TABLE equal (member TEXT PRIMARY KEY, upto BIGINT NOT NULL);",
    "
ALTER TABLE object ADD COLUMN bare {bytes};
CREATE INDEX object_by_bare ON object (bare);
",
];

/// Brings the tables to the present version. Several processes may do so at once: one does it, the others find it done.
///
/// # Errors
/// [`JournalError::Newer`], and what the database says.
pub(super) fn migrate(engine: &mut dyn Engine) -> Result<(), JournalError> {
    let (place, bytes) = (engine.place().to_owned(), engine.bytes_type());
    let lock = engine.migration_lock();
    let latest = STEPS.len() as i64;
    engine.write(&mut |statements| {
        statements.batch(lock)?;
        statements.batch("CREATE TABLE IF NOT EXISTS version (version BIGINT PRIMARY KEY)")?;
        let rows = statements.query("SELECT version FROM version ORDER BY version DESC", &[])?;
        let present = match rows.first().and_then(|row| row.first()) {
            Some(Cell::Integer(version)) => *version,
            _ => 0,
        };
        if present > latest {
            return Err(JournalError::Newer {
                place: place.clone(),
                version: present,
            });
        }
        for (version, step) in (1..).zip(STEPS) {
            if version > present {
                statements.batch(&step.replace("{bytes}", bytes))?;
                let insert = "INSERT INTO version (version) VALUES ($1)";
                statements.execute(insert, &[Value::Integer(version)])?;
            }
        }
        Ok(())
    })
}
