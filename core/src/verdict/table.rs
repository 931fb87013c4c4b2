//! The table: each code of PKCS#11 v3.2 has its line. Section numbers are of PKCS#11 v3.2.

use crate::verdict::{Context, Verdict};
use crate::{QuarantineReason, Rv, ckr};

/// The verdict of a listed code; none for a code that PKCS#11 v3.2 does not name.
pub(super) const fn listed(rv: Rv, context: Context) -> Option<Verdict> {
    Some(match rv {
        // Not an error (§5.1.1; §5.1.6: no event yet, still running; a legacy function's only answer;
        // a C_Initialize that someone else has done before us).
        ckr::OK
        | ckr::NO_EVENT
        | ckr::PENDING
        | ckr::FUNCTION_NOT_PARALLEL
        | ckr::CRYPTOKI_ALREADY_INITIALIZED => Verdict::Fine,

        // "In the worst case, it is possible that the function only partially succeeded" (§5.1.1). Tokens also answer so to what a caller
        // got wrong (SoftHSM to data that is no number below an RSA modulus): taken for a loss, one such call would take every member.
        ckr::GENERAL_ERROR => Verdict::Unknown,
        // "Some problem has occurred with the token and/or slot" (§5.1.3).
        ckr::DEVICE_ERROR => LOST_PERHAPS_EXECUTED,
        // "removed from its slot during the execution of the function" (§5.1.2, §5.1.3).
        ckr::DEVICE_REMOVED => LOST_PERHAPS_EXECUTED,
        // "not present in its slot at the time that the function was invoked" (§5.1.3).
        ckr::TOKEN_NOT_PRESENT => LOST_NOT_EXECUTED,
        // The slot has no token that the library knows, or is itself gone (§5.1.6): recovery looks for
        // the token in all slots.
        ckr::TOKEN_NOT_RECOGNIZED | ckr::SLOT_ID_INVALID => LOST_NOT_EXECUTED,
        // "cannot be executed because the Cryptoki library has not yet been initialized" (§5.1.6): seen
        // after a fork and when a library gave up; recovery initialises it again.
        ckr::CRYPTOKI_NOT_INITIALIZED => LOST_NOT_EXECUTED,
        // The library cannot be brought up as it was asked to (§5.1.6, C_Initialize only).
        ckr::CANT_LOCK | ckr::NEED_TO_CREATE_THREADS | ckr::LIBRARY_LOAD_FAILED => LOST_NOT_EXECUTED,

        // "invalid at the time that the function was invoked. Note that this can happen if the session's
        // token is removed before" (§5.1.2). The virtual handle was valid, so the real session is gone.
        ckr::SESSION_HANDLE_INVALID => SESSION_NOT_EXECUTED,
        // "closed during the execution of the function" (§5.1.2).
        ckr::SESSION_CLOSED => SESSION_PERHAPS_EXECUTED,

        // "possible that an attempt to make the exact same function call again would succeed" (§5.1.1).
        ckr::FUNCTION_FAILED => Verdict::Unknown,
        // "not returned by any actual Cryptoki functions" (§5.1.4, §5.1.5): the member is out of order.
        ckr::CANCEL | ckr::MUTEX_BAD | ckr::MUTEX_NOT_LOCKED => Verdict::Unknown,
        // Where vendors' codes begin; no meaning of its own.
        ckr::VENDOR_DEFINED => Verdict::Unknown,

        // This member has no room for the call, or not now (§5.1.3, §5.1.6).
        ckr::DEVICE_MEMORY
        | ckr::SESSION_COUNT
        | ckr::TOKEN_RESOURCE_EXCEEDED
        | ckr::OPERATION_ACTIVE
        // This member's random number generator is missing or not seeded (§5.1.6).
        | ckr::RANDOM_NO_RNG
        | ckr::SEED_RANDOM_REQUIRED => Verdict::MemberBusy,

        // "The token entered an error state. Future calls [..] will return CKR_GENERAL_ERROR" (§5.1.6).
        ckr::FIPS_SELF_TEST_FAILED => Verdict::Quarantine(QuarantineReason::SelfTestFailed),
        // "The token is in factory state" (§5.1.3): it was ours before, so it was initialised anew.
        ckr::TOKEN_NOT_INITIALIZED => Verdict::Quarantine(QuarantineReason::TokenChanged),

        ckr::USER_NOT_LOGGED_IN
        | ckr::USER_ALREADY_LOGGED_IN
        | ckr::USER_ANOTHER_ALREADY_LOGGED_IN
        | ckr::USER_PIN_NOT_INITIALIZED
        | ckr::PIN_EXPIRED
        | ckr::PIN_INCORRECT
        | ckr::PIN_INVALID
        | ckr::PIN_LEN_RANGE
        | ckr::PIN_LOCKED => login(rv, context),

        ckr::KEY_HANDLE_INVALID
        | ckr::OBJECT_HANDLE_INVALID
        | ckr::UNWRAPPING_KEY_HANDLE_INVALID
        | ckr::WRAPPING_KEY_HANDLE_INVALID => handle(context),

        _ => return callers(rv),
    })
}

const LOST_PERHAPS_EXECUTED: Verdict = Verdict::MemberLost { executed: true };
const LOST_NOT_EXECUTED: Verdict = Verdict::MemberLost { executed: false };
const SESSION_PERHAPS_EXECUTED: Verdict = Verdict::SessionLost { executed: true };
const SESSION_NOT_EXECUTED: Verdict = Verdict::SessionLost { executed: false };

