use cryptoki_sys::*;
use everslot_protocol::{Dual, Operation, Rv};

use super::{Functions, Gave, call, input, out};
use crate::module::parameter::CMechanism;

impl Functions {
    /// A digest has no key.
    pub(in crate::module) fn begin(
        self,
        operation: Operation,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Rv {
        let function = match operation {
            Operation::Digest => {
                return call!(self.0.C_DigestInit, session, mechanism.as_mut_ptr());
            }
            Operation::Sign => self.0.C_SignInit,
            Operation::SignRecover => self.0.C_SignRecoverInit,
            Operation::Verify => self.0.C_VerifyInit,
            Operation::VerifyRecover => self.0.C_VerifyRecoverInit,
            Operation::Encrypt => self.0.C_EncryptInit,
            Operation::Decrypt => self.0.C_DecryptInit,
        };
        call!(function, session, mechanism.as_mut_ptr(), key)
    }

    /// The single-part function; `C_Verify` is [`verify`](Self::verify).
    pub(in crate::module) fn whole(
        self,
        operation: Operation,
        session: CK_SESSION_HANDLE,
        data: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let function = match operation {
            Operation::Digest => self.0.C_Digest,
            Operation::Sign => self.0.C_Sign,
            Operation::SignRecover => self.0.C_SignRecover,
            Operation::Verify => None,
            Operation::VerifyRecover => self.0.C_VerifyRecover,
            Operation::Encrypt => self.0.C_Encrypt,
            Operation::Decrypt => self.0.C_Decrypt,
        };
        transform(function, session, data, output)
    }

    pub(in crate::module) fn verify(
        self,
        session: CK_SESSION_HANDLE,
        data: &[u8],
        signature: &[u8],
    ) -> Rv {
        let ((data, data_length), (signature, signature_length)) = (input(data), input(signature));
        call!(
            self.0.C_Verify,
            session,
            data,
            data_length,
            signature,
            signature_length
        )
    }

    /// A further part of an operation that puts nothing out before its end.
    pub(in crate::module) fn absorb(
        self,
        operation: Operation,
        session: CK_SESSION_HANDLE,
        data: &[u8],
    ) -> Rv {
        let function = match operation {
            Operation::Digest => self.0.C_DigestUpdate,
            Operation::Sign => self.0.C_SignUpdate,
            Operation::Verify => self.0.C_VerifyUpdate,
            Operation::SignRecover
            | Operation::VerifyRecover
            | Operation::Encrypt
            | Operation::Decrypt => None,
        };
        let (data, length) = input(data);
        call!(function, session, data, length)
    }

    /// A further part of an encryption or a decryption.
    pub(in crate::module) fn update(
        self,
        operation: Operation,
        session: CK_SESSION_HANDLE,
        data: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let function = match operation {
            Operation::Encrypt => self.0.C_EncryptUpdate,
            Operation::Decrypt => self.0.C_DecryptUpdate,
            Operation::Digest
            | Operation::Sign
            | Operation::SignRecover
            | Operation::Verify
            | Operation::VerifyRecover => None,
        };
        transform(function, session, data, output)
    }

    pub(in crate::module) fn dual_update(
        self,
        dual: Dual,
        session: CK_SESSION_HANDLE,
        data: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let function = match dual {
            Dual::DigestEncrypt => self.0.C_DigestEncryptUpdate,
            Dual::DecryptDigest => self.0.C_DecryptDigestUpdate,
            Dual::SignEncrypt => self.0.C_SignEncryptUpdate,
            Dual::DecryptVerify => self.0.C_DecryptVerifyUpdate,
        };
        transform(function, session, data, output)
    }

    /// The end of a multi-part operation; `C_VerifyFinal` is [`verify_finish`](Self::verify_finish).
    pub(in crate::module) fn finish(
        self,
        operation: Operation,
        session: CK_SESSION_HANDLE,
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let function = match operation {
            Operation::Digest => self.0.C_DigestFinal,
            Operation::Sign => self.0.C_SignFinal,
            Operation::Encrypt => self.0.C_EncryptFinal,
            Operation::Decrypt => self.0.C_DecryptFinal,
            Operation::SignRecover | Operation::Verify | Operation::VerifyRecover => None,
        };
        let (output, mut length) = out(output);
        let rv = call!(function, session, output, &mut length);
        (rv, length)
    }

    pub(in crate::module) fn verify_finish(
        self,
        session: CK_SESSION_HANDLE,
        signature: &[u8],
    ) -> Rv {
        let (signature, length) = input(signature);
        call!(self.0.C_VerifyFinal, session, signature, length)
    }

    pub(in crate::module) fn digest_key(
        self,
        session: CK_SESSION_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Rv {
        call!(self.0.C_DigestKey, session, key)
    }
}

/// `function` is of the module's list.
fn transform(
    function: CK_C_Sign,
    session: CK_SESSION_HANDLE,
    data: &[u8],
    output: Option<&mut [u8]>,
) -> Gave<u64> {
    let ((data, data_length), (output, mut length)) = (input(data), out(output));
    let rv = call!(function, session, data, data_length, output, &mut length);
    (rv, length)
}
