//! What every function does with arguments that cannot be right.

use std::collections::BTreeSet;
use std::ptr;

use cryptoki_sys::{CK_MECHANISM, CKM_ECDSA};
use everslot_core::ckr;

use super::super::double::{SESSION, calls, world};
use super::table::{CASES, Case, Given, Kind};

const NOTHING: Given = Given {
    session: SESSION,
    data: ptr::null_mut(),
    length: 0,
    place: ptr::null_mut(),
    mechanism: ptr::null_mut(),
};

#[test]
fn the_table_has_every_function_once() {
    let names: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), CASES.len());
}

#[test]
fn nothing_works_before_initialisation() {
    world(|world| world.initialised = false);
    for case in CASES.iter().filter(|case| case.kind != Kind::Free) {
        assert_eq!(
            (case.call)(&NOTHING),
            ckr::CRYPTOKI_NOT_INITIALIZED,
            "{}",
            case.name
        );
    }
    assert!(calls().is_empty());
}

#[test]
fn a_bad_session_is_complained_of_before_anything_else() {
    let given = Given {
        session: SESSION + 1,
        length: u64::MAX,
        ..NOTHING
    };
    let with_session = |case: &&Case| !matches!(case.kind, Kind::Free | Kind::Bare);
    for case in CASES.iter().filter(with_session) {
        assert_eq!(
            (case.call)(&given),
            ckr::SESSION_HANDLE_INVALID,
            "{}",
            case.name
        );
    }
    assert!(calls().is_empty());
}

#[test]
fn null_pointers_are_arguments_bad_where_something_is_needed() {
    for case in &CASES {
        assert_eq!((case.call)(&NOTHING), case.to_nothing, "{}", case.name);
        let reached = calls().into_iter().any(|call| !call.starts_with("abandon"));
        let may_reach = case.to_nothing == ckr::OK;
        assert_eq!(reached, may_reach, "{}", case.name);
    }
}

#[test]
fn a_null_array_with_a_length_is_arguments_bad() {
    let mut mechanism = mechanism();
    let mut place = [0; 64];
    let given = Given {
        length: 1,
        place: place.as_mut_ptr(),
        mechanism: &raw mut mechanism,
        ..NOTHING
    };
    for case in CASES.iter().filter(|case| case.kind == Kind::Array) {
        assert_eq!((case.call)(&given), ckr::ARGUMENTS_BAD, "{}", case.name);
    }
    assert!(calls().iter().all(|call| call.starts_with("abandon")));
}

#[test]
fn a_null_pin_is_the_tokens_own_way_of_asking() {
    let given = Given {
        length: 99,
        ..NOTHING
    };
    for case in CASES.iter().filter(|case| case.kind == Kind::Pin) {
        assert_eq!((case.call)(&given), ckr::OK, "{}", case.name);
        assert!(
            calls().iter().all(|call| call.contains("None")),
            "{}",
            case.name
        );
    }
}

#[test]
fn lengths_that_no_memory_has_are_arguments_bad() {
    let mut mechanism = mechanism();
    let mut data = [0; 64];
    let sized = |case: &&Case| matches!(case.kind, Kind::Array | Kind::Pin);
    for length in [u64::MAX, i64::MAX as u64 + 1, i64::MAX as u64, 1 << 56] {
        for case in CASES.iter().filter(sized) {
            let mut place = [length; 64];
            let given = Given {
                session: SESSION,
                data: data.as_mut_ptr(),
                length,
                place: place.as_mut_ptr(),
                mechanism: &raw mut mechanism,
            };
            assert_eq!(
                (case.call)(&given),
                ckr::ARGUMENTS_BAD,
                "{} {length:#x}",
                case.name
            );
        }
    }
    assert!(calls().iter().all(|call| call.starts_with("abandon")));
}

#[test]
fn more_room_than_there_can_be_is_no_error() {
    let mut mechanism = mechanism();
    let mut data = [0; 64];
    for case in CASES.iter().filter(|case| case.kind == Kind::Output) {
        let mut place = [u64::MAX; 64];
        let given = Given {
            session: SESSION,
            data: data.as_mut_ptr(),
            length: 8,
            place: place.as_mut_ptr(),
            mechanism: &raw mut mechanism,
        };
        assert_eq!((case.call)(&given), ckr::OK, "{}", case.name);
        assert_eq!(place[0], 0, "{}: how much was put out", case.name);
    }
}

#[test]
fn a_panic_is_a_general_error() {
    world(|world| world.panicking = true);
    let with_session = |case: &&Case| matches!(case.kind, Kind::Session | Kind::Array | Kind::Pin);
    for case in CASES
        .iter()
        .filter(with_session)
        .filter(|case| case.to_nothing == ckr::OK)
    {
        assert_eq!((case.call)(&NOTHING), ckr::GENERAL_ERROR, "{}", case.name);
    }
}

fn mechanism() -> CK_MECHANISM {
    CK_MECHANISM {
        mechanism: CKM_ECDSA,
        pParameter: ptr::null_mut(),
        ulParameterLen: 0,
    }
}
