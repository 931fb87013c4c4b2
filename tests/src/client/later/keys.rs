//! Keys that travel encapsulated, or wrapped with associated data.

use cryptoki_sys::{CK_GCM_WRAP_PARAMS, CK_MECHANISM, CK_ULONG, CKM_AES_GCM};

use super::{Gcm, input, with_room};
use crate::client::{Failure, Mechanism, Object, Session, Template};

impl Session {
    /// `C_EncapsulateKey`: the ciphertext and the key.
    ///
    /// # Errors
    /// As the module says.
    pub fn encapsulate(
        self,
        mechanism: Mechanism,
        public_key: Object,
        template: &Template,
    ) -> Result<(Vec<u8>, Object), Failure> {
        let mut key = 0;
        let ciphertext = mechanism.with(|mechanism| {
            template.with(|template, count| {
                with_room(|output, room| {
                    call!(
                        self.module,
                        C_EncapsulateKey(
                            self.handle,
                            mechanism,
                            public_key.0,
                            template,
                            count,
                            output,
                            room,
                            &raw mut key
                        )
                    )
                })
            })
        })?;
        Ok((ciphertext, Object(key)))
    }

    /// `C_DecapsulateKey`
    ///
    /// # Errors
    /// As the module says.
    pub fn decapsulate(
        self,
        mechanism: Mechanism,
        private_key: Object,
        template: &Template,
        ciphertext: &[u8],
    ) -> Result<Object, Failure> {
        let mut key = 0;
        let (ciphertext, length) = input(ciphertext);
        mechanism.with(|mechanism| {
            template.with(|template, count| {
                call!(
                    self.module,
                    C_DecapsulateKey(
                        self.handle,
                        mechanism,
                        private_key.0,
                        template,
                        count,
                        ciphertext,
                        length,
                        &raw mut key
                    )
                )
            })
        })?;
        Ok(Object(key))
    }

    /// `C_WrapKeyAuthenticated` by AES-GCM; the IV is in `gcm` afterwards.
    ///
    /// # Errors
    /// As the module says.
    pub fn wrap_authenticated(
        self,
        gcm: &mut Gcm,
        wrapping_key: Object,
        key: Object,
        associated: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let (associated, length) = input(associated);
        with_gcm_wrap(gcm, |mechanism| {
            with_room(|output, room| {
                call!(
                    self.module,
                    C_WrapKeyAuthenticated(
                        self.handle,
                        mechanism,
                        wrapping_key.0,
                        key.0,
                        associated,
                        length,
                        output,
                        room
                    )
                )
            })
        })
    }

    /// `C_UnwrapKeyAuthenticated` by AES-GCM.
    ///
    /// # Errors
    /// As the module says.
    pub fn unwrap_authenticated(
        self,
        gcm: &mut Gcm,
        unwrapping_key: Object,
        wrapped: &[u8],
        template: &Template,
        associated: &[u8],
    ) -> Result<Object, Failure> {
        let mut key = 0;
        let ((associated, associated_length), (wrapped, length)) =
            (input(associated), input(wrapped));
        with_gcm_wrap(gcm, |mechanism| {
            template.with(|template, count| {
                call!(
                    self.module,
                    C_UnwrapKeyAuthenticated(
                        self.handle,
                        mechanism,
                        unwrapping_key.0,
                        wrapped,
                        length,
                        template,
                        count,
                        associated,
                        associated_length,
                        &raw mut key
                    )
                )
            })
        })?;
        Ok(Object(key))
    }
}

fn with_gcm_wrap<T>(gcm: &mut Gcm, action: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
    let mut parameter = CK_GCM_WRAP_PARAMS {
        pIv: gcm.iv.as_mut_ptr(),
        ulIvLen: 12,
        ivGenerator: gcm.generator,
        ulTagBits: 128,
        ..Default::default()
    };
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_AES_GCM,
        pParameter: (&raw mut parameter).cast(),
        ulParameterLen: size_of::<CK_GCM_WRAP_PARAMS>() as CK_ULONG,
    };
    action(&raw mut mechanism)
}
