//! What the journal needs of a database. The statements are the same for both.

use super::JournalError;

/// A value that goes into a statement, as `$1` and on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
}

/// A value that comes out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
}

pub(super) type Row = Vec<Cell>;

/// Statements within a transaction.
pub(super) trait Statements {
    /// How many rows it has changed.
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, JournalError>;

    /// The rows that it gives, all at once: whoever asks for many says `LIMIT`.
    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, JournalError>;

    /// Statements without values, for the schema.
    fn batch(&mut self, sql: &str) -> Result<(), JournalError>;
}

/// What is to be done in a transaction.
pub(super) type Work<'w> = dyn FnMut(&mut dyn Statements) -> Result<(), JournalError> + 'w;

/// A database.
pub(super) trait Engine: Send {
    /// Path, or host and database: never a password.
    fn place(&self) -> &str;

    /// The type of a column of bytes.
    fn bytes_type(&self) -> &'static str;

    /// A statement by which only one process at a time goes on in a transaction that makes tables.
    fn migration_lock(&self) -> &'static str;

    /// Does `work` alone and as a whole, durably; or, if it or the database fails, not at all.
    fn write(&mut self, work: &mut Work<'_>) -> Result<(), JournalError>;

    /// Does `work`, which only reads, beside others.
    fn read(&mut self, work: &mut Work<'_>) -> Result<(), JournalError>;
}
