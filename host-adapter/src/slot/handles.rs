use std::sync::Arc;

use super::sync::Table;
use super::sync::atomic::{AtomicU64, Ordering};

/// What an application has handles of. Looking one up takes no lock, and a handle is never given twice.
pub(crate) struct Handles<T> {
    values: Table<T>,
    last: AtomicU64,
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self {
            values: Table::default(),
            last: AtomicU64::new(0),
        }
    }
}

impl<T> Handles<T> {
    /// Adds what `make` makes for a handle that was never used before: that handle.
    pub(crate) fn open(&self, make: impl FnOnce(u64) -> T) -> u64 {
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.values.insert(handle, Arc::new(make(handle)));
        handle
    }

    pub(crate) fn value(&self, handle: u64) -> Option<Arc<T>> {
        self.values.value(handle)
    }

    /// Makes a handle invalid. What it was the handle of, unless another was quicker.
    pub(crate) fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.values.remove(handle)
    }

    /// Makes all of them invalid.
    pub(crate) fn clear(&self) {
        self.values.clear();
    }

    /// Whether `of` holds for one of them, asked in no order.
    pub(crate) fn any(&self, of: impl FnMut(&Arc<T>) -> bool) -> bool {
        self.values.any(of)
    }

    /// Those for which `of` holds, in no order.
    pub(crate) fn select(&self, of: impl FnMut(&T) -> bool) -> Vec<Arc<T>> {
        self.values.select(of)
    }
}
