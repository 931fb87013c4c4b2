//! Messages that are encrypted and decrypted, as AES-GCM does it.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cryptoki_sys::{
    CK_BYTE, CK_FLAGS, CK_GCM_MESSAGE_PARAMS, CK_RV, CK_SESSION_HANDLE, CK_ULONG,
    CKF_END_OF_MESSAGE, CKG_GENERATE_RANDOM, CKG_NO_GENERATE, CKR_AEAD_DECRYPT_FAILED,
    CKR_MECHANISM_PARAM_INVALID,
};

use super::{Bytes, DECRYPT, ENCRYPT, Messages, Output, Parameter, SIGN, TAG_LENGTH, VERIFY};
use crate::memory::Given;
use crate::operations::{FLIP, SEED, checksum, fill, spread};
use crate::state::Session;
use crate::{Outcome, answer, memory};

impl Messages {
    /// The checksum of what comes before a message's text; makes the IV if it is asked to.
    ///
    /// # Safety
    /// `parameter` is null or a valid `CK_GCM_MESSAGE_PARAMS`, `associated` null or valid.
    pub(super) unsafe fn head(
        self,
        session: &Session,
        parameter: Parameter,
        associated: Bytes,
    ) -> Result<u64, CK_RV> {
        if self == SIGN || self == VERIFY {
            return Ok(SEED);
        }
        // SAFETY: by this function's contract.
        unsafe {
            let parameter = gcm(parameter)?;
            if self == ENCRYPT && parameter.ivGenerator != CKG_NO_GENERATE {
                make_iv(session, parameter)?;
            }
            let iv = memory::bytes(parameter.pIv, parameter.ulIvLen)?;
            let associated = memory::bytes(associated.0, associated.1)?;
            Ok(checksum(checksum(SEED, iv), associated))
        }
    }

    /// Flips the text, and at the end puts the tag out or checks it.
    ///
    /// # Safety
    /// The pointers are null or valid for their lengths.
    unsafe fn text(
        self,
        session: &Session,
        parameter: Parameter,
        (data, length): Bytes,
        (output, output_length): Output,
        last: bool,
    ) -> Outcome {
        // SAFETY: by this function's contract.
        unsafe {
            let data = memory::bytes(data, length)?;
            let flipped: Vec<u8> = data.iter().map(|byte| byte ^ FLIP).collect();
            let plain = if self == ENCRYPT { data } else { &flipped };
            let sum = checksum(session.sums[self.0].load(Relaxed), plain);
            let tag: [u8; TAG_LENGTH] = spread(sum);
            let parameter = gcm(parameter)?;
            if self == DECRYPT && last && !output.is_null() {
                let given = memory::bytes(parameter.pTag, parameter.ulTagBits / 8)?;
                if given != &tag[..given.len()] {
                    self.end_message(session);
                    return Err(CKR_AEAD_DECRYPT_FAILED);
                }
            }
            if memory::give(output, output_length, &flipped)? == Given::Length {
                return Ok(());
            }
            session.sums[self.0].store(sum, Relaxed);
            if last {
                self.end_message(session);
                if self == ENCRYPT {
                    let length = usize::try_from(parameter.ulTagBits / 8).unwrap_or(TAG_LENGTH);
                    if parameter.pTag.is_null() || length > TAG_LENGTH {
                        return Err(CKR_MECHANISM_PARAM_INVALID);
                    }
                    parameter.pTag.copy_from(tag.as_ptr(), length);
                }
            }
            Ok(())
        }
    }

    /// # Safety
    /// The pointers are null or valid for their lengths.
    unsafe fn whole(
        self,
        session: CK_SESSION_HANDLE,
        parameter: Parameter,
        associated: Bytes,
        data: Bytes,
        output: Output,
    ) -> Outcome {
        let session = self.under_way(session, false)?;
        // SAFETY: by this function's contract.
        unsafe {
            if !output.0.is_null() {
                let head = self.head(session, parameter, associated)?;
                session.sums[self.0].store(head, Relaxed);
            }
            self.text(session, parameter, data, output, true)
        }
    }
}

