//! Operations of many parts during which their member is killed: right, or one clean refusal.

mod work;

use crate::client::{Module, Session};
use crate::{Lab, PATIENCE, eventually};
use work::Keys;
pub use work::Work;

/// How an operation ended whose member was killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// With the output that it has without a fault.
    Right,
    /// With one `CKR_DEVICE_ERROR`; the session worked at once afterwards.
    Refused,
    /// Otherwise.
    Wrong,
}

/// How many operations ended so.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// All.
    pub runs: usize,
    /// [`Ending::Right`]
    pub right: usize,
    /// [`Ending::Refused`]
    pub refused: usize,
    /// [`Ending::Wrong`]
    pub wrong: usize,
}

impl Tally {
    /// Counts one.
    pub fn count(&mut self, ending: Ending) {
        self.runs += 1;
        match ending {
            Ending::Right => self.right += 1,
            Ending::Refused => self.refused += 1,
            Ending::Wrong => self.wrong += 1,
        }
    }
}

/// What is done, how much of it, and in which pieces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Load {
    /// Bytes of an operation.
    pub bytes: usize,
    /// Bytes of a part.
    pub part: usize,
}

impl Load {
    fn parts(self) -> usize {
        self.bytes.div_ceil(self.part)
    }

    /// The part of this number: each is different.
    fn part(self, number: usize) -> Vec<u8> {
        let length = self.part.min(self.bytes - number * self.part);
        let seed = number as u64;
        (0..length as u64)
            .map(|at| (seed.wrapping_mul(0x9e37_79b9).wrapping_add(at) >> 3) as u8)
            .collect()
    }
}

/// A group whose members are killed during operations.
#[derive(Debug)]
pub struct Bed<'a> {
    lab: &'a Lab,
    session: Session,
    keys: Keys,
    load: Load,
}

impl<'a> Bed<'a> {
    /// Opens a session in which the operations are to run.
    #[must_use]
    pub fn new(lab: &'a Lab, module: Module, load: Load) -> Self {
        let session = lab.session(module);
        Self {
            lab,
            session,
            keys: Keys::of(session),
            load,
        }
    }

    /// What an operation puts out when nothing happens to it.
    ///
    /// # Panics
    /// It fails.
    #[must_use]
    pub fn undisturbed(&self, work: Work) -> Vec<u8> {
        work.run(self.session, self.keys, self.load, |_| {})
            .unwrap_or_else(|failure| panic!("{work:?} without a fault: {failure:?}"))
    }

    /// Kills the member that holds the operation, before the part of this number goes in.
    pub fn disturbed(&self, work: Work, expected: &[u8], kill_at: usize) -> Ending {
        let kill_at = kill_at % self.load.parts();
        let watch = kill_at.saturating_sub(WATCHED);
        let mut before = Vec::new();
        let outcome = work.run(self.session, self.keys, self.load, |part| {
            if part == watch {
                before = self.requests();
            }
            if part == kill_at {
                self.lab.host(self.holder(&before)).kill();
            }
        });
        let ending = match outcome {
            Ok(output) if output == expected => Ending::Right,
            Ok(_) => Ending::Wrong,
            Err(failure) if failure.code == everslot_core::ckr::DEVICE_ERROR => {
                self.after_refusal(work)
            }
            Err(_) => Ending::Wrong,
        };
        self.lab.wait_until_all_serve();
        ending
    }

    /// The session must work at once.
    fn after_refusal(&self, work: Work) -> Ending {
        let small = Load {
            bytes: 64,
            part: 16,
        };
        match work.run(self.session, self.keys, small, |_| {}) {
            Ok(_) => Ending::Refused,
            Err(_) => Ending::Wrong,
        }
    }

    /// The member that was asked the most since then; at the very beginning of an operation, any.
    fn holder(&self, before: &[u64]) -> usize {
        let asked = |member: usize, now: u64| now - before.get(member).copied().unwrap_or(now);
        let now = self.requests().into_iter().enumerate();
        now.max_by_key(|(member, now)| asked(*member, *now))
            .map_or(0, |(member, _)| member)
    }

    fn requests(&self) -> Vec<u64> {
        let mut requests = Vec::new();
        eventually("the status is read", PATIENCE, || {
            let status = self.lab.status();
            requests = status
                .iter()
                .filter_map(|member| member["calls"].as_u64())
                .collect();
            requests.len() == self.lab.members().len()
        });
        requests
    }
}

/// Parts before the kill by which the member is recognised that holds the operation.
const WATCHED: usize = 16;
