//! Digest, sign, verify, encrypt, decrypt and random (PKCS#11 v2.40 §5.8 to §5.14, §5.17).
//!
//! A signature or digest is the checksum of its input, spread over the bytes; a ciphertext is the input with each byte flipped.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use cryptoki_sys::{
    CK_BYTE, CK_MECHANISM, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CKR_ARGUMENTS_BAD,
    CKR_KEY_HANDLE_INVALID, CKR_MECHANISM_INVALID, CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED, CKR_SIGNATURE_INVALID,
};

use crate::memory::Given;
use crate::state::Session;
use crate::{Outcome, answer, general, memory, objects, state};

/// An operation of a session: its bit and the place of its checksum.
#[derive(Clone, Copy)]
struct Operation(usize);

const DIGEST: Operation = Operation(0);
const SIGN: Operation = Operation(1);
const VERIFY: Operation = Operation(2);
const ENCRYPT: Operation = Operation(3);
const DECRYPT: Operation = Operation(4);
/// The bit of a search.
pub(crate) const FIND: u32 = 1 << 5;

const DIGEST_LENGTH: usize = 32;
pub(crate) const SIGNATURE_LENGTH: usize = 64;
pub(crate) const FLIP: u8 = 0xa5;

/// The checksum of nothing.
pub(crate) const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// The checksum (FNV-1a) of what `sum` stands for followed by `bytes`.
pub(crate) fn checksum(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, &byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// `LENGTH` bytes that follow from a checksum (SplitMix64).
pub(crate) fn spread<const LENGTH: usize>(sum: u64) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    fill(&mut bytes, sum);
    bytes
}

pub(crate) fn fill(bytes: &mut [u8], seed: u64) {
    let mut state = seed;
    for chunk in bytes.chunks_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_ne_bytes()[..chunk.len()]);
    }
}

impl Operation {
    const fn bit(self) -> u32 {
        1 << self.0
    }

    /// # Safety
    /// `mechanism` is null or valid for a read.
    unsafe fn begin(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: *mut CK_MECHANISM,
        key: Option<CK_OBJECT_HANDLE>,
    ) -> Outcome {
        let session = state::session(session)?;
        // SAFETY: by this function's contract.
        let mechanism = unsafe { mechanism.as_ref() }.ok_or(CKR_ARGUMENTS_BAD)?;
        if !general::has_mechanism(mechanism.mechanism) {
            return Err(CKR_MECHANISM_INVALID);
        }
        if key.is_some_and(|key| !objects::is_usable(session, key)) {
            return Err(CKR_KEY_HANDLE_INVALID);
        }
        if session.operations.fetch_or(self.bit(), SeqCst) & self.bit() != 0 {
            return Err(CKR_OPERATION_ACTIVE);
        }
        session.sums[self.0].store(SEED, Relaxed);
        Ok(())
    }

