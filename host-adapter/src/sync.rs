//! What threads share by locks, condition variables, atomics and the collections that take no lock.
//!
//! The files that are explored under every interleaving take these from here, by way of their parent: the tests in `explored` compile the
//! same files once more with loom's in their place.

use std::sync::Arc;

pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

pub(crate) use crossbeam_queue::ArrayQueue;
use rustc_hash::FxBuildHasher;

/// Values by their handles. No look-up waits for another or for a change.
pub(crate) struct Table<T>(papaya::HashMap<u64, Arc<T>, FxBuildHasher>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(papaya::HashMap::default())
    }
}

impl<T> Table<T> {
    pub(crate) fn insert(&self, handle: u64, value: Arc<T>) {
        self.0.pin().insert(handle, value);
    }

    pub(crate) fn value(&self, handle: u64) -> Option<Arc<T>> {
        self.0.pin().get(&handle).cloned()
    }

    pub(crate) fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.0.pin().remove(&handle).cloned()
    }

    pub(crate) fn clear(&self) {
        self.0.pin().clear();
    }

    /// Whether `of` holds for one of them, asked in no order.
    pub(crate) fn any(&self, of: impl FnMut(&Arc<T>) -> bool) -> bool {
        self.0.pin().values().any(of)
    }

    /// Those for which `of` holds, in no order.
    pub(crate) fn select(&self, mut of: impl FnMut(&T) -> bool) -> Vec<Arc<T>> {
        let values = self.0.pin();
        let chosen = values.values().filter(|value| of(value));
        chosen.cloned().collect()
    }
}
