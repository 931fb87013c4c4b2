use std::time::Duration;

use everslot_core::Instant;

/// The only place where the adapter reads the clock for the core: milliseconds since the group was made.
#[derive(Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Instant {
        let elapsed = self.start.elapsed().as_millis();
        Instant::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// How long until `instant`; zero when it has passed.
    pub(crate) fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.now())
    }
}
