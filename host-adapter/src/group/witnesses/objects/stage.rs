//! Threads that go on when the script says so.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use everslot_core::{ChangeNext, MemberId, ReconcileNext};

use super::script::Thread;

/// How long a thread may take to come to where it waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where a thread waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    /// Before a member is reconciled.
    Begin(MemberId),
    /// Before a deed of a change.
    Change(ChangeNext),
    /// Before a deed of a reconcile.
    Reconcile(ReconcileNext),
}

/// A thread of a process.
pub(super) type Part = (u8, Thread);

#[derive(Clone, Copy, Debug)]
enum Standing {
    Running,
    At(Asked),
    Ended,
    Panicked,
}

/// All threads of a script.
#[derive(Default)]
pub(super) struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    parts: BTreeMap<Part, Standing>,
    /// What they have done since they were last asked.
    does: BTreeMap<Part, Asked>,
    /// Nobody waits any more.
    open: bool,
}

thread_local! {
    static PART: RefCell<Option<(Arc<Stage>, Part)>> = const { RefCell::new(None) };
}

/// Waits, if this thread is one of a script's, until it is to go on.
pub(crate) fn hold(asked: Asked) {
    if let Some((stage, part)) = PART.with_borrow(Clone::clone) {
        stage.hold(part, asked);
    }
}

/// This is what it does now.
pub(crate) fn notice(asked: Asked) {
    if let Some((stage, part)) = PART.with_borrow(Clone::clone) {
        stage.lock().does.insert(part, asked);
    }
}

/// Both: what it waits for is what it does.
pub(crate) fn before(asked: Asked) {
    hold(asked);
    notice(asked);
}

impl Stage {
    /// Begins a thread, and waits until it waits or has ended.
    pub(super) fn spawn(
        self: &Arc<Self>,
        part: Part,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, String> {
        self.lock().parts.insert(part, Standing::Running);
        let stage = Arc::clone(self);
        let thread = std::thread::spawn(move || {
            PART.set(Some((Arc::clone(&stage), part)));
            let ended = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(()) => Standing::Ended,
                Err(_) => Standing::Panicked,
            };
            stage.lock().parts.insert(part, ended);
            stage.changed.notify_all();
        });
        self.settle(part)?;
        Ok(thread)
    }

    fn hold(&self, part: Part, asked: Asked) {
        let mut state = self.lock();
        state.parts.insert(part, Standing::At(asked));
        self.changed.notify_all();
        while !state.open && matches!(state.parts.get(&part), Some(Standing::At(_))) {
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.parts.insert(part, Standing::Running);
    }

    /// Where a thread waits; none if it has ended or was never begun.
    pub(super) fn at(&self, part: Part) -> Option<Asked> {
        match self.lock().parts.get(&part) {
            Some(Standing::At(asked)) => Some(*asked),
            Some(Standing::Running | Standing::Ended | Standing::Panicked) | None => None,
        }
    }

    /// Lets a thread that waits go on, until it waits again or has ended.
    pub(super) fn release(&self, part: Part) -> Result<(), String> {
        self.lock().parts.insert(part, Standing::Running);
        self.changed.notify_all();
        self.settle(part)
    }

    /// What a thread has done since it was last asked.
    pub(super) fn take_deed(&self, part: Part) -> Option<Asked> {
        self.lock().does.remove(&part)
    }

    fn settle(&self, part: Part) -> Result<(), String> {
        let mut state = self.lock();
        loop {
            match state.parts.get(&part) {
                Some(Standing::Running) => {}
                Some(Standing::Panicked) => return Err(format!("{part:?} panics")),
                Some(Standing::At(_) | Standing::Ended) | None => return Ok(()),
            }
            let waited = self.changed.wait_timeout(state, PATIENCE);
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Err(format!("{part:?} hangs"));
            }
            state = now;
        }
    }

    /// Nobody waits from now on.
    pub(super) fn open(&self) {
        self.lock().open = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
