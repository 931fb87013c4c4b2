//! Finds the running applications of this user and asks them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketAddrUnix, connect};
use rustix::process::{Pid, test_kill_process};

use super::conversation::Conversation;
use super::server::unix_socket;
use super::{Answer, Ask, Measured, Read, Snapshot, place};

/// Far more than 32 members in several groups need.
const LONGEST_ANSWER: usize = 1 << 20;

/// Finds the applications of this user that use everslot.
#[derive(Clone, Debug)]
pub struct Client {
    directories: Vec<PathBuf>,
}

/// One running application.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Application {
    /// Its process id.
    pub pid: u32,
    socket: PathBuf,
}

/// An application could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The process has ended; its socket is left over.
    #[error("process {0} has ended")]
    Ended(u32),
    /// There was no answer in time: the process may be stopped.
    #[error("process {0} does not answer; it may be stopped (see `ps -o stat {0}`)")]
    NoAnswer(u32),
    /// The connection failed.
    #[error("process {0} cannot be asked: {1}")]
    Failed(u32, io::Error),
    /// The answer is none that this version knows.
    #[error(
        "process {0} answers in words this everslot does not know; it may have loaded another version"
    )]
    Unknown(u32),
    /// The application refuses, and says why.
    #[error("{0}")]
    Refused(String),
}

impl Client {
    /// Looks in all the directories in which servers of this user may be.
    #[must_use]
    pub fn of_this_user() -> Self {
        Self::in_directories(place::directories())
    }

    /// Looks in `directories`.
    #[must_use]
    pub const fn in_directories(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }

    /// The applications that run, by their process ids. Sockets of processes that have ended are removed.
    #[must_use]
    pub fn applications(&self) -> Vec<Application> {
        let mut found: Vec<_> = self
            .directories
            .iter()
            .flat_map(|directory| sockets_in(directory))
            .collect();
        found.retain(|application| !application.remove_if_ended());
        found.sort_by_key(|application| application.pid);
        found
    }
}

impl Application {
    /// Asks for a snapshot.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn snapshot(&self, read: Read, timeout: Duration) -> Result<Snapshot, ClientError> {
        let ask = match read {
            Read::Status => Ask::Status {},
            Read::Peek => Ask::Peek {},
        };
        match self.ask(&ask, timeout)? {
            Answer::Snapshot(snapshot) => Ok(snapshot),
            Answer::Refused { why } => Err(ClientError::Refused(why)),
            Answer::Begun {} | Answer::Measured(_) => Err(ClientError::Unknown(self.pid)),
        }
    }

    /// Asks for what it has measured.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn measured(&self, timeout: Duration) -> Result<Measured, ClientError> {
        match self.ask(&Ask::Measured {}, timeout)? {
            Answer::Measured(measured) => Ok(measured),
            Answer::Refused { why } => Err(ClientError::Refused(why)),
            Answer::Begun {} | Answer::Snapshot(_) => Err(ClientError::Unknown(self.pid)),
        }
    }

    /// Has it begin fresh attempts at `member`, or at all that do not serve.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn recover(
        &self,
        group: &str,
        member: Option<&str>,
        timeout: Duration,
    ) -> Result<(), ClientError> {
        let ask = Ask::Recover {
            group: group.to_owned(),
            member: member.map(str::to_owned),
        };
        match self.ask(&ask, timeout)? {
            Answer::Begun {} => Ok(()),
            Answer::Refused { why } => Err(ClientError::Refused(why)),
            Answer::Snapshot(_) | Answer::Measured(_) => Err(ClientError::Unknown(self.pid)),
        }
    }

    fn ask(&self, ask: &Ask, timeout: Duration) -> Result<Answer, ClientError> {
        let line = match self.exchange(ask, Instant::now() + timeout) {
            Ok(Some(line)) => line,
            Ok(None) => return Err(ClientError::Ended(self.pid)),
            Err(error) => return Err(self.error(error)),
        };
        serde_json::from_slice(&line).map_err(|_| ClientError::Unknown(self.pid))
    }

    fn exchange(&self, ask: &Ask, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
        let socket = unix_socket()?;
        connect(&socket, &SocketAddrUnix::new(&self.socket)?)?;
        let mut conversation = Conversation::new(socket, None, deadline);
        conversation.write_line(&serde_json::to_vec(ask)?)?;
        conversation.read_line(LONGEST_ANSWER)
    }

    fn error(&self, error: io::Error) -> ClientError {
        match error.kind() {
            // A connection to a Unix socket is made at once, or its backlog is full (EAGAIN): nobody accepts.
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock if is_gone(self.pid) => {
                // A forked child holds a copy of the listener open, on which nobody accepts.
                self.remove();
                ClientError::Ended(self.pid)
            }
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ClientError::NoAnswer(self.pid),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                ClientError::Ended(self.pid)
            }
            _ => ClientError::Failed(self.pid, error),
        }
    }

    /// A process id tells nothing across containers, so the listener must be gone as well.
    fn remove_if_ended(&self) -> bool {
        let ended = is_gone(self.pid) && self.refuses();
        if ended {
            self.remove();
        }
        ended
    }

    fn remove(&self) {
        // A failure means that another reader was faster.
        let _ = fs::remove_file(&self.socket);
    }

    fn refuses(&self) -> bool {
        let connected = || -> io::Result<()> {
            Ok(connect(
                &unix_socket()?,
                &SocketAddrUnix::new(&self.socket)?,
            )?)
        };
        connected().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

fn sockets_in(directory: &Path) -> Vec<Application> {
    if place::check(directory).is_err() {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let sockets = entries.flatten().map(|entry| entry.path());
    sockets
        .filter_map(|socket| {
            Some(Application {
                pid: place::process_of(&socket)?,
                socket,
            })
        })
        .collect()
}

fn is_gone(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_none_or(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}
