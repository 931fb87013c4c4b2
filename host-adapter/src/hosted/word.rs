//! The state word of a channel: whose turn it is, and who sleeps on it.
//!
//! ```text
//!            post            take            answer
//!   Idle ──────────▶ Posted ──────▶ Taken ─────────▶ Answered ──▶ (post again)
//!     ▲                │
//!     └─── cancel ─────┘   only while nobody has taken it: then it was surely not executed
//! ```
//! Everything is in one word, so that each decision is one compare-and-exchange and no memory order between two words matters.
//! The operations are generic over the word, so that the very code that ships is what loom explores.

use std::time::Duration;

const TURN: u32 = 0b11;
/// Nothing was asked yet, or it was cancelled.
const IDLE: u32 = 0;
/// A request stands in the buffer; the client waits.
const POSTED: u32 = 1;
/// The host has copied the request out, or is doing so; it may be executed.
const TAKEN: u32 = 2;
/// The answer stands in the buffer; it is the client's until it posts again.
const ANSWERED: u32 = 3;

/// The client sleeps on the word and must be woken by whoever answers.
const CLIENT_SLEEPS: u32 = 1 << 2;
/// The host sleeps on the word and must be woken by whoever posts.
const HOST_SLEEPS: u32 = 1 << 3;
/// The host takes leave: what is posted is still answered, nothing more can be posted.
const CLOSED: u32 = 1 << 4;

/// A 32-bit word that two processes share and can sleep on.
pub(super) trait Word {
    /// The value, with acquire ordering.
    fn load(&self) -> u32;

    /// Compare-and-exchange with acquire and release ordering; the error is the value that was found instead.
    fn exchange(&self, current: u32, new: u32) -> Result<u32, u32>;

    /// Sleeps until woken while the value is `expected`, at most so long; may return early.
    fn sleep(&self, expected: u32, at_most: Option<Duration>);

    /// Wakes all who sleep.
    fn wake(&self);
}

/// The host takes no more requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Closed;

/// Whether the host had to be woken for what was posted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Host {
    /// It was awake.
    Awake,
    /// It slept.
    Asleep,
}

/// Client: hands the request that stands in the buffer to the host.
pub(super) fn post(word: &impl Word) -> Result<Host, Closed> {
    let before = change(word, |now| (now & CLOSED == 0).then_some(POSTED)).map_err(|_| Closed)?;
    if before & HOST_SLEEPS == 0 {
        return Ok(Host::Awake);
    }
    word.wake();
    Ok(Host::Asleep)
}

/// Client: whether the answer stands in the buffer.
pub(super) fn is_answered(word: &impl Word) -> bool {
    word.load() & TURN == ANSWERED
}

/// Client: sleeps until the answer may be there, at most so long.
pub(super) fn sleep_until_answered(word: &impl Word, at_most: Duration) {
    let asleep = change(word, |now| match now & TURN {
        POSTED | TAKEN => Some(now | CLIENT_SLEEPS),
        _ => None,
    });
    if let Ok(before) = asleep {
        word.sleep(before | CLIENT_SLEEPS, Some(at_most));
    }
}

/// Client: takes the request back; false if the host was faster, and then it may be executed or answered already.
pub(super) fn cancel(word: &impl Word) -> bool {
    change(word, |now| {
        (now & TURN == POSTED).then_some((now & CLOSED) | IDLE)
    })
    .is_ok()
}

/// Host: takes the posted request, if there is one.
pub(super) fn take(word: &impl Word) -> bool {
    // A plain look first: a spinning host must not pull the line from a client that is about to write it.
    word.load() & TURN == POSTED
        && change(word, |now| {
            (now & TURN == POSTED).then_some((now & !TURN) | TAKEN)
        })
        .is_ok()
}

/// Host: sleeps until something may be posted; not at all once closed.
pub(super) fn sleep_until_posted(word: &impl Word) {
    let asleep = change(word, |now| match now & TURN {
        IDLE | ANSWERED if now & CLOSED == 0 => Some(now | HOST_SLEEPS),
        _ => None,
    });
    if let Ok(before) = asleep {
        word.sleep(before | HOST_SLEEPS, None);
    }
}

/// Host: gives the turn back, with the answer in the buffer.
pub(super) fn answer(word: &impl Word) {
    let before = change(word, |now| Some((now & CLOSED) | ANSWERED));
    if before.is_ok_and(|before| before & CLIENT_SLEEPS != 0) {
        word.wake();
    }
}

/// Host: lets nothing more be posted.
pub(super) fn close(word: &impl Word) {
    let _closed = change(word, |now| Some(now | CLOSED));
    word.wake();
}

/// Host: whether nothing more can be posted.
pub(super) fn is_closed(word: &impl Word) -> bool {
    word.load() & CLOSED != 0
}

/// Host: whether a request is posted or being executed.
pub(super) fn is_busy(word: &impl Word) -> bool {
    matches!(word.load() & TURN, POSTED | TAKEN)
}

/// Host: waits until nothing is posted or being executed.
pub(super) fn sleep_until_quiet(word: &impl Word) {
    while is_busy(word) {
        // Not the client and not the server of the channel: nobody wakes it for this.
        word.sleep(word.load(), Some(Duration::from_millis(1)));
    }
}

/// Changes the word to what `to` makes of it and gives the value before; the error is a value that `to` declined.
fn change(word: &impl Word, to: impl Fn(u32) -> Option<u32>) -> Result<u32, u32> {
    let mut now = word.load();
    loop {
        let new = to(now).ok_or(now)?;
        if new == now {
            return Ok(now);
        }
        match word.exchange(now, new) {
            Ok(before) => return Ok(before),
            Err(other) => now = other,
        }
    }
}

#[cfg(test)]
mod tests;
