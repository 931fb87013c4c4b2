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

/// The longest that an end spins.
const LONGEST: Duration = Duration::from_micros(100);

/// An end that has lately waited longer than this on average sleeps at once.
const WORTHWHILE: Duration = Duration::from_micros(60);

/// How long an end tries to get leave: its other end, which has just stopped to spin, is about to give it back.
const PATIENCE: Duration = Duration::from_micros(3);

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

/// What lately happened when an end waited: a moving average.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lately {
    nanoseconds: u64,
}

impl Lately {
    /// Counts a wait, or a service that was waited for.
    pub(super) fn saw(&mut self, took: Duration) {
        // A long one counts as somewhat longer than worthwhile, so that a few short ones make spinning worthwhile again.
        let took = took.min(WORTHWHILE * 4).as_nanos() as u64;
        self.nanoseconds = (self.nanoseconds * 7 + took) / 8;
    }

    fn is_short(self) -> bool {
        self.nanoseconds <= WORTHWHILE.as_nanos() as u64
    }
}

impl Board {
    /// Spins until `done`, if that is worthwhile and there is leave; says whether it is done.
    pub(super) fn spin(&self, spinner: Spinner, lately: Lately, done: impl Fn() -> bool) -> bool {
        if done() {
            return true;
        }
        if !lately.is_short() || leaves() == 0 {
            return false;
        }
        let began = Instant::now();
        let mut leave = self.leave(spinner);
        loop {
            for _ in 0..PAUSES {
                if done() {
                    return true;
                }
                std::hint::spin_loop();
            }
            let spent = began.elapsed();
            match &leave {
                Some(leave) if leave.is_valid() && spent < LONGEST => {}
                None if spent < PATIENCE => leave = self.leave(spinner),
                Some(_) | None => return done(),
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
                from(now) && place.compare_exchange(now, spinner.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            })
        };
        let is_client = spinner.0 & Spinner::HOST == 0;
        take(&|now| now == 0)
            .or_else(|| is_client.then(|| take(&|now| now & Spinner::HOST != 0)).flatten())
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
        let _still_ours = self.place.compare_exchange(self.spinner.0, 0, Ordering::Relaxed, Ordering::Relaxed);
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