    fn under_way(self, session: CK_SESSION_HANDLE) -> Result<&'static Session, CK_RV> {
        let session = state::session(session)?;
        match session.operations.load(SeqCst) & self.bit() {
            0 => Err(CKR_OPERATION_NOT_INITIALIZED),
            _ => Ok(session),
        }
    }

    fn end(self, session: &Session) {
        session.operations.fetch_and(!self.bit(), SeqCst);
    }

    /// # Safety
    /// `data` is null or valid for `length` bytes.
    unsafe fn update(
        self,
        session: CK_SESSION_HANDLE,
        data: *const CK_BYTE,
        length: CK_ULONG,
    ) -> Outcome {
        let session = self.under_way(session)?;
        // SAFETY: by this function's contract.
        let data = unsafe { memory::bytes(data, length) }?;
        session.sums[self.0].store(checksum(session.sums[self.0].load(Relaxed), data), Relaxed);
        Ok(())
    }

    /// Gives the checksum of all input, `data` being the last of it, and ends unless only the length was asked for.
    ///
    /// # Safety
    /// `data` is null or valid for `length` bytes; `output` and `output_length` as in [`memory::give`].
    unsafe fn finish<const LENGTH: usize>(
        self,
        session: CK_SESSION_HANDLE,
        (data, length): (*const CK_BYTE, CK_ULONG),
        (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
    ) -> Outcome {
        let session = self.under_way(session)?;
        // SAFETY: by this function's contract.
        let data = unsafe { memory::bytes(data, length) }?;
        let sum = checksum(session.sums[self.0].load(Relaxed), data);
        // SAFETY: by this function's contract.
        match unsafe { memory::give(output, output_length, &spread::<LENGTH>(sum)) }? {
            Given::Length => {}
            Given::Output => self.end(session),
        }
        Ok(())
    }

    /// # Safety
    /// `data` and `signature` are null or valid for their lengths.
    unsafe fn verify(
        self,
        session: CK_SESSION_HANDLE,
        (data, length): (*const CK_BYTE, CK_ULONG),
        (signature, signature_length): (*const CK_BYTE, CK_ULONG),
    ) -> Outcome {
        let session = self.under_way(session)?;
        // SAFETY: by this function's contract.
        let (data, signature) = unsafe {
            (
                memory::bytes(data, length)?,
                memory::bytes(signature, signature_length)?,
            )
        };
        self.end(session);
        let sum = checksum(session.sums[self.0].load(Relaxed), data);
        if signature == spread::<SIGNATURE_LENGTH>(sum) {
            Ok(())
        } else {
            Err(CKR_SIGNATURE_INVALID)
        }
    }

    /// Gives the input with each byte flipped.
    ///
    /// # Safety
    /// `data` is null or valid for `length` bytes; `output` and `output_length` as in [`memory::give`].
    unsafe fn flip(
        self,
        session: CK_SESSION_HANDLE,
        (data, length): (*const CK_BYTE, CK_ULONG),
        (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
        is_last: bool,
    ) -> Outcome {
        let session = self.under_way(session)?;
        // SAFETY: by this function's contract.
        let flipped: Vec<u8> = unsafe { memory::bytes(data, length) }?
            .iter()
            .map(|byte| byte ^ FLIP)
            .collect();
        // SAFETY: by this function's contract.
        if unsafe { memory::give(output, output_length, &flipped) }? == Given::Output && is_last {
            self.end(session);
        }
        Ok(())
    }
}

impl Operation {
    /// Enciphers or deciphers a part and lets `self` have the plain side of it.
    ///
    /// # Safety
    /// As in [`flip`](Self::flip).
    unsafe fn beside(
        self,
        cipher: Self,
        session: CK_SESSION_HANDLE,
        (data, length): (*const CK_BYTE, CK_ULONG),
        (output, output_length): (*mut CK_BYTE, *mut CK_ULONG),
    ) -> Outcome {
        self.under_way(session)?;
        // SAFETY: by this function's contract.
        unsafe { cipher.flip(session, (data, length), (output, output_length), false) }?;
        let plain = if cipher.0 == DECRYPT.0 { output } else { data };
        if output.is_null() {
            return Ok(());
        }
        // SAFETY: what was put out is as long as what went in.
        unsafe { self.update(session, plain, length) }
    }
}

/// The functions of an operation, from the C signatures of PKCS#11 to the methods above.
macro_rules! functions {
    (begin $name:ident $c:literal $operation:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            mechanism: *mut CK_MECHANISM,
            key: CK_OBJECT_HANDLE,
        ) -> CK_RV {
            // SAFETY: the application's pointer is null or valid, by PKCS#11.
            answer($c, || unsafe {
                $operation.begin(session, mechanism, Some(key))
            })
        }
    };
    (update $name:ident $c:literal $operation:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            data: *mut CK_BYTE,
            length: CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointer is null or valid for the stated length, by PKCS#11.
            answer($c, || unsafe { $operation.update(session, data, length) })
        }
    };
    (whole $name:ident $c:literal $operation:ident $length:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            data: *mut CK_BYTE,
            length: CK_ULONG,
            output: *mut CK_BYTE,
            output_length: *mut CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($c, || unsafe {
                $operation.finish::<$length>(session, (data, length), (output, output_length))
            })
        }
    };
    (finish $name:ident $c:literal $operation:ident $length:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            output: *mut CK_BYTE,
            length: *mut CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($c, || unsafe {
                $operation.finish::<$length>(session, (std::ptr::null(), 0), (output, length))
            })
        }
    };
    (flip $name:ident $c:literal $operation:ident $last:literal) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            data: *mut CK_BYTE,
            length: CK_ULONG,
            output: *mut CK_BYTE,
            output_length: *mut CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($c, || unsafe {
                $operation.flip(session, (data, length), (output, output_length), $last)
            })
        }
    };
    (beside $name:ident $c:literal $operation:ident $cipher:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            data: *mut CK_BYTE,
            length: CK_ULONG,
            output: *mut CK_BYTE,
            output_length: *mut CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($c, || unsafe {
                $operation.beside($cipher, session, (data, length), (output, output_length))
            })
        }
    };
    (flip_final $name:ident $c:literal $operation:ident) => {
        pub(crate) unsafe extern "C" fn $name(
            session: CK_SESSION_HANDLE,
            output: *mut CK_BYTE,
            length: *mut CK_ULONG,
        ) -> CK_RV {
            // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
            answer($c, || unsafe {
                $operation.flip(session, (std::ptr::null(), 0), (output, length), true)
            })
        }
    };
}

