use std::fmt::Write as _;
use std::string::{String, ToString};

use super::{Class, Context, Overrides, OverridesFull, Verdict, table, verdict};
use crate::{QuarantineReason, Rv, ckr};

const NONE: Context = Context {
    logged_in: false,
    login_call: false,
    pin_accepted: false,
    handles_resolved: false,
};

/// The contexts that calls come in: of whom, and how they are named in the snapshot.
const CONTEXTS: [(&str, Context); 6] = [
    ("logged out", NONE),
    (
        "logged in",
        Context {
            logged_in: true,
            ..NONE
        },
    ),
    (
        "handles resolved",
        Context {
            logged_in: true,
            handles_resolved: true,
            ..NONE
        },
    ),
    (
        "login",
        Context {
            login_call: true,
            ..NONE
        },
    ),
    (
        "context login",
        Context {
            login_call: true,
            logged_in: true,
            ..NONE
        },
    ),
    (
        "accepted PIN",
        Context {
            login_call: true,
            pin_accepted: true,
            logged_in: true,
            ..NONE
        },
    ),
];

fn plain(rv: Rv, context: Context) -> Verdict {
    verdict(rv, context, &Overrides::<16>::new())
}

#[test]
fn each_code_of_the_standard_has_its_own_line_in_every_context() {
    for rv in ckr::ALL {
        for (name, context) in CONTEXTS {
            assert!(
                table::listed(*rv, context).is_some(),
                "{rv} is not listed ({name})"
            );
        }
    }
}

/// The whole table, to be reviewed like code: how a code is read, and in which context otherwise.
#[test]
fn the_table() {
    let mut lines = String::new();
    for rv in ckr::ALL {
        let common = plain(*rv, NONE);
        write!(lines, "{:<38} {common:?}", rv.to_string()).unwrap();
        for (name, context) in CONTEXTS {
            let read = plain(*rv, context);
            if read != common {
                write!(lines, "; {name}: {read:?}").unwrap();
            }
        }
        lines.push('\n');
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn a_code_that_the_standard_does_not_name_is_read_like_function_failed() {
    for (_, context) in CONTEXTS {
        for rv in [Rv(0x4), Rv(0x7fff_ffff), Rv(0x8000_0001), Rv(u64::MAX)] {
            assert_eq!(plain(rv, context), plain(ckr::FUNCTION_FAILED, context));
        }
    }
}

/// S12: what refuses a PIN that another member has accepted is set aside; before that it is the
/// application's answer.
#[test]
fn a_refused_pin_is_the_applications_answer_until_a_member_has_accepted_it() {
    let first = Context {
        login_call: true,
        ..NONE
    };
    let accepted = Context {
        pin_accepted: true,
        ..first
    };
    for rv in [
        ckr::PIN_INCORRECT,
        ckr::PIN_LOCKED,
        ckr::PIN_EXPIRED,
        ckr::USER_PIN_NOT_INITIALIZED,
    ] {
        assert_eq!(plain(rv, first), Verdict::CallersFault);
        assert_eq!(
            plain(rv, accepted),
            Verdict::Quarantine(QuarantineReason::PinRefused)
        );
    }
}

/// A `C_Login` for one operation (`CKU_CONTEXT_SPECIFIC`) tries a PIN while the group is logged in.
#[test]
fn a_refused_pin_of_a_single_operation_costs_no_member() {
    let context = Context {
        login_call: true,
        logged_in: true,
        ..NONE
    };
    assert_eq!(plain(ckr::PIN_INCORRECT, context), Verdict::CallersFault);
}

#[test]
fn ok_is_fine_whatever_the_settings_say() {
    let mut overrides = Overrides::<16>::new();
    assert_eq!(overrides.set(ckr::OK, Class::MemberLost), Ok(()));
    assert_eq!(verdict(ckr::OK, NONE, &overrides), Verdict::Fine);
}

#[test]
fn settings_give_a_code_another_class_and_the_last_one_counts() {
    let vendors = Rv(0x8000_0042);
    let mut overrides = Overrides::<16>::new();
    assert_eq!(overrides.set(vendors, Class::Quarantine), Ok(()));
    let quarantine = Verdict::Quarantine(QuarantineReason::Other(vendors));
    assert_eq!(verdict(vendors, NONE, &overrides), quarantine);
    assert_eq!(overrides.set(vendors, Class::MemberBusy), Ok(()));
    assert_eq!(verdict(vendors, NONE, &overrides), Verdict::MemberBusy);
    assert_eq!(plain(vendors, NONE), Verdict::Unknown);
}

/// S4: settings say what a code means for the member, not that a call was not executed.
#[test]
fn only_a_code_that_proves_it_counts_as_not_executed() {
    for (rv, executed) in [
        (ckr::TOKEN_NOT_PRESENT, false),
        (ckr::SESSION_HANDLE_INVALID, false),
        (ckr::DEVICE_MEMORY, false),
        (ckr::SESSION_CLOSED, true),
        (ckr::FUNCTION_FAILED, true),
        (Rv(0x8000_0042), true),
    ] {
        let mut overrides = Overrides::<16>::new();
        assert_eq!(overrides.set(rv, Class::MemberLost), Ok(()));
        assert_eq!(
            verdict(rv, NONE, &overrides),
            Verdict::MemberLost { executed },
            "{rv}"
        );
        assert_eq!(overrides.set(rv, Class::SessionLost), Ok(()));
        assert_eq!(
            verdict(rv, NONE, &overrides),
            Verdict::SessionLost { executed },
            "{rv}"
        );
    }
}

#[test]
fn an_override_more_than_there_is_room_for_is_an_error() {
    let mut overrides = Overrides::<1>::new();
    assert_eq!(overrides.set(ckr::DEVICE_ERROR, Class::Unknown), Ok(()));
    let full = OverridesFull { capacity: 1 };
    assert_eq!(overrides.set(ckr::GENERAL_ERROR, Class::Unknown), Err(full));
    assert_eq!(overrides.set(ckr::DEVICE_ERROR, Class::MemberBusy), Ok(()));
    assert_eq!(overrides.class(ckr::GENERAL_ERROR), None);
    assert_eq!(
        full.to_string(),
        "a member can have at most 1 verdict overrides"
    );
}

#[test]
fn a_class_is_read_by_its_name() {
    for class in Class::ALL {
        assert_eq!(class.name().parse(), Ok(class));
    }
    let error = "lost".parse::<Class>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a class of verdict; use one of fine, callers-fault, member-lost, session-lost, \
         member-busy, unknown, quarantine"
    );
}
