//! Message-based functions (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).
//!
//! The tag of a message is the checksum of its IV, associated data and text. An IV that the module makes is a counter of the session, or
//! different at each call for `CKG_GENERATE_RANDOM`.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use cryptoki_sys::{
    CK_BYTE, CK_FLAGS, CK_GCM_MESSAGE_PARAMS, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV,
    CK_SESSION_HANDLE, CK_ULONG, CKF_END_OF_MESSAGE, CKG_GENERATE_RANDOM, CKG_NO_GENERATE,
    CKR_AEAD_DECRYPT_FAILED, CKR_ARGUMENTS_BAD, CKR_KEY_HANDLE_INVALID, CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED,
    CKR_SIGNATURE_INVALID,
};

use crate::memory::Given;
use crate::operations::{FLIP, SEED, SIGNATURE_LENGTH, checksum, fill, spread};
use crate::state::Session;
use crate::{Outcome, answer, general, memory, objects, state};

/// A message-based operation: the place of its checksum, of its bit and, four further, of the bit of a message in parts.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Messages(usize);

const ENCRYPT: Messages = Messages(8);
const DECRYPT: Messages = Messages(9);
const SIGN: Messages = Messages(10);
const VERIFY: Messages = Messages(11);

const TAG_LENGTH: usize = 16;

type Bytes = (*const CK_BYTE, CK_ULONG);
type Output = (*mut CK_BYTE, *mut CK_ULONG);
type Parameter = (*mut c_void, CK_ULONG);

impl Messages {
    const fn bit(self) -> u32 {
        1 << self.0
    }

    const fn message_bit(self) -> u32 {
        1 << (self.0 + 4)
    }

    /// # Safety
    /// `mechanism` is null or valid for a read.
    unsafe fn init(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        key: CK_OBJECT_HANDLE,
    ) -> Outcome {
        let session = state::session(session)?;
        // SAFETY: by this function's contract.
        let mechanism = unsafe { mechanism.as_ref() }.ok_or(CKR_ARGUMENTS_BAD)?;
        if !general::has_mechanism(mechanism.mechanism) {
            return Err(CKR_MECHANISM_INVALID);
        }
        if !objects::is_usable(session, key) {
            return Err(CKR_KEY_HANDLE_INVALID);
        }
        if session.operations.fetch_or(self.bit(), SeqCst) & self.bit() != 0 {
            return Err(CKR_OPERATION_ACTIVE);
        }
        session.counter.store(0, Relaxed);
        Ok(())
    }

    /// The session, if the operation is active there and a message in parts is, or is not, under way.
    fn under_way(self, session: CK_SESSION_HANDLE, parts: bool) -> Result<&'static Session, CK_RV> {
        let session = state::session(session)?;
        let operations = session.operations.load(SeqCst);
        let has_parts = operations & self.message_bit() != 0;
        match (operations & self.bit() != 0, has_parts == parts) {
            (true, true) => Ok(session),
            (true, false) if has_parts => Err(CKR_OPERATION_ACTIVE),
            (_, _) => Err(CKR_OPERATION_NOT_INITIALIZED),
        }
    }

    fn end_message(self, session: &Session) {
        session.operations.fetch_and(!self.message_bit(), SeqCst);
    }

    fn end(self, session: CK_SESSION_HANDLE) -> Outcome {
        let session = state::session(session)?;
        let bits = self.bit() | self.message_bit();
        match session.operations.fetch_and(!bits, SeqCst) & self.bit() {
            0 => Err(CKR_OPERATION_NOT_INITIALIZED),
            _ => Ok(()),
        }
    }

    /// The checksum of what comes before a message's text; makes the IV if it is asked to.
    ///
    /// # Safety
    /// `parameter` is null or a valid `CK_GCM_MESSAGE_PARAMS`, `associated` null or valid.
    unsafe fn head(
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
    unsafe fn begin(
        self,
        session: CK_SESSION_HANDLE,
        parameter: Parameter,
        associated: Bytes,
    ) -> Outcome {
        let session = self.under_way(session, false)?;
        // SAFETY: by this function's contract.
        let head = unsafe { self.head(session, parameter, associated) }?;
        session.sums[self.0].store(head, Relaxed);
        session.operations.fetch_or(self.message_bit(), SeqCst);
        Ok(())
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

/// The functions of an operation, from the C signatures of PKCS#11 to the methods above.
macro_rules! functions {
    ($operation:ident $init:ident $C_Init:literal $finish:ident $C_Final:literal) => {
        pub(crate) unsafe extern "C" fn $init(
            session: CK_SESSION_HANDLE,
            mechanism: *mut CK_MECHANISM,
            key: CK_OBJECT_HANDLE,
        ) -> CK_RV {
            // SAFETY: the application's pointer is null or valid, by PKCS#11.
            answer($C_Init, || unsafe {
                $operation.init(session, mechanism, key)
            })
        }

        pub(crate) unsafe extern "C" fn $finish(session: CK_SESSION_HANDLE) -> CK_RV {
            answer($C_Final, || $operation.end(session))
        }
    };
    (cipher $operation:ident $whole:ident $C_Whole:literal $begin:ident $C_Begin:literal $next:ident $C_Next:literal) => {
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

functions!(ENCRYPT encrypt_init "C_MessageEncryptInit" encrypt_final "C_MessageEncryptFinal");
functions!(DECRYPT decrypt_init "C_MessageDecryptInit" decrypt_final "C_MessageDecryptFinal");
functions!(SIGN sign_init "C_MessageSignInit" sign_final "C_MessageSignFinal");
functions!(VERIFY verify_init "C_MessageVerifyInit" verify_final "C_MessageVerifyFinal");
functions!(cipher ENCRYPT encrypt "C_EncryptMessage" encrypt_begin "C_EncryptMessageBegin" encrypt_next "C_EncryptMessageNext");
functions!(cipher DECRYPT decrypt "C_DecryptMessage" decrypt_begin "C_DecryptMessageBegin" decrypt_next "C_DecryptMessageNext");

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

/// Whether `given` is the signature of what has this checksum.
pub(crate) fn matches_signature(sum: u64, given: &[u8]) -> Outcome {
    if given == spread::<SIGNATURE_LENGTH>(sum) {
        Ok(())
    } else {
        Err(CKR_SIGNATURE_INVALID)
    }
}
