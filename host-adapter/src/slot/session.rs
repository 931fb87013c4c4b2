use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use cryptoki_sys as ck;
use everslot_core::{Login, MemberId, Rv, User, ckr};
use everslot_protocol::{Operation, SessionInfo};

use super::VirtualSlot;
use super::bench::Benches;
use super::find::Search;
use super::message::Messages;
use super::recent::Recent;
use super::standing::Standing;

/// A session as the application holds it. It outlives any member.
pub struct Session {
    pub(super) handle: u64,
    pub(super) slot: Arc<VirtualSlot>,
    pub(super) read_write: bool,
    state: Mutex<State>,
}

/// What is under way in a session. Its lock is this session's alone.
#[derive(Default)]
pub(super) struct State {
    closed: bool,
    pub(super) search: Option<Search>,
    pub(super) benches: Benches,
    pub(super) recent: Recent,
    pub(super) messages: Messages,
    /// Begun by `C_VerifySignatureInit`.
    pub(super) signature_check: Option<Standing>,
    /// The session objects that it has made.
    pub(super) objects: Vec<u64>,
    /// The member that made its last object.
    pub(super) maker: Option<MemberId>,
}

impl State {
    /// Ends what `C_VerifySignatureInit` has begun. Whether there was something.
    pub(super) fn end_signature_check(&mut self) -> bool {
        let mut ended = self.signature_check.take();
        ended.iter_mut().for_each(Standing::leave);
        ended.is_some()
    }
}

impl Session {
    pub(super) fn new(handle: u64, slot: Arc<VirtualSlot>, read_write: bool) -> Self {
        Self {
            handle,
            slot,
            read_write,
            state: Mutex::default(),
        }
    }

    /// `C_CloseSession`. Its operations end, its session objects are destroyed; with the slot's last session the login ends too
    /// (PKCS#11 v3.1 §5.6.2).
    ///
    /// # Errors
    /// `CKR_SESSION_HANDLE_INVALID` when another thread was quicker.
    pub fn close(self: &Arc<Self>) -> Result<(), Rv> {
        let mut state = self.state()?;
        state.closed = true;
        state.search = None;
        state.benches.clear();
        state.messages.clear();
        state.end_signature_check();
        let objects = std::mem::take(&mut state.objects);
        drop(state);
        self.slot.forget_session(self, &objects);
        Ok(())
    }

    /// `C_GetSessionInfo`: of the virtual session, so it never fails for a member.
    ///
    /// # Errors
    /// `CKR_SESSION_HANDLE_INVALID` when it was closed meanwhile.
    pub fn info(&self) -> Result<SessionInfo, Rv> {
        drop(self.state()?);
        let state = match (self.slot.login(), self.read_write) {
            (Login::Out, false) => ck::CKS_RO_PUBLIC_SESSION,
            (Login::Out, true) => ck::CKS_RW_PUBLIC_SESSION,
            (Login::In(User::User), false) => ck::CKS_RO_USER_FUNCTIONS,
            (Login::In(User::User), true) => ck::CKS_RW_USER_FUNCTIONS,
            (Login::In(User::SecurityOfficer), _) => ck::CKS_RW_SO_FUNCTIONS,
        };
        let read_write = if self.read_write {
            ck::CKF_RW_SESSION
        } else {
            0
        };
        Ok(SessionInfo {
            slot: self.slot.id,
            state,
            flags: ck::CKF_SERIAL_SESSION | read_write,
            device_error: 0,
        })
    }

    /// Ends `operation` if it is active, as a call with a bad argument does (PKCS#11 v3.1 §5.2).
    pub fn abandon(&self, operation: Operation) {
        if let Ok(mut state) = self.state() {
            state.benches.cancel(operation);
        }
    }

    /// Gives a real session of `member` back that only work which can be begun anew stands on. Whether it had one; a session with a call
    /// under way keeps what it has.
    pub(super) fn give_way(&self, member: MemberId) -> bool {
        match self.state.try_lock() {
            Ok(mut state) => state.benches.give_way(member),
            Err(TryLockError::Poisoned(state)) => state.into_inner().benches.give_way(member),
            Err(TryLockError::WouldBlock) => false,
        }
    }

    /// The session's state, for one call at a time.
    pub(super) fn state(&self) -> Result<MutexGuard<'_, State>, Rv> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            Err(ckr::SESSION_HANDLE_INVALID)
        } else {
            Ok(state)
        }
    }

    /// # Errors
    /// `CKR_SESSION_READ_ONLY` for a change of a token object in a read-only session (PKCS#11 v3.1 §5.6).
    pub(super) fn may_change(&self, token: bool) -> Result<(), Rv> {
        if token && !self.read_write {
            Err(ckr::SESSION_READ_ONLY)
        } else {
            Ok(())
        }
    }
}
