//! The threads of ours in the application.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use crate::signals::without_signals;

/// Starts threads on which the application's signal handlers never run, and waits for their end.
pub(crate) struct Threads(Mutex<State>);

struct State {
    /// Every thread has a copy, so that the last one's end is heard.
    alive: Option<Sender<()>>,
    ended: Receiver<()>,
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        let (alive, ended) = channel();
        Self(Mutex::new(State {
            alive: Some(alive),
            ended,
            handles: Vec::new(),
        }))
    }

    /// Runs `work` on a thread of its own.
    ///
    /// # Errors
    /// The system has no thread left, or [`end`](Self::end) was called.
    pub(crate) fn spawn(&self, name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.state();
        let alive = state.alive.clone().ok_or(io::ErrorKind::BrokenPipe)?;
        let builder = Builder::new().name(name.to_owned());
        let thread = without_signals(|| {
            builder.spawn(move || {
                let _alive = alive;
                work();
            })
        })?;
        state.handles.retain(|handle| !handle.is_finished());
        state.handles.push(thread);
        Ok(())
    }

    /// Waits for the end of all threads, at most until then; no further one is started. Whether all have ended.
    pub(crate) fn end(&self, until: Instant) -> bool {
        let mut state = self.state();
        state.alive = None;
        let left = until.saturating_duration_since(Instant::now());
        if state.ended.recv_timeout(left) != Err(RecvTimeoutError::Disconnected) {
            return false;
        }
        // Their work is done: all that is left of them is to leave the library's code.
        for handle in state.handles.drain(..) {
            let _ = handle.join();
        }
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_end_waits_for_all_but_not_for_ever() {
        let threads = Threads::new();
        let (go, gone) = channel::<()>();
        threads
            .spawn("waits", move || assert!(gone.recv().is_err()))
            .expect("a thread");
        threads
            .spawn("panics", || panic!("on purpose"))
            .expect("a thread");
        assert!(!threads.end(Instant::now() + Duration::from_millis(1)));
        assert!(threads.spawn("late", || ()).is_err());
        drop(go);
        assert!(threads.end(Instant::now() + Duration::from_secs(60)));
    }
}
