//! Counting calls, and what happens at the chosen one.

use std::fs::OpenOptions;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use cryptoki_sys::CK_RV;
use rustix::mm::{MapFlags, ProtFlags, mmap};
use rustix::process::{Pid, Signal, getpid, getppid, kill_process};

use crate::control;

/// The control file, mapped for good.
#[derive(Clone, Copy)]
pub(crate) struct Control {
    words: &'static [AtomicU64],
    member: u64,
}

/// That of this process, if its environment names one.
pub(crate) fn control() -> Option<Control> {
    static CONTROL: OnceLock<Option<Control>> = OnceLock::new();
    *CONTROL.get_or_init(Control::open)
}

impl Control {
    /// Hands the call on; at the chosen one, before or after it, somebody dies.
    pub(crate) fn around(self, call: impl FnOnce() -> CK_RV) -> CK_RV {
        if self.word(control::ARMED).load(SeqCst) == 0 {
            return call();
        }
        if self.word(control::APPLICATION_NEXT).load(SeqCst) != 0 {
            kill_application();
            kill_this();
        }
        let count = self
            .word(control::COUNTS + self.member)
            .fetch_add(1, SeqCst)
            + 1;
        if !self.is_chosen(count) {
            return call();
        }
        if self.word(control::AFTER).load(SeqCst) != 0 {
            call();
        }
        self.happen()
    }

    fn is_chosen(self, count: u64) -> bool {
        self.word(control::MEMBER).load(SeqCst) == self.member
            && self.word(control::CALL).load(SeqCst) == count
    }

    fn happen(self) -> ! {
        self.word(control::HAPPENED).store(1, SeqCst);
        match self.word(control::WHO).load(SeqCst) {
            control::LOSE_APPLICATION => kill_application(),
            control::LOSE_BOTH => self.word(control::APPLICATION_NEXT).store(1, SeqCst),
            _ => {}
        }
        kill_this()
    }

    fn word(self, number: u64) -> &'static AtomicU64 {
        &self.words[number as usize]
    }

    fn open() -> Option<Self> {
        let path = std::env::var_os("EVERSLOT_PASS_CONTROL")?;
        let member = std::env::var("EVERSLOT_PASS_MEMBER").unwrap_or_default();
        let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        if file.metadata().ok()?.len() != control::LENGTH {
            return None;
        }
        let length = NonZeroUsize::new(control::LENGTH as usize)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping, which nobody else in this process has.
        let place = unsafe {
            mmap(
                ptr::null_mut(),
                length.get(),
                access,
                MapFlags::SHARED,
                &file,
                0,
            )
        };
        let words = length.get() / size_of::<AtomicU64>();
        // SAFETY: mapped for good, aligned to a page, as long as the file was made, and only ever used as atomic words.
        let words = unsafe { std::slice::from_raw_parts(place.ok()?.cast(), words) };
        Some(Self {
            words,
            member: member.parse().unwrap_or(0),
        })
    }
}

/// A host whose application has ended is another process's child by now.
fn kill_application() {
    if let Some(application) = getppid().filter(|parent| *parent != Pid::INIT) {
        // It may have ended meanwhile, which is as well.
        let _ = kill_process(application, Signal::KILL);
    }
}

fn kill_this() -> ! {
    // Nothing can keep a process from killing itself.
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}
