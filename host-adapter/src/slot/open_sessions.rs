use std::sync::PoisonError;

use everslot_core::{Login, Rv, User, ckr};

use super::sync::atomic::{AtomicU8, Ordering};
use super::sync::{Mutex, MutexGuard};

/// How many sessions of a slot are open, and who is logged in to it. What PKCS#11 allows of the one depends on the other (v3.1
/// §5.6.1, §5.6.8), so both change under one lock; the login is read without it.
#[derive(Debug, Default)]
pub(super) struct OpenSessions {
    counts: Mutex<Counts>,
    /// The group's login as calls see it.
    login: AtomicU8,
    /// One login, logout or change of a PIN at a time. Taken before the counts, held while members are asked.
    turn: Mutex<()>,
}

/// Sessions of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) read_only: u64,
    pub(super) read_write: u64,
}

impl Counts {
    pub(super) const fn all(self) -> u64 {
        self.read_only + self.read_write
    }

    const fn of(&mut self, read_write: bool) -> &mut u64 {
        if read_write {
            &mut self.read_write
        } else {
            &mut self.read_only
        }
    }
}

impl OpenSessions {
    /// Counts a session that is about to be open.
    ///
    /// # Errors
    /// `CKR_SESSION_READ_WRITE_SO_EXISTS` for a read-only one while the security officer is logged in (PKCS#11 v3.1 §5.6.1).
    pub(super) fn admit(&self, read_write: bool) -> Result<(), Rv> {
        let mut counts = self.lock();
        if !read_write && self.login() == Login::In(User::SecurityOfficer) {
            return Err(ckr::SESSION_READ_WRITE_SO_EXISTS);
        }
        *counts.of(read_write) += 1;
        Ok(())
    }

    /// A session was closed. With the last one the login ends (PKCS#11 v3.1 §5.6.2): `log_out` brings that about.
    pub(super) fn leave(&self, read_write: bool, log_out: impl FnOnce()) {
        {
            let mut counts = self.lock();
            if counts.all() > 1 || self.login() == Login::Out {
                *counts.of(read_write) -= 1;
                return;
            }
        }
        // No login of a session that is opened meanwhile may come between the last close and its logout.
        let _turn = self.turn();
        let last = {
            let mut counts = self.lock();
            *counts.of(read_write) -= 1;
            counts.all() == 0
        };
        if last && self.login() != Login::Out {
            log_out();
            self.publish(Login::Out);
        }
    }

    /// Who is logged in.
    pub(super) fn login(&self) -> Login {
        match self.login.load(Ordering::Acquire) {
            0 => Login::Out,
            1 => Login::In(User::User),
            _ => Login::In(User::SecurityOfficer),
        }
    }

    /// Makes the group's new login what calls see. The caller has the turn.
    ///
    /// # Errors
    /// A session that was opened or closed while members were asked does not go with it, and the login has to be undone:
    /// `CKR_SESSION_READ_ONLY_EXISTS`, or `CKR_SESSION_CLOSED` when no session is left.
    pub(super) fn settle(&self, login: Login) -> Result<(), Rv> {
        let counts = self.lock();
        if login == Login::In(User::SecurityOfficer) && counts.read_only > 0 {
            return Err(ckr::SESSION_READ_ONLY_EXISTS);
        }
        if login != Login::Out && counts.all() == 0 {
            return Err(ckr::SESSION_CLOSED);
        }
        self.publish(login);
        Ok(())
    }

    pub(super) fn counts(&self) -> Counts {
        *self.lock()
    }

    /// The turn to change the login or a PIN.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, login: Login) {
        let login = match login {
            Login::Out => 0,
            Login::In(User::User) => 1,
            Login::In(User::SecurityOfficer) => 2,
        };
        self.login.store(login, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
