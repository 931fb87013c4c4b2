//! What was found out for a session's last `C_*Init`, for the next one, which mostly names the same mechanism and key.
//!
//! As with a thread's last session, this is a short cut past look-ups in memory that a member's own code has driven out of the caches.
//! It owns nothing, and each part of it is asked whether it still holds.

use std::sync::{Arc, Weak};

use everslot_core::{MemberSet, Rv, ckr};
use everslot_protocol::ObjectHandle;

use super::VirtualSlot;
use super::object::{VirtualObject, Whereabouts};
use crate::group::{Lease, OffersVersion, Stop};

#[derive(Default)]
pub(super) struct Recent {
    mechanism: Option<Usable>,
    key: u64,
    object: Weak<VirtualObject>,
}

/// A mechanism that the group offers for one use.
#[derive(Clone, Copy)]
struct Usable {
    mechanism: u64,
    usage: u64,
    eligible: MemberSet,
    /// The offers that say so.
    version: OffersVersion,
}

impl Recent {
    /// As [`VirtualSlot::members_with`].
    ///
    /// # Errors
    /// As there.
    pub(super) fn members_with(
        &mut self,
        slot: &VirtualSlot,
        mechanism: u64,
        usage: u64,
    ) -> Result<MemberSet, Rv> {
        let version = slot.driver.offers_version();
        match self.mechanism {
            Some(usable)
                if usable.mechanism == mechanism
                    && usable.usage == usage
                    && usable.version == version =>
            {
                Ok(usable.eligible)
            }
            _ => {
                let eligible = slot.members_with(mechanism, usage)?;
                self.mechanism = Some(Usable {
                    mechanism,
                    usage,
                    eligible,
                    version,
                });
                Ok(eligible)
            }
        }
    }

    /// As [`VirtualSlot::locate_key`].
    ///
    /// # Errors
    /// As there, with `CKR_KEY_HANDLE_INVALID`.
    pub(super) fn locate_key(
        &mut self,
        slot: &VirtualSlot,
        lease: &mut Lease,
        key: u64,
    ) -> Result<ObjectHandle, Stop> {
        if self.key == key
            && let Some(object) = self.object.upgrade()
        {
            let (member, incarnation) = lease.place();
            if let Whereabouts::At(handle) = object.whereabouts(member, incarnation) {
                return Ok(handle);
            }
        }
        let handle = slot.locate_key(lease, key, ckr::KEY_HANDLE_INVALID)?;
        let object = slot.catalogue.object(key);
        self.object = object.as_ref().map(Arc::downgrade).unwrap_or_default();
        self.key = key;
        Ok(handle)
    }
}