functions!(update digest_update "C_DigestUpdate" DIGEST);
functions!(whole digest "C_Digest" DIGEST DIGEST_LENGTH);
functions!(finish digest_final "C_DigestFinal" DIGEST DIGEST_LENGTH);
functions!(begin sign_init "C_SignInit" SIGN);
functions!(update sign_update "C_SignUpdate" SIGN);
functions!(whole sign "C_Sign" SIGN SIGNATURE_LENGTH);
functions!(finish sign_final "C_SignFinal" SIGN SIGNATURE_LENGTH);
functions!(begin verify_init "C_VerifyInit" VERIFY);
functions!(update verify_update "C_VerifyUpdate" VERIFY);
functions!(begin encrypt_init "C_EncryptInit" ENCRYPT);
functions!(flip encrypt "C_Encrypt" ENCRYPT true);
functions!(flip encrypt_update "C_EncryptUpdate" ENCRYPT false);
functions!(flip_final encrypt_final "C_EncryptFinal" ENCRYPT);
functions!(begin decrypt_init "C_DecryptInit" DECRYPT);
functions!(flip decrypt "C_Decrypt" DECRYPT true);
functions!(flip decrypt_update "C_DecryptUpdate" DECRYPT false);
functions!(flip_final decrypt_final "C_DecryptFinal" DECRYPT);
functions!(beside digest_encrypt "C_DigestEncryptUpdate" DIGEST ENCRYPT);
functions!(beside decrypt_digest "C_DecryptDigestUpdate" DIGEST DECRYPT);
functions!(beside sign_encrypt "C_SignEncryptUpdate" SIGN ENCRYPT);
functions!(beside decrypt_verify "C_DecryptVerifyUpdate" VERIFY DECRYPT);

pub(crate) unsafe extern "C" fn digest_init(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
) -> CK_RV {
    // SAFETY: the application's pointer is null or valid, by PKCS#11.
    answer("C_DigestInit", || unsafe {
        DIGEST.begin(session, mechanism, None)
    })
}

pub(crate) unsafe extern "C" fn verify(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: CK_ULONG,
) -> CK_RV {
    // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
    answer("C_Verify", || unsafe {
        VERIFY.verify(session, (data, length), (signature, signature_length))
    })
}

pub(crate) unsafe extern "C" fn verify_final(
    session: CK_SESSION_HANDLE,
    signature: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    // SAFETY: the application's pointers are null or valid for the stated lengths, by PKCS#11.
    answer("C_VerifyFinal", || unsafe {
        VERIFY.verify(session, (std::ptr::null(), 0), (signature, length))
    })
}

pub(crate) unsafe extern "C" fn seed_random(
    session: CK_SESSION_HANDLE,
    _seed: *mut CK_BYTE,
    _length: CK_ULONG,
) -> CK_RV {
    answer("C_SeedRandom", || state::session(session).map(drop))
}

pub(crate) unsafe extern "C" fn random(
    session: CK_SESSION_HANDLE,
    output: *mut CK_BYTE,
    length: CK_ULONG,
) -> CK_RV {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    answer("C_GenerateRandom", || {
        state::session(session)?;
        if output.is_null() {
            return Err(CKR_ARGUMENTS_BAD);
        }
        // SAFETY: not null, and valid for writes of `length` bytes, by PKCS#11; zeroed first, as it may be uninitialised.
        let bytes = unsafe {
            output.write_bytes(0, length as usize);
            std::slice::from_raw_parts_mut(output, length as usize)
        };
        fill(bytes, COUNTER.fetch_add(1, Relaxed));
        Ok(())
    })
}
