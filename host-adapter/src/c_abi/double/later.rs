//! What PKCS#11 3.0 and later ask of a session.

use everslot_core::{Rv, ckr};
use everslot_protocol::{Mechanism, MessageOperation, MessageParameter, Sealed, Template};

use super::{Session, made, put, told, world};
use crate::slot::{Output, Refusal};

impl Session {
    pub(in crate::c_abi) fn login_user(
        &self,
        user: u64,
        pin: Option<&[u8]>,
        name: &[u8],
    ) -> Result<(), Rv> {
        told(format!("login_user {user} {pin:?} {name:?}"))
    }
    pub(in crate::c_abi) fn cancel(&self, flags: u64) -> Result<(), Rv> {
        told(format!("cancel {flags}"))
    }
    pub(in crate::c_abi) fn validation_flags(&self, kind: u64) -> Result<u64, Rv> {
        made(format!("validation_flags {kind}"))
    }
    pub(in crate::c_abi) fn message_mechanism(
        &self,
        _operation: MessageOperation,
    ) -> Result<u64, Rv> {
        let mechanism = world(|world| world.mechanism);
        mechanism.ok_or(ckr::OPERATION_NOT_INITIALIZED)
    }
    pub(in crate::c_abi) fn message_init(
        &self,
        operation: MessageOperation,
        mechanism: Option<Mechanism<'_>>,
        key: u64,
    ) -> Result<(), Rv> {
        let kind = mechanism.map(|mechanism| mechanism.kind);
        told(format!("message_init {operation:?} {kind:?} {key}"))
    }
    pub(in crate::c_abi) fn message(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        associated: &[u8],
        data: &[u8],
        output: Output<'_>,
    ) -> Result<Sealed, Refusal> {
        let length = put(
            format!("message {operation:?} {parameter:?} {associated:?} {data:?}"),
            output,
        )?;
        Ok(sealed(length))
    }
    pub(in crate::c_abi) fn verify_message(
        &self,
        parameter: MessageParameter<'_>,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Rv> {
        told(format!(
            "verify_message {parameter:?} {data:?} {signature:?}"
        ))
    }
    pub(in crate::c_abi) fn message_begin(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        associated: &[u8],
    ) -> Result<Sealed, Rv> {
        told(format!(
            "message_begin {operation:?} {parameter:?} {associated:?}"
        ))?;
        Ok(sealed(0))
    }
    pub(in crate::c_abi) fn message_next(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        data: &[u8],
        output: Output<'_>,
        last: bool,
    ) -> Result<Sealed, Refusal> {
        let call = format!("message_next {operation:?} {parameter:?} {data:?} {last}");
        put(call, output).map(sealed)
    }
    pub(in crate::c_abi) fn verify_message_next(
        &self,
        parameter: MessageParameter<'_>,
        data: &[u8],
        signature: Option<&[u8]>,
    ) -> Result<(), Rv> {
        told(format!(
            "verify_message_next {parameter:?} {data:?} {signature:?}"
        ))
    }
    pub(in crate::c_abi) fn message_final(&self, operation: MessageOperation) -> Result<(), Rv> {
        told(format!("message_final {operation:?}"))
    }
    pub(in crate::c_abi) fn verify_signature_init(
        &self,
        mechanism: Option<Mechanism<'_>>,
        key: u64,
        signature: &[u8],
    ) -> Result<(), Rv> {
        let kind = mechanism.map(|mechanism| mechanism.kind);
        told(format!(
            "verify_signature_init {kind:?} {key} {signature:?}"
        ))
    }
    pub(in crate::c_abi) fn verify_signature(&self, data: &[u8]) -> Result<(), Rv> {
        told(format!("verify_signature {data:?}"))
    }
    pub(in crate::c_abi) fn verify_signature_update(&self, data: &[u8]) -> Result<(), Rv> {
        told(format!("verify_signature_update {data:?}"))
    }
    pub(in crate::c_abi) fn verify_signature_final(&self) -> Result<(), Rv> {
        told("verify_signature_final")
    }
    pub(in crate::c_abi) fn abandon_verify_signature(&self) {
        world(|world| world.calls.push("abandon VerifySignature".to_owned()));
    }
    pub(in crate::c_abi) fn encapsulate_key(
        &self,
        mechanism: Mechanism<'_>,
        public_key: u64,
        template: Template<'_>,
        output: Output<'_>,
    ) -> Result<(u64, Option<u64>), Refusal> {
        let is_query = matches!(output, Output::Query);
        let (kind, count) = (mechanism.kind, template.len());
        let length = put(
            format!("encapsulate_key {kind} {public_key} {count}"),
            output,
        )?;
        Ok((length, (!is_query).then_some(42)))
    }
    pub(in crate::c_abi) fn decapsulate_key(
        &self,
        mechanism: Mechanism<'_>,
        private_key: u64,
        template: Template<'_>,
        ciphertext: &[u8],
    ) -> Result<u64, Rv> {
        let (kind, count) = (mechanism.kind, template.len());
        made(format!(
            "decapsulate_key {kind} {private_key} {count} {ciphertext:?}"
        ))
    }
    pub(in crate::c_abi) fn wrap_key_authenticated(
        &self,
        mechanism: Mechanism<'_>,
        (wrapping_key, key): (u64, u64),
        associated: &[u8],
        output: Output<'_>,
    ) -> Result<Sealed, Refusal> {
        let kind = mechanism.kind;
        let call = format!("wrap_key_authenticated {kind} {wrapping_key} {key} {associated:?}");
        put(call, output).map(sealed)
    }
    pub(in crate::c_abi) fn unwrap_key_authenticated(
        &self,
        mechanism: Mechanism<'_>,
        unwrapping_key: u64,
        wrapped: &[u8],
        template: Template<'_>,
        associated: &[u8],
    ) -> Result<u64, Rv> {
        let (kind, count) = (mechanism.kind, template.len());
        made(format!(
            "unwrap_key_authenticated {kind} {unwrapping_key} {wrapped:?} {count} {associated:?}"
        ))
    }
}

/// What the world's member has made beside an output of this length.
fn sealed(length: u64) -> Sealed {
    world(|world| Sealed::new(length, &world.made.0, &world.made.1))
}
