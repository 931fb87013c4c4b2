//! What only operations of many parts need: verifying, digesting keys, feeding two at once, saving and restoring, searching bit by bit.

use cryptoki_sys::{
    CK_BYTE, CK_FUNCTION_LIST, CK_RV, CK_SESSION_HANDLE, CK_ULONG, CKU_CONTEXT_SPECIFIC,
};

use super::{Failure, Mechanism, Object, Session, Template, call, checked};

/// Longer than what a part of the tests' operations puts out.
const ROOM: usize = 64 * 1024;

/// A function that feeds two operations.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dual {
    /// `C_DigestEncryptUpdate`
    DigestEncrypt,
    /// `C_DecryptDigestUpdate`
    DecryptDigest,
    /// `C_SignEncryptUpdate`
    SignEncrypt,
    /// `C_DecryptVerifyUpdate`
    DecryptVerify,
}

type DualUpdate = unsafe extern "C" fn(
    CK_SESSION_HANDLE,
    *mut CK_BYTE,
    CK_ULONG,
    *mut CK_BYTE,
    *mut CK_ULONG,
) -> CK_RV;

impl Dual {
    fn function(self, list: &CK_FUNCTION_LIST) -> (&'static str, DualUpdate) {
        let (name, function) = match self {
            Self::DigestEncrypt => ("C_DigestEncryptUpdate", list.C_DigestEncryptUpdate),
            Self::DecryptDigest => ("C_DecryptDigestUpdate", list.C_DecryptDigestUpdate),
            Self::SignEncrypt => ("C_SignEncryptUpdate", list.C_SignEncryptUpdate),
            Self::DecryptVerify => ("C_DecryptVerifyUpdate", list.C_DecryptVerifyUpdate),
        };
        (name, function.expect("the module has it"))
    }
}

impl Session {
    /// `C_VerifyInit`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_init(self, mechanism: Mechanism, key: Object) -> Result<(), Failure> {
        mechanism.with(|mechanism| call!(self.module, C_VerifyInit(self.handle, mechanism, key.0)))
    }

    /// `C_VerifyUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_update(self, data: &[u8]) -> Result<(), Failure> {
        let (data, length) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        call!(self.module, C_VerifyUpdate(self.handle, data, length))
    }

    /// `C_VerifyFinal`
    ///
    /// # Errors
    /// As the module says; `CKR_SIGNATURE_INVALID` when the signature is not of this data.
    pub fn verify_final(self, signature: &[u8]) -> Result<(), Failure> {
        let (signature, length) = (signature.as_ptr().cast_mut(), signature.len() as CK_ULONG);
        call!(self.module, C_VerifyFinal(self.handle, signature, length))
    }

    /// `C_DigestKey`
    ///
    /// # Errors
    /// As the module says.
    pub fn digest_key(self, key: Object) -> Result<(), Failure> {
        call!(self.module, C_DigestKey(self.handle, key.0))
    }

    /// How long `C_SignFinal` says that the signature is.
    ///
    /// # Errors
    /// As the module says.
    pub fn signature_length(self) -> Result<usize, Failure> {
        let mut length = 0;
        let nowhere = std::ptr::null_mut();
        call!(
            self.module,
            C_SignFinal(self.handle, nowhere, &raw mut length)
        )?;
        Ok(length as usize)
    }

    /// `C_SignFinal` into `signature`; gives how much.
    ///
    /// # Errors
    /// As the module says; `CKR_BUFFER_TOO_SMALL`.
    pub fn sign_final_into(self, signature: &mut [u8]) -> Result<usize, Failure> {
        let mut length = signature.len() as CK_ULONG;
        call!(
            self.module,
            C_SignFinal(self.handle, signature.as_mut_ptr(), &raw mut length)
        )?;
        Ok(length as usize)
    }

    /// `C_EncryptUpdate` into `output`; gives how much.
    ///
    /// # Errors
    /// As the module says; `CKR_BUFFER_TOO_SMALL`.
    pub fn encrypt_update_into(self, data: &[u8], output: &mut [u8]) -> Result<usize, Failure> {
        let mut length = output.len() as CK_ULONG;
        let (data, data_length) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        let place = output.as_mut_ptr();
        call!(
            self.module,
            C_EncryptUpdate(self.handle, data, data_length, place, &raw mut length)
        )?;
        Ok(length as usize)
    }

    /// One of the functions that feed two operations.
    ///
    /// # Errors
    /// As the module says.
    pub fn update_both(self, dual: Dual, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let (name, function) = dual.function(self.module.functions());
        let mut output = vec![0; ROOM];
        let mut length = ROOM as CK_ULONG;
        let (data, data_length) = (data.as_ptr().cast_mut(), data.len() as CK_ULONG);
        // SAFETY: the function is of a PKCS#11 module that stays loaded; the pointers are of live buffers with the lengths beside them.
        let code = unsafe {
            function(
                self.handle,
                data,
                data_length,
                output.as_mut_ptr(),
                &raw mut length,
            )
        };
        checked(name, code)?;
        output.truncate(length as usize);
        Ok(output)
    }

    /// `C_GetOperationState`, by a query and a call.
    ///
    /// # Errors
    /// As the module says.
    pub fn operation_state(self) -> Result<Vec<u8>, Failure> {
        let mut length = 0;
        let nowhere = std::ptr::null_mut();
        call!(
            self.module,
            C_GetOperationState(self.handle, nowhere, &raw mut length)
        )?;
        let mut state = vec![0; length as usize];
        call!(
            self.module,
            C_GetOperationState(self.handle, state.as_mut_ptr(), &raw mut length)
        )?;
        state.truncate(length as usize);
        Ok(state)
    }

    /// `C_SetOperationState` with the key of a cipher and that of a signature.
    ///
    /// # Errors
    /// As the module says.
    pub fn set_operation_state(
        self,
        state: &[u8],
        cipher: Option<Object>,
        signature: Option<Object>,
    ) -> Result<(), Failure> {
        let handle = |key: Option<Object>| key.map_or(0, |key| key.0);
        let (state, length) = (state.as_ptr().cast_mut(), state.len() as CK_ULONG);
        call!(
            self.module,
            C_SetOperationState(
                self.handle,
                state,
                length,
                handle(cipher),
                handle(signature)
            )
        )
    }

    /// `C_Login` for the operation that was begun last.
    ///
    /// # Errors
    /// As the module says.
    pub fn login_for_operation(self, pin: &str) -> Result<(), Failure> {
        self.login_as(CKU_CONTEXT_SPECIFIC, pin)
    }

    /// `C_FindObjectsInit`
    ///
    /// # Errors
    /// As the module says.
    pub fn find_init(self, template: &Template) -> Result<(), Failure> {
        template.with(|template, count| {
            call!(self.module, C_FindObjectsInit(self.handle, template, count))
        })
    }

    /// `C_FindObjects`, one at a time.
    ///
    /// # Errors
    /// As the module says.
    pub fn find_one(self) -> Result<Option<Object>, Failure> {
        let (mut handle, mut count) = (0, 0);
        call!(
            self.module,
            C_FindObjects(self.handle, &raw mut handle, 1, &raw mut count)
        )?;
        Ok((count == 1).then_some(Object(handle)))
    }

    /// `C_FindObjectsFinal`
    ///
    /// # Errors
    /// As the module says.
    pub fn find_final(self) -> Result<(), Failure> {
        call!(self.module, C_FindObjectsFinal(self.handle))
    }
}