/// # Safety
/// The parameter is null or a valid `CK_GCM_MESSAGE_PARAMS` for the call.
unsafe fn gcm<'a>((parameter, length): Parameter) -> Result<&'a CK_GCM_MESSAGE_PARAMS, CK_RV> {
    if length != size_of::<CK_GCM_MESSAGE_PARAMS>() as CK_ULONG {
        return Err(CKR_MECHANISM_PARAM_INVALID);
    }
    // SAFETY: by this function's contract.
    unsafe { parameter.cast::<CK_GCM_MESSAGE_PARAMS>().as_ref() }.ok_or(CKR_MECHANISM_PARAM_INVALID)
}

/// # Safety
/// The parameter's IV is null or valid for its length.
unsafe fn make_iv(session: &Session, parameter: &CK_GCM_MESSAGE_PARAMS) -> Outcome {
    static RANDOM: AtomicU64 = AtomicU64::new(0);
    let length = usize::try_from(parameter.ulIvLen).unwrap_or(0);
    if parameter.pIv.is_null() || length == 0 {
        return Err(CKR_MECHANISM_PARAM_INVALID);
    }
    // SAFETY: not null, and valid by this function's contract.
    let iv = unsafe { std::slice::from_raw_parts_mut(parameter.pIv, length) };
    let fixed =
        usize::try_from(parameter.ulIvFixedBits / 8).map_or(length, |fixed| fixed.min(length));
    let counter = session.counter.fetch_add(1, Relaxed);
    if parameter.ivGenerator == CKG_GENERATE_RANDOM {
        let seed = u64::from(std::process::id()) << 32 | RANDOM.fetch_add(1, Relaxed);
        fill(&mut iv[fixed..], seed);
    } else {
        let bytes = counter.to_be_bytes();
        for (place, byte) in iv[fixed..].iter_mut().rev().zip(bytes.iter().rev()) {
            *place = *byte;
        }
    }
    Ok(())
}

/// The functions of a cipher, from the C signatures of PKCS#11 to the methods above.
macro_rules! functions {
    ($operation:ident $whole:ident $C_Whole:literal $begin:ident $C_Begin:literal $next:ident $C_Next:literal) => {
        pub(crate) unsafe extern "C" fn $whole(
            session: CK_SESSION_HANDLE,
            parameter: *mut c_void,
            parameter_length: CK_ULONG,
            associated: *mut CK_BYTE,
            associated_length: CK_ULONG,
            data: *mut CK_BYTE,
            length: CK_ULONG,
            output: *mut CK_BYTE,
            output_length: *mut CK_ULONG,
        ) -> CK_RV {
            let (parameter, associated) = (
                (parameter, parameter_length),
                (associated.cast_const(), associated_length),
            );
            let (data, output) = ((data.cast_const(), length), (output, output_length));
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($C_Whole, || unsafe {
                $operation.whole(session, parameter, associated, data, output)
            })
        }

        pub(crate) unsafe extern "C" fn $begin(
            session: CK_SESSION_HANDLE,
            parameter: *mut c_void,
            parameter_length: CK_ULONG,
            associated: *mut CK_BYTE,
            associated_length: CK_ULONG,
        ) -> CK_RV {
            let (parameter, associated) = (
                (parameter, parameter_length),
                (associated.cast_const(), associated_length),
            );
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($C_Begin, || unsafe {
                $operation.begin(session, parameter, associated)
            })
        }

        pub(crate) unsafe extern "C" fn $next(
            session: CK_SESSION_HANDLE,
            parameter: *mut c_void,
            parameter_length: CK_ULONG,
            data: *mut CK_BYTE,
            length: CK_ULONG,
            output: *mut CK_BYTE,
            output_length: *mut CK_ULONG,
            flags: CK_FLAGS,
        ) -> CK_RV {
            let (parameter, data) = ((parameter, parameter_length), (data.cast_const(), length));
            let last = flags & CKF_END_OF_MESSAGE != 0;
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($C_Next, || unsafe {
                let session = $operation.under_way(session, true)?;
                $operation.text(session, parameter, data, (output, output_length), last)
            })
        }
    };
}

functions!(ENCRYPT encrypt "C_EncryptMessage" encrypt_begin "C_EncryptMessageBegin" encrypt_next "C_EncryptMessageNext");
functions!(DECRYPT decrypt "C_DecryptMessage" decrypt_begin "C_DecryptMessageBegin" decrypt_next "C_DecryptMessageNext");
