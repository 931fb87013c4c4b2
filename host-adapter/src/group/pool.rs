use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use everslot_core::Incarnation;
use everslot_protocol::SessionHandle;

use crate::module::{Instance, Link};

/// A session of a member, and the way to it.
pub(crate) struct RealSession {
    pub(crate) link: Box<dyn Link>,
    pub(crate) handle: SessionHandle,
    /// The incarnation of the member in which it was opened; it is worth nothing in another (S6).
    pub(crate) incarnation: Incarnation,
    pub(crate) instance: Arc<dyn Instance>,
}

/// The real sessions of one member that nobody uses at the moment, and how many there are in all.
///
/// Taking and returning one takes no lock; only a caller that finds the member's session limit reached waits on one.
pub(crate) struct Pool {
    idle: ArrayQueue<RealSession>,
    open: AtomicU32,
    limit: u32,
    waiting: AtomicU32,
    returned: (Mutex<()>, Condvar),
}

/// What a caller that wants a session got.
pub(crate) enum Taken {
    /// An idle session.
    Idle(RealSession),
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
            waiting: AtomicU32::new(0),
            returned: (Mutex::new(()), Condvar::new()),
        }
    }

    /// An idle session of `incarnation`, or leave to open one; waits up to `patience` when the limit is reached.
    pub(crate) fn take(&self, incarnation: Incarnation, patience: Duration) -> Taken {
        if let Some(taken) = self.take_now(incarnation) {
            return taken;
        }
        let deadline = Instant::now() + patience;
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let taken = self.take_until(incarnation, deadline);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        taken
    }

    /// Brings back a session that can be used again.
    pub(crate) fn put(&self, session: RealSession) {
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

    /// An idle session of whatever incarnation; it stays counted until [`forget`](Self::forget).
    pub(crate) fn take_idle(&self) -> Option<RealSession> {
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
        let opened = self
            .open
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |open| {
                (open < self.limit).then_some(open + 1)
            });
        opened.is_ok().then_some(Taken::MayOpen)
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

#[cfg(test)]
mod tests;
