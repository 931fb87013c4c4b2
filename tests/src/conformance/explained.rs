//! Cases that only everslot fails and is to fail, and why. Nothing is left out unsaid: the report prints each with its reason.

/// A failure that is not held against everslot.
struct Explained {
    case: &'static str,
    /// What the failure says; another failure of the same case is held against everslot.
    failure: &'static str,
    why: &'static str,
}

/// The cryptoki crate's case that waits for a slot event for ever where the function is there: it is not run against everslot.
pub(super) const WAITS: &str = "basic::wait_for_slot_event";
/// What is said of it instead of an outcome.
pub(super) const NOT_RUN: &str = "not run: it would wait for ever";

const EXPLAINED: [Explained; 5] = [
    Explained {
        case: WAITS,
        failure: NOT_RUN,
        why: "it wants CKR_FUNCTION_NOT_SUPPORTED of C_WaitForSlotEvent without a flag, SoftHSM's answer; everslot has the function, and \
              it waits for an event (PKCS#11 v3.1 §5.5.4)",
    },
    Explained {
        case: "ckr/test_ckr_v32_raw.py::TestAsyncErrors::test_async_get_id_no_operation",
        failure: "missing_result",
        why: NEVER_CALLED,
    },
    Explained {
        case: "ckr/test_ckr_v32_raw.py::TestAsyncErrors::test_async_get_id_empty_selector",
        failure: "missing_result",
        why: NEVER_CALLED,
    },
    Explained {
        case: "tests/test_slots_and_tokens.py::SlotsAndTokensTests::test_get_slots",
        failure: "1 != 2",
        why: ONE_SLOT,
    },
    Explained {
        case: "tests/test_slots_and_tokens.py::SlotsAndTokensTests::test_get_tokens",
        failure: "1 != 2",
        why: ONE_SLOT,
    },
];

const ONE_SLOT: &str = "the suite knows that SoftHSM always has one more slot, with a token that is not initialised; a group is one slot";

const NEVER_CALLED: &str = "the suite never calls the module: it gives an array of char for a pointer to unsigned char, and its own \
                            Python raises ctypes.ArgumentError; the bare member has no 3.2 interface, so the case is left out there";

/// Why everslot may fail this case in this way, if it may.
pub(super) fn explanation(case: &str, failure: &str) -> Option<&'static str> {
    EXPLAINED
        .iter()
        .find(|known| known.case == case && failure.contains(known.failure))
        .map(|known| known.why)
}

#[cfg(test)]
mod tests {
    use super::{NOT_RUN, WAITS, explanation};

    #[test]
    fn an_explanation_is_of_one_failure_of_one_case() {
        assert!(explanation(WAITS, NOT_RUN).is_some());
        assert_eq!(explanation(WAITS, "ended the program"), None);
        assert_eq!(explanation("basic::get_slots", NOT_RUN), None);
    }
}
