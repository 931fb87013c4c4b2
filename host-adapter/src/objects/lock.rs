//! A lock between processes that goes with the process that holds it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postgres::{Client, Config, NoTls};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

/// How long the server may take to accept a connection, where the URL does not say.
const CONNECT: Duration = Duration::from_secs(5);

/// One lock; several of one place and name are the same.
#[derive(Debug)]
pub(super) enum Lock {
    File(PathBuf),
    Server(Arc<Server>),
}

/// How it is held.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mode {
    /// Beside others that hold it so.
    Shared,
    /// By nobody else.
    Alone,
}

/// A lock on a server.
pub(super) struct Server {
    url: String,
    number: i64,
    /// Connections that hold nothing. A lock is its connection's: two holds of one process need two.
    idle: Mutex<Vec<Client>>,
}

/// While it lives, the lock is held.
pub(super) enum Hold {
    File(File),
    Server(Arc<Server>, Box<Option<Client>>),
}

impl Lock {
    /// On a file beside the journal's.
    pub(super) fn file(journal: &Path, name: &str) -> Self {
        let mut path = journal.as_os_str().to_owned();
        path.push(format!(".{name}"));
        Self::File(path.into())
    }

    /// On the server at `url`, for the group with this serial.
    pub(super) fn server(url: &str, serial: &str, name: &str) -> Self {
        let hash = Sha256::digest(format!("everslot\0{serial}\0{name}"));
        let number = hash.first_chunk().copied().unwrap_or_default();
        Self::Server(Arc::new(Server {
            url: url.to_owned(),
            number: i64::from_le_bytes(number),
            idle: Mutex::default(),
        }))
    }

    /// Takes the lock if it is to be had now.
    ///
    /// # Errors
    /// Why it cannot be asked for.
    pub(super) fn attempt(&self, mode: Mode) -> Result<Option<Hold>, String> {
        match self {
            Self::File(path) => attempt_file(path, mode)
                .map(|file| file.map(Hold::File))
                .map_err(|error| format!("{}: {error}", path.display())),
            Self::Server(server) => attempt_server(server, mode),
        }
    }
}

fn attempt_file(path: &Path, mode: Mode) -> std::io::Result<Option<File>> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    let operation = match mode {
        Mode::Shared => FlockOperation::NonBlockingLockShared,
        Mode::Alone => FlockOperation::NonBlockingLockExclusive,
    };
    match flock(&file, operation) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn attempt_server(server: &Arc<Server>, mode: Mode) -> Result<Option<Hold>, String> {
    let mut client = server.connection()?;
    let statement = match mode {
        Mode::Shared => "SELECT pg_try_advisory_lock_shared($1)",
        Mode::Alone => "SELECT pg_try_advisory_lock($1)",
    };
    let asked = client.query_one(statement, &[&server.number]);
    let has = asked.and_then(|row| row.try_get(0));
    if has.map_err(|error| reason(&error))? {
        return Ok(Some(Hold::Server(
            Arc::clone(server),
            Box::new(Some(client)),
        )));
    }
    server.put(client);
    Ok(None)
}

impl Server {
    fn connection(&self) -> Result<Client, String> {
        let idle = || {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()
        };
        while let Some(client) = idle() {
            if !client.is_closed() {
                return Ok(client);
            }
        }
        // What cannot be read is not shown: it may have a password in it.
        let config: Result<Config, _> = self.url.parse();
        let mut config = config.map_err(|_| "its URL cannot be read".to_owned())?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("everslot");
        }
        config.connect(NoTls).map_err(|error| reason(&error))
    }

    fn put(&self, client: Client) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(client);
    }
}

fn reason(error: &postgres::Error) -> String {
    error.to_string().replace('\n', " ")
}

impl Drop for Hold {
    fn drop(&mut self) {
        match self {
            // Said, not left to the descriptor: a child of a fork may have it too.
            Self::File(file) => drop(flock(file, FlockOperation::Unlock)),
            Self::Server(server, client) => {
                if let Some(mut client) = client.take()
                    && client
                        .execute("SELECT pg_advisory_unlock_all()", &[])
                        .is_ok()
                {
                    server.put(client);
                }
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}
