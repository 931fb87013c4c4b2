use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr;

use cryptoki_sys::{
    CK_C_INITIALIZE_ARGS, CK_INFO, CK_MECHANISM_INFO, CK_NOTIFICATION, CK_RV, CK_SESSION_HANDLE,
    CK_SESSION_INFO, CK_SLOT_INFO, CK_TOKEN_INFO, CK_VOID_PTR, CKF_DONT_BLOCK,
    CKF_LIBRARY_CANT_CREATE_OS_THREADS, CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION,
};
use everslot_core::{Rv, ckr};

use super::super::double::{SESSION, SLOT, calls, world};
use super::call;

#[test]
fn initialisation_takes_no_arguments_or_sound_ones() {
    assert_eq!(call!(C_Initialize(ptr::null_mut())), ckr::OK);
    assert_eq!(initialise(arguments(false, 0)), ckr::OK);
    assert_eq!(initialise(arguments(false, CKF_OS_LOCKING_OK)), ckr::OK);
    assert_eq!(initialise(arguments(true, CKF_OS_LOCKING_OK)), ckr::OK);
    assert_eq!(calls(), ["initialise false"; 4]);
    assert_eq!(
        initialise(arguments(false, CKF_LIBRARY_CANT_CREATE_OS_THREADS)),
        ckr::OK
    );
    assert_eq!(calls(), ["initialise true"]);
}

#[test]
fn mutex_functions_come_all_or_none() {
    let without = [
        CK_C_INITIALIZE_ARGS {
            CreateMutex: None,
            ..arguments(true, CKF_OS_LOCKING_OK)
        },
        CK_C_INITIALIZE_ARGS {
            DestroyMutex: None,
            ..arguments(true, CKF_OS_LOCKING_OK)
        },
        CK_C_INITIALIZE_ARGS {
            LockMutex: None,
            ..arguments(true, CKF_OS_LOCKING_OK)
        },
        CK_C_INITIALIZE_ARGS {
            UnlockMutex: None,
            ..arguments(true, CKF_OS_LOCKING_OK)
        },
    ];
    for arguments in without {
        assert_eq!(initialise(arguments), ckr::ARGUMENTS_BAD);
    }
    assert!(calls().is_empty());
}

#[test]
fn what_is_reserved_must_be_null() {
    let mut something = 0_u64;
    let reserved = (&raw mut something).cast::<c_void>();
    let arguments = CK_C_INITIALIZE_ARGS {
        pReserved: reserved,
        ..arguments(false, 0)
    };
    assert_eq!(initialise(arguments), ckr::ARGUMENTS_BAD);
    assert_eq!(call!(C_Finalize(reserved)), ckr::ARGUMENTS_BAD);
    assert_eq!(
        call!(C_WaitForSlotEvent(0, &raw mut something, reserved)),
        ckr::ARGUMENTS_BAD
    );
    assert!(calls().is_empty());
}

#[test]
fn structures_are_filled_field_by_field() {
    let info: CK_INFO = filled(|place| call!(C_GetInfo(place)));
    assert_eq!(
        (info.cryptokiVersion.major, info.cryptokiVersion.minor),
        (3, 2)
    );
    assert_eq!(
        (info.libraryVersion.major, info.libraryVersion.minor),
        (1, 2)
    );
    assert_eq!(
        (info.manufacturerID, info.libraryDescription),
        ([b'm'; 32], [b'd'; 32])
    );

    let slot: CK_SLOT_INFO = filled(|place| call!(C_GetSlotInfo(SLOT, place)));
    assert_eq!(slot.slotDescription[..32], [b'1'; 32]);
    assert_eq!(slot.slotDescription[32..], [b'2'; 32]);
    assert_eq!(
        (slot.manufacturerID, slot.flags, slot.hardwareVersion.minor),
        ([b'm'; 32], 1, 9)
    );

    let token: CK_TOKEN_INFO = filled(|place| call!(C_GetTokenInfo(SLOT, place)));
    assert_eq!(
        (token.label, token.manufacturerID),
        ([b'l'; 32], [b'm'; 32])
    );
    assert_eq!(
        (token.model, token.serialNumber, token.utcTime),
        ([b'o'; 16], [b's'; 16], [b't'; 16])
    );
    let numbers = [
        token.flags,
        token.ulMaxSessionCount,
        token.ulSessionCount,
        token.ulMaxRwSessionCount,
        token.ulRwSessionCount,
        token.ulMaxPinLen,
        token.ulMinPinLen,
        token.ulTotalPublicMemory,
        token.ulFreePublicMemory,
        token.ulTotalPrivateMemory,
        token.ulFreePrivateMemory,
    ];
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(
        (token.hardwareVersion.major, token.firmwareVersion.major),
        (3, 1)
    );

    let mechanism: CK_MECHANISM_INFO = filled(|place| call!(C_GetMechanismInfo(SLOT, 4, place)));
    assert_eq!(
        (
            mechanism.ulMinKeySize,
            mechanism.ulMaxKeySize,
            mechanism.flags
        ),
        (1, 2, 3)
    );

    let session: CK_SESSION_INFO = filled(|place| call!(C_GetSessionInfo(SESSION, place)));
    let fields = (
        session.slotID,
        session.state,
        session.flags,
        session.ulDeviceError,
    );
    assert_eq!(fields, (1, 2, 3, 4));
}

