use std::time::Duration;

use everslot_core::Instant;

/// The only place where the adapter reads the clock for the core: milliseconds since the group was made.
#[derive(Debug)]
pub(crate) struct Clock {
    start: std::time::Instant,
    /// The milliseconds that a test says it is.
    #[cfg(test)]
    told: Option<std::sync::Arc<std::sync::atomic::AtomicU64>>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: std::time::Instant::now(),
            #[cfg(test)]
            told: None,
        }
    }

    #[cfg(test)]
    pub(super) fn told(by: &std::sync::Arc<std::sync::atomic::AtomicU64>) -> Self {
        Self {
            told: Some(std::sync::Arc::clone(by)),
            ..Self::start()
        }
    }

    pub(crate) fn now(&self) -> Instant {
        #[cfg(test)]
        if let Some(told) = &self.told {
            return Instant::from_millis(told.load(std::sync::atomic::Ordering::SeqCst));
        }
        let elapsed = self.start.elapsed().as_millis();
        Instant::from_millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// How long until `instant`; zero when it has passed.
    pub(crate) fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.now())
    }
}
