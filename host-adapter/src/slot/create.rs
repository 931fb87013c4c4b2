//! Calls that make an object. It lives on the member that made it; a session object in that member's anchor, so that it lives as
//! long as its virtual session whatever becomes of leases.

use cryptoki_sys as ck;
use everslot_core::{MemberId, Repeat, Rv, ckr};
use everslot_protocol::{Body, Bytes, Mechanism, ObjectHandle, Reply, Request, Template};

use super::identity::Identity;
use super::order::{Given, Order, generated_class, is_token};
use super::recipe::{Recipe, is_open_class};
use super::{Refusal, Session};
use crate::domain::policy::Making;
use crate::group::{EVERY_MEMBER, Errand, Home, Lease, Stop};
use crate::module::{Delivery, LinkFailure, Scratch};

impl Session {
    /// `C_CreateObject`; the virtual handle.
    ///
    /// # Errors
    /// `CKR_SESSION_READ_ONLY`, what the member says, `CKR_DEVICE_ERROR` when no member could serve or the outcome is unknown.
    pub fn create_object(&self, template: Template<'_>) -> Result<u64, Rv> {
        let order = Order::one(EVERY_MEMBER, template, Making::Import);
        let home = order.home();
        let made = self.make_one(&order, &mut |lease, given| {
            Ok(lease.create(home, &|session| Request::CreateObject {
                session,
                template: given.one,
            })?)
        })?;
        self.keep(made, || Recipe::of(template));
        Ok(made)
    }

    /// `C_CopyObject`; the virtual handle of the copy, which lives on the member that made it.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_OBJECT_HANDLE_INVALID`.
    pub fn copy_object(&self, object: u64, template: Template<'_>) -> Result<u64, Rv> {
        let original = self.object(object)?;
        let order = Order::copy(template, &original);
        let home = order.home();
        let copy = self.make_one(&order, &mut |lease, given| {
            let object = self
                .slot
                .locate(lease, object, ckr::OBJECT_HANDLE_INVALID)?;
            Ok(lease.create(home, &|session| Request::CopyObject {
                session,
                object,
                template: given.one,
            })?)
        })?;
        self.keep(copy, || original.recipe()?.with_changes(template));
        Ok(copy)
    }

    /// `C_GenerateKey`; the virtual handle.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_MECHANISM_INVALID`.
    pub fn generate_key(
        &self,
        mechanism: Mechanism<'_>,
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        let eligible = self.slot.members_with(mechanism.kind, ck::CKF_GENERATE)?;
        let order = Order {
            class: generated_class(mechanism.kind),
            ..Order::one(eligible, template, Making::Generate(mechanism.kind))
        };
        let home = order.home();
        self.make_one(&order, &mut |lease, given| {
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            Ok(lease.create(home, &|session| Request::GenerateKey {
                session,
                mechanism,
                template: given.one,
            })?)
        })
    }

    /// `C_GenerateKeyPair`; the virtual handles of the public and the private key.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_MECHANISM_INVALID`.
    pub fn generate_key_pair(
        &self,
        mechanism: Mechanism<'_>,
        public: Template<'_>,
        private: Template<'_>,
    ) -> Result<(u64, u64), Rv> {
        let (public_stays, private_stays) = (
            is_token(public).unwrap_or(false),
            is_token(private).unwrap_or(false),
        );
        self.may_change(public_stays || private_stays)?;
        let eligible = (self.slot).members_with(mechanism.kind, ck::CKF_GENERATE_KEY_PAIR)?;
        let order = Order::pair(eligible, (public, private), mechanism.kind);
        let home = Home::of(public_stays && private_stays);
        let made = self.make(&order, &mut |lease, given| {
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            Ok(lease.create(home, &|session| Request::GenerateKeyPair {
                session,
                mechanism,
                public: given.one,
                private: given.other,
            })?)
        })?;
        match made {
            Made::Pair(public, private) => Ok((public, private)),
            Made::One(_) | Made::None => Err(ckr::DEVICE_ERROR),
        }
    }

