//! The state word under every interleaving, with the kernel's futex as a lock and a condition variable.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use super::*;

/// A channel as loom sees it; its sleeps have no time limit, so a wake-up that is lost is a deadlock that loom reports.
struct Channel {
    word: AtomicU32,
    kernel: Mutex<()>,
    woken: Condvar,
    /// Stands for both windows. loom reports an access out of turn.
    window: UnsafeCell<u32>,
    executed: AtomicBool,
}

impl Word for Channel {
    fn load(&self) -> u32 {
        self.word.load(Ordering::Acquire)
    }

    fn exchange(&self, current: u32, new: u32) -> Result<u32, u32> {
        self.word
            .compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire)
    }

    fn sleep(&self, expected: u32, _: Option<Duration>) {
        let kernel = self.kernel.lock().expect("no panic");
        if self.word.load(Ordering::Acquire) == expected {
            drop(self.woken.wait(kernel).expect("no panic"));
        }
    }

    fn wake(&self) {
        let _kernel = self.kernel.lock().expect("no panic");
        self.woken.notify_all();
    }
}

impl Channel {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            word: AtomicU32::new(0),
            kernel: Mutex::new(()),
            woken: Condvar::new(),
            window: UnsafeCell::new(0),
            executed: AtomicBool::new(false),
        })
    }

    /// As [`HostEnd::run`](crate::hosted::channel::HostEnd::run): answers `n` with `n + 100` until it is closed.
    fn serve(&self) {
        loop {
            while !take(self) {
                if is_closed(self) && !is_busy(self) {
                    return;
                }
                sleep_until_posted(self);
            }
            self.executed.store(true, Ordering::Relaxed);
            // SAFETY: loom checks that nobody else touches the cell at this time.
            self.window.with_mut(|window| unsafe { *window += 100 });
            answer(self);
        }
    }

    fn ask(&self, question: u32) -> Result<Host, Closed> {
        // SAFETY: as in `serve`.
        self.window.with_mut(|window| unsafe { *window = question });
        post(self)
    }

    fn await_answer(&self) -> u32 {
        while !is_answered(self) {
            sleep_until_answered(self, Duration::MAX);
        }
        // SAFETY: as in `serve`.
        self.window.with(|window| unsafe { *window })
    }
}

/// Every interleaving with at most so many switches that no thread asked for; one more takes minutes.
fn every_interleaving(switches: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut explorer = loom::model::Builder::new();
    explorer.preemption_bound = Some(switches);
    explorer.check(model);
}

#[test]
fn every_request_is_answered_with_its_own_answer() {
    every_interleaving(2, || {
        let channel = Channel::new();
        let host = thread::spawn({
            let channel = Arc::clone(&channel);
            move || channel.serve()
        });
        for question in 1..=2 {
            channel.ask(question).expect("the channel is open");
            assert_eq!(channel.await_answer(), question + 100);
        }
        close(&*channel);
        host.join().expect("the host ends once it is closed");
    });
}

#[test]
fn a_request_that_was_cancelled_is_never_executed_and_the_channel_stays_good() {
    every_interleaving(2, || {
        let channel = Channel::new();
        let host = thread::spawn({
            let channel = Arc::clone(&channel);
            move || channel.serve()
        });
        channel.ask(1).expect("the channel is open");
        if cancel(&*channel) {
            assert!(!channel.executed.load(Ordering::Relaxed));
            channel.ask(2).expect("the channel is open");
            assert_eq!(channel.await_answer(), 102);
        } else {
            assert_eq!(channel.await_answer(), 101);
        }
        close(&*channel);
        host.join().expect("the host ends once it is closed");
    });
}

#[test]
fn what_was_posted_before_the_channel_was_closed_is_answered() {
    every_interleaving(1, || {
        let channel = Channel::new();
        let host = thread::spawn({
            let channel = Arc::clone(&channel);
            move || channel.serve()
        });
        let closer = thread::spawn({
            let channel = Arc::clone(&channel);
            move || close(&*channel)
        });
        match channel.ask(1) {
            Ok(_) => assert_eq!(channel.await_answer(), 101),
            Err(Closed) => assert!(!channel.executed.load(Ordering::Relaxed)),
        }
        assert_eq!(closer.join().map_err(drop), Ok(()));
        host.join().expect("the host ends once it is closed");
        assert_eq!(channel.ask(2), Err(Closed));
    });
}
