//! Signals are the application's: its handlers run on its own threads, never on one of ours.

use std::ffi::c_int;

/// glibc's and musl's `sigset_t`: a bit a signal, from 1 on.
#[derive(Clone, Copy)]
#[repr(C)]
struct SignalSet([u64; 16]);

unsafe extern "C" {
    fn pthread_sigmask(how: c_int, set: *const SignalSet, old: *mut SignalSet) -> c_int;
}

const BLOCK: c_int = 0;
const SET: c_int = 2;

/// Signals that a thread raises by a fault of its own: blocked, they would end the process without the application's handler.
const FAULTS: [rustix::process::Signal; 6] = {
    use rustix::process::Signal;
    [
        Signal::ILL,
        Signal::TRAP,
        Signal::BUS,
        Signal::FPE,
        Signal::SEGV,
        Signal::SYS,
    ]
};

/// Runs `work` while the calling thread takes no signals. A thread that `work` starts takes none as long as it lives.
pub(crate) fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    /// Brings the thread's own mask back, also when `work` panics.
    struct Restore(SignalSet);
    impl Drop for Restore {
        fn drop(&mut self) {
            change(SET, self.0);
        }
    }
    let faults = FAULTS
        .iter()
        .fold(0, |faults, fault| faults | 1 << (fault.as_raw() - 1));
    let mut all = SignalSet([u64::MAX; 16]);
    all.0[0] &= !faults;
    let _restore = Restore(change(BLOCK, all));
    work()
}

/// Lets the calling thread take every signal.
pub(crate) fn unblock_all() {
    change(SET, SignalSet([0; 16]));
}

/// Changes the calling thread's mask and gives what it was.
fn change(how: c_int, set: SignalSet) -> SignalSet {
    let mut old = SignalSet([0; 16]);
    // SAFETY: both sets are as long as the C library's. It fails only for a `how` that it does not know.
    unsafe { pthread_sigmask(how, &raw const set, &raw mut old) };
    old
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mask of the calling thread, as the kernel shows it.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc");
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigBlk:"))
            .expect("a mask");
        u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
    }

    #[test]
    fn a_thread_of_ours_takes_no_signal_but_its_own_faults() {
        let before = blocked();
        let thread = without_signals(|| std::thread::spawn(blocked));
        assert_eq!(blocked(), before, "the application's thread is as it was");
        let ours = thread.join().expect("it ends");
        let bit = |signal: rustix::process::Signal| ours >> (signal.as_raw() - 1) & 1;
        for signal in [
            rustix::process::Signal::INT,
            rustix::process::Signal::TERM,
            rustix::process::Signal::ALARM,
            rustix::process::Signal::CHILD,
            rustix::process::Signal::PIPE,
            rustix::process::Signal::USR1,
        ] {
            assert_eq!(bit(signal), 1, "{signal:?}");
        }
        for fault in FAULTS {
            assert_eq!(bit(fault), 0, "{fault:?}");
        }
    }

    #[test]
    fn unblocked_is_unblocked() {
        without_signals(|| {
            unblock_all();
            assert_eq!(blocked(), 0);
        });
    }
}
