//! The group's write gate: every change of every process passes it, and a reconcile closes it for its last pass. Also the claim on a member:
//! one process reconciles it at a time.
//!
//! They are locks that the system lets go of when their process ends, however it ends: `flock` on files beside the journal's, or a PostgreSQL server's
//! advisory locks, each on a connection of its own. Whoever enters passes a turnstile first, which whoever closes holds from the beginning
//! on: so changes that follow one another without a pause cannot keep the gate open.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::lock::{Hold, Lock, Mode};
use crate::journal::{JournalError, is_url};

/// Between two tries of a lock that somebody else has.
const PAUSE: Duration = Duration::from_millis(2);

/// The gate of one group.
#[derive(Debug)]
pub struct Gate {
    place: String,
    turnstile: Lock,
    gate: Lock,
    claims: Locks,
}

/// Where the locks of a group are, each by its name.
#[derive(Debug)]
enum Locks {
    Beside(PathBuf),
    On { url: String, serial: String },
}

/// While it lives, a change may be made.
#[derive(Debug)]
#[must_use]
pub struct Entered(#[expect(dead_code, reason = "held until it is dropped")] Hold);

/// While it lives, no change is under way in any process.
#[derive(Debug)]
#[must_use]
pub struct Closed(#[expect(dead_code, reason = "held until they are dropped")] [Hold; 2]);

/// While it lives, no other process reconciles the member.
#[derive(Debug)]
#[must_use]
pub struct Claim(#[expect(dead_code, reason = "held until it is dropped")] Hold);

impl Gate {
    /// The gate of the group with this serial, whose journal is at `place`. Nothing is opened.
    #[must_use]
    pub fn new(place: &str, serial: &str) -> Self {
        let claims = if is_url(place) {
            Locks::On {
                url: place.to_owned(),
                serial: serial.to_owned(),
            }
        } else {
            Locks::Beside(PathBuf::from(place))
        };
        Self {
            place: crate::journal::shown(place),
            turnstile: claims.lock("turnstile"),
            gate: claims.lock("gate"),
            claims,
        }
    }

    /// Passes the gate, for a change; waits for up to `patience` while it is closed.
    ///
    /// # Errors
    /// [`JournalError::Busy`] when it stays closed, [`JournalError::Unusable`] when the locks cannot be had at all.
    pub fn enter(&self, patience: Duration) -> Result<Entered, JournalError> {
        let end = Instant::now() + patience;
        let _turn = self.wait(&self.turnstile, Mode::Shared, end)?;
        self.wait(&self.gate, Mode::Shared, end).map(Entered)
    }

    /// Closes the gate: waits for up to `patience` until every change that is under way has ended, while none begins.
    ///
    /// # Errors
    /// [`JournalError::Busy`] when changes go on for longer, [`JournalError::Unusable`] when the locks cannot be had at all.
    pub fn close_within(&self, patience: Duration) -> Result<Closed, JournalError> {
        let end = Instant::now() + patience;
        let turnstile = self.wait(&self.turnstile, Mode::Alone, end)?;
        let gate = self.wait(&self.gate, Mode::Alone, end)?;
        Ok(Closed([gate, turnstile]))
    }

    /// Claims the member of this name for a reconcile; waits for up to `patience` for another process's to end.
    ///
    /// # Errors
    /// [`JournalError::Busy`] when that goes on for longer, [`JournalError::Unusable`] when the locks cannot be had at all.
    pub fn claim(&self, member: &str, patience: Duration) -> Result<Claim, JournalError> {
        let lock = self.claims.lock(&format!("member-{member}"));
        self.wait(&lock, Mode::Alone, Instant::now() + patience)
            .map(Claim)
    }

    fn wait(&self, lock: &Lock, mode: Mode, end: Instant) -> Result<Hold, JournalError> {
        loop {
            let tried = lock.attempt(mode);
            let tried = tried.map_err(|reason| JournalError::Unusable {
                place: self.place.clone(),
                reason,
            })?;
            if let Some(hold) = tried {
                return Ok(hold);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(JournalError::Busy {
                    place: self.place.clone(),
                });
            }
            std::thread::sleep(left.min(PAUSE));
        }
    }
}

impl Locks {
    fn lock(&self, name: &str) -> Lock {
        match self {
            Self::Beside(journal) => Lock::file(journal, name),
            Self::On { url, serial } => Lock::server(url, serial, name),
        }
    }
}

#[cfg(test)]
mod tests;
