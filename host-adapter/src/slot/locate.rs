//! From the application's handles to a member's, on the way of a call.

use cryptoki_sys as ck;
use everslot_core::{Rv, ckr};
use everslot_protocol::{Mechanism, ObjectHandle, Request};

use super::VirtualSlot;
use super::handles;
use super::identity::Identity;
use super::object::{VirtualObject, Whereabouts};
use crate::group::{Lease, Stop};
use crate::module::Scratch;
use crate::module::parameter::map_objects;

/// Objects that one search of ours may give: it names class, id and label.
const MATCHES: usize = 64;

impl VirtualSlot {
    /// The member's handle of a virtual object, looked up there if it was not seen in this incarnation.
    ///
    /// # Errors
    /// [`Stop::NotHere`] with `invalid` (`CKR_KEY_HANDLE_INVALID` or its like) when no member can have it, else with
    /// `CKR_DEVICE_ERROR`, since the member that has it may return.
    pub(crate) fn locate(
        &self,
        lease: &mut Lease,
        object: u64,
        invalid: Rv,
    ) -> Result<ObjectHandle, Stop> {
        let (member, incarnation) = lease.place();
        match self.catalogue.handle_at(object, member, incarnation) {
            Some(handle) => Ok(handle),
            None => self.locate_anew(lease, object, invalid),
        }
    }

    #[cold]
    fn locate_anew(
        &self,
        lease: &mut Lease,
        object: u64,
        invalid: Rv,
    ) -> Result<ObjectHandle, Stop> {
        let object = self
            .catalogue
            .object(object)
            .ok_or(Stop::NotHere(invalid))?;
        let (member, incarnation) = lease.place();
        let found = match object.whereabouts(member, incarnation) {
            Whereabouts::At(handle) => Some(handle),
            Whereabouts::Absent if object.token => None,
            Whereabouts::Absent => self.make_again(lease, &object)?,
            Whereabouts::Unknown => self.look_up(lease, &object)?,
        };
        found.ok_or_else(|| {
            let elsewhere = self
                .driver
                .members()
                .iter()
                .any(|other| other.id != member && object.may_return_on(other.id, other.since));
            Stop::NotHere(if elsewhere {
                ckr::DEVICE_ERROR
            } else {
                invalid
            })
        })
    }

    /// The member's handle of a key that a call names. A handle that is none of ours becomes the one that is never valid
    /// (PKCS#11 v3.1 §3.6): the member says what is wrong in the order in which it looks, perhaps at the function or the mechanism first.
    ///
    /// # Errors
    /// As in [`locate`](Self::locate), for a handle of ours.
    pub(crate) fn locate_key(
        &self,
        lease: &mut Lease,
        key: u64,
        invalid: Rv,
    ) -> Result<ObjectHandle, Stop> {
        let (member, incarnation) = lease.place();
        match self.catalogue.handle_at(key, member, incarnation) {
            Some(handle) => Ok(handle),
            None if self.catalogue.object(key).is_none() => Ok(ObjectHandle(ck::CK_INVALID_HANDLE)),
            None => self.locate_anew(lease, key, invalid),
        }
    }

    /// The mechanism with the objects in its parameter as the member's.
    ///
    /// # Errors
    /// As in [`locate`](Self::locate).
    pub(crate) fn localise<'a>(
        &self,
        lease: &mut Lease,
        mechanism: Mechanism<'a>,
        scratch: &'a Scratch,
    ) -> Result<Mechanism<'a>, Stop> {
        map_objects(&mechanism, scratch, |object| {
            self.locate(lease, object.0, ckr::KEY_HANDLE_INVALID)
        })
    }

    /// Searches a member for an object of which only the identity is known there.
    fn look_up(
        &self,
        lease: &mut Lease,
        object: &VirtualObject,
    ) -> Result<Option<ObjectHandle>, Stop> {
        let (member, incarnation) = lease.place();
        let known = object.identity();
        if !known.is_telling() {
            object.missing(member, incarnation);
            return Ok(None);
        }
        let mut found = [0; MATCHES * 8];
        let reply = known.search(|template| {
            let request = Request::FindObjects {
                session: lease.handle(),
                template,
            };
            lease.call(&request, &mut found)
        })?;
        if reply.rv != everslot_protocol::Rv::OK {
            return Ok(None);
        }
        for handle in handles(reply, &found) {
            let other = self
                .catalogue
                .at(member, incarnation, handle)
                .is_some_and(|known| known != object.handle);
            if !other
                && Identity::read(lease, handle)?.is_ok_and(|identity| identity.is_same(&known))
            {
                self.catalogue.found(object, (member, incarnation), handle);
                return Ok(Some(handle));
            }
        }
        object.missing(member, incarnation);
        Ok(None)
    }
}