    /// `C_UnwrapKey`; the virtual handle.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_MECHANISM_INVALID`, `CKR_UNWRAPPING_KEY_HANDLE_INVALID`.
    pub fn unwrap_key(
        &self,
        mechanism: Mechanism<'_>,
        unwrapping_key: u64,
        wrapped: &[u8],
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        let eligible = self.slot.members_with(mechanism.kind, ck::CKF_UNWRAP)?;
        let order = Order::one(eligible, template, Making::Import);
        let home = order.home();
        self.make_one(&order, &mut |lease, given| {
            let unwrapping_key =
                self.slot
                    .locate(lease, unwrapping_key, ckr::UNWRAPPING_KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            Ok(lease.create(home, &|session| Request::UnwrapKey {
                session,
                mechanism,
                unwrapping_key,
                wrapped: Bytes(wrapped),
                template: given.one,
            })?)
        })
    }

    /// `C_DeriveKey`; the virtual handle.
    ///
    /// # Errors
    /// As in [`create_object`](Self::create_object); `CKR_MECHANISM_INVALID`, `CKR_KEY_HANDLE_INVALID`.
    pub fn derive_key(
        &self,
        mechanism: Mechanism<'_>,
        base_key: u64,
        template: Template<'_>,
    ) -> Result<u64, Rv> {
        let eligible = self.slot.members_with(mechanism.kind, ck::CKF_DERIVE)?;
        let order = Order::one(eligible, template, self.derivation(base_key));
        let home = order.home();
        self.make_one(&order, &mut |lease, given| {
            let base_key = self.slot.locate(lease, base_key, ckr::KEY_HANDLE_INVALID)?;
            let scratch = Scratch::default();
            let mechanism = self.slot.localise(lease, mechanism, &scratch)?;
            Ok(lease.create(home, &|session| Request::DeriveKey {
                session,
                mechanism,
                base_key,
                template: given.one,
            })?)
        })
    }

    /// What a key becomes that is derived from this one.
    fn derivation(&self, base_key: u64) -> Making {
        let base = self.slot.catalogue.object(base_key);
        let known = base.and_then(|base| base.known());
        Making::Derive(known.and_then(|known| known.remembered))
    }

    pub(super) fn make_one(&self, order: &Order<'_>, send: &mut Send<'_>) -> Result<u64, Rv> {
        match self.make(order, send)? {
            Made::One(object) => Ok(object),
            Made::Pair(..) | Made::None => Err(ckr::DEVICE_ERROR),
        }
    }

    /// Makes what is ordered: on as many members as the configuration says if it is of the token and the group has a domain key.
    pub(super) fn make(&self, order: &Order<'_>, send: &mut Send<'_>) -> Result<Made, Rv> {
        let profiles = if order.is_replicated() {
            let profiles = self.slot.driver.keeper.profiles();
            profiles.map_err(|_| ckr::DEVICE_ERROR)?
        } else {
            None
        };
        match profiles {
            Some(profiles) => self.bear(order, profiles, send),
            None if order.is_copy_of_guarded() => self.copy_guarded(order, send),
            None => self.make_on_one(order, send),
        }
    }

    /// Makes an object on one of the eligible members and takes it into the catalogue.
    ///
    /// A creation whose outcome is unknown is not sent to another member (S4). What a session makes it makes on one member while that serves:
    /// calls that take two objects (to wrap one key with another, to derive from two) need both on one.
    pub(super) fn make_on_one(&self, order: &Order<'_>, send: &mut Send<'_>) -> Result<Made, Rv> {
        let (home, eligible) = (order.home(), order.eligible);
        let preferred = self.state()?.maker;
        self.may_change(home == Home::Token)?;
        let mut made = None;
        let mut maker = None;
        let mut send = |lease: &mut Lease| {
            let reply = send(lease, order.templates)?;
            if reply.rv == everslot_protocol::Rv::OK {
                made = Some(self.adopt_made(lease, reply).map_err(took_effect)?);
                maker = Some(lease.place().0);
            }
            Ok(reply)
        };
        let errand = Errand {
            preferred,
            ..Errand::among(eligible, Repeat::OnlyIfUndelivered)
        };
        let done = self.slot.driver.perform(errand, &mut send)?;
        Refusal::of(done.reply).map_err(|refusal| refusal.rv)?;
        let made = made.ok_or(ckr::DEVICE_ERROR)?;
        self.own(made, maker)?;
        Ok(made)
    }

    /// Remembers what goes with the session, which may have gone while it was made.
    pub(super) fn own(&self, made: Made, maker: Option<MemberId>) -> Result<(), Rv> {
        match made {
            Made::None => Ok(()),
            Made::One(one) => self.own_all(&[one], maker),
            Made::Pair(one, other) => self.own_all(&[one, other], maker),
        }
    }

    /// [`own`](Self::own), for any number of objects.
    pub(super) fn own_all(&self, made: &[u64], maker: Option<MemberId>) -> Result<(), Rv> {
        let objects = made
            .iter()
            .filter_map(|handle| self.slot.catalogue.object(*handle));
        let of_session = objects
            .filter(|object| !object.token)
            .map(|object| object.handle);
        let of_session: Vec<u64> = of_session.collect();
        match self.state() {
            Ok(mut state) => {
                state.objects.extend(of_session);
                state.maker = maker;
                Ok(())
            }
            Err(_) => {
                self.slot.forget_session_objects(&of_session);
                Err(ckr::SESSION_CLOSED)
            }
        }
    }

    /// Keeps what a session object was made of, unless its value is to be the token's secret (PKCS#11 v3.1 §4.9, §4.10: sensitive, or not
    /// extractable).
    fn keep(&self, object: u64, recipe: impl FnOnce() -> Option<Recipe>) {
        let Some(found) = self.slot.catalogue.object(object) else {
            return;
        };
        if found.token || !(is_open_class(found.identity().class) || self.is_open(object)) {
            return;
        }
        if let Some(recipe) = recipe() {
            self.slot.catalogue.keep(object, recipe);
        }
    }

    /// Whether the member lets everybody read the key's value who may use it.
    fn is_open(&self, object: u64) -> bool {
        let mut open = false;
        let mut send = |lease: &mut Lease| {
            let object = self
                .slot
                .locate(lease, object, ckr::OBJECT_HANDLE_INVALID)?;
            open = Identity::is_open(lease, object)?;
            Ok(Reply {
                rv: everslot_protocol::Rv::OK,
                body: Body::Empty,
            })
        };
        let asked = self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send);
        asked.is_ok() && open
    }

