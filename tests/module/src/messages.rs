//! Message-based functions (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).
//!
//! The tag of a message is the checksum of its IV, associated data and text. An IV that the module makes is a counter of the session, or
//! different at each call for `CKG_GENERATE_RANDOM`.

mod cipher;
mod signature;

use std::ffi::c_void;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use cryptoki_sys::{
    CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CKM_AES_GCM,
    CKR_ARGUMENTS_BAD, CKR_KEY_HANDLE_INVALID, CKR_MECHANISM_INVALID, CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED, CKR_SIGNATURE_INVALID,
};

use crate::operations::{SIGNATURE_LENGTH, spread};
use crate::state::Session;
use crate::{Outcome, answer, general, objects, state};
pub(crate) use cipher::{
    decrypt, decrypt_begin, decrypt_next, encrypt, encrypt_begin, encrypt_next,
};
pub(crate) use signature::{sign, sign_begin, sign_next, verify, verify_begin, verify_next};

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
        // The parameter of a cipher's messages is read as that of GCM.
        let is_cipher = self == ENCRYPT || self == DECRYPT;
        if !general::has_mechanism(mechanism.mechanism)
            || (is_cipher && mechanism.mechanism != CKM_AES_GCM)
        {
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
}

functions!(ENCRYPT encrypt_init "C_MessageEncryptInit" encrypt_final "C_MessageEncryptFinal");
functions!(DECRYPT decrypt_init "C_MessageDecryptInit" decrypt_final "C_MessageDecryptFinal");
functions!(SIGN sign_init "C_MessageSignInit" sign_final "C_MessageSignFinal");
functions!(VERIFY verify_init "C_MessageVerifyInit" verify_final "C_MessageVerifyFinal");
/// Whether `given` is the signature of what has this checksum.
pub(crate) fn matches_signature(sum: u64, given: &[u8]) -> Outcome {
    if given == spread::<SIGNATURE_LENGTH>(sum) {
        Ok(())
    } else {
        Err(CKR_SIGNATURE_INVALID)
    }
}
