//! Whether this process is the one that initialised the library, or a child that was forked from it.

use std::ptr::NonNull;

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
