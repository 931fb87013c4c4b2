//! Keeps a host's thread off its client's processor.
//!
//! A scheduler that sees two threads wake each other puts them on one core, where each turn of a call costs two switches; on two
//! cores, both awake, it costs none.

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// Turns in which both were seen on one processor before the host's thread moves: a chance meeting is no reason.
const MEETINGS: u32 = 8;

/// Where the thread that serves a channel may run.
#[derive(Debug)]
pub(super) struct Apart {
    /// Where it may run at all; `None` where it has no choice.
    allowed: Option<CpuSet>,
    meetings: u32,
}

impl Apart {
    /// For the calling thread.
    pub(super) fn of_this_thread() -> Self {
        let allowed = sched_getaffinity(None)
            .ok()
            .filter(|allowed| allowed.count() > 1);
        Self {
            allowed,
            meetings: 0,
        }
    }

    /// The client has posted from this processor. Moves the calling thread away when both meet there again and again.
    pub(super) fn saw_client_on(&mut self, processor: usize) {
        let Some(allowed) = self.allowed else { return };
        if sched_getcpu() != processor {
            self.meetings = 0;
            return;
        }
        self.meetings += 1;
        if self.meetings < MEETINGS || processor >= CpuSet::MAX_CPU {
            return;
        }
        self.meetings = 0;
        let mut elsewhere = allowed;
        elsewhere.unset(processor);
        // Where the kernel refuses, it stays slow.
        if elsewhere.count() > 0 {
            let _ = sched_setaffinity(None, &elsewhere);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_away_from_a_client_that_it_keeps_meeting() {
        let mut apart = Apart::of_this_thread();
        if apart.allowed.is_none() {
            return;
        }
        // The thread may be moved between the question and the answer, but not for ever.
        for _ in 0..100_000 {
            let here = sched_getcpu();
            apart.saw_client_on(here);
            if !sched_getaffinity(None).unwrap().is_set(here) {
                return;
            }
        }
        panic!("it met its client over and over, and stayed");
    }

    #[test]
    fn a_chance_meeting_is_no_reason() {
        let mut apart = Apart::of_this_thread();
        let before = sched_getaffinity(None).unwrap();
        for _ in 0..MEETINGS - 1 {
            apart.saw_client_on(sched_getcpu());
        }
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
