//! What the message-based functions have in common (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).
//!
//! An argument that cannot be right leaves the operation as it is: it goes on until its `C_Message*Final`.

use cryptoki_sys::{
    CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CK_VOID_PTR,
};
use everslot_core::Rv;
use everslot_protocol::{MessageOperation, Sealed};

use super::entry::{entry, entry_with_scratch};
use super::pointers::Caller;
use super::session;

/// `C_MessageEncryptInit` and its kin. A null mechanism ends the operation that is active (PKCS#11 v3.1 §5.9.1).
pub(super) fn init(
    function: &'static str,
    operation: MessageOperation,
    handle: CK_SESSION_HANDLE,
    mechanism: *const CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    entry_with_scratch(function, |caller, scratch| {
        let session = session(handle)?;
        if mechanism.is_null() {
            return session.message_init(operation, None, key);
        }
        let mechanism = caller.mechanism(mechanism, scratch)?;
        session.message_init(operation, Some(mechanism), key)
    })
}

/// `C_EncryptMessage`, `C_DecryptMessage`, `C_SignMessage`.
pub(super) fn whole(
    function: &'static str,
    operation: MessageOperation,
    handle: CK_SESSION_HANDLE,
    parameter: (CK_VOID_PTR, CK_ULONG),
    (associated, associated_length): (*const CK_BYTE, CK_ULONG),
    (data, data_length): (*const CK_BYTE, CK_ULONG),
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry_with_scratch(function, |caller, scratch| {
        let session = session(handle)?;
        let associated = caller.input(associated, associated_length)?;
        let data = caller.input(data, data_length)?;
        let output = caller.output(output, output_length)?;
        let mechanism = session.message_mechanism(operation)?;
        let given = as_const(parameter);
        let value = caller.message_parameter((mechanism, operation), given, scratch)?;
        output.fill_from_both(associated, data, |associated, data, output| {
            let sealed = session.message(operation, value, associated, data, output)?;
            Ok(answer(caller, mechanism, parameter, &sealed)?)
        })
    })
}

/// `C_EncryptMessageBegin` and its kin.
pub(super) fn begin(
    function: &'static str,
    operation: MessageOperation,
    handle: CK_SESSION_HANDLE,
    parameter: (CK_VOID_PTR, CK_ULONG),
    (associated, associated_length): (*const CK_BYTE, CK_ULONG),
) -> CK_RV {
    entry_with_scratch(function, |caller, scratch| {
        let session = session(handle)?;
        let associated = caller.slice(associated, associated_length)?;
        let mechanism = session.message_mechanism(operation)?;
        let given = as_const(parameter);
        let value = caller.message_parameter((mechanism, operation), given, scratch)?;
        let sealed = session.message_begin(operation, value, associated)?;
        answer(caller, mechanism, parameter, &sealed).map(drop)
    })
}

/// `C_EncryptMessageNext`, `C_DecryptMessageNext`, and `C_SignMessageNext` of the last part.
pub(super) fn next(
    function: &'static str,
    (operation, last): (MessageOperation, bool),
    handle: CK_SESSION_HANDLE,
    parameter: (CK_VOID_PTR, CK_ULONG),
    (data, data_length): (*const CK_BYTE, CK_ULONG),
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry_with_scratch(function, |caller, scratch| {
        let session = session(handle)?;
        let data = caller.input(data, data_length)?;
        let output = caller.output(output, output_length)?;
        let mechanism = session.message_mechanism(operation)?;
        let given = as_const(parameter);
        let value = caller.message_parameter((mechanism, operation), given, scratch)?;
        output.fill_from(data, |data, output| {
            let sealed = session.message_next(operation, value, data, output, last)?;
            Ok(answer(caller, mechanism, parameter, &sealed)?)
        })
    })
}

/// `C_MessageEncryptFinal` and its kin.
pub(super) fn finish(
    function: &'static str,
    operation: MessageOperation,
    handle: CK_SESSION_HANDLE,
) -> CK_RV {
    entry(function, |_| session(handle)?.message_final(operation))
}

/// Writes what the member has put into the parameter, and hands on the length of the output.
fn answer(
    caller: Caller<'_>,
    mechanism: u64,
    parameter: (CK_VOID_PTR, CK_ULONG),
    sealed: &Sealed,
) -> Result<u64, Rv> {
    caller.answer_message_parameter(mechanism, as_const(parameter), sealed)?;
    Ok(sealed.written)
}

/// A pointer and its length, to be read.
pub(super) const fn as_const(
    (pointer, length): (CK_VOID_PTR, CK_ULONG),
) -> (*const std::ffi::c_void, CK_ULONG) {
    (pointer.cast_const(), length)
}
