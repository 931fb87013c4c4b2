use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use everslot_core::Incarnation;
use everslot_protocol::SessionHandle;

use super::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use super::sync::{ArrayQueue, Condvar, Mutex, MutexGuard};
use crate::module::{Instance, Link};

/// A session of a member, and the way to it. Boxed wherever it is handed on: several times a call.
pub(crate) struct RealSession {
    pub(crate) link: Box<dyn Link>,
    pub(crate) handle: SessionHandle,
    /// The incarnation of the member in which it was opened; it is worth nothing in another (S6).
    pub(crate) incarnation: Incarnation,
    pub(crate) instance: Arc<dyn Instance>,
    /// The virtual session that had work on it last; 0 for none.
    pub(crate) holder: Arc<AtomicU64>,
}

/// The real sessions of one member that nobody uses at the moment, and how many there are in all.
///
/// Taking and returning one takes no lock; only a caller that finds the member's session limit reached waits on one.
pub(crate) struct Pool {
    idle: ArrayQueue<Box<RealSession>>,
    open: AtomicU32,
    limit: u32,
    /// The limit as the member sees it, once it has refused to open one more.
    ceiling: AtomicU32,
    refused_at: Mutex<Option<Instant>>,
    /// Who holds which of its sessions, as far as they are still open.
    holders: Mutex<Vec<Weak<AtomicU64>>>,
    pub(super) waiting: AtomicU32,
    returned: (Mutex<()>, Condvar),
}

/// How long a member's own limit is taken for granted: sessions that other processes have with its token count as well, and go.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// What a caller that wants a session got.
pub(crate) enum Taken {
    /// An idle session.
    Idle(Box<RealSession>),
    /// Leave to open a further one; [`Pool::forget`] gives the leave back.
    MayOpen,
    /// The limit was reached, and none came back in time.
    Exhausted,
}

impl Pool {
    pub(crate) fn new(limit: u32) -> Self {
        let limit = limit.max(1);
        Self {
            idle: ArrayQueue::new(limit as usize),
            open: AtomicU32::new(0),
            limit,
            ceiling: AtomicU32::new(limit),
            refused_at: Mutex::new(None),
            holders: Mutex::default(),
            waiting: AtomicU32::new(0),
            returned: (Mutex::new(()), Condvar::new()),
        }
    }

    /// An idle session of `incarnation`, or leave to open one; waits up to `patience` when the limit is reached.
    pub(crate) fn take(&self, incarnation: Incarnation, patience: Duration) -> Taken {
        if let Some(taken) = self.take_now(incarnation) {
            return taken;
        }
        if patience.is_zero() {
            return Taken::Exhausted;
        }
        let deadline = Instant::now() + patience;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let taken = self.take_until(incarnation, deadline);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        taken
    }

    /// Brings back a session that can be used again.
    pub(crate) fn put(&self, session: Box<RealSession>) {
        if self.idle.push(session).is_err() {
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
        self.wake();
    }

    /// One session less is open.
    pub(crate) fn forget(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.wake();
    }

    /// The member has refused to open the session that there was leave for: it allows no more than it has. `false` when it has none of
    /// ours that might come back.
    pub(crate) fn refused(&self) -> bool {
        let left = self.open.fetch_sub(1, Ordering::SeqCst).saturating_sub(1);
        if left == 0 {
            return false;
        }
        self.ceiling.store(left, Ordering::SeqCst);
        *self.refusal() = Some(Instant::now());
        true
    }

    /// A place for the holder of a session that was just opened.
    pub(crate) fn new_holder(&self) -> Arc<AtomicU64> {
        let holder = Arc::default();
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|known| known.strong_count() > 0);
        holders.push(Arc::downgrade(&holder));
        holder
    }

    /// The virtual sessions that had work on a real one last; they may have ended it since.
    pub(crate) fn holders(&self) -> Vec<u64> {
        let holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        let known = holders.iter().filter_map(Weak::upgrade);
        known.map(|holder| holder.load(Ordering::Relaxed)).collect()
    }

    /// Whether a session could be had at once.
    pub(crate) fn has_room(&self) -> bool {
        !self.idle.is_empty()
            || self.open.load(Ordering::SeqCst) < self.ceiling.load(Ordering::SeqCst)
    }

    /// An idle session of whatever incarnation; it stays counted until [`forget`](Self::forget).
    pub(crate) fn take_idle(&self) -> Option<Box<RealSession>> {
        self.idle.pop()
    }

    /// Drops the idle sessions that are `over`.
    pub(crate) fn drain(&self, over: impl Fn(&RealSession) -> bool) {
        let mut kept = Vec::new();
        while let Some(session) = self.idle.pop() {
            if over(&session) {
                self.forget();
            } else {
                kept.push(session);
            }
        }
        kept.into_iter().for_each(|session| self.put(session));
    }

    /// Waits until none of its sessions is lent, and lets go of those that come back; at most so long. Whether none is.
    #[cold]
    pub(crate) fn wait_until_empty(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let (lock, condition) = &self.returned;
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let is_empty = loop {
            while self.idle.pop().is_some() {
                self.open.fetch_sub(1, Ordering::SeqCst);
                // Whoever waits for a session was not told of this one.
                condition.notify_one();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if self.open.load(Ordering::SeqCst) == 0 || left.is_zero() {
                break self.open.load(Ordering::SeqCst) == 0;
            }
            (guard, _) = condition
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(guard);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        is_empty
    }

    fn take_until(&self, incarnation: Incarnation, deadline: Instant) -> Taken {
        let (lock, condition) = &self.returned;
        let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(taken) = self.take_now(incarnation) {
                return taken;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Exhausted;
            }
            (guard, _) = condition
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn take_now(&self, incarnation: Incarnation) -> Option<Taken> {
        while let Some(session) = self.idle.pop() {
            if session.incarnation == incarnation {
                return Some(Taken::Idle(session));
            }
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
        let may_open = self.count_below(self.ceiling.load(Ordering::SeqCst))
            || (self.is_refusal_over() && self.count_below(self.limit));
        may_open.then_some(Taken::MayOpen)
    }

    fn count_below(&self, limit: u32) -> bool {
        let counted = self
            .open
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| {
                (open < limit).then_some(open + 1)
            });
        counted.is_ok()
    }

    /// Whether it is time to ask the member once more for what it has refused.
    #[cold]
    fn is_refusal_over(&self) -> bool {
        let mut refused_at = self.refusal();
        let over = refused_at.is_some_and(|at| at.elapsed() >= RETRY);
        if over {
            *refused_at = None;
            self.ceiling.store(self.limit, Ordering::SeqCst);
        }
        over
    }

    pub(super) fn refusal(&self) -> MutexGuard<'_, Option<Instant>> {
        self.refused_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            drop(
                self.returned
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner),
            );
            self.returned.1.notify_one();
        }
    }
}
