use cryptoki_sys as ck;
use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{AttributeValue, Bytes, List, Mechanism, Request, Wanted};

use super::{Output, Refusal, Session};
use crate::domain::policy;
use crate::group::{Errand, Lease};
use crate::module::Scratch;

impl Session {
    /// `C_WrapKey`; the bytes written or, for a query, needed.
    ///
    /// # Errors
    /// `CKR_MECHANISM_INVALID`, `CKR_WRAPPING_KEY_HANDLE_INVALID`, `CKR_KEY_HANDLE_INVALID`, what the member says, `CKR_DEVICE_ERROR` when no member that has
    /// both keys serves.
    pub fn wrap_key(
        &self,
        mechanism: Mechanism<'_>,
        wrapping_key: u64,
        key: u64,
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        drop(self.state()?);
        self.may_wrap(wrapping_key, key)?;
        let eligible = self.slot.members_with(mechanism.kind, ck::CKF_WRAP)?;
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
        let errand = Errand::among(eligible, Repeat::Safe);
        let done = self.slot.driver.perform(errand, &mut send)?;
        Refusal::of_length(done.reply)
    }

    /// Whether the application may wrap a key that the members have otherwise than it believes, so that it can be carried.
    ///
    /// # Errors
    /// `CKR_KEY_UNEXTRACTABLE`, `CKR_KEY_NOT_WRAPPABLE`; `CKR_DEVICE_ERROR` where it is not known what the application was promised of it.
    pub(super) fn may_wrap(&self, wrapping_key: u64, key: u64) -> Result<(), Rv> {
        let Some(object) = self.slot.catalogue.object(key) else {
            return Ok(());
        };
        if object.token && object.known().is_none() {
            let is_on_record = self.slot.driver.keeper.catch_up();
            if is_on_record.map_err(|_| ckr::DEVICE_ERROR)? {
                self.slot.acquaint(&object);
            }
        }
        let Some(known) = object.known() else {
            return Ok(());
        };
        match known.guarded() {
            Some(remembered) if remembered.extractable && remembered.wrap_with_trusted => {
                policy::may_wrap(remembered, self.is_trusted(wrapping_key))
            }
            Some(remembered) => policy::may_wrap(remembered, false),
            None => Ok(()),
        }
    }

    /// `CKA_TRUSTED`
    fn is_trusted(&self, key: u64) -> bool {
        let wanted = [Wanted {
            kind: ck::CKA_TRUSTED,
            room: Some(1),
            nested: List::EMPTY,
        }];
        let mut trusted = false;
        let rv = self.attribute_values(key, List::Items(&wanted), &mut |values| {
            let is_true = |value| matches!(value, AttributeValue::Bytes(Bytes([1])));
            trusted = values.iter().any(is_true);
        });
        rv == ckr::OK && trusted
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
}
