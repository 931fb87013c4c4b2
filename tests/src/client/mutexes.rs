//! Mutexes as an application gives them to `C_Initialize`: they count, and notice what must not be done to a mutex.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cryptoki_sys::{
    CK_C_INITIALIZE_ARGS, CK_FLAGS, CK_RV, CKR_MUTEX_BAD, CKR_MUTEX_NOT_LOCKED, CKR_OK,
};

use super::{Failure, Module, call};

/// A mutex of the application's, which its threads wait for by giving way.
#[derive(Default)]
struct Mutex {
    is_locked: AtomicBool,
}

static ALIVE: AtomicUsize = AtomicUsize::new(0);
static LOCKED: AtomicUsize = AtomicUsize::new(0);
static MISUSED: AtomicUsize = AtomicUsize::new(0);

/// What was done with the application's mutexes in this process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MutexUse {
    /// Mutexes that were created and not destroyed yet.
    pub alive: usize,
    /// How often one was locked.
    pub locked: usize,
    /// How often one was used that is none, or unlocked that was not locked, or destroyed while locked.
    pub misused: usize,
}

impl MutexUse {
    /// As it is now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            alive: ALIVE.load(Ordering::SeqCst),
            locked: LOCKED.load(Ordering::SeqCst),
            misused: MISUSED.load(Ordering::SeqCst),
        }
    }
}

impl Module {
    /// `C_Initialize` with the application's own mutexes and these flags.
    ///
    /// # Errors
    /// As the module says.
    pub fn initialize_with_mutexes(self, flags: CK_FLAGS) -> Result<(), Failure> {
        let mut arguments = CK_C_INITIALIZE_ARGS {
            CreateMutex: Some(create),
            DestroyMutex: Some(destroy),
            LockMutex: Some(lock),
            UnlockMutex: Some(unlock),
            flags,
            pReserved: std::ptr::null_mut(),
        };
        call!(self, C_Initialize((&raw mut arguments).cast()))
    }
}

fn misused(code: CK_RV) -> CK_RV {
    MISUSED.fetch_add(1, Ordering::SeqCst);
    code
}

unsafe extern "C" fn create(place: *mut *mut c_void) -> CK_RV {
    let mutex = Box::into_raw(Box::<Mutex>::default());
    ALIVE.fetch_add(1, Ordering::SeqCst);
    // SAFETY: PKCS#11 gives the function a place for a pointer.
    unsafe { place.write(mutex.cast()) };
    CKR_OK
}

unsafe extern "C" fn destroy(mutex: *mut c_void) -> CK_RV {
    if mutex.is_null() {
        return misused(CKR_MUTEX_BAD);
    }
    // SAFETY: it is a mutex of `create`'s, which is destroyed once.
    let mutex = unsafe { Box::from_raw(mutex.cast::<Mutex>()) };
    ALIVE.fetch_sub(1, Ordering::SeqCst);
    if mutex.is_locked.load(Ordering::SeqCst) {
        return misused(CKR_MUTEX_BAD);
    }
    CKR_OK
}

unsafe extern "C" fn lock(mutex: *mut c_void) -> CK_RV {
    // SAFETY: it is a mutex of `create`'s that has not been destroyed.
    let Some(mutex) = (unsafe { mutex.cast::<Mutex>().as_ref() }) else {
        return misused(CKR_MUTEX_BAD);
    };
    while mutex.is_locked.swap(true, Ordering::SeqCst) {
        std::thread::yield_now();
    }
    LOCKED.fetch_add(1, Ordering::SeqCst);
    CKR_OK
}

unsafe extern "C" fn unlock(mutex: *mut c_void) -> CK_RV {
    // SAFETY: it is a mutex of `create`'s that has not been destroyed.
    let Some(mutex) = (unsafe { mutex.cast::<Mutex>().as_ref() }) else {
        return misused(CKR_MUTEX_BAD);
    };
    if mutex.is_locked.swap(false, Ordering::SeqCst) {
        CKR_OK
    } else {
        misused(CKR_MUTEX_NOT_LOCKED)
    }
}
