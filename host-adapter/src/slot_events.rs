//! The coming and going of the virtual tokens, for `C_WaitForSlotEvent` (PKCS#11 v3.1 §5.5.4).
//!
//! Each slot has one flag: set when its last member that served is lost or the first is back, cleared when it is reported. Coming
//! and going between two reports are one event, as `C_GetSlotInfo` tells which of them it is by then.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use everslot_core::{Rv, ckr};

use super::sync::{Condvar, Mutex, MutexGuard};

/// The event flags of all slots of one `C_Initialize`.
#[derive(Debug, Default)]
pub(crate) struct SlotEvents {
    state: Mutex<State>,
    stirred: Condvar,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The slots whose flag is set.
    set: BTreeSet<u64>,
    /// Counts what a waiting call should look at.
    turn: Turn,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Phase {
    /// Members are brought up for the first time: that is no event.
    #[default]
    Beginning,
    Recording,
    /// `C_Finalize` was called.
    Over,
}

/// A moment, to tell whether anything has stirred since.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Turn(u64);

/// One slot's flag, in the hands of the group behind it.
pub(crate) struct EventFlag {
    slot: u64,
    events: Arc<SlotEvents>,
}

impl EventFlag {
    pub(crate) fn new(slot: u64, events: &Arc<SlotEvents>) -> Self {
        Self {
            slot,
            events: Arc::clone(events),
        }
    }

    /// The slot's token has come or gone.
    pub(crate) fn set(&self) {
        let mut state = self.events.lock();
        if state.phase == Phase::Recording {
            state.set.insert(self.slot);
            self.events.stir(&mut state);
        }
    }

    /// The next attempt at a member may be due at another time than a waiting call has reckoned with.
    pub(crate) fn stir(&self) {
        self.events.stir(&mut self.events.lock());
    }
}

impl SlotEvents {
    /// From now on events are recorded: `C_Initialize` is done with the first look at every member.
    pub(crate) fn begin(&self) {
        self.lock().phase = Phase::Recording;
    }

    /// `C_Finalize`: whoever waits is sent away.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.phase = Phase::Over;
        self.stir(&mut state);
    }

    /// This moment, for [`wait`](Self::wait).
    pub(crate) fn turn(&self) -> Turn {
        self.lock().turn
    }

    /// Clears the flag of a slot that has one set, and gives its id.
    ///
    /// # Errors
    /// `CKR_CRYPTOKI_NOT_INITIALIZED` after [`end`](Self::end).
    pub(crate) fn take(&self) -> Result<Option<u64>, Rv> {
        let mut state = self.lock();
        match state.phase {
            Phase::Over => Err(ckr::CRYPTOKI_NOT_INITIALIZED),
            Phase::Beginning | Phase::Recording => Ok(state.set.pop_first()),
        }
    }

    /// Waits until something stirs, unless it has since `turn`; at most for `time`, if there is one.
    pub(crate) fn wait(&self, turn: Turn, time: Option<Duration>) {
        let state = self.lock();
        let quiet = |state: &mut State| state.turn == turn;
        match time {
            None => drop(self.stirred.wait_while(state, quiet)),
            Some(time) => drop(self.stirred.wait_timeout_while(state, time, quiet)),
        }
    }

    fn stir(&self, state: &mut State) {
        state.turn.0 += 1;
        self.stirred.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