#[test]
fn a_failed_call_leaves_the_structure_alone() {
    world(|world| world.rv = ckr::DEVICE_ERROR);
    let mut info = CK_SESSION_INFO {
        slotID: 9,
        state: 9,
        flags: 9,
        ulDeviceError: 9,
    };
    assert_eq!(
        call!(C_GetSessionInfo(SESSION, &raw mut info)),
        ckr::DEVICE_ERROR
    );
    assert_eq!(
        (info.slotID, info.state, info.flags, info.ulDeviceError),
        (9, 9, 9, 9)
    );
}

#[test]
fn lists_are_fetched_in_two_calls() {
    fetched_in_two_calls(|list, count| call!(C_GetSlotList(1, list, count)));
    fetched_in_two_calls(|list, count| call!(C_GetMechanismList(SLOT, list, count)));
}

#[test]
fn slots_with_and_without_a_token() {
    let mut count = 0;
    for (token_present, call) in [(0, "slots false"), (1, "slots true"), (9, "slots true")] {
        let answer = call!(C_GetSlotList(
            token_present,
            ptr::null_mut(),
            &raw mut count
        ));
        assert_eq!((answer, calls()), (ckr::OK, vec![call.to_owned()]));
    }
}

#[test]
fn an_unknown_slot_is_complained_of_first() {
    let no = SLOT + 1;
    let nothing: *mut u64 = ptr::null_mut();
    let invalid = ckr::SLOT_ID_INVALID;
    assert_eq!(call!(C_GetSlotInfo(no, nothing.cast())), invalid);
    assert_eq!(call!(C_GetTokenInfo(no, nothing.cast())), invalid);
    assert_eq!(call!(C_GetMechanismList(no, nothing, nothing)), invalid);
    assert_eq!(call!(C_GetMechanismInfo(no, 1, nothing.cast())), invalid);
    assert_eq!(
        call!(C_InitToken(no, nothing.cast(), 0, nothing.cast())),
        invalid
    );
    assert_eq!(
        call!(C_OpenSession(no, 0, nothing.cast(), None, nothing)),
        invalid
    );
    assert_eq!(call!(C_CloseAllSessions(no)), invalid);
}

#[test]
fn a_session_is_serial() {
    let mut handle = 0;
    let place = &raw mut handle;
    let refused = call!(C_OpenSession(
        SLOT,
        CKF_RW_SESSION,
        ptr::null_mut(),
        None,
        place
    ));
    assert_eq!((refused, handle), (ckr::SESSION_PARALLEL_NOT_SUPPORTED, 0));
    let flags = CKF_RW_SESSION | CKF_SERIAL_SESSION;
    assert_eq!(
        call!(C_OpenSession(SLOT, flags, ptr::null_mut(), None, place)),
        ckr::OK
    );
    assert_eq!(handle, SESSION);
    assert_eq!(calls(), [format!("open_session {flags}")]);
}

