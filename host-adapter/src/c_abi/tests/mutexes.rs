//! The application's own mutexes, by the four cases of PKCS#11 v3.1 §5.4.1.

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use cryptoki_sys::{
    CK_C_INITIALIZE_ARGS, CK_RV, CKF_DONT_BLOCK, CKF_OS_LOCKING_OK, CKR_HOST_MEMORY, CKR_MUTEX_BAD,
    CKR_OK,
};
use everslot_core::{Rv, ckr};

use super::super::application_mutex::replace;
use super::super::double::{SESSION, SLOT, calls, world};
use super::call;

thread_local! {
    /// What was done with mutexes on this thread, which is the test's own.
    static DONE: RefCell<Vec<(&'static str, usize)>> = const { RefCell::new(Vec::new()) };
}

fn done() -> Vec<(&'static str, usize)> {
    DONE.take()
}

fn note(what: &'static str, mutex: *mut c_void) -> CK_RV {
    DONE.with_borrow_mut(|done| done.push((what, mutex.addr())));
    CKR_OK
}

unsafe extern "C" fn create(place: *mut *mut c_void) -> CK_RV {
    // SAFETY: it is called with a place for a pointer.
    unsafe { place.write(ptr::without_provenance_mut(7)) };
    note("create", ptr::null_mut())
}

unsafe extern "C" fn create_nothing(_: *mut *mut c_void) -> CK_RV {
    CKR_OK
}

unsafe extern "C" fn create_in_vain(_: *mut *mut c_void) -> CK_RV {
    CKR_HOST_MEMORY
}

unsafe extern "C" fn destroy(mutex: *mut c_void) -> CK_RV {
    note("destroy", mutex)
}

unsafe extern "C" fn lock(mutex: *mut c_void) -> CK_RV {
    note("lock", mutex)
}

unsafe extern "C" fn lock_in_vain(_: *mut c_void) -> CK_RV {
    CKR_MUTEX_BAD
}

unsafe extern "C" fn unlock(mutex: *mut c_void) -> CK_RV {
    note("unlock", mutex)
}

fn functions(flags: u64) -> CK_C_INITIALIZE_ARGS {
    CK_C_INITIALIZE_ARGS {
        CreateMutex: Some(create),
        DestroyMutex: Some(destroy),
        LockMutex: Some(lock),
        UnlockMutex: Some(unlock),
        flags,
        pReserved: ptr::null_mut(),
    }
}

fn initialise(mut arguments: CK_C_INITIALIZE_ARGS) -> Rv {
    call!(C_Initialize((&raw mut arguments).cast()))
}

#[test]
fn an_application_that_insists_on_its_mutexes_has_one_around_each_call() {
    assert_eq!(initialise(functions(0)), ckr::OK);
    assert_eq!(done(), [("create", 0)]);
    assert_eq!(call!(C_Logout(SESSION)), ckr::OK);
    assert_eq!(done(), [("lock", 7), ("unlock", 7)]);
    world(|world| world.panicking = true);
    assert_eq!(call!(C_Logout(SESSION)), ckr::GENERAL_ERROR);
    assert_eq!(done(), [("lock", 7), ("unlock", 7)], "also after a panic");
    world(|world| world.panicking = false);
    assert_eq!(call!(C_Finalize(ptr::null_mut())), ckr::OK);
    assert_eq!(done(), [("lock", 7), ("unlock", 7), ("destroy", 7)]);
    assert_eq!(call!(C_Logout(SESSION)), ckr::OK);
    assert_eq!(done(), []);
}

#[test]
fn a_call_that_may_wait_for_ever_does_not_keep_the_others_out() {
    assert_eq!(initialise(functions(0)), ckr::OK);
    done();
    let mut slot = 0;
    let waited = call!(C_WaitForSlotEvent(
        CKF_DONT_BLOCK,
        &raw mut slot,
        ptr::null_mut()
    ));
    assert_eq!((waited, slot), (ckr::OK, SLOT));
    assert_eq!(done(), []);
    replace(None);
}

#[test]
fn the_systems_locks_are_taken_where_they_are_allowed() {
    assert_eq!(initialise(functions(CKF_OS_LOCKING_OK)), ckr::OK);
    assert_eq!(call!(C_Logout(SESSION)), ckr::OK);
    assert_eq!(done(), []);
}

#[test]
fn a_refused_initialisation_leaves_no_mutex() {
    world(|world| world.rv = ckr::CRYPTOKI_ALREADY_INITIALIZED);
    assert_eq!(initialise(functions(0)), ckr::CRYPTOKI_ALREADY_INITIALIZED);
    assert_eq!(done(), [("create", 0), ("destroy", 7)]);
    world(|world| world.rv = ckr::OK);
    assert_eq!(call!(C_Logout(SESSION)), ckr::OK);
    assert_eq!(done(), []);
}

#[test]
fn mutexes_that_do_not_work_are_told() {
    let with_create = |create| CK_C_INITIALIZE_ARGS {
        CreateMutex: Some(create),
        ..functions(0)
    };
    assert_eq!(initialise(with_create(create_nothing)), ckr::CANT_LOCK);
    assert_eq!(initialise(with_create(create_in_vain)), ckr::HOST_MEMORY);
    assert!(calls().is_empty());
    let arguments = CK_C_INITIALIZE_ARGS {
        LockMutex: Some(lock_in_vain),
        ..functions(0)
    };
    assert_eq!(initialise(arguments), ckr::OK);
    calls();
    assert_eq!(call!(C_Logout(SESSION)), ckr::GENERAL_ERROR);
    assert!(calls().is_empty(), "nothing is done without the lock");
    replace(None);
}
