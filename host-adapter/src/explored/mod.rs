//! What threads share, under every interleaving that the memory model allows.
//!
//! The modules here are the very files that ship, compiled once more with loom's locks, condition variables and atomics in the place of
//! std's. A wake-up that is lost is a deadlock, which loom reports.

#![expect(clippy::duplicate_mod, reason = "that is the point of it")]

mod sync;

#[path = "../group/core_state.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod core_state;
#[path = "../group/eras.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod eras;
#[path = "../slot/handles.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod handles;
#[path = "../group/load.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod load;
#[path = "../slot/open_sessions.rs"]
mod open_sessions;
#[path = "../group/pool.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod pool;
#[path = "../slot_events.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod slot_events;
#[path = "../group/view.rs"]
#[expect(dead_code, reason = "not all of it is explored")]
mod view;

mod of_loads;
mod of_sessions;
mod of_the_pool;
mod of_the_view;

use std::sync::Arc;
use std::time::Duration;

use loom::thread::JoinHandle;

/// Longer than any exploration: no time limit ends a wait.
const LONG: Duration = Duration::from_secs(3600);

/// Runs `work` in every interleaving of its threads.
fn explore(work: impl Fn() + Send + Sync + 'static) {
    let mut explorer = loom::model::Builder::new();
    explorer.preemption_bound = Some(3);
    explorer.check(work);
}

/// A thread that works on what is shared.
fn on<T: Send + Sync + 'static, R: 'static>(
    shared: &Arc<T>,
    work: impl FnOnce(&T) -> R + Send + 'static,
) -> JoinHandle<R> {
    let shared = Arc::clone(shared);
    loom::thread::spawn(move || work(&shared))
}
