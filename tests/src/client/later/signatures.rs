//! Signatures of messages, and those that are given before the data.

use std::ptr;

use super::{input, with_room};
use crate::client::{Failure, Mechanism, Object, Session};

impl Session {
    /// `C_MessageSignInit`, `C_SignMessage` for each message, `C_MessageSignFinal`.
    ///
    /// # Errors
    /// As the module says.
    pub fn sign_messages(
        self,
        mechanism: Mechanism,
        key: Object,
        messages: &[&[u8]],
    ) -> Result<Vec<Vec<u8>>, Failure> {
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_MessageSignInit(self.handle, mechanism, key.0)
            )
        })?;
        let sign = |message: &&[u8]| {
            let (data, length) = input(message);
            with_room(|output, room| {
                call!(
                    self.module,
                    C_SignMessage(self.handle, ptr::null_mut(), 0, data, length, output, room)
                )
            })
        };
        let signatures = messages.iter().map(sign).collect::<Result<_, _>>()?;
        call!(self.module, C_MessageSignFinal(self.handle))?;
        Ok(signatures)
    }

    /// `C_MessageSignInit`, `C_SignMessageBegin`, `C_SignMessageNext` for each part, `C_MessageSignFinal`.
    ///
    /// # Errors
    /// As the module says.
    pub fn sign_message_in_parts(
        self,
        mechanism: Mechanism,
        key: Object,
        parts: [&[u8]; 2],
    ) -> Result<Vec<u8>, Failure> {
        let none = ptr::null_mut();
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_MessageSignInit(self.handle, mechanism, key.0)
            )
        })?;
        call!(self.module, C_SignMessageBegin(self.handle, none, 0))?;
        let [(first, first_length), (last, last_length)] = parts.map(input);
        call!(
            self.module,
            C_SignMessageNext(
                self.handle,
                none,
                0,
                first,
                first_length,
                ptr::null_mut(),
                ptr::null_mut()
            )
        )?;
        let signature = with_room(|output, room| {
            call!(
                self.module,
                C_SignMessageNext(self.handle, none, 0, last, last_length, output, room)
            )
        })?;
        call!(self.module, C_MessageSignFinal(self.handle))?;
        Ok(signature)
    }

    /// `C_MessageVerifyInit`, `C_VerifyMessage` or, in parts, `C_VerifyMessageBegin` and `C_VerifyMessageNext`, `C_MessageVerifyFinal`.
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_message(
        self,
        mechanism: Mechanism,
        key: Object,
        parts: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), Failure> {
        let none = ptr::null_mut();
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_MessageVerifyInit(self.handle, mechanism, key.0)
            )
        })?;
        let (signature, signature_length) = input(signature);
        let verified = if let [message] = parts {
            let (data, length) = input(message);
            call!(
                self.module,
                C_VerifyMessage(
                    self.handle,
                    none,
                    0,
                    data,
                    length,
                    signature,
                    signature_length
                )
            )
        } else {
            call!(self.module, C_VerifyMessageBegin(self.handle, none, 0))?;
            let next = |data: &[u8], signature, signature_length| {
                let (data, length) = input(data);
                call!(
                    self.module,
                    C_VerifyMessageNext(
                        self.handle,
                        none,
                        0,
                        data,
                        length,
                        signature,
                        signature_length
                    )
                )
            };
            for part in parts {
                next(part, ptr::null_mut(), 0)?;
            }
            next(&[], signature, signature_length)
        };
        call!(self.module, C_MessageVerifyFinal(self.handle))?;
        verified
    }

    /// `C_VerifySignatureInit`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_signature_init(
        self,
        mechanism: Mechanism,
        key: Object,
        signature: &[u8],
    ) -> Result<(), Failure> {
        let (signature, length) = input(signature);
        mechanism.with(|mechanism| {
            call!(
                self.module,
                C_VerifySignatureInit(self.handle, mechanism, key.0, signature, length)
            )
        })
    }

    /// `C_VerifySignature`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_signature(self, data: &[u8]) -> Result<(), Failure> {
        let (data, length) = input(data);
        call!(self.module, C_VerifySignature(self.handle, data, length))
    }

    /// `C_VerifySignatureUpdate`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_signature_update(self, data: &[u8]) -> Result<(), Failure> {
        let (data, length) = input(data);
        call!(
            self.module,
            C_VerifySignatureUpdate(self.handle, data, length)
        )
    }

    /// `C_VerifySignatureFinal`
    ///
    /// # Errors
    /// As the module says.
    pub fn verify_signature_final(self) -> Result<(), Failure> {
        call!(self.module, C_VerifySignatureFinal(self.handle))
    }
}
