//! The journal on a server, for members that several hosts share: PostgreSQL, a schema for each group.

use std::time::Duration;

use postgres::error::SqlState;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls};

use super::JournalError;
use super::engine::{Cell, Engine, Row, Statements, Value, Work};

/// How long the server may take to accept a connection, where the URL does not say.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take for a statement, waiting for other writers included, ms.
const STATEMENT: u32 = 10_000;

pub(super) struct Postgres {
    config: Config,
    schema: String,
    place: String,
    client: Option<Client>,
}

impl Postgres {
    /// Connects to the server at `url`; the connection is not encrypted, so a server elsewhere is reached through a tunnel or over a network
    /// that is.
    pub(super) fn open(url: &str, serial: &str) -> Result<Self, JournalError> {
        // What cannot be read is not shown: it may have a password in it.
        let config: Result<Config, _> = url.parse();
        let mut config = config.map_err(|_| JournalError::NoPlace("postgresql://…".to_owned()))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("everslot");
        }
        let mut postgres = Self {
            place: place(&config),
            config,
            schema: format!("everslot {serial}").replace('"', "\"\""),
            client: None,
        };
        postgres.connected()?;
        Ok(postgres)
    }

    /// The connection, made anew if it was lost.
    fn connected(&mut self) -> Result<&mut Client, JournalError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            let connect = || {
                let mut client = self.config.connect(NoTls)?;
                let schema = &self.schema;
                // One at a time: to make a schema that another is making fails, also if it is made only where it is not there. All of
                // this is one transaction, and the lock is kept until others see what it has made.
                client.batch_execute(&format!(
                    "SET client_min_messages TO warning; SET statement_timeout TO {STATEMENT};
                     SELECT pg_advisory_xact_lock(hashtext('everslot'));
                     CREATE SCHEMA IF NOT EXISTS \"{schema}\"; SET search_path TO \"{schema}\""
                ))?;
                Ok(client)
            };
            self.client = Some(connect().map_err(|error| self::error(&self.place, &error))?);
        }
        self.client.as_mut().ok_or_else(|| JournalError::Unusable {
            place: self.place.clone(),
            reason: "there is no connection".to_owned(),
        })
    }
}

impl Engine for Postgres {
    fn place(&self) -> &str {
        &self.place
    }

    fn bytes_type(&self) -> &'static str {
        "BYTEA"
    }

    /// Two that make one table at once fail, also if it is made only where it is not there.
    fn migration_lock(&self) -> &'static str {
        "SELECT pg_advisory_xact_lock(hashtext('everslot'))"
    }

    fn write(&mut self, work: &mut Work<'_>) -> Result<(), JournalError> {
        let place = self.place.clone();
        let transaction = self.connected()?.transaction();
        let mut transaction = transaction.map_err(|error| self::error(&place, &error))?;
        // A transaction that is dropped is rolled back.
        work(&mut Open(&mut transaction, &place))?;
        transaction.commit().map_err(|error| match error.code() {
            Some(_) => self::error(&place, &error),
            None => JournalError::Lost {
                place,
                reason: reason(&error),
            },
        })
    }

    fn read(&mut self, work: &mut Work<'_>) -> Result<(), JournalError> {
        self.write(work).map_err(|error| match error {
            // Nothing was to be written.
            JournalError::Lost { place, reason } => JournalError::Unusable { place, reason },
            error => error,
        })
    }
}

struct Open<'t, 'c>(&'t mut postgres::Transaction<'c>, &'t str);

impl Statements for Open<'_, '_> {
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, JournalError> {
        let done = self.0.execute(sql, &parameters(values));
        done.map_err(|error| self::error(self.1, &error))
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, JournalError> {
        let rows = self.0.query(sql, &parameters(values));
        let rows = rows.map_err(|error| self::error(self.1, &error))?;
        rows.iter()
            .map(|row| (0..row.len()).map(|column| cell(row, column)).collect())
            .collect::<Result<_, _>>()
            .map_err(|error| self::error(self.1, &error))
    }

    fn batch(&mut self, sql: &str) -> Result<(), JournalError> {
        let done = self.0.batch_execute(sql);
        done.map_err(|error| self::error(self.1, &error))
    }
}

/// NULL, whatever the column's type is.
#[derive(Debug)]
struct Nothing;

impl ToSql for Nothing {
    fn to_sql(
        &self,
        _kind: &Type,
        _out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_kind: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn parameters<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values
        .iter()
        .map(|value| match value {
            Value::Null => &Nothing as &(dyn ToSql + Sync),
            Value::Integer(number) => number,
            Value::Bytes(bytes) => bytes,
            Value::Text(text) => text,
        })
        .collect()
}

fn cell(row: &postgres::Row, column: usize) -> Result<Cell, postgres::Error> {
    let kind = row.columns().get(column).map(postgres::Column::type_);
    Ok(match kind {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(column)?.map(Cell::Integer),
        Some(&Type::BYTEA) => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Cell::Bytes),
        Some(&Type::TEXT) => row.try_get::<_, Option<String>>(column)?.map(Cell::Text),
        _ => None,
    }
    .unwrap_or(Cell::Null))
}

fn error(place: &str, error: &postgres::Error) -> JournalError {
    let place = place.to_owned();
    match error.code() {
        Some(&SqlState::DISK_FULL | &SqlState::INSUFFICIENT_RESOURCES) => {
            JournalError::Full { place }
        }
        Some(&SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => JournalError::Corrupt {
            place,
            reason: reason(error),
        },
        Some(
            &SqlState::QUERY_CANCELED
            | &SqlState::LOCK_NOT_AVAILABLE
            | &SqlState::T_R_DEADLOCK_DETECTED
            | &SqlState::T_R_SERIALIZATION_FAILURE,
        ) => JournalError::Busy { place },
        _ => JournalError::Unusable {
            place,
            reason: reason(error),
        },
    }
}

/// The server's own words, which the library keeps apart from its own.
fn reason(error: &postgres::Error) -> String {
    let words = error.as_db_error().map_or_else(
        || {
            let source = std::error::Error::source(error);
            source.map_or_else(|| error.to_string(), ToString::to_string)
        },
        |error| error.message().to_owned(),
    );
    words.replace('\n', " ")
}

fn place(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(postgres::config::Host::Tcp(host)) => host.clone(),
        Some(postgres::config::Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let database = config.get_dbname().unwrap_or("postgres");
    format!("postgresql {host}/{database}")
}
