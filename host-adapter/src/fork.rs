//! Whether this process is the one that initialised the library, or a child that was forked from it.

use std::ptr::NonNull;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

/// A page that the kernel wipes in the child of a fork, so that asking costs one load and no system call.
#[derive(Debug)]
pub(crate) struct ForkMark(NonNull<u8>);

const PAGE: usize = 4096;
const PARENT: u8 = 1;

impl ForkMark {
    /// # Errors
    /// The kernel gives no memory, or is older than Linux 4.14.
    pub(crate) fn new() -> rustix::io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice overlaps no other memory.
        let page = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                PAGE,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }?;
        let mark = Self(NonNull::new(page.cast()).ok_or(rustix::io::Errno::NOMEM)?);
        // SAFETY: the advice is for the page that was just mapped, which is ours alone.
        unsafe { madvise(page, PAGE, Advice::LinuxWipeOnFork) }?;
        // SAFETY: the page is mapped, writable and not yet shared.
        unsafe { mark.0.as_ptr().write_volatile(PARENT) };
        Ok(mark)
    }

    /// Whether this process is a child of the one that made the mark.
    pub(crate) fn is_forked(&self) -> bool {
        // SAFETY: the page stays mapped and readable as long as the mark lives, and is written by the kernel only.
        unsafe { self.0.as_ptr().read_volatile() != PARENT }
    }
}

impl Drop for ForkMark {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` and nothing refers to it any more.
        let _ = unsafe { munmap(self.0.as_ptr().cast(), PAGE) };
    }
}

// SAFETY: after `new` the page is only read.
unsafe impl Send for ForkMark {}
// SAFETY: after `new` the page is only read.
unsafe impl Sync for ForkMark {}

/// A static value that each process has of its own: the child of a fork finds a new one, whatever the parent's other threads were about
/// with the old one when it was forked. A lock that one of them held would never be released in the child.
pub(crate) struct PerProcess<T>(ArcSwapOption<Owned<T>>);

struct Owned<T> {
    process: u32,
    value: Arc<T>,
}

impl<T: Default> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(ArcSwapOption::const_empty())
    }

    /// This process's value; made when it is first asked for. Costs a system call.
    pub(crate) fn value(&self) -> Arc<T> {
        let process = std::process::id();
        loop {
            let current = self.0.load_full();
            if let Some(owned) = &current
                && owned.process == process
            {
                return Arc::clone(&owned.value);
            }
            let new = Arc::new(Owned {
                process,
                value: Arc::default(),
            });
            drop(self.0.compare_and_swap(&current, Some(new)));
            // What a parent's value holds is the parent's to end.
            std::mem::forget(current);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::hosted::in_forked_child;

    #[test]
    fn a_lock_that_is_held_at_the_fork_is_free_in_the_child() {
        static TURN: PerProcess<Mutex<u32>> = PerProcess::new();
        let value = TURN.value();
        let mut held = value.lock().expect("nobody has panicked");
        *held = 7;
        assert!(TURN.value().try_lock().is_err(), "one value a process");
        let child = in_forked_child(|| match TURN.value().try_lock() {
            Ok(number) if *number == 0 => 0,
            _ => 1,
        });
        assert_eq!(child, Some(0));
        assert_eq!(*held, 7);
    }
}
