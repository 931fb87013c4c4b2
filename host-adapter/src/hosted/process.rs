//! What a member host does to its own process that std and rustix have no safe call for.

use std::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

unsafe extern "C" {
    /// Ends the process at once: no atexit handler and no destructor runs. Modules crash in theirs, since other threads still use them.
    safe fn _exit(status: c_int) -> !;
    fn signal(number: c_int, action: usize) -> usize;
}

/// `SIG_IGN`
const IGNORE: usize = 1;

/// Makes this process's own what it has inherited from the application as to signals: none is blocked. A module that writes to a broken
/// connection gets an error instead of SIGPIPE, and a line on a terminal to which the application alone belongs does not stop the host.
pub(super) fn settle_signals() {
    crate::signals::unblock_all();
    for ignored in [rustix::process::Signal::PIPE, rustix::process::Signal::TTOU] {
        // SAFETY: ignoring a signal installs no handler.
        unsafe { signal(ignored.as_raw(), IGNORE) };
    }
}

/// Ends the process at once, without any cleaning up by the module or the C library.
pub(super) fn end(status: u8) -> ! {
    _exit(c_int::from(status))
}

/// Closes every descriptor but the standard three and `kept`: what an application has open without close-on-exec (its connections, its
/// files) must not live on in a member host. To be called before anything else in the process has opened one.
///
/// # Errors
/// `/proc` is not mounted.
pub(super) fn close_inherited(kept: BorrowedFd<'_>) -> io::Result<()> {
    let open: Vec<RawFd> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2 && *descriptor != kept.as_raw_fd())
        .collect();
    // The one that listed the directory is closed by now.
    let still_open = |descriptor: &RawFd| {
        std::fs::symlink_metadata(format!("/proc/self/fd/{descriptor}")).is_ok()
    };
    for descriptor in open.into_iter().filter(still_open) {
        // SAFETY: nothing in this process owns a descriptor yet but the standard three and `kept`.
        unsafe { rustix::io::close(descriptor) };
    }
    Ok(())
}

/// Runs `work` in a forked child of this process, and gives the child's exit status.
#[cfg(test)]
pub(crate) fn in_forked_child(work: impl FnOnce() -> u8) -> Option<u8> {
    use rustix::process::{Pid, WaitOptions, waitpid};

    unsafe extern "C" {
        fn fork() -> c_int;
    }
    // SAFETY: the child runs `work` on its copy of this thread only and ends without running anything else's exit handlers. glibc keeps
    // its allocator usable in the child.
    match Pid::from_raw(unsafe { fork() }) {
        None => end(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(101)),
        child => {
            let (_, status) = waitpid(child, WaitOptions::empty()).ok()??;
            status
                .exit_status()
                .and_then(|status| u8::try_from(status).ok())
        }
    }
}
