//! The pseudo-code that everslot grew from, taken literally, beside the core, in the same small world.
//!
//! The text (an SDK guide for a group of network HSMs) runs [recovery](PSEUDO_CODE) inside each PKCS#11 call.
//!
//! It can be read as it stands, or with an `else` before `decrement`, which was probably meant. Which of several lost
//! members is tried, it does not say; here the first in the group's order, as code written from it would do.

mod library;
mod report;
mod scene;

#[cfg(test)]
mod tests;

pub use library::{Attempt, Core, Library, Pseudo, Reading};
pub use report::{Finding, findings};
pub use scene::{Event, Member, Scene, Stage};

/// The pseudo-code, word for word.
pub const PSEUDO_CODE: &str = "\
if (disconnected_member > 0  and recover_attempt_count < N and time_now - last_recover_attempt > X) then
   performance auto recovery
   set last_recover_attempt  equal to time_now
   if  (recovery failed)  then
      increment recover_attempt_count  by 1
      decrement disconnected_member by 1
      reset recover_attempt_count to 0
   end if
end if";

/// Members of the group in this world.
pub const MEMBERS: usize = 2;

/// N: attempts at most, per outage.
pub const ATTEMPTS: u8 = 2;

/// X: ticks at least from one attempt to the next.
pub const INTERVAL: u8 = 2;

/// How often members fail, all together.
pub const FAILURES: u8 = 4;

/// The longest time without a call, in ticks: more than X, so that an attempt is due by then.
pub const IDLE: u8 = INTERVAL + 1;

/// A tick as it is told: X is a minute, as in the text.
pub const SECONDS_PER_TICK: u64 = 30;

/// The letters by which the two members are told apart.
const NAMES: [&str; MEMBERS] = ["A", "B"];
