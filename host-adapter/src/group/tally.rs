//! What a member has answered, for the metrics. Counted without a lock and without memory being taken; nothing is decided by it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use everslot_core::Rv;
use everslot_protocol::Function;

use crate::status::{Answers, CallTimes, MemberCalls, ReturnCode};

/// Different codes that are counted apart, `CKR_OK` aside; there are about a hundred, of which a member has few.
const CODES: usize = 32;

/// Whether somebody has asked for metrics. A process that nobody asks reads no clock for them.
static MEASURED: AtomicBool = AtomicBool::new(false);

/// What a member has answered so far.
#[derive(Debug)]
pub(crate) struct Tally {
    ok: AtomicU64,
    unanswered: AtomicU64,
    codes: [CodeCount; CODES],
    /// Codes for which there was no place left.
    further: AtomicU64,
    times: OnceLock<Box<[FunctionTimes]>>,
    began: Instant,
    /// When it last said `CKR_OK`, and when it last did not: nanoseconds since it was made; 0 is never.
    last_ok: AtomicU64,
    last_failure: AtomicU64,
}

/// How often a code was said; a code of 0, which is `CKR_OK`, is a vacant place.
#[derive(Debug, Default)]
struct CodeCount {
    code: AtomicU64,
    count: AtomicU64,
}

/// How long the calls of a function have taken.
#[derive(Debug, Default)]
struct FunctionTimes {
    nanoseconds: AtomicU64,
    /// Calls by their time: up to each of [`CallTimes::BOUNDS`], and longer.
    counts: [AtomicU64; CallTimes::BOUNDS.len() + 1],
}

/// The time now, if times are measured at all.
#[inline]
pub(crate) fn clock() -> Option<Instant> {
    MEASURED.load(Ordering::Relaxed).then(Instant::now)
}

/// From now on times are measured.
pub(crate) fn measure() {
    MEASURED.store(true, Ordering::Relaxed);
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            ok: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            codes: Default::default(),
            further: AtomicU64::new(0),
            times: OnceLock::new(),
            began: Instant::now(),
            last_ok: AtomicU64::new(0),
            last_failure: AtomicU64::new(0),
        }
    }
}

