//! What a machine gives to the gateway.

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use embedded_io::{Read, ReadReady, Write};
use everslot_core::{Event, Instant, MemberId};

/// The parts of a machine.
pub trait Board {
    /// A member's line. Reading must not block once it has said that it is ready; writing may take as long as the line is slow.
    type Line: Read + ReadReady + Write;
    /// A member's light: high while it serves.
    type Light: OutputPin;
    /// What time it is.
    type Clock: Clock;
    /// Passes the time while an answer is waited for.
    type Delay: DelayNs;
    /// Who hears of events.
    type Watch: Watch;
}

/// What time it is.
pub trait Clock {
    /// Milliseconds since a start of the machine's own choice; does not go back.
    fn now(&self) -> Instant;
}

/// Hears what happens: a log, a display.
pub trait Watch {
    /// The group's own event, as the core told it.
    fn event(&mut self, at: Instant, event: &Event);

    /// A call that found `from` lost, or that this one could not serve, goes on at `to`.
    fn failed_over(&mut self, at: Instant, from: MemberId, to: MemberId);
}
