//! The journal in a file: SQLite with a write-ahead log, which many processes of one host may use at once. Not over a network file system.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, TransactionBehavior};

use super::JournalError;
use super::engine::{Cell, Engine, Row, Statements, Value, Work};

/// Longer than any transaction of ours takes, many of them in a row included.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Sqlite {
    connection: Connection,
    place: Place,
}

/// Where it is, to be named in errors.
#[derive(Clone)]
struct Place(String);

impl Sqlite {
    /// Opens the file, which is made if it is not there, for its owner only.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let place = Place(path.display().to_string());
        make_private(path).map_err(|error| place.unusable(&error))?;
        check_private(path, &place)?;
        let connection = Connection::open(path).map_err(|error| place.error(&error))?;
        let mut sqlite = Self { connection, place };
        sqlite.set_up()?;
        Ok(sqlite)
    }

    /// One that is nobody else's and goes with this process.
    pub(super) fn temporary() -> Result<Self, JournalError> {
        let place = Place("temporary".to_owned());
        // The empty name is that of a temporary file.
        let connection = Connection::open("").map_err(|error| place.error(&error))?;
        let mut sqlite = Self { connection, place };
        sqlite.set_up()?;
        Ok(sqlite)
    }

    fn set_up(&mut self) -> Result<(), JournalError> {
        let set_up = |connection: &Connection| {
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "foreign_keys", true)
        };
        set_up(&self.connection).map_err(|error| self.place.error(&error))
    }

    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        let set = self.connection.pragma_update(None, "max_page_count", pages);
        set.expect("the limit is set");
    }

    fn transact(
        &mut self,
        behavior: TransactionBehavior,
        work: &mut Work<'_>,
    ) -> Result<(), JournalError> {
        let place = &self.place;
        let transaction = self.connection.transaction_with_behavior(behavior);
        let transaction = transaction.map_err(|error| place.error(&error))?;
        // A transaction that is dropped is rolled back.
        work(&mut Open(&transaction, place))?;
        transaction.commit().map_err(|error| place.error(&error))
    }
}

impl Engine for Sqlite {
    fn place(&self) -> &str {
        &self.place.0
    }

    fn bytes_type(&self) -> &'static str {
        "BLOB"
    }

    /// A writer is alone anyway.
    fn migration_lock(&self) -> &'static str {
        ""
    }

    /// Takes the lock at once: one that turns from a reader into a writer could not wait for others.
    fn write(&mut self, work: &mut Work<'_>) -> Result<(), JournalError> {
        self.transact(TransactionBehavior::Immediate, work)
    }

    fn read(&mut self, work: &mut Work<'_>) -> Result<(), JournalError> {
        self.transact(TransactionBehavior::Deferred, work)
    }
}

struct Open<'t>(&'t Connection, &'t Place);

impl Statements for Open<'_> {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, JournalError> {
        let run = || {
            let mut statement = self.0.prepare_cached(&numbered(sql))?;
            statement.execute(rusqlite::params_from_iter(values))
        };
        run()
            .map(|rows| rows as u64)
            .map_err(|error| self.1.error(&error))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, JournalError> {
        let run = || {
            let mut statement = self.0.prepare_cached(&numbered(sql))?;
            let columns = statement.column_count();
            let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
                (0..columns)
                    .map(|column| row.get_ref(column).map(cell))
                    .collect()
            })?;
            rows.collect::<rusqlite::Result<Vec<Row>>>()
        };
        run().map_err(|error| self.1.error(&error))
    }

    fn batch(&mut self, sql: &str) -> Result<(), JournalError> {
        self.0
            .execute_batch(sql)
            .map_err(|error| self.1.error(&error))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

/// `$1` is a name to SQLite, numbered as it comes; `?1` is a number.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
    }
}

impl Place {
    fn error(&self, error: &rusqlite::Error) -> JournalError {
        let place = self.0.clone();
        let reason = || error.to_string().replace('\n', " ");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => JournalError::Full { place },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                JournalError::Busy { place }
            }
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => JournalError::Corrupt {
                place,
                reason: reason(),
            },
            _ => JournalError::Unusable {
                place,
                reason: reason(),
            },
        }
    }

    fn unusable(&self, error: &io::Error) -> JournalError {
        let place = self.0.clone();
        if error.kind() == io::ErrorKind::StorageFull {
            return JournalError::Full { place };
        }
        JournalError::Unusable {
            place,
            reason: error.to_string(),
        }
    }
}

/// Makes the file and its directory, for their owner only, where they are not there; the log and its index take the file's mode.
fn make_private(path: &Path) -> io::Result<()> {
    let directory = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

fn check_private(path: &Path, place: &Place) -> Result<(), JournalError> {
    let metadata = path.metadata().map_err(|error| place.unusable(&error))?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(JournalError::OpenToOthers { path, mode });
    }
    Ok(())
}
