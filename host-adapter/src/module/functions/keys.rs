use std::ptr;

use cryptoki_sys::*;
use everslot_protocol::Rv;

use super::{Functions, Gave, call, input, out, with_default};
use crate::module::parameter::CMechanism;
use crate::module::template::CTemplate;

impl Functions {
    pub(in crate::module) fn generate_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        template: &mut CTemplate<'_>,
    ) -> Gave<CK_OBJECT_HANDLE> {
        let (template, count) = template.as_argument();
        with_default(|key| {
            call!(
                self.0.C_GenerateKey,
                session,
                mechanism.as_mut_ptr(),
                template,
                count,
                key
            )
        })
    }

    pub(in crate::module) fn generate_key_pair(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        public: &mut CTemplate<'_>,
        private: &mut CTemplate<'_>,
    ) -> Gave<[CK_OBJECT_HANDLE; 2]> {
        let ((public, publics), (private, privates)) =
            (public.as_argument(), private.as_argument());
        let [mut public_key, mut private_key] = [0; 2];
        let rv = call!(
            self.0.C_GenerateKeyPair,
            session,
            mechanism.as_mut_ptr(),
            public,
            publics,
            private,
            privates,
            &mut public_key,
            &mut private_key,
        );
        (rv, [public_key, private_key])
    }

    pub(in crate::module) fn wrap_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        wrapping_key: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let (output, mut length) = out(output);
        let rv = call!(
            self.0.C_WrapKey,
            session,
            mechanism.as_mut_ptr(),
            wrapping_key,
            key,
            output,
            &mut length
        );
        (rv, length)
    }

    pub(in crate::module) fn unwrap_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        unwrapping_key: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &mut CTemplate<'_>,
    ) -> Gave<CK_OBJECT_HANDLE> {
        let ((wrapped, length), (template, count)) = (input(wrapped), template.as_argument());
        let mechanism = mechanism.as_mut_ptr();
        with_default(|key| {
            call!(
                self.0.C_UnwrapKey,
                session,
                mechanism,
                unwrapping_key,
                wrapped,
                length,
                template,
                count,
                key
            )
        })
    }

    pub(in crate::module) fn derive_key(
        self,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        base_key: CK_OBJECT_HANDLE,
        template: &mut CTemplate<'_>,
    ) -> Gave<CK_OBJECT_HANDLE> {
        let (template, count) = template.as_argument();
        let makes_no_key = mechanism.makes_no_key_of_its_own();
        with_default(|key| {
            let key = if makes_no_key { ptr::null_mut() } else { key };
            call!(
                self.0.C_DeriveKey,
                session,
                mechanism.as_mut_ptr(),
                base_key,
                template,
                count,
                key
            )
        })
    }
}
