use std::sync::PoisonError;
use std::time::Duration;

use everslot_core::{Instant, Serving, View};

use super::sync::atomic::{AtomicBool, Ordering};
use super::sync::{Condvar, Mutex, MutexGuard};
use super::view::PublishedView;

/// A group's core under its one lock, what it publishes for those that do not take the lock, and who waits for a change of that.
pub(crate) struct CoreState<C> {
    core: Mutex<C>,
    /// Signalled at each change of the view.
    changed: Condvar,
    pub(crate) view: PublishedView,
    /// The library is being finalised: what becomes of the members is no news.
    stopping: AtomicBool,
}

impl<C> CoreState<C> {
    pub(crate) fn new(core: C) -> Self {
        Self {
            core: Mutex::new(core),
            changed: Condvar::new(),
            view: PublishedView::empty(),
            stopping: AtomicBool::new(false),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, C> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes what the core says; called with the lock held, so that views are published in their order.
    pub(crate) fn publish(&self, view: &View, due: Option<Instant>) {
        self.view.publish(view, due);
        self.changed.notify_all();
    }

    /// Waits for a change, at most so long.
    pub(crate) fn wait<'core>(
        &self,
        core: MutexGuard<'core, C>,
        patience: Duration,
    ) -> MutexGuard<'core, C> {
        let waited = self.changed.wait_timeout(core, patience);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits as long as `of` holds of the core, at most so long; it is asked anew at each change.
    pub(crate) fn wait_while(&self, patience: Duration, of: impl FnMut(&mut C) -> bool) {
        drop(
            self.changed
                .wait_timeout_while(self.lock(), patience, of)
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Waits until others serve than those that were seen to, at most so long. `false` when there was no change, or will be none.
    pub(crate) fn wait_for_view(&self, seen: Serving, patience: Duration) -> bool {
        self.wait_while(patience, |_| {
            self.view.serving() == seen && !self.is_stopping()
        });
        self.view.serving() != seen && !self.is_stopping()
    }

    /// Whoever waits for a change is to look whether it is over.
    pub(crate) fn begin_to_stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Sends away whoever waits for a change.
    pub(crate) fn dismiss(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}
