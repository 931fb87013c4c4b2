//! Messages that are signed and verified.

use std::ffi::c_void;
use std::sync::atomic::Ordering::Relaxed;

use cryptoki_sys::{CK_BYTE, CK_RV, CK_SESSION_HANDLE, CK_ULONG};

use super::{Bytes, Messages, SIGN, VERIFY, matches_signature};
use crate::memory::Given;
use crate::operations::{SEED, SIGNATURE_LENGTH, checksum, spread};
use crate::state::Session;
use crate::{answer, memory};

impl Messages {
    /// The checksum of a signed message with this part of it.
    ///
    /// # Safety
    /// `data` is null or valid for its length.
    unsafe fn absorb(self, session: &Session, (data, length): Bytes) -> Result<u64, CK_RV> {
        // SAFETY: by this function's contract.
        let data = unsafe { memory::bytes(data, length) }?;
        Ok(checksum(session.sums[self.0].load(Relaxed), data))
    }
}

pub(crate) unsafe extern "C" fn sign(
    session: CK_SESSION_HANDLE,
    _parameter: *mut c_void,
    _parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    answer("C_SignMessage", || {
        let session = SIGN.under_way(session, false)?;
        session.sums[SIGN.0].store(SEED, Relaxed);
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            let sum = SIGN.absorb(session, (data, length))?;
            memory::give(
                signature,
                signature_length,
                &spread::<SIGNATURE_LENGTH>(sum),
            )
            .map(drop)
        }
    })
}

pub(crate) unsafe extern "C" fn sign_begin(
    session: CK_SESSION_HANDLE,
    parameter: *mut c_void,
    length: CK_ULONG,
) -> CK_RV {
    // SAFETY: there are no associated data, and the parameter is not looked at.
    answer("C_SignMessageBegin", || unsafe {
        SIGN.begin(session, (parameter, length), (std::ptr::null(), 0))
    })
}

pub(crate) unsafe extern "C" fn sign_next(
    session: CK_SESSION_HANDLE,
    _parameter: *mut c_void,
    _parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    answer("C_SignMessageNext", || {
        let session = SIGN.under_way(session, true)?;
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        unsafe {
            let sum = SIGN.absorb(session, (data, length))?;
            if signature_length.is_null() {
                session.sums[SIGN.0].store(sum, Relaxed);
            } else if memory::give(
                signature,
                signature_length,
                &spread::<SIGNATURE_LENGTH>(sum),
            )? == Given::Output
            {
                SIGN.end_message(session);
            }
        }
        Ok(())
    })
}

pub(crate) unsafe extern "C" fn verify(
    session: CK_SESSION_HANDLE,
    _parameter: *mut c_void,
    _parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    answer("C_VerifyMessage", || {
        let session = VERIFY.under_way(session, false)?;
        session.sums[VERIFY.0].store(SEED, Relaxed);
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        let (sum, given) = unsafe {
            (
                VERIFY.absorb(session, (data, length))?,
                memory::bytes(signature, signature_length)?,
            )
        };
        matches_signature(sum, given)
    })
}

pub(crate) unsafe extern "C" fn verify_begin(
    session: CK_SESSION_HANDLE,
    parameter: *mut c_void,
    length: CK_ULONG,
) -> CK_RV {
    // SAFETY: there are no associated data, and the parameter is not looked at.
    answer("C_VerifyMessageBegin", || unsafe {
        VERIFY.begin(session, (parameter, length), (std::ptr::null(), 0))
    })
}

pub(crate) unsafe extern "C" fn verify_next(
    session: CK_SESSION_HANDLE,
    _parameter: *mut c_void,
    _parameter_length: CK_ULONG,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    answer("C_VerifyMessageNext", || {
        let session = VERIFY.under_way(session, true)?;
        // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
        let (sum, given) = unsafe {
            (
                VERIFY.absorb(session, (data, length))?,
                memory::bytes(signature, signature_length)?,
            )
        };
        if signature.is_null() {
            session.sums[VERIFY.0].store(sum, Relaxed);
            return Ok(());
        }
        VERIFY.end_message(session);
        matches_signature(sum, given)
    })
}
