//! The application's own mutexes (PKCS#11 v3.1 §5.4.1).
//!
//! An application that gives its mutex functions and does not allow the system's locks may have threads that the system knows nothing of:
//! when one of them waits for a lock of the system, the one that has it may never go on. So there is one mutex of the application's
//! around each call, and no two of its threads ever meet inside at a lock of ours. They may meet our own threads there, which are the
//! system's and always go on.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use cryptoki_sys::{CK_C_INITIALIZE_ARGS, CK_RV, CKF_OS_LOCKING_OK};
use everslot_core::{Rv, ckr};

use crate::fork::ForkMark;

/// What an application wants us to lock with.
pub(super) enum Locking {
    /// Nothing, or what the system has.
    System,
    /// Its own functions.
    Application(Functions),
}

/// The four functions, all there.
#[derive(Clone, Copy)]
pub(super) struct Functions {
    create: Create,
    destroy: Use,
    lock: Use,
    unlock: Use,
}

type Create = unsafe extern "C" fn(*mut *mut c_void) -> CK_RV;
type Use = unsafe extern "C" fn(*mut c_void) -> CK_RV;

impl Locking {
    /// By the four cases of §5.4.1: where the system's locks are allowed, they are taken, whether or not there are functions too.
    ///
    /// # Errors
    /// `CKR_ARGUMENTS_BAD`: some of the functions are there, and some are not.
    pub(super) fn of(arguments: &CK_C_INITIALIZE_ARGS) -> Result<Self, Rv> {
        let given = (
            arguments.CreateMutex,
            arguments.DestroyMutex,
            arguments.LockMutex,
            arguments.UnlockMutex,
        );
        match given {
            (None, None, None, None) => Ok(Self::System),
            (Some(create), Some(destroy), Some(lock), Some(unlock)) => {
                let functions = Functions {
                    create,
                    destroy,
                    lock,
                    unlock,
                };
                if arguments.flags & CKF_OS_LOCKING_OK == 0 {
                    Ok(Self::Application(functions))
                } else {
                    Ok(Self::System)
                }
            }
            _ => Err(ckr::ARGUMENTS_BAD),
        }
    }

    /// Makes the mutex, if there is to be one.
    ///
    /// # Errors
    /// What `CreateMutex` says; `CKR_CANT_LOCK` when it gives none.
    pub(super) fn make(self) -> Result<Option<Arc<ApplicationMutex>>, Rv> {
        match self {
            Self::System => Ok(None),
            Self::Application(functions) => {
                ApplicationMutex::new(functions).map(|mutex| Some(Arc::new(mutex)))
            }
        }
    }
}

/// A mutex of the application's. It is destroyed when no call holds it or waits for it any more.
pub(super) struct ApplicationMutex {
    functions: Functions,
    mutex: *mut c_void,
    mark: ForkMark,
}

// SAFETY: the pointer is the application's, which only its functions follow; they are there to be called by any thread.
unsafe impl Send for ApplicationMutex {}
// SAFETY: as above.
unsafe impl Sync for ApplicationMutex {}

impl ApplicationMutex {
    fn new(functions: Functions) -> Result<Self, Rv> {
        let mark = ForkMark::new().map_err(|_| ckr::HOST_MEMORY)?;
        let mut mutex = ptr::null_mut();
        // SAFETY: the application promises a function that writes one pointer.
        match Rv(unsafe { (functions.create)(&raw mut mutex) }) {
            ckr::OK if mutex.is_null() => Err(ckr::CANT_LOCK),
            ckr::OK => Ok(Self {
                functions,
                mutex,
                mark,
            }),
            rv => Err(rv),
        }
    }
}

impl Drop for ApplicationMutex {
    fn drop(&mut self) {
        // SAFETY: `CreateMutex` has made it, and nobody holds it or waits for it. Nothing can be done if that fails.
        let _ = unsafe { (self.functions.destroy)(self.mutex) };
    }
}

/// Whether there is a mutex: most applications have none.
static USED: AtomicBool = AtomicBool::new(false);
static CURRENT: ArcSwapOption<ApplicationMutex> = ArcSwapOption::const_empty();

/// From now on calls take this mutex, or none.
pub(super) fn replace(mutex: Option<Arc<ApplicationMutex>>) {
    USED.store(mutex.is_some(), Ordering::Release);
    let former = CURRENT.swap(mutex);
    if former.as_ref().is_some_and(|mutex| mutex.mark.is_forked()) {
        // It is the parent's, and another of its threads may have had it at the fork.
        std::mem::forget(former);
    }
}

/// The application's mutex, held for the time of one call.
pub(super) struct Turn(Arc<ApplicationMutex>);

/// Takes the application's mutex, if there is one for this process.
///
/// # Errors
/// `CKR_GENERAL_ERROR` when it cannot be taken.
#[inline]
pub(super) fn take() -> Result<Option<Turn>, Rv> {
    if USED.load(Ordering::Acquire) {
        take_application_mutex()
    } else {
        Ok(None)
    }
}

#[cold]
fn take_application_mutex() -> Result<Option<Turn>, Rv> {
    let Some(mutex) = CURRENT.load_full().filter(|mutex| !mutex.mark.is_forked()) else {
        return Ok(None);
    };
    // SAFETY: `CreateMutex` has made it, and it is not destroyed before `mutex` is dropped.
    match Rv(unsafe { (mutex.functions.lock)(mutex.mutex) }) {
        ckr::OK => Ok(Some(Turn(mutex))),
        _ => Err(ckr::GENERAL_ERROR),
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // SAFETY: this call has locked it. Nothing can be done if that fails.
        let _ = unsafe { (self.0.functions.unlock)(self.0.mutex) };
    }
}
