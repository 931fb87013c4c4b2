//! What [`crate::sync`] has, as loom's. No time limit ever ends a wait here: a wake-up that is lost is a deadlock, which loom reports.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LockResult, PoisonError};
use std::time::Duration;

pub(crate) use loom::sync::{Mutex, MutexGuard};

pub(crate) mod atomic;

#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        self.0.wait(guard)
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, TimeIsUp)> {
        let guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
        Ok((guard, TimeIsUp))
    }

    pub(crate) fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    pub(crate) fn wait_timeout_while<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
        condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, TimeIsUp)> {
        let guard = self.wait_while(guard, condition);
        Ok((guard.unwrap_or_else(PoisonError::into_inner), TimeIsUp))
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// Stands where std says whether the time was up; nobody asks.
pub(crate) struct TimeIsUp;

/// A queue of which each operation is one step: crossbeam's own steps are crossbeam's to prove.
pub(crate) struct ArrayQueue<T> {
    capacity: usize,
    values: Mutex<VecDeque<T>>,
}

impl<T> ArrayQueue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            values: Mutex::default(),
        }
    }

    pub(crate) fn push(&self, value: T) -> Result<(), T> {
        let mut values = self.values.lock().expect("no panic");
        if values.len() == self.capacity {
            return Err(value);
        }
        values.push_back(value);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.values.lock().expect("no panic").pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.lock().expect("no panic").is_empty()
    }
}

/// A table of which each operation is one step, as papaya's are.
pub(crate) struct Table<T>(Mutex<HashMap<u64, Arc<T>>>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Table<T> {
    pub(crate) fn insert(&self, handle: u64, value: Arc<T>) {
        self.values().insert(handle, value);
    }

    pub(crate) fn value(&self, handle: u64) -> Option<Arc<T>> {
        self.values().get(&handle).cloned()
    }

    pub(crate) fn remove(&self, handle: u64) -> Option<Arc<T>> {
        self.values().remove(&handle)
    }

    pub(crate) fn clear(&self) {
        self.values().clear();
    }

    pub(crate) fn any(&self, of: impl FnMut(&Arc<T>) -> bool) -> bool {
        self.values().values().any(of)
    }

    pub(crate) fn select(&self, mut of: impl FnMut(&T) -> bool) -> Vec<Arc<T>> {
        let values = self.values();
        values.values().filter(|value| of(value)).cloned().collect()
    }

    fn values(&self) -> MutexGuard<'_, HashMap<u64, Arc<T>>> {
        self.0.lock().expect("no panic")
    }
}
