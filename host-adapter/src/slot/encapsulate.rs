//! Keys that travel encapsulated, or wrapped with associated data (PKCS#11 v3.2 §5.18).

use cryptoki_sys as ck;
use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{Body, Bytes, Mechanism, Request, Sealed, Template};

use super::create::Made;
use super::order::Order;
use super::{Output, Refusal, Session};
use crate::domain::policy::Making;
use crate::group::{Errand, Lease};
use crate::module::Scratch;
use crate::module::parameter::makes_iv;

impl Session {
    /// `C_EncapsulateKey`; the length of the ciphertext, and the virtual handle unless only the length was asked for.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_KEY_HANDLE_INVALID`, `CKR_BUFFER_TOO_SMALL` with the length,
    /// `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function.
    pub fn encapsulate_key(
        &self,
        mechanism: Mechanism<'_>,
        public_key: u64,
        template: Template<'_>,
        output: Output<'_>,
    ) -> Result<(u64, Option<u64>), Refusal> {
        let eligible = (self.slot).members_with_later(mechanism.kind, ck::CKF_ENCAPSULATE)?;
        let order = Order {
            is_query: matches!(output, Output::Query),
            ..Order::one(eligible, template, Making::Import)
        };
        let home = order.home();
        let (room, buffer) = output.parts();
        let mut length = 0;
        let made = self.make(&order, &mut |lease, given| {
            let public_key = self
                .slot
                .locate_key(lease, public_key, ckr::KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            let request = |session| Request::EncapsulateKey {
                session,
                mechanism,
                public_key,
                template: given.one,
                room,
            };
            let reply = lease.create_with_output(home, &request, buffer)?;
            if let Body::Encapsulated(written, _) | Body::Length(written) = reply.body {
                length = written;
            }
            self.slot
                .judge_later(lease, &request(lease.handle()), reply)
        });
        match made {
            Ok(Made::One(key)) => Ok((length, Some(key))),
            Ok(Made::None) => Ok((length, None)),
            Ok(Made::Pair(..)) => Err(ckr::DEVICE_ERROR.into()),
            Err(rv) => Err(Refusal {
                rv,
                length: (rv == ckr::BUFFER_TOO_SMALL).then_some(length),
            }),
        }
    }

    /// `C_DecapsulateKey`; the virtual handle.
    ///
    /// # Errors
    /// As in [`encapsulate_key`](Self::encapsulate_key).
    pub fn decapsulate_key(
        &self,
        mechanism: Mechanism<'_>,
        private_key: u64,
        template: Template<'_>,
        ciphertext: &[u8],
    ) -> Result<u64, Rv> {
        let eligible = (self.slot).members_with_later(mechanism.kind, ck::CKF_DECAPSULATE)?;
        let order = Order::one(eligible, template, Making::Import);
        let home = order.home();
        self.make_one(&order, &mut |lease, given| {
            let private_key = self
                .slot
                .locate_key(lease, private_key, ckr::KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            let request = |session| Request::DecapsulateKey {
                session,
                mechanism,
                private_key,
                template: given.one,
                ciphertext: Bytes(ciphertext),
            };
            let reply = lease.create(home, &request)?;
            self.slot
                .judge_later(lease, &request(lease.handle()), reply)
        })
    }

    /// `C_WrapKeyAuthenticated`; what was written or, for a query, the length that is needed.
    ///
    /// # Errors
    /// As in [`wrap_key`](Self::wrap_key); `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function.
    pub fn wrap_key_authenticated(
        &self,
        mechanism: Mechanism<'_>,
        (wrapping_key, key): (u64, u64),
        associated: &[u8],
        output: Output<'_>,
    ) -> Result<Sealed, Refusal> {
        drop(self.state()?);
        self.may_wrap(wrapping_key, key)?;
        let (room, buffer) = output.parts();
        let slot = &self.slot;
        let mut send = |lease: &mut Lease| {
            let wrapping_key =
                slot.locate_key(lease, wrapping_key, ckr::WRAPPING_KEY_HANDLE_INVALID)?;
            let key = slot.locate_key(lease, key, ckr::KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = slot.localise(lease, mechanism, &scratch)?;
            let request = Request::WrapKeyAuthenticated {
                session: lease.handle(),
                mechanism,
                wrapping_key,
                key,
                associated: Bytes(associated),
                room,
            };
            slot.ask_later(lease, &request, buffer)
        };
        let repeat = if makes_iv(&mechanism) {
            Repeat::OnlyIfUndelivered
        } else {
            Repeat::Safe
        };
        let eligible = slot.members_with_later(mechanism.kind, ck::CKF_WRAP)?;
        let errand = Errand::among(eligible, repeat);
        let done = slot.driver.perform(errand, &mut send)?;
        let length = Refusal::of_length(done.reply)?;
        Ok(match done.reply.body {
            Body::Sealed(sealed) => sealed,
            _ => Sealed::new(length, &[], &[]),
        })
    }

    /// `C_UnwrapKeyAuthenticated`; the virtual handle.
    ///
    /// # Errors
    /// As in [`unwrap_key`](Self::unwrap_key); `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function.
    pub fn unwrap_key_authenticated(
        &self,
        mechanism: Mechanism<'_>,
        unwrapping_key: u64,
        wrapped: &[u8],
        template: Template<'_>,
        associated: &[u8],
    ) -> Result<u64, Rv> {
        let eligible = (self.slot).members_with_later(mechanism.kind, ck::CKF_UNWRAP)?;
        let order = Order::one(eligible, template, Making::Import);
        let home = order.home();
        self.make_one(&order, &mut |lease, given| {
            let unwrapping_key =
                self.slot
                    .locate_key(lease, unwrapping_key, ckr::UNWRAPPING_KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            let request = |session| Request::UnwrapKeyAuthenticated {
                session,
                mechanism,
                unwrapping_key,
                wrapped: Bytes(wrapped),
                template: given.one,
                associated: Bytes(associated),
            };
            let reply = lease.create(home, &request)?;
            self.slot
                .judge_later(lease, &request(lease.handle()), reply)
        })
    }
}