/// Codes about the login (§5.1.6), which is the group's and not the member's.
const fn login(rv: Rv, context: Context) -> Verdict {
    let told_to_log_in = context.login_call && context.pin_accepted;
    match rv {
        // The group is logged in, so the member has lost its login: it was restarted, or closed our
        // last session with it. A fresh session comes with the login.
        ckr::USER_NOT_LOGGED_IN if context.logged_in && !context.login_call => SESSION_NOT_EXECUTED,
        // The login that we bring to a member is there already.
        ckr::USER_ALREADY_LOGGED_IN if told_to_log_in => Verdict::Fine,
        // The group is logged out and the member is not: its word about this PIN is worth nothing. A
        // fresh session comes with the group's login, which is none.
        ckr::USER_ALREADY_LOGGED_IN | ckr::USER_ANOTHER_ALREADY_LOGGED_IN
            if context.login_call && !context.logged_in =>
        {
            SESSION_NOT_EXECUTED
        }
        // Another member has accepted this PIN (S12).
        ckr::PIN_EXPIRED
        | ckr::PIN_INCORRECT
        | ckr::PIN_INVALID
        | ckr::PIN_LEN_RANGE
        | ckr::PIN_LOCKED
        | ckr::USER_PIN_NOT_INITIALIZED
            if told_to_log_in =>
        {
            Verdict::Quarantine(QuarantineReason::PinRefused)
        }
        // The first member's word decides (S12): the application hears it and nobody else is tried.
        _ => Verdict::CallersFault,
    }
}

/// Codes about an object handle (§5.1.6). The application's handle is good and the member does not know
/// the object: one that has it may serve, and a member is not lost for an object that somebody destroyed.
const fn handle(context: Context) -> Verdict {
    if context.handles_resolved {
        Verdict::MemberBusy
    } else {
        Verdict::CallersFault
    }
}

/// Codes that are the caller's to deal with: bad input, a lack of rights, a state of its own session
/// (§5.1.1 for the host's memory and the validation policy, §5.1.6 for the rest). They never cost a
/// member: bad input would cost one after the other.
const fn callers(rv: Rv) -> Option<Verdict> {
    match rv {
        ckr::HOST_MEMORY
        | ckr::OPERATION_NOT_VALIDATED
        | ckr::ARGUMENTS_BAD
        | ckr::BUFFER_TOO_SMALL
        | ckr::FUNCTION_CANCELED
        | ckr::FUNCTION_NOT_SUPPORTED
        | ckr::FUNCTION_REJECTED
        // Objects and their attributes.
        | ckr::ACTION_PROHIBITED
        | ckr::ATTRIBUTE_READ_ONLY
        | ckr::ATTRIBUTE_SENSITIVE
        | ckr::ATTRIBUTE_TYPE_INVALID
        | ckr::ATTRIBUTE_VALUE_INVALID
        | ckr::INFORMATION_SENSITIVE
        | ckr::TEMPLATE_INCOMPLETE
        | ckr::TEMPLATE_INCONSISTENT
        // Data and signatures.
        | ckr::AEAD_DECRYPT_FAILED
        | ckr::DATA_INVALID
        | ckr::DATA_LEN_RANGE
        | ckr::ENCRYPTED_DATA_INVALID
        | ckr::ENCRYPTED_DATA_LEN_RANGE
        | ckr::EXCEEDED_MAX_ITERATIONS
        | ckr::SIGNATURE_INVALID
        | ckr::SIGNATURE_LEN_RANGE
        // Mechanisms and their parameters.
        | ckr::CURVE_NOT_SUPPORTED
        | ckr::DOMAIN_PARAMS_INVALID
        | ckr::MECHANISM_INVALID
        | ckr::MECHANISM_PARAM_INVALID
        | ckr::PARAMETER_SET_NOT_SUPPORTED
        | ckr::RANDOM_SEED_NOT_SUPPORTED
        // Keys.
        | ckr::KEY_CHANGED
        | ckr::KEY_EXHAUSTED
        | ckr::KEY_FUNCTION_NOT_PERMITTED
        | ckr::KEY_INDIGESTIBLE
        | ckr::KEY_NEEDED
        | ckr::KEY_NOT_NEEDED
        | ckr::KEY_NOT_WRAPPABLE
        | ckr::KEY_SIZE_RANGE
        | ckr::KEY_TYPE_INCONSISTENT
        | ckr::KEY_UNEXTRACTABLE
        | ckr::PUBLIC_KEY_INVALID
        | ckr::UNWRAPPING_KEY_SIZE_RANGE
        | ckr::UNWRAPPING_KEY_TYPE_INCONSISTENT
        | ckr::WRAPPED_KEY_INVALID
        | ckr::WRAPPED_KEY_LEN_RANGE
        | ckr::WRAPPING_KEY_SIZE_RANGE
        | ckr::WRAPPING_KEY_TYPE_INCONSISTENT
        // Sessions, operations and their state.
        | ckr::OPERATION_CANCEL_FAILED
        | ckr::OPERATION_NOT_INITIALIZED
        | ckr::SAVED_STATE_INVALID
        | ckr::SESSION_ASYNC_NOT_SUPPORTED
        | ckr::SESSION_EXISTS
        | ckr::SESSION_PARALLEL_NOT_SUPPORTED
        | ckr::SESSION_READ_ONLY
        | ckr::SESSION_READ_ONLY_EXISTS
        | ckr::SESSION_READ_WRITE_SO_EXISTS
        | ckr::STATE_UNSAVEABLE
        // Token and users.
        | ckr::NEW_PIN_MODE
        | ckr::NEXT_OTP
        | ckr::PIN_TOO_WEAK
        | ckr::TOKEN_WRITE_PROTECTED
        | ckr::USER_TOO_MANY_TYPES
        | ckr::USER_TYPE_INVALID => Some(Verdict::CallersFault),
        _ => None,
    }
}