    fn adopt_made(&self, lease: &mut Lease, reply: Reply) -> Result<Made, Stop> {
        Ok(match reply.body {
            Body::Object(object) | Body::Encapsulated(_, object) => {
                Made::One(self.adopt(lease, object)?)
            }
            Body::Length(_) => Made::None,
            Body::KeyPair(public, private) => {
                Made::Pair(self.adopt(lease, public)?, self.adopt(lease, private)?)
            }
            _ => Made::One(0),
        })
    }

    /// Gives a member's new object its virtual handle. A member that does not let its identity be read has it known by its handle.
    pub(super) fn adopt(&self, lease: &mut Lease, object: ObjectHandle) -> Result<u64, Stop> {
        let identity = Identity::read(lease, object)?.unwrap_or_default();
        Ok(self.slot.catalogue.adopt(lease.place(), object, identity))
    }
}

/// Sends the request that makes the object, of the templates that it is given.
pub(super) type Send<'s> = dyn FnMut(&mut Lease, Given<'_>) -> Result<Reply, Stop> + 's;

/// The member was lost after it had made the object: whatever the later call's failure says, something has taken effect.
pub(super) fn took_effect(stop: Stop) -> Stop {
    match stop {
        Stop::Unanswered(failure) => Stop::Unanswered(LinkFailure {
            delivery: Delivery::Unknown,
            ..failure
        }),
        Stop::NotHere(rv) => Stop::NotHere(rv),
        Stop::Refused(rv) => Stop::Refused(rv),
        Stop::Final(rv) => Stop::Final(rv),
    }
}

#[derive(Clone, Copy)]
pub(super) enum Made {
    /// Only a length was asked for.
    None,
    One(u64),
    Pair(u64, u64),
}
