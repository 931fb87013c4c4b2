//! Waiting for something to be so, and holding something to its time.

use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, asking again and again.
///
/// # Panics
/// It does not hold within `deadline`.
#[track_caller]
pub fn eventually(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < deadline,
            "not within {deadline:?}: {what}"
        );
        std::thread::sleep(POLL);
    }
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