impl Tally {
    /// It said `CKR_OK`.
    #[inline]
    pub(crate) fn ok(&self) {
        self.ok.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that began then, and was answered with `CKR_OK`.
    #[cold]
    pub(crate) fn time(&self, function: Function, began: Instant) {
        let times = self.times.get_or_init(|| {
            let all = std::iter::repeat_with(FunctionTimes::default);
            all.take(Function::COUNT).collect()
        });
        if let Some(times) = times.get(function as usize) {
            times.note(began.elapsed());
        }
        self.last_ok.store(self.age(), Ordering::Relaxed);
    }

    /// It said something else.
    #[cold]
    pub(crate) fn code(&self, rv: Rv) {
        self.last_failure.store(self.age(), Ordering::Relaxed);
        let place = self.codes.iter().find(|place| place.is_of(rv));
        let count = place.map_or(&self.further, |place| &place.count);
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// It said nothing.
    #[cold]
    pub(crate) fn silence(&self) {
        self.last_failure.store(self.age(), Ordering::Relaxed);
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// The calls that it has not answered.
    pub(crate) fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// The calls that were sent to it and are over.
    pub(crate) fn calls(&self) -> u64 {
        let codes = self.codes.iter().map(|place| &place.count);
        let counts = codes.chain([&self.ok, &self.further, &self.unanswered]);
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(crate) fn read(&self) -> MemberCalls {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut answers = vec![Answers {
            code: ReturnCode::from(Rv(0)).name,
            count: load(&self.ok),
        }];
        let codes = self.codes.iter().filter(|place| load(&place.code) != 0);
        answers.extend(codes.map(|place| Answers {
            code: ReturnCode::from(Rv(load(&place.code))).name,
            count: load(&place.count),
        }));
        let further = load(&self.further);
        if further > 0 {
            let code = "further".to_owned();
            answers.push(Answers {
                code,
                count: further,
            });
        }
        let times = Function::ALL
            .iter()
            .zip(self.times.get().into_iter().flatten());
        MemberCalls {
            answers,
            unanswered: self.unanswered(),
            times: times
                .filter_map(|(function, times)| times.read(*function))
                .collect(),
            last_ok_ms: self.moment(load(&self.last_ok)),
            last_failure_ms: self.moment(load(&self.last_failure)),
        }
    }

    fn age(&self) -> u64 {
        nanoseconds(self.began.elapsed()).max(1)
    }

    /// An age of this as milliseconds since 1970; 0 was never.
    fn moment(&self, age: u64) -> Option<u64> {
        let ago = self.began.elapsed().checked_sub(Duration::from_nanos(age));
        let at = SystemTime::now().checked_sub(ago.unwrap_or_default())?;
        let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        (age > 0).then(|| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl CodeCount {
    /// Whether this counts the code; a vacant place is taken for it.
    fn is_of(&self, rv: Rv) -> bool {
        let (relaxed, code) = (Ordering::Relaxed, self.code.load(Ordering::Relaxed));
        code == rv.0
            || code == 0
                && match self.code.compare_exchange(0, rv.0, relaxed, relaxed) {
                    Ok(_) => true,
                    Err(taken) => taken == rv.0,
                }
    }
}

impl FunctionTimes {
    fn note(&self, time: Duration) {
        let nanoseconds = nanoseconds(time);
        let bound = CallTimes::BOUNDS.partition_point(|bound| *bound < nanoseconds);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
        if let Some(count) = self.counts.get(bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nothing of a function that was not called.
    fn read(&self, function: Function) -> Option<CallTimes> {
        let counts = self.counts.iter();
        let counts: Vec<_> = counts.map(|count| count.load(Ordering::Relaxed)).collect();
        counts.iter().any(|count| *count > 0).then(|| CallTimes {
            function: function.name().to_owned(),
            nanoseconds: self.nanoseconds.load(Ordering::Relaxed),
            counts,
        })
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use everslot_core::ckr;

    use super::*;

    #[test]
    fn every_answer_is_counted_by_its_code_and_none_is_forgotten() {
        let tally = Tally::default();
        assert_eq!(tally.read().last_failure_ms, None);
        (0..5).for_each(|_| tally.ok());
        (0..3).for_each(|_| tally.code(ckr::DEVICE_ERROR));
        tally.code(ckr::PIN_INCORRECT);
        tally.silence();
        let read = tally.read();
        let counts: Vec<_> = read
            .answers
            .iter()
            .map(|of| (of.code.as_str(), of.count))
            .collect();
        let expected = [
            ("CKR_OK", 5),
            ("CKR_DEVICE_ERROR", 3),
            ("CKR_PIN_INCORRECT", 1),
        ];
        assert_eq!((counts, read.unanswered), (expected.to_vec(), 1));
        assert!(read.last_failure_ms.is_some());
        assert_eq!(read.last_ok_ms, None, "nobody has asked for times");
        (0..CODES as u64).for_each(|code| tally.code(Rv(0x8000_0000 + code)));
        let read = tally.read();
        let further = read.answers.last().expect("there are many");
        assert_eq!((further.code.as_str(), further.count), ("further", 2));
        assert_eq!(tally.calls(), 5 + 3 + 1 + 1 + CODES as u64);
    }

    #[test]
    fn a_call_is_counted_by_its_function_and_up_to_the_bound_that_it_has_kept() {
        let times = FunctionTimes::default();
        for nanoseconds in [
            1,
            CallTimes::BOUNDS[0],
            CallTimes::BOUNDS[0] + 1,
            u64::MAX / 2,
        ] {
            times.note(Duration::from_nanos(nanoseconds));
        }
        let read = times.read(Function::Sign).expect("it was called");
        assert_eq!(read.function, "C_Sign");
        assert_eq!((read.counts[0], read.counts[1]), (2, 1));
        assert_eq!(read.counts.last(), Some(&1));
        assert_eq!(read.counts.iter().sum::<u64>(), 4);
        let tally = Tally::default();
        tally.time(Function::Sign, Instant::now());
        let read = tally.read();
        let functions: Vec<_> = read.times.iter().map(|of| of.function.as_str()).collect();
        assert_eq!(functions, ["C_Sign"]);
        assert!(read.last_ok_ms.is_some());
    }

    #[test]
    fn threads_that_meet_at_a_code_lose_no_count() {
        let tally = Tally::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|number| tally.code(Rv(1 + number % 8))));
            }
        });
        let read = tally.read();
        assert_eq!(read.answers.len(), 9);
        assert!(read.answers[1..].iter().all(|of| of.count == 500));
    }
}
