//! Waiting for something to be so, and holding something to its time.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, asking again and again.
///
/// # Panics
/// It does not hold within `deadline`.
#[track_caller]
pub fn eventually(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(
        until(deadline, condition),
        "not within {deadline:?}: {what}"
    );
}

/// Whether the condition came to hold within `deadline`.
#[must_use]
pub(crate) fn until(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() >= deadline {
            return false;
        }
        std::thread::sleep(POLL);
    }
    true
}

/// What `action` returns, which takes no longer than `limit`.
///
/// # Panics
/// It took longer.
#[track_caller]
pub fn within<T>(limit: Duration, action: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = action();
    let taken = start.elapsed();
    assert!(taken <= limit, "took {taken:?}, longer than {limit:?}");
    result
}
