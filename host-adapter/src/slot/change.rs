//! Changes of objects: on every member that has the object and serves. What is on record is changed by way of the journal.

use std::cell::Cell;

use cryptoki_sys as ck;
use everslot_core::{MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{ObjectHandle, Reply, Request, Template};

use super::identity::Identity;
use super::object::VirtualObject;
use super::{Refusal, Session};
use crate::group::{Errand, Lease, Stop};

impl Session {
    /// `C_SetAttributeValue`, on every member that has the object and serves.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID`, `CKR_SESSION_READ_ONLY`, what the members say, `CKR_DEVICE_ERROR` when none that has it serves.
    pub fn set_attributes(&self, object: u64, template: Template<'_>) -> Result<(), Rv> {
        drop(self.state()?);
        let found = self.object(object)?;
        self.may_change(found.token)?;
        if let Some((known, profiles)) = self.slot.record_to_change(&found)? {
            return self.set_on_record(&found, &known, template, profiles);
        }
        let renames = template
            .iter()
            .any(|attribute| matches!(attribute.kind, ck::CKA_ID | ck::CKA_LABEL));
        let renamed = Cell::new(None);
        self.on_each_holder(&found, &|lease, object| {
            let reply = lease.call(
                &Request::SetAttributes {
                    session: lease.handle(),
                    object,
                    template,
                },
                &mut [],
            )?;
            if renames && reply.rv == everslot_protocol::Rv::OK {
                renamed.set(Identity::read(lease, object)?.ok());
            }
            Ok(reply)
        })?;
        if let Some(recipe) = found.recipe() {
            found.set_recipe(recipe.with_changes(template));
        }
        if let Some(identity) = renamed.take() {
            self.slot.catalogue.rename(&found, identity);
        }
        Ok(())
    }

    /// `C_DestroyObject`, on every member that has the object and serves.
    ///
    /// # Errors
    /// As in [`set_attributes`](Self::set_attributes).
    pub fn destroy_object(&self, object: u64) -> Result<(), Rv> {
        drop(self.state()?);
        let found = self.object(object)?;
        self.may_change(found.token)?;
        if found.recipe().is_some() && !self.slot.lives(&found) {
            // It went with its member, and is not made again any more.
            self.slot.catalogue.remove(object);
            return Ok(());
        }
        if let Some((known, profiles)) = self.slot.record_to_change(&found)? {
            return self.destroy_on_record(&found, &known, profiles);
        }
        self.on_each_holder(&found, &|lease, object| {
            Ok(lease.call(
                &Request::DestroyObject {
                    session: lease.handle(),
                    object,
                },
                &mut [],
            )?)
        })?;
        self.slot.catalogue.remove(object);
        Ok(())
    }

    /// Has each member that has the object change it: the first refusal is the answer, unless one has done it.
    fn on_each_holder(
        &self,
        object: &VirtualObject,
        change: &dyn Fn(&mut Lease, ObjectHandle) -> Result<Reply, Stop>,
    ) -> Result<(), Rv> {
        self.slot.driver.recover_in_call();
        let mut changed = false;
        let mut refused = None;
        let mut absent = ckr::DEVICE_ERROR;
        for id in self.slot.driver.settled().iter() {
            let mut is_here = true;
            let mut send = |lease: &mut Lease| match self.slot.locate(
                lease,
                object.handle,
                ckr::OBJECT_HANDLE_INVALID,
            ) {
                Ok(handle) => change(lease, handle),
                Err(stop) => {
                    is_here = false;
                    Err(stop)
                }
            };
            let errand = Errand {
                eligible: MemberSet::of(id),
                ..Errand::anywhere(Repeat::OnlyIfUndelivered)
            };
            let done = self.slot.driver.perform(errand, &mut send);
            match done.and_then(|done| Refusal::of(done.reply).map_err(|refusal| refusal.rv)) {
                Ok(()) => changed = true,
                Err(rv) if is_here => refused = refused.or(Some(rv)),
                Err(rv) => absent = rv,
            }
        }
        match (changed, refused) {
            (true, _) => Ok(()),
            (false, refused) => Err(refused.unwrap_or(absent)),
        }
    }
}
