//! The verification that is given its signature first (PKCS#11 v3.2 §5.16).

use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{
    Bytes, Mechanism, ObjectHandle, Operation, Request, SessionHandle, SignatureCall,
};

use super::standing::Standing;
use super::{Refusal, Session};
use crate::group::Lease;

impl Session {
    /// `C_VerifySignatureInit`; no mechanism ends the active operation.
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, also when a `C_VerifyInit` has begun one, `CKR_OPERATION_NOT_INITIALIZED` when there is nothing to end, what
    /// the member says, `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function, `CKR_DEVICE_ERROR` when none could serve.
    pub fn verify_signature_init(
        &self,
        mechanism: Option<Mechanism<'_>>,
        key: u64,
        signature: &[u8],
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        let Some(mechanism) = mechanism else {
            let ended = state.end_signature_check();
            return ended.then_some(()).ok_or(ckr::OPERATION_NOT_INITIALIZED);
        };
        if state.signature_check.is_some() || state.benches.position(Operation::Verify).is_some() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let init = Request::VerifySignature {
            session: SessionHandle(0),
            call: SignatureCall::Init {
                mechanism,
                key: ObjectHandle(key),
                signature: Bytes(signature),
            },
        };
        state.signature_check = Some(Standing::begin(&self.slot, &init)?);
        Ok(())
    }

    /// `C_VerifySignature`
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, what the member says, `CKR_SIGNATURE_INVALID`, `CKR_DEVICE_ERROR` when no member could serve.
    /// The operation is over.
    pub fn verify_signature(&self, data: &[u8]) -> Result<(), Rv> {
        self.check_signature(SignatureCall::Whole { data: Bytes(data) })
    }

    /// `C_VerifySignatureUpdate`
    ///
    /// # Errors
    /// As in [`verify_signature`](Self::verify_signature); `CKR_DEVICE_ERROR` when the member that has the earlier parts was lost.
    pub fn verify_signature_update(&self, data: &[u8]) -> Result<(), Rv> {
        self.check_signature(SignatureCall::Update { data: Bytes(data) })
    }

    /// `C_VerifySignatureFinal`
    ///
    /// # Errors
    /// As in [`verify_signature`](Self::verify_signature).
    pub fn verify_signature_final(&self) -> Result<(), Rv> {
        self.check_signature(SignatureCall::Final)
    }

    /// Ends the operation if it is active, as a call with a bad argument does (PKCS#11 v3.1 §5.2).
    pub fn abandon_verify_signature(&self) {
        if let Ok(mut state) = self.state() {
            state.end_signature_check();
        }
    }

    fn check_signature(&self, call: SignatureCall<'_>) -> Result<(), Rv> {
        let mut state = self.state()?;
        let mut standing = state
            .signature_check
            .take()
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)?;
        let slot = &self.slot;
        let mut send = |lease: &mut Lease| {
            let request = Request::VerifySignature {
                session: lease.handle(),
                call,
            };
            slot.ask_later(lease, &request, &mut [])
        };
        let answered = standing.call(slot, Repeat::Safe, &mut send)?;
        let outcome = Refusal::of(answered).map_err(|refusal| refusal.rv);
        let goes_on = matches!(call, SignatureCall::Update { .. });
        match outcome {
            Ok(()) if goes_on => {
                standing.bound = true;
                state.signature_check = Some(standing);
            }
            Ok(()) | Err(ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE) if !goes_on => {}
            Ok(()) | Err(_) => standing.leave(),
        }
        outcome
    }
}
