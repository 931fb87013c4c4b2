//! Who may spin, and for how long.
//!
//! Waking a sleeping core costs tens of microseconds, more than most calls take; so an end of a channel that expects its turn soon waits
//! awake for a while before it sleeps. That pays only while there are cores to spare, which one process cannot know alone: an
//! application and all its member hosts share a [`Board`] with one leave for each pair of cores, since for each end that spins the other
//! one works.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::memory::{Board, LEAVES};

/// An end whose turn has lately come later than this on average sleeps at once. It is what two wake-ups cost on a slow machine, one for
/// each end: who waits awake for no longer than that has never lost more than twice what was to be lost.
const WORTHWHILE: Duration = Duration::from_micros(150);

/// The longest that it takes to wake a thread on a core that sleeps deeply.
pub(super) const WAKING: Duration = Duration::from_micros(60);

/// What an end that is awake may take to notice something, and some more.
pub(super) const NOTICING: Duration = Duration::from_micros(10);

/// An end that spun in vain this often in a row spins at every 64th occasion only.
const MISSES_MAX: u32 = 6;

/// How long an end tries to get leave: its other end, which has just stopped to spin, is about to give it back.
const LEAVE_PATIENCE: Duration = Duration::from_micros(3);

/// Pauses between two looks at the clock and the board.
const PAUSES: u32 = 16;

/// An end of a channel that may want to spin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Spinner(u32);

impl Spinner {
    const HOST: u32 = 1 << 31;
    const NUMBER_BITS: u32 = 15;

    /// The client's end of some channel. It waits for work in progress, so it may take the leave of a host that waits for work to come.
    pub(super) fn client() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed) % (Self::HOST - 1) + 1)
    }

    /// The host's end of a channel, of the host with this number.
    pub(super) fn host(number: HostNumber, channel: u32) -> Self {
        Self(Self::HOST | u32::from(number.0) << 16 | (channel & 0xFFFF))
    }

    fn host_number(token: u32) -> Option<HostNumber> {
        // The shift leaves 15 bits and the cut-off flag.
        let number = (token & !Self::HOST) >> 16;
        (token & Self::HOST != 0).then_some(HostNumber(number as u16))
    }
}

/// Tells the member hosts of one application apart on the board.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct HostNumber(u16);

impl HostNumber {
    /// A number that no host has that was started lately.
    pub(super) fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed) % (1 << Spinner::NUMBER_BITS);
        Self(number as u16)
    }

    pub(super) const fn from_u16(number: u16) -> Self {
        Self(number % (1 << Spinner::NUMBER_BITS))
    }

    pub(super) const fn as_u16(self) -> u16 {
        self.0
    }
}

/// What an end has seen when it waited, and what follows for its next wait.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Experience {
    /// A moving average of how long the other end took.
    nanoseconds: u64,
    /// How often in a row it spun in vain.
    misses: u32,
    /// How often it is to sleep at once before it spins again.
    skips: u32,
}

impl Experience {
    /// Counts how long the other end took.
    pub(super) fn saw(&mut self, took: Duration) {
        // A long time counts as somewhat longer than worthwhile, so that a few short ones make spinning worthwhile again.
        let took = took.min(WORTHWHILE * 4).as_nanos() as u64;
        self.nanoseconds = (self.nanoseconds * 7 + took) / 8;
    }

    /// How long to spin now, when it takes the other end `start` to begin; zero if it is better to sleep.
    pub(super) fn patience(&mut self, start: Duration) -> Duration {
        if self.skips > 0 {
            self.skips -= 1;
            return Duration::ZERO;
        }
        let average = Duration::from_nanos(self.nanoseconds);
        if average > WORTHWHILE {
            Duration::ZERO
        } else {
            start + average * 2
        }
    }

    /// Counts how it ended.
    pub(super) fn spun(&mut self, spun: Spun) {
        match spun {
            Spun::Done => self.misses = 0,
            // The other end is not running, be it that this one has the core that it needs: make way, the longer the more often.
            Spun::InVain => {
                self.misses = (self.misses + 1).min(MISSES_MAX);
                self.skips = 1 << self.misses;
            }
            Spun::Not => {}
        }
    }
}

/// How spinning ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Spun {
    /// What was waited for has come.
    Done,
    /// It has not come in time.
    InVain,
    /// There was no leave, or it was taken away.
    Not,
}

impl Board {
    /// Spins until `done`, at most for `patience`, and if there is leave.
    pub(super) fn spin(
        &self,
        spinner: Spinner,
        patience: Duration,
        done: impl Fn() -> bool,
    ) -> Spun {
        if done() {
            return Spun::Done;
        }
        if patience.is_zero() || leaves() == 0 {
            return Spun::Not;
        }
        let began = Instant::now();
        let mut leave = self.leave(spinner);
        loop {
            for _ in 0..PAUSES {
                if done() {
                    return Spun::Done;
                }
                std::hint::spin_loop();
            }
            let spent = began.elapsed();
            match &leave {
                Some(leave) if !leave.is_valid() => return Spun::Not,
                Some(_) if spent >= patience => return Spun::InVain,
                Some(_) => {}
                None if spent >= LEAVE_PATIENCE => return Spun::Not,
                None => leave = self.leave(spinner),
            }
        }
    }

    /// Frees what a host that has ended left behind.
    pub(super) fn clear(&self, host: HostNumber) {
        for place in self.leaves() {
            let token = place.load(Ordering::Relaxed);
            if Spinner::host_number(token) == Some(host) {
                let _ours = place.compare_exchange(token, 0, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }

    fn leave(&self, spinner: Spinner) -> Option<Leave<'_>> {
        let places = &self.leaves()[..leaves()];
        let take = |from: &dyn Fn(u32) -> bool| {
            places.iter().find(|place| {
                let now = place.load(Ordering::Relaxed);
                from(now)
                    && place
                        .compare_exchange(now, spinner.0, Ordering::Relaxed, Ordering::Relaxed)
                        .is_ok()
            })
        };
        let is_client = spinner.0 & Spinner::HOST == 0;
        take(&|now| now == 0)
            .or_else(|| {
                is_client
                    .then(|| take(&|now| now & Spinner::HOST != 0))
                    .flatten()
            })
            .map(|place| Leave { place, spinner })
    }
}

/// Leave to spin, until dropped or taken away.
struct Leave<'a> {
    place: &'a AtomicU32,
    spinner: Spinner,
}

impl Leave<'_> {
    fn is_valid(&self) -> bool {
        self.place.load(Ordering::Relaxed) == self.spinner.0
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let _still_ours =
            self.place
                .compare_exchange(self.spinner.0, 0, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// How many may spin at once on this machine: none on a single core.
fn leaves() -> usize {
    static LEAVES_HERE: OnceLock<usize> = OnceLock::new();
    *LEAVES_HERE.get_or_init(|| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / 2).min(LEAVES)
    })
}

#[cfg(test)]
mod tests;
