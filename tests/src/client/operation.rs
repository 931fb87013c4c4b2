//! The operations of a session: what a `C_*Init` begins and a final call ends.

use cryptoki_sys::CK_ULONG;

use super::{Failure, Mechanism, Object, Session, call};

/// Longer than any output of the tests' operations.
const ROOM: usize = 8 * 1024;

/// The functions of an operation: begin with a key, from data to output, and end with output.
macro_rules! operation {
    ($($init:ident $C_Init:ident, $whole:ident $C_Whole:ident, $finish:ident $C_Final:ident;)*) => {
        $(
            #[doc = concat!("`", stringify!($C_Init), "`\n\n# Errors\nAs the module says.")]
            pub fn $init(self, mechanism: Mechanism, key: Object) -> Result<(), Failure> {
                mechanism.with(|mechanism| call!(self.module, $C_Init(self.handle, mechanism, key.0)))
            }

            #[doc = concat!("`", stringify!($C_Whole), "` into `output`; gives how much.\n\n# Errors\nAs the module says.")]
            pub fn $whole(self, data: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
                transform!(self, $C_Whole, data, output)
            }

            #[doc = concat!("`", stringify!($C_Final), "`\n\n# Errors\nAs the module says.")]
            pub fn $finish(self) -> Result<Vec<u8>, Failure> {
                with_room(|output| {
                    let mut length = output.len() as CK_ULONG;
                    call!(self.module, $C_Final(self.handle, output.as_mut_ptr(), &raw mut length))?;
                    Ok(length as usize)
                })
            }
        )*
    };
}

/// A function from data to output.
macro_rules! transform {
    ($session:expr, $function:ident, $data:expr, $output:expr) => {{
        let (data, output): (&[u8], &mut [u8]) = ($data, $output);
        let mut length = output.len() as CK_ULONG;
        let (input, input_length) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        call!(
            $session.module,
            $function(
                $session.handle,
                input,
                input_length,
                output.as_mut_ptr(),
                &raw mut length
            )
        )?;
        Ok(length as usize)
    }};
}

impl Session {
    operation! {
        sign_init C_SignInit, sign_into C_Sign, sign_final C_SignFinal;
        encrypt_init C_EncryptInit, encrypt_into C_Encrypt, encrypt_final C_EncryptFinal;
        decrypt_init C_DecryptInit, decrypt_into C_Decrypt, decrypt_final C_DecryptFinal;
    }

    /// Ends a search, a digest and a signature, if there are such; the latter by an `Init` without a mechanism (PKCS#11 v3.1 §5.12.1).
    pub fn clear(self) {
        let _ = call!(self.module, C_FindObjectsFinal(self.handle));
        let _ = call!(self.module, C_DigestInit(self.handle, std::ptr::null_mut()));
        let _ = call!(
            self.module,
            C_SignInit(self.handle, std::ptr::null_mut(), 0)
        );
    }

    /// `C_SignInit` and `C_Sign`.
    ///
    /// # Errors
    /// As the module says.
    pub fn sign(self, mechanism: Mechanism, key: Object, data: &[u8]) -> Result<Vec<u8>, Failure> {
        self.sign_init(mechanism, key)?;
        with_room(|output| self.sign_into(data, output))
    }

    /// `C_SignRecoverInit`
    ///
    /// # Errors
    /// As the module says.
    pub fn sign_recover_init(self, mechanism: Mechanism, key: Object) -> Result<(), Failure> {
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_SignRecoverInit(self.handle, mechanism, key.0)
            )
        })
    }

    /// `C_SignUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn sign_update(self, data: &[u8]) -> Result<(), Failure> {
        call!(
            self.module,
            C_SignUpdate(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG
            )
        )
    }

    /// `C_VerifyInit` and `C_Verify`.
    ///
    /// # Errors
    /// As the module says; `CKR_SIGNATURE_INVALID` when the signature is not of this data.
    pub fn verify(
        self,
        mechanism: Mechanism,
        key: Object,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Failure> {
        mechanism
            .with(|mechanism| call!(self.module, C_VerifyInit(self.handle, mechanism, key.0)))?;
        let (data, length) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        let (signature, signature_length) =
            (signature.as_ptr().cast_mut(), signature.len() as CK_ULONG);
        call!(
            self.module,
            C_Verify(self.handle, data, length, signature, signature_length)
        )
    }

    /// `C_EncryptInit` and `C_Encrypt`.
    ///
    /// # Errors
    /// As the module says.
    pub fn encrypt(
        self,
        mechanism: Mechanism,
        key: Object,
        data: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.encrypt_init(mechanism, key)?;
        with_room(|output| self.encrypt_into(data, output))
    }

    /// `C_EncryptUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn encrypt_update(self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        with_room(|output| transform!(self, C_EncryptUpdate, data, output))
    }

    /// `C_DecryptInit` and `C_Decrypt`.
    ///
    /// # Errors
    /// As the module says.
    pub fn decrypt(
        self,
        mechanism: Mechanism,
        key: Object,
        data: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.decrypt_init(mechanism, key)?;
        with_room(|output| self.decrypt_into(data, output))
    }

    /// `C_DecryptUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn decrypt_update(self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        with_room(|output| transform!(self, C_DecryptUpdate, data, output))
    }

    /// `C_DigestInit`
    ///
    /// # Errors
    /// As the module says.
    pub fn digest_init(self, mechanism: Mechanism) -> Result<(), Failure> {
        mechanism.with(|mechanism| call!(self.module, C_DigestInit(self.handle, mechanism)))
    }

    /// `C_Digest`
    ///
    /// # Errors
    /// As the module says.
    pub fn digest(self, data: &[u8]) -> Result<Vec<u8>, Failure> {
        with_room(|output| transform!(self, C_Digest, data, output))
    }

    /// `C_DigestUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn digest_update(self, data: &[u8]) -> Result<(), Failure> {
        call!(
            self.module,
            C_DigestUpdate(
                self.handle,
                data.as_ptr().cast_mut(),
                data.len() as CK_ULONG
            )
        )
    }

    /// `C_DigestFinal`
    ///
    /// # Errors
    /// As the module says.
    pub fn digest_final(self) -> Result<Vec<u8>, Failure> {
        with_room(|output| {
            let mut length = output.len() as CK_ULONG;
            call!(
                self.module,
                C_DigestFinal(self.handle, output.as_mut_ptr(), &raw mut length)
            )?;
            Ok(length as usize)
        })
    }

    /// `C_GenerateRandom` into `output`.
    ///
    /// # Errors
    /// As the module says.
    pub fn random(self, output: &mut [u8]) -> Result<(), Failure> {
        call!(
            self.module,
            C_GenerateRandom(self.handle, output.as_mut_ptr(), output.len() as CK_ULONG)
        )
    }
}

fn with_room(action: impl FnOnce(&mut [u8]) -> Result<usize, Failure>) -> Result<Vec<u8>, Failure> {
    let mut output = vec![0; ROOM];
    let length = action(&mut output)?;
    output.truncate(length);
    Ok(output)
}
