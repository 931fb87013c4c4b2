//! The functions of PKCS#11 3.0 and 3.2 that are not about messages.

use cryptoki_sys::*;
use everslot_protocol::Rv;

use super::{Functions, Gave, call, input, optional, out, with_default};
use crate::module::parameter::CMechanism;
use crate::module::template::CTemplate;

impl Functions {
    pub(in crate::module) fn login_user(
        self,
        session: CK_SESSION_HANDLE,
        user: CK_USER_TYPE,
        pin: Option<&[u8]>,
        name: &[u8],
    ) -> Rv {
        let ((pin, pin_length), (name, name_length)) = (optional(pin), input(name));
        call!(
            self.1.v3_0.and_then(|list| list.C_LoginUser),
            session,
            user,
            pin,
            pin_length,
            name,
            name_length
        )
    }

    pub(in crate::module) fn verify_signature_init(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        key: CK_OBJECT_HANDLE,
        signature: &[u8],
    ) -> Rv {
        let (signature, length) = input(signature);
        call!(
            self.1.v3_2.and_then(|list| list.C_VerifySignatureInit),
            session,
            mechanism.as_mut_ptr(),
            key,
            signature,
            length
        )
    }

    pub(in crate::module) fn verify_signature(self, session: CK_SESSION_HANDLE, data: &[u8]) -> Rv {
        let (data, length) = input(data);
        call!(
            self.1.v3_2.and_then(|list| list.C_VerifySignature),
            session,
            data,
            length
        )
    }

    pub(in crate::module) fn verify_signature_update(
        self,
        session: CK_SESSION_HANDLE,
        data: &[u8],
    ) -> Rv {
        let (data, length) = input(data);
        call!(
            self.1.v3_2.and_then(|list| list.C_VerifySignatureUpdate),
            session,
            data,
            length
        )
    }

    pub(in crate::module) fn verify_signature_final(self, session: CK_SESSION_HANDLE) -> Rv {
        call!(
            self.1.v3_2.and_then(|list| list.C_VerifySignatureFinal),
            session
        )
    }

    /// The length of the ciphertext and the key.
    pub(in crate::module) fn encapsulate_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        public_key: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
        output: Option<&mut [u8]>,
    ) -> Gave<(u64, CK_OBJECT_HANDLE)> {
        let ((template, count), (output, mut length)) = (template.as_argument(), out(output));
        let mechanism = mechanism.as_mut_ptr();
        let (rv, key) = with_default(|key| {
            call!(
                self.1.v3_2.and_then(|list| list.C_EncapsulateKey),
                session,
                mechanism,
                public_key,
                template,
                count,
                output,
                &mut length,
                key
            )
        });
        (rv, (length, key))
    }

    pub(in crate::module) fn decapsulate_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        private_key: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
        ciphertext: &[u8],
    ) -> Gave<CK_OBJECT_HANDLE> {
        let ((template, count), (ciphertext, length)) = (template.as_argument(), input(ciphertext));
        let mechanism = mechanism.as_mut_ptr();
        with_default(|key| {
            call!(
                self.1.v3_2.and_then(|list| list.C_DecapsulateKey),
                session,
                mechanism,
                private_key,
                template,
                count,
                ciphertext,
                length,
                key
            )
        })
    }

    pub(in crate::module) fn wrap_key_authenticated(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        (wrapping_key, key): (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE),
        associated: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let ((associated, associated_length), (output, mut length)) =
            (input(associated), out(output));
        let rv = call!(
            self.1.v3_2.and_then(|list| list.C_WrapKeyAuthenticated),
            session,
            mechanism.as_mut_ptr(),
            wrapping_key,
            key,
            associated,
            associated_length,
            output,
            &mut length
        );
        (rv, length)
    }

    pub(in crate::module) fn unwrap_key_authenticated(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        unwrapping_key: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &mut CTemplate<'_>,
        associated: &[u8],
    ) -> Gave<CK_OBJECT_HANDLE> {
        let ((wrapped, length), (template, count)) = (input(wrapped), template.as_argument());
        let (associated, associated_length) = input(associated);
        let mechanism = mechanism.as_mut_ptr();
        with_default(|key| {
            call!(
                self.1.v3_2.and_then(|list| list.C_UnwrapKeyAuthenticated),
                session,
                mechanism,
                unwrapping_key,
                wrapped,
                length,
                template,
                count,
                associated,
                associated_length,
                key
            )
        })
    }

    pub(in crate::module) fn validation_flags(
        self,
        session: CK_SESSION_HANDLE,
        kind: CK_SESSION_VALIDATION_FLAGS_TYPE,
    ) -> Gave<CK_FLAGS> {
        with_default(|flags| {
            call!(
                self.1
                    .v3_2
                    .and_then(|list| list.C_GetSessionValidationFlags),
                session,
                kind,
                flags
            )
        })
    }
}
