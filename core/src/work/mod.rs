//! The machine of an operation of many calls: where it stands, and how it gets to another member.

mod check;
mod input;

pub use check::WorkViolation;
pub use input::{Seat, WorkInput, WorkNext};

use crate::{Binding, Replayable};

/// An operation that a `C_*Init` has begun: each of its calls is a [`Call`](crate::Call), and when that call comes to a session that does
/// not have the earlier parts, this says how to bring them there. Its transcript is the caller's; this knows how many parts it has.
///
/// A part counts once (S4): a session either has exactly the parts that were acknowledged, or nothing is sent over it before it has been
/// begun anew and given all of them. What can be replayed fails only when no member is left (S10).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Work {
    replayable: Replayable,
    /// The parts that members have taken.
    parts: u32,
    /// Whether all of them stand in the transcript.
    recorded: bool,
    /// Whether output was given.
    given: bool,
    /// The session that has all parts.
    at: Option<Seat>,
    phase: Phase,
}

/// What an operation is waiting for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Phase {
    /// A call.
    Resting,
    Beginning(Seat),
    Resending {
        seat: Seat,
        part: u32,
    },
    Comparing(Seat),
    Sent(Seat),
    /// It could not be brought to where a call came.
    GivenUp,
    Over,
}

impl Work {
    /// An operation that was begun over the session `at`.
    #[inline]
    #[must_use]
    pub const fn begun(replayable: Replayable, at: Option<Seat>) -> Self {
        Self {
            replayable,
            parts: 0,
            recorded: true,
            given: false,
            at,
            phase: Phase::Resting,
        }
    }

    /// An operation of which there is a transcript of so many parts, and that stands nowhere yet.
    #[must_use]
    pub const fn restored(replayable: Replayable, parts: u32, given: bool) -> Self {
        Self {
            parts,
            given,
            ..Self::begun(replayable, None)
        }
    }

    /// Where the next call may go; `None` when the operation stands nowhere and cannot be brought anywhere.
    #[inline]
    #[must_use]
    pub const fn binding(&self) -> Option<Binding> {
        match self.at {
            _ if self.may_move() => Some(Binding::Free),
            Some(Seat {
                member,
                incarnation,
                ..
            }) => Some(Binding::Pinned {
                member,
                incarnation,
            }),
            None => None,
        }
    }

    /// Whether it can be done again on another member from its transcript.
    #[inline]
    #[must_use]
    pub const fn may_move(&self) -> bool {
        match self.replayable {
            Replayable::Never => false,
            Replayable::UntilOutput => self.recorded && !self.given,
            Replayable::Alike => self.recorded,
        }
    }

    /// The parts that members have taken.
    #[inline]
    #[must_use]
    pub const fn parts(&self) -> u32 {
        self.parts
    }

    /// Whether output was given.
    #[inline]
    #[must_use]
    pub const fn has_given(&self) -> bool {
        self.given
    }

    /// The session that has all parts, as far as is known.
    #[inline]
    #[must_use]
    pub const fn seat(&self) -> Option<Seat> {
        self.at
    }

    /// Takes an input and says what to do next. An input that is not the outcome of what the operation waits for is void, and what it
    /// waits for is said again.
    // Inlined, so that a call which comes to where the operation stands is two comparisons.
    #[inline(always)]
    pub fn handle(&mut self, input: WorkInput) -> WorkNext {
        let next = match (self.phase, input) {
            (Phase::Over, _) => WorkNext::Over,
            (_, WorkInput::Ended) => self.transition(Phase::Over),
            (Phase::Resting, WorkInput::Reached(seat)) => self.reach(seat),
            (Phase::Sent(seat), input) => self.answered(seat, input),
            (Phase::Beginning(seat), WorkInput::Done) => self.resend(seat, 0),
            (Phase::Resending { seat, part }, WorkInput::Done) => {
                self.resend(seat, part.saturating_add(1))
            }
            (Phase::Comparing(seat), WorkInput::Compared(true)) => self.arrive(seat),
            (Phase::Comparing(_), WorkInput::Compared(false)) => self.transition(Phase::GivenUp),
            (
                Phase::Beginning(_) | Phase::Resending { .. } | Phase::Comparing(_),
                WorkInput::Failed,
            ) => self.transition(Phase::Resting),
            (
                Phase::Resting
                | Phase::Beginning(_)
                | Phase::Resending { .. }
                | Phase::Comparing(_)
                | Phase::GivenUp,
                _,
            ) => self.next(),
        };
        debug_assert_eq!(self.check(), Ok(()));
        next
    }

    /// The one place where the phase is written.
    #[inline]
    const fn transition(&mut self, to: Phase) -> WorkNext {
        self.phase = to;
        self.next()
    }

    #[inline]
    const fn next(&self) -> WorkNext {
        match self.phase {
            Phase::Resting => WorkNext::Rest,
            Phase::Beginning(_) => WorkNext::Begin,
            Phase::Resending { part, .. } => WorkNext::Resend { part },
            Phase::Comparing(_) => WorkNext::Compare,
            Phase::Sent(_) => WorkNext::Send,
            Phase::GivenUp => WorkNext::GiveUp,
            Phase::Over => WorkNext::Over,
        }
    }

    /// A session that is not the one which has the parts has none of them, whatever member it is of (S6).
    #[inline]
    fn reach(&mut self, seat: Seat) -> WorkNext {
        if self.at == Some(seat) {
            return self.transition(Phase::Sent(seat));
        }
        self.at = None;
        if self.may_move() {
            self.transition(Phase::Beginning(seat))
        } else {
            self.transition(Phase::GivenUp)
        }
    }

    #[cold]
    fn resend(&mut self, seat: Seat, part: u32) -> WorkNext {
        if part < self.parts {
            self.transition(Phase::Resending { seat, part })
        } else if self.given {
            self.transition(Phase::Comparing(seat))
        } else {
            self.arrive(seat)
        }
    }

    fn arrive(&mut self, seat: Seat) -> WorkNext {
        self.at = Some(seat);
        self.transition(Phase::Sent(seat))
    }

    #[inline]
    fn answered(&mut self, seat: Seat, input: WorkInput) -> WorkNext {
        match input {
            WorkInput::Unchanged => self.transition(Phase::Resting),
            WorkInput::Taken { output, recorded } => {
                self.parts = self.parts.saturating_add(1);
                // A part that cannot be counted cannot be replayed.
                self.recorded &= recorded && self.parts < u32::MAX;
                self.given |= output;
                self.at = Some(seat);
                self.transition(Phase::Resting)
            }
            // The session may have taken the part or not.
            WorkInput::Failed => {
                self.at = None;
                self.transition(Phase::Resting)
            }
            WorkInput::Ended => self.transition(Phase::Over),
            WorkInput::Reached(_) | WorkInput::Done | WorkInput::Compared(_) => self.next(),
        }
    }
}

#[cfg(test)]
mod tests;