/// A `CK_NOTIFY` that must not be called: a session of ours never has to surrender (PKCS#11 v3.1 §5.21).
unsafe extern "C" fn surrender(_: CK_SESSION_HANDLE, _: CK_NOTIFICATION, _: CK_VOID_PTR) -> CK_RV {
    std::process::abort()
}

#[test]
fn a_callback_is_taken_and_left_alone_as_are_flags_that_say_nothing() {
    let (mut handle, mut application) = (0, 0_u8);
    let flags = CKF_SERIAL_SESSION | 1 << 20;
    let opened = call!(C_OpenSession(
        SLOT,
        flags,
        (&raw mut application).cast(),
        Some(surrender),
        &raw mut handle
    ));
    assert_eq!((opened, handle), (ckr::OK, SESSION));
}

#[test]
fn pins_and_labels_arrive_as_they_are() {
    let mut pin = *b"1234";
    let mut label = [b' '; 32];
    let pin_place = pin.as_mut_ptr();
    assert_eq!(call!(C_Login(SESSION, 1, pin_place, 4)), ckr::OK);
    assert_eq!(call!(C_Login(SESSION, 1, pin_place, 0)), ckr::OK);
    assert_eq!(
        call!(C_SetPIN(SESSION, pin_place, 1, pin_place, 2)),
        ckr::OK
    );
    assert_eq!(
        call!(C_InitToken(SLOT, pin_place, 1, label.as_mut_ptr())),
        ckr::OK
    );
    let expected = [
        format!("login 1 {:?}", Some(b"1234")),
        "login 1 Some([])".to_owned(),
        "set_pin Some([49]) Some([49, 50])".to_owned(),
        format!("init_token Some([49]) {label:?}"),
    ];
    assert_eq!(calls(), expected);
}

#[test]
fn waiting_may_be_refused() {
    let mut slot = 0;
    let place = &raw mut slot;
    assert_eq!(
        call!(C_WaitForSlotEvent(CKF_DONT_BLOCK, place, ptr::null_mut())),
        ckr::OK
    );
    assert_eq!(
        call!(C_WaitForSlotEvent(0, place, ptr::null_mut())),
        ckr::OK
    );
    assert_eq!(
        (calls(), slot),
        (vec!["wait true".to_owned(), "wait false".to_owned()], SLOT)
    );
}

fn fetched_in_two_calls(fetch: impl Fn(*mut u64, &mut u64) -> Rv) {
    world(|world| world.list = vec![11, 12, 13]);
    let mut list = [0; 4];
    let mut count = 99;
    assert_eq!(fetch(ptr::null_mut(), &mut count), ckr::OK);
    assert_eq!(count, 3);
    count = 2;
    assert_eq!(fetch(list.as_mut_ptr(), &mut count), ckr::BUFFER_TOO_SMALL);
    assert_eq!((count, list), (3, [0; 4]));
    count = 4;
    assert_eq!(fetch(list.as_mut_ptr(), &mut count), ckr::OK);
    assert_eq!((count, list), (3, [11, 12, 13, 0]));
}

fn initialise(mut arguments: CK_C_INITIALIZE_ARGS) -> Rv {
    call!(C_Initialize((&raw mut arguments).cast()))
}

fn arguments(mutexes: bool, flags: u64) -> CK_C_INITIALIZE_ARGS {
    unsafe extern "C" fn create(_: *mut *mut c_void) -> CK_RV {
        0
    }
    unsafe extern "C" fn other(_: *mut c_void) -> CK_RV {
        0
    }
    CK_C_INITIALIZE_ARGS {
        CreateMutex: mutexes.then_some(create),
        DestroyMutex: mutexes.then_some(other),
        LockMutex: mutexes.then_some(other),
        UnlockMutex: mutexes.then_some(other),
        flags,
        pReserved: ptr::null_mut(),
    }
}

fn filled<T>(fill: impl FnOnce(*mut T) -> Rv) -> T {
    let mut place = MaybeUninit::<T>::zeroed();
    assert_eq!(fill(place.as_mut_ptr()), ckr::OK);
    // SAFETY: the structures hold integers only, for which zeros will do as well.
    unsafe { place.assume_init() }
}
