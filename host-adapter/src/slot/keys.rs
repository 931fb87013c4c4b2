use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{Bytes, Mechanism, Request};

use super::{Output, Refusal, Session};
use crate::group::{Errand, Lease};
use crate::module::Scratch;

impl Session {
    /// `C_WrapKey`; the bytes written or, for a query, needed.
    ///
    /// # Errors
    /// `CKR_WRAPPING_KEY_HANDLE_INVALID`, `CKR_KEY_HANDLE_INVALID`, what the member says, `CKR_DEVICE_ERROR` when no member that has
    /// both keys serves.
    pub fn wrap_key(
        &self,
        mechanism: Mechanism<'_>,
        wrapping_key: u64,
        key: u64,
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        drop(self.state()?);
        let (room, buffer) = output.parts();
        let mut send = |lease: &mut Lease| {
            let wrapping_key =
                self.slot
                    .locate(lease, wrapping_key, ckr::WRAPPING_KEY_HANDLE_INVALID)?;
            let key = self.slot.locate(lease, key, ckr::KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            let request = Request::WrapKey {
                session: lease.handle(),
                mechanism,
                wrapping_key,
                key,
                room,
            };
            Ok(lease.call(&request, buffer)?)
        };
        let done = self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?;
        Refusal::of_length(done.reply)
    }

    /// `C_GenerateRandom`
    ///
    /// # Errors
    /// What the member says, `CKR_DEVICE_ERROR` when no member serves.
    pub fn generate_random(&self, output: &mut [u8]) -> Result<(), Rv> {
        drop(self.state()?);
        let length = output.len() as u64;
        let mut send = |lease: &mut Lease| {
            Ok(lease.call(
                &Request::GenerateRandom {
                    session: lease.handle(),
                    length,
                },
                output,
            )?)
        };
        let done = self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?;
        Refusal::of(done.reply).map_err(|refusal| refusal.rv)
    }

    /// `C_SeedRandom`, on every member that serves, since any of them may give the next random data.
    ///
    /// # Errors
    /// As in [`generate_random`](Self::generate_random); `CKR_RANDOM_SEED_NOT_SUPPORTED`.
    pub fn seed_random(&self, seed: &[u8]) -> Result<(), Rv> {
        drop(self.state()?);
        self.slot.on_each(Repeat::Safe, &mut |lease| {
            Ok(lease.call(
                &Request::SeedRandom {
                    session: lease.handle(),
                    seed: Bytes(seed),
                },
                &mut [],
            )?)
        })
    }

    /// `C_GetOperationState`. A state is one token's own (PKCS#11 v3.1 §5.6.6), and a group has several: never saveable.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, `CKR_STATE_UNSAVEABLE`
    pub fn operation_state(&self, _output: Output<'_>) -> Result<u64, Refusal> {
        let state = self.state()?;
        let idle = state.benches.is_empty() && state.search.is_none();
        Err(if idle {
            ckr::OPERATION_NOT_INITIALIZED
        } else {
            ckr::STATE_UNSAVEABLE
        }
        .into())
    }

    /// `C_SetOperationState`. No state was ever given out.
    ///
    /// # Errors
    /// `CKR_SAVED_STATE_INVALID`
    pub fn set_operation_state(
        &self,
        _state: &[u8],
        _encryption_key: u64,
        _authentication_key: u64,
    ) -> Result<(), Rv> {
        drop(self.state()?);
        Err(ckr::SAVED_STATE_INVALID)
    }
}
