//! The message-based functions (PKCS#11 v3.1 §5.9, §5.11, §5.14, §5.16).

use std::ptr;

use cryptoki_sys::*;
use everslot_protocol::{MessageOperation, Rv};

use super::{Functions, Gave, call, input, out};
use crate::module::parameter::{CMechanism, CMessageParameter};

impl Functions {
    pub(in crate::module) fn message_init(
        self,
        operation: MessageOperation,
        session: CK_SESSION_HANDLE,
        mechanism: &mut CMechanism<'_>,
        key: CK_OBJECT_HANDLE,
    ) -> Rv {
        let function = self.1.v3_0.and_then(|list| match operation {
            MessageOperation::Encrypt => list.C_MessageEncryptInit,
            MessageOperation::Decrypt => list.C_MessageDecryptInit,
            MessageOperation::Sign => list.C_MessageSignInit,
            MessageOperation::Verify => list.C_MessageVerifyInit,
        });
        call!(function, session, mechanism.as_mut_ptr(), key)
    }

    /// `C_EncryptMessage`, `C_DecryptMessage`, `C_SignMessage`; a signature has no associated data.
    pub(in crate::module) fn message(
        self,
        operation: MessageOperation,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        associated: &[u8],
        data: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let ((parameter, parameter_length), (output, mut length)) =
            (parameter.as_argument(), out(output));
        let ((associated, associated_length), (data, data_length)) =
            (input(associated), input(data));
        let function = match operation {
            MessageOperation::Encrypt => self.1.v3_0.and_then(|list| list.C_EncryptMessage),
            MessageOperation::Decrypt => self.1.v3_0.and_then(|list| list.C_DecryptMessage),
            MessageOperation::Sign => {
                let function = self.1.v3_0.and_then(|list| list.C_SignMessage);
                let rv = call!(
                    function,
                    session,
                    parameter,
                    parameter_length,
                    data,
                    data_length,
                    output,
                    &mut length
                );
                return (rv, length);
            }
            MessageOperation::Verify => None,
        };
        let rv = call!(
            function,
            session,
            parameter,
            parameter_length,
            associated,
            associated_length,
            data,
            data_length,
            output,
            &mut length
        );
        (rv, length)
    }

    pub(in crate::module) fn verify_message(
        self,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        data: &[u8],
        signature: &[u8],
    ) -> Rv {
        let (parameter, parameter_length) = parameter.as_argument();
        let ((data, data_length), (signature, signature_length)) = (input(data), input(signature));
        call!(
            self.1.v3_0.and_then(|list| list.C_VerifyMessage),
            session,
            parameter,
            parameter_length,
            data,
            data_length,
            signature,
            signature_length
        )
    }

    /// `C_EncryptMessageBegin` and its kin; a signature has no associated data.
    pub(in crate::module) fn message_begin(
        self,
        operation: MessageOperation,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        associated: &[u8],
    ) -> Rv {
        let (parameter, length) = parameter.as_argument();
        let (associated, associated_length) = input(associated);
        let cipher = match operation {
            MessageOperation::Encrypt => self.1.v3_0.and_then(|list| list.C_EncryptMessageBegin),
            MessageOperation::Decrypt => self.1.v3_0.and_then(|list| list.C_DecryptMessageBegin),
            MessageOperation::Sign | MessageOperation::Verify => {
                let function = self.1.v3_0.and_then(|list| match operation {
                    MessageOperation::Sign => list.C_SignMessageBegin,
                    MessageOperation::Verify => list.C_VerifyMessageBegin,
                    MessageOperation::Encrypt | MessageOperation::Decrypt => None,
                });
                return call!(function, session, parameter, length);
            }
        };
        call!(
            cipher,
            session,
            parameter,
            length,
            associated,
            associated_length
        )
    }

    /// `C_EncryptMessageNext`, `C_DecryptMessageNext`
    pub(in crate::module) fn message_next(
        self,
        operation: MessageOperation,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        data: &[u8],
        output: Option<&mut [u8]>,
        last: bool,
    ) -> Gave<u64> {
        let ((parameter, parameter_length), (output, mut length)) =
            (parameter.as_argument(), out(output));
        let (data, data_length) = input(data);
        let function = self.1.v3_0.and_then(|list| match operation {
            MessageOperation::Encrypt => list.C_EncryptMessageNext,
            MessageOperation::Decrypt => list.C_DecryptMessageNext,
            MessageOperation::Sign | MessageOperation::Verify => None,
        });
        let flags = if last { CKF_END_OF_MESSAGE } else { 0 };
        let rv = call!(
            function,
            session,
            parameter,
            parameter_length,
            data,
            data_length,
            output,
            &mut length,
            flags
        );
        (rv, length)
    }

    /// `C_SignMessageNext` of the last part.
    pub(in crate::module) fn sign_message_last(
        self,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        data: &[u8],
        output: Option<&mut [u8]>,
    ) -> Gave<u64> {
        let ((parameter, parameter_length), (output, mut length)) =
            (parameter.as_argument(), out(output));
        let (data, data_length) = input(data);
        let rv = call!(
            self.1.v3_0.and_then(|list| list.C_SignMessageNext),
            session,
            parameter,
            parameter_length,
            data,
            data_length,
            output,
            &mut length
        );
        (rv, length)
    }

    /// `C_SignMessageNext` of a part that others follow: without a place for the signature's length.
    pub(in crate::module) fn sign_message_next(
        self,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        data: &[u8],
    ) -> Rv {
        let (parameter, parameter_length) = parameter.as_argument();
        let (data, data_length) = input(data);
        call!(
            self.1.v3_0.and_then(|list| list.C_SignMessageNext),
            session,
            parameter,
            parameter_length,
            data,
            data_length,
            ptr::null_mut(),
            ptr::null_mut()
        )
    }

    /// `C_VerifyMessageNext`; a part without a signature is followed by others.
    pub(in crate::module) fn verify_message_next(
        self,
        session: CK_SESSION_HANDLE,
        parameter: &mut CMessageParameter<'_>,
        data: &[u8],
        signature: Option<&[u8]>,
    ) -> Rv {
        let (parameter, parameter_length) = parameter.as_argument();
        let (data, data_length) = input(data);
        let (signature, signature_length) = signature.map_or((ptr::null_mut(), 0), input);
        call!(
            self.1.v3_0.and_then(|list| list.C_VerifyMessageNext),
            session,
            parameter,
            parameter_length,
            data,
            data_length,
            signature,
            signature_length
        )
    }

    pub(in crate::module) fn message_final(
        self,
        operation: MessageOperation,
        session: CK_SESSION_HANDLE,
    ) -> Rv {
        let function = self.1.v3_0.and_then(|list| match operation {
            MessageOperation::Encrypt => list.C_MessageEncryptFinal,
            MessageOperation::Decrypt => list.C_MessageDecryptFinal,
            MessageOperation::Sign => list.C_MessageSignFinal,
            MessageOperation::Verify => list.C_MessageVerifyFinal,
        });
        call!(function, session)
    }
}
