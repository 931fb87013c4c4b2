//! Time as an input: the core never asks what time it is.

use core::time::Duration;

/// A point in time: milliseconds since a start of the caller's own choice, such as its boot.
///
/// All instants that are fed to one machine count from the same start and do not go back. Sums
/// saturate at the end of time, 584 million years after the start.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Instant(u64);

impl Instant {
    /// The start.
    pub const ZERO: Self = Self(0);

    /// The instant this many milliseconds after the start.
    #[inline]
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the start.
    #[inline]
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The instant that much later; parts of a millisecond count as a whole one, so that it is never
    /// earlier than asked for.
    #[inline]
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(duration)))
    }

    /// The time since `earlier`; none if that is not earlier.
    #[inline]
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The instant that much earlier, not before the start: moves the start of time, which keeps an
    /// explored state space finite.
    #[doc(hidden)]
    #[must_use]
    pub fn rebase(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(by)))
    }
}

// Not by `Duration::as_nanos`: a division of 128 bits is a thousand instructions on a small machine.
fn whole_millis(duration: Duration) -> u64 {
    let parts = duration.subsec_nanos().div_ceil(1_000_000);
    duration
        .as_secs()
        .saturating_mul(1000)
        .saturating_add(u64::from(parts))
}

#[cfg(test)]
mod tests;
