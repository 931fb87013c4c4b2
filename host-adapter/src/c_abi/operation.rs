//! What encryption, decryption, digesting, signing and verifying have in common: begin, one part, many parts, end.
//!
//! An argument that cannot be right ends the operation that the call was for (PKCS#11 v3.1 §5.2).

use cryptoki_sys::{CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};
use everslot_core::Rv;
use everslot_protocol::{Dual, Operation};

use super::entry::{entry, entry_with_scratch};
use super::{Session, session};

/// `C_SignInit` and its kin. A null mechanism ends the operation that is active (PKCS#11 v3.1 §5.8.1).
pub(super) fn begin(
    function: &'static str,
    operation: Operation,
    handle: CK_SESSION_HANDLE,
    mechanism: *const CK_MECHANISM,
    key: Option<CK_OBJECT_HANDLE>,
) -> CK_RV {
    entry_with_scratch(function, |caller, scratch| {
        let session = session(handle)?;
        if mechanism.is_null() {
            return session.begin(operation, None, key);
        }
        let mechanism = caller.mechanism(mechanism, scratch)?;
        session.begin(operation, Some(mechanism), key)
    })
}

/// `C_Sign` and its kin.
pub(super) fn whole(
    function: &'static str,
    operation: Operation,
    handle: CK_SESSION_HANDLE,
    (data, data_length): (*const CK_BYTE, CK_ULONG),
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry(function, |caller| {
        let session = session(handle)?;
        let data = or_abandon(&session, operation, caller.input(data, data_length))?;
        let output = or_abandon(&session, operation, caller.output(output, output_length))?;
        output.fill_from(data, |data, output| session.whole(operation, data, output))
    })
}

/// `C_SignUpdate` and its kin, which put nothing out.
pub(super) fn update(
    function: &'static str,
    operation: Operation,
    handle: CK_SESSION_HANDLE,
    (part, part_length): (*const CK_BYTE, CK_ULONG),
) -> CK_RV {
    entry(function, |caller| {
        let session = session(handle)?;
        let part = or_abandon(&session, operation, caller.slice(part, part_length))?;
        session.update(operation, part)
    })
}

/// `C_EncryptUpdate` and `C_DecryptUpdate`.
pub(super) fn update_output(
    function: &'static str,
    operation: Operation,
    handle: CK_SESSION_HANDLE,
    (part, part_length): (*const CK_BYTE, CK_ULONG),
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry(function, |caller| {
        let session = session(handle)?;
        let part = or_abandon(&session, operation, caller.input(part, part_length))?;
        let output = or_abandon(&session, operation, caller.output(output, output_length))?;
        output.fill_from(part, |part, output| {
            session.update_output(operation, part, output)
        })
    })
}

/// `C_SignFinal` and its kin.
pub(super) fn finish(
    function: &'static str,
    operation: Operation,
    handle: CK_SESSION_HANDLE,
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry(function, |caller| {
        let session = session(handle)?;
        let output = or_abandon(&session, operation, caller.output(output, output_length))?;
        output.fill(|output| session.finish(operation, output))
    })
}

/// `C_DigestEncryptUpdate` and its kin.
pub(super) fn dual_update(
    function: &'static str,
    dual: Dual,
    handle: CK_SESSION_HANDLE,
    (part, part_length): (*const CK_BYTE, CK_ULONG),
    (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
) -> CK_RV {
    entry(function, |caller| {
        let session = session(handle)?;
        let arguments = caller
            .input(part, part_length)
            .and_then(|part| Ok((part, caller.output(output, output_length)?)));
        let (part, output) = arguments.inspect_err(|_| {
            for operation in operations(dual) {
                session.abandon(operation);
            }
        })?;
        output.fill_from(part, |part, output| session.dual_update(dual, part, output))
    })
}

/// Ends `operation` unless the argument is right.
pub(super) fn or_abandon<T>(
    session: &Session,
    operation: Operation,
    argument: Result<T, Rv>,
) -> Result<T, Rv> {
    argument.inspect_err(|_| session.abandon(operation))
}

const fn operations(dual: Dual) -> [Operation; 2] {
    match dual {
        Dual::DigestEncrypt => [Operation::Digest, Operation::Encrypt],
        Dual::DecryptDigest => [Operation::Decrypt, Operation::Digest],
        Dual::SignEncrypt => [Operation::Sign, Operation::Encrypt],
        Dual::DecryptVerify => [Operation::Decrypt, Operation::Verify],
    }
}
