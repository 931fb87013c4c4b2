//! The session that a thread used last.
//!
//! Most threads go on with one session, and a look-up among all of them touches much memory that the call before, in a member's own code,
//! has driven out of the processor's caches. What is kept here is only a short cut: it owns nothing, and is asked whether it still holds.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use crate::fork::ForkMark;
use crate::slot::Session;

/// How long an initialised library is: from `C_Initialize` to `C_Finalize`, in the process that called them.
pub(super) struct Life {
    mark: ForkMark,
    ended: AtomicBool,
}

impl Life {
    /// One that begins now.
    ///
    /// # Errors
    /// As in [`ForkMark::new`].
    pub(super) fn begin() -> rustix::io::Result<Self> {
        Ok(Self {
            mark: ForkMark::new()?,
            ended: AtomicBool::new(false),
        })
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    /// Whether it goes on, in this process.
    pub(super) fn goes_on(&self) -> bool {
        !self.ended.load(Ordering::Acquire) && !self.mark.is_forked()
    }
}

/// The session of a handle, in a library.
struct Last {
    handle: u64,
    session: Weak<Session>,
    life: Arc<Life>,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// The session of this handle, if it is the one that this thread used last and is still there.
pub(super) fn session(handle: u64) -> Option<Arc<Session>> {
    // A thread that is ending has none any more.
    let kept = LAST.try_with(|last| {
        let last = last.try_borrow().ok()?;
        let last = last.as_ref().filter(|last| last.handle == handle)?;
        last.life.goes_on().then(|| last.session.upgrade())?
    });
    kept.ok().flatten()
}

/// Notes that this thread now uses this session.
pub(super) fn note(handle: u64, session: &Arc<Session>, life: &Arc<Life>) {
    // Nothing is lost where it cannot be noted.
    let _ = LAST.try_with(|last| {
        let mut last = last.try_borrow_mut().ok()?;
        let session = Arc::downgrade(session);
        match last.as_mut() {
            // The count of a life's owners is one for all threads: not to be touched by each call of a thread with two sessions.
            Some(last) if Arc::ptr_eq(&last.life, life) => {
                last.handle = handle;
                last.session = session;
            }
            _ => {
                *last = Some(Last {
                    handle,
                    session,
                    life: Arc::clone(life),
                });
            }
        }
        Some(())
    });
}
