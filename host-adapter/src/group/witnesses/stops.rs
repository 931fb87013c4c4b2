//! Where the adapter's threads wait until the script says that they go on, so that any order of theirs can be had.

use std::cell::Cell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use everslot_core::{Action, MemberId, Next};

use super::script::Fate;

/// A thread that does not get anywhere within this hangs.
const PATIENCE: Duration = Duration::from_secs(60);

thread_local! {
    static WHO: Cell<Option<Who>> = const { Cell::new(None) };
    static LAST: Cell<Option<Point>> = const { Cell::new(None) };
}

/// Whose thread it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    Caller(usize),
    Adapter,
}

/// What the adapter is about to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::group) enum Point {
    /// What a call wants next.
    Call(Next),
    /// What the group wants done.
    Action(Action),
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    At(Point),
    /// A member has its request.
    Request(MemberId),
}

#[derive(Default)]
pub(in crate::group) struct Stops {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    idle: usize,
    stopped: Vec<Stopped>,
    /// The script is over: nobody stops any more.
    open: bool,
}

struct Stopped {
    who: Who,
    place: Place,
    /// What it is told to go on with.
    released: Option<Option<Fate>>,
}

impl Stops {
    /// Runs something on a thread that stops.
    pub(super) fn spawn<T: Send + 'static>(
        self: &Arc<Self>,
        who: Who,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.lock().running += 1;
        let stops = Arc::clone(self);
        std::thread::spawn(move || {
            WHO.set(Some(who));
            let _running = Running(&stops);
            work()
        })
    }

    pub(in crate::group) fn pause(&self, point: Point) {
        LAST.set(Some(point));
        // A call's answer and the end of sessions are nothing that takes time.
        if !matches!(
            point,
            Point::Call(Next::Answer(_)) | Point::Action(Action::Close { .. })
        ) {
            self.stop(Place::At(point));
        }
    }

    /// Whether this thread is a caller's that is about to send its call, or what has to go before it.
    pub(super) fn is_sending(&self) -> bool {
        let sends = matches!(LAST.get(), Some(Point::Call(Next::Send { .. })));
        sends && matches!(WHO.get(), Some(Who::Caller(_)))
    }

    pub(super) fn is_caller(&self) -> bool {
        matches!(WHO.get(), Some(Who::Caller(_)))
    }

    /// Waits, if this thread stops at all; what the script says that becomes of it.
    pub(super) fn stop(&self, place: Place) -> Option<Fate> {
        let who = WHO.get()?;
        let mut state = self.lock();
        if state.open {
            return None;
        }
        state.stopped.push(Stopped {
            who,
            place,
            released: None,
        });
        state.running -= 1;
        self.changed.notify_all();
        loop {
            let mine = |stopped: &Stopped| {
                (stopped.who, stopped.place) == (who, place) && stopped.released.is_some()
            };
            if let Some(at) = state.stopped.iter().position(mine) {
                return state.stopped.remove(at).released.flatten();
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// This thread waits for a change of the view.
    pub(in crate::group) fn idle(&self) -> Option<Idle<'_>> {
        WHO.get()?;
        let mut state = self.lock();
        state.running -= 1;
        state.idle += 1;
        self.changed.notify_all();
        Some(Idle(self))
    }

    /// Lets go on who stands at such a place, as soon as somebody does.
    pub(super) fn release(
        &self,
        what: &str,
        fate: Option<Fate>,
        wanted: impl Fn(Who, Place) -> bool,
    ) -> Result<Place, String> {
        let mut state = self.lock();
        loop {
            let found = state
                .stopped
                .iter_mut()
                .find(|stopped| stopped.released.is_none() && wanted(stopped.who, stopped.place));
            if let Some(found) = found {
                found.released = Some(fate);
                let place = found.place;
                state.running += 1;
                self.changed.notify_all();
                return Ok(place);
            }
            if state.running == 0 && state.idle == 0 {
                let places: Vec<_> = state.stopped.iter().map(|at| (at.who, at.place)).collect();
                return Err(format!("nobody is at {what}: {places:?}"));
            }
            state = self.wait(state)?;
        }
    }

    /// Lets go on who stands at such a place now, if somebody does. Whether somebody did.
    pub(super) fn release_any(&self, wanted: impl Fn(Place) -> bool) -> bool {
        let mut state = self.lock();
        let mut waiting = state.stopped.iter_mut();
        let found = waiting.find(|stopped| stopped.released.is_none() && wanted(stopped.place));
        let is_found = found.is_some_and(|found| {
            found.released = Some(None);
            true
        });
        state.running += usize::from(is_found);
        self.changed.notify_all();
        is_found
    }

    /// Whether somebody stands at such a place.
    pub(super) fn has(&self, wanted: impl Fn(Who, Place) -> bool) -> bool {
        let state = self.lock();
        let mut stopped = state.stopped.iter();
        stopped.any(|stopped| stopped.released.is_none() && wanted(stopped.who, stopped.place))
    }

    /// Waits until all threads stand somewhere, wait for others, or have ended.
    pub(super) fn settle(&self) -> Result<(), String> {
        let mut state = self.lock();
        while state.running > 0 {
            state = self.wait(state)?;
        }
        Ok(())
    }

    /// Nobody stops from now on.
    pub(super) fn open(&self) {
        let mut state = self.lock();
        state.open = true;
        let mut released = 0;
        for stopped in &mut state.stopped {
            if stopped.released.is_none() {
                stopped.released = Some(None);
                released += 1;
            }
        }
        state.running += released;
        self.changed.notify_all();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, String> {
        let (state, timeout) = self
            .changed
            .wait_timeout(state, PATIENCE)
            .unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            Err("a thread hangs".to_owned())
        } else {
            Ok(state)
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Running<'a>(&'a Stops);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.changed.notify_all();
    }
}

pub(in crate::group) struct Idle<'a>(&'a Stops);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.running += 1;
        state.idle -= 1;
        self.0.changed.notify_all();
    }
}
