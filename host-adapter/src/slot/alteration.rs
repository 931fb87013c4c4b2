//! Objects that are on record are changed and destroyed as the core's change machine says: at every member that has them, the journal first.

mod deeds;

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::{Change, ChangeAnswer, MemberSet, Rv, ckr};
use everslot_protocol::Template;

use super::identity::Identity;
use super::object::VirtualObject;
use super::{Session, VirtualSlot};
use crate::domain::{Attributes, Revision, Shown, policy};
use crate::group::Stop;
use crate::journal::{Holder, Object, ObjectId};
use crate::objects::change::{carry_through, new_mark};
use crate::objects::reach::{Reach, Serving};
use crate::objects::{Known, Profiles, Record, planted};
use deeds::{Altered, Deeds};

/// What is on record of an object, and how the members wrap.
type Recorded = (Arc<Known>, Arc<Profiles>);

impl Session {
    /// Sets the attributes of an object that is on record.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` when it was destroyed by whoever else, `CKR_ACTION_PROHIBITED`, `CKR_ATTRIBUTE_READ_ONLY`, what a member says: then all have it as it
    /// was. `CKR_DEVICE_ERROR` when the journal does not take it, no member that has it serves, or nobody can tell.
    pub(super) fn set_on_record(
        &self,
        object: &VirtualObject,
        known: &Known,
        template: Template<'_>,
        profiles: Arc<Profiles>,
    ) -> Result<(), Rv> {
        if !known.is_modifiable() {
            return Err(ckr::ACTION_PROHIBITED);
        }
        let changes = Attributes::of(template);
        if changes
            .get(ck::CKA_LABEL)
            .is_some_and(|label| planted::plant_of(label).is_some())
        {
            return Err(ckr::ATTRIBUTE_VALUE_INVALID);
        }
        let driver = &self.slot.driver;
        let entered = driver.keeper.enter().map_err(|_| ckr::DEVICE_ERROR)?;
        let reach = Serving::new(driver, profiles);
        let holders = self.followers(known, reach.reachable())?;
        reach.look_up_keys(holders);
        let asks_for_trust = changes.content(ck::CKA_WRAP_WITH_TRUSTED).is_some();
        let (mut given, remembered) = match known.guarded() {
            Some(remembered) => {
                let protection = driver.keeper.protection();
                let (given, after) = policy::as_changed(&changes, *remembered, protection)?;
                (given, Some(after))
            }
            None => (changes, known.remembered),
        };
        let mut closer = Attributes::new();
        let trust = given.get(ck::CKA_WRAP_WITH_TRUSTED).map(<[u8]>::to_vec);
        if let Some(trust) = trust.filter(|_| !asks_for_trust) {
            closer.set(ck::CKA_WRAP_WITH_TRUSTED, &trust);
            given.remove(ck::CKA_WRAP_WITH_TRUSTED);
        }
        let after = Known {
            remembered,
            ..*known
        };
        let mark = new_mark().ok_or(ckr::FUNCTION_FAILED)?;
        let change = Change::update(mark, holders);
        let altered = self.alter(
            change,
            mark,
            reach,
            object,
            Altered::Set {
                given,
                closer,
                after,
            },
        );
        drop(entered);
        driver.bring_what_is_owed();
        if let Some((known, identity)) = altered? {
            self.slot.catalogue.rename(object, identity);
            object.set_known(known);
        }
        Ok(())
    }

    /// Who is to be asked to change an object: those that have it as the group has it. Who is behind is brought what they have then; changed as it is there,
    /// it would take back what was acknowledged.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` when none of those serves, or the journal cannot be read.
    fn followers(&self, known: &Known, reachable: MemberSet) -> Result<MemberSet, Rv> {
        let keeper = &self.slot.driver.keeper;
        let entry = keeper.with_journal(|journal| journal.entry(known.id));
        let Some(entry) = entry.map_err(|_| ckr::DEVICE_ERROR)? else {
            return Ok(reachable);
        };
        let current = keeper.members(entry.current());
        if current.is_empty() {
            return Ok(reachable);
        }
        let followers = current.intersection(reachable);
        if followers.is_empty() {
            let group = self.slot.label();
            tracing::warn!(
                group,
                "an object was not changed: the members that have it as it was last changed are away"
            );
            return Err(ckr::DEVICE_ERROR);
        }
        let all = keeper.members(entry.holders.iter().map(|holder| holder.member.as_str()));
        keeper.owe(all.intersection(reachable).difference(followers));
        Ok(followers)
    }

    /// Destroys an object that is on record: its tombstone stands before the first member does so (S9).
    ///
    /// # Errors
    /// As for [`set_on_record`](Self::set_on_record).
    pub(super) fn destroy_on_record(
        &self,
        object: &VirtualObject,
        known: &Known,
        profiles: Arc<Profiles>,
    ) -> Result<(), Rv> {
        if !known.is_destroyable() {
            return Err(ckr::ACTION_PROHIBITED);
        }
        let driver = &self.slot.driver;
        let entered = driver.keeper.enter().map_err(|_| ckr::DEVICE_ERROR)?;
        let reach = Serving::new(driver, profiles);
        let mark = new_mark().ok_or(ckr::FUNCTION_FAILED)?;
        let change = Change::destroy(mark, reach.reachable());
        let altered = Altered::Destroyed { id: known.id };
        let altered = self.alter(change, mark, reach, object, altered);
        drop(entered);
        driver.bring_what_is_owed();
        altered?;
        self.slot.catalogue.remove(object.handle);
        Ok(())
    }

    fn alter(
        &self,
        change: Change,
        mark: u64,
        reach: Serving<'_>,
        object: &VirtualObject,
        altered: Altered,
    ) -> Result<Option<(Known, Identity)>, Rv> {
        let keeper = &self.slot.driver.keeper;
        let _under_way = keeper.begin(mark);
        let mut deeds = Deeds::new(&self.slot, reach, object, altered);
        match carry_through(change, keeper, &mut deeds) {
            ChangeAnswer::Done => Ok(deeds.changed()),
            // The members that have it are away.
            ChangeAnswer::Gone if keeper.is_live(deeds.id()) => Err(ckr::DEVICE_ERROR),
            ChangeAnswer::Gone => {
                self.slot.catalogue.remove(object.handle);
                Err(ckr::OBJECT_HANDLE_INVALID)
            }
            ChangeAnswer::Refused => Err(deeds.refused().unwrap_or(ckr::FUNCTION_FAILED)),
            ChangeAnswer::NotCarryable
            | ChangeAnswer::TooFew
            | ChangeAnswer::Unavailable
            | ChangeAnswer::JournalFailed
            | ChangeAnswer::Unknown => Err(ckr::DEVICE_ERROR),
        }
    }
}

impl VirtualSlot {
    /// What is on record of an object that is to be changed, and how the members wrap; none for an object that is none of the group's: nobody
    /// could recognise it anywhere else, or the group has no domain.
    ///
    /// # Errors
    /// `CKR_OBJECT_HANDLE_INVALID` when it was destroyed, `CKR_DEVICE_ERROR` when the journal cannot be used.
    pub(super) fn record_to_change(&self, object: &VirtualObject) -> Result<Option<Recorded>, Rv> {
        let keeper = &self.driver.keeper;
        let failed = |_| ckr::DEVICE_ERROR;
        if !object.token {
            return Ok(None);
        }
        let Some(profiles) = keeper.profiles().map_err(failed)? else {
            return Ok(None);
        };
        keeper.catch_up().map_err(failed)?;
        match self.acquaint(object) {
            Record::Gone => {
                self.catalogue.remove(object.handle);
                return Err(ckr::OBJECT_HANDLE_INVALID);
            }
            Record::None if object.identity().is_telling() => {
                self.put_on_record(object, Arc::clone(&profiles))?;
            }
            Record::None | Record::Live(_) => {}
        }
        Ok(object.known().map(|known| (known, profiles)))
    }

    /// Takes an object into the journal that was there before the group had a domain, with those who have it: what is to be done to it can then
    /// be kept for members that are away.
    fn put_on_record(&self, object: &VirtualObject, profiles: Arc<Profiles>) -> Result<(), Rv> {
        let keeper = &self.driver.keeper;
        let reach = Serving::new(&self.driver, profiles);
        let mut seen: Option<(Shown, Revision)> = None;
        let mut holders = Vec::new();
        for member in reach.reachable().iter() {
            let _ = reach.lease_at(member, &mut |lease| {
                let Some(handle) = self.locate_or_none(lease, object)? else {
                    return Ok(());
                };
                let mut token = lease.token();
                let revision = Revision::of(&mut token, handle)?;
                if seen.is_none() {
                    seen = Some((Shown::of(&mut token, handle)?, revision));
                }
                holders.push(Holder {
                    member: keeper.name(member).to_owned(),
                    revision: Some(revision),
                });
                Ok(())
            });
        }
        let (shown, revision) = seen.ok_or(ckr::DEVICE_ERROR)?;
        let fingerprint = keeper.known_as(&shown);
        let taken = Object {
            id: ObjectId::random().ok_or(ckr::FUNCTION_FAILED)?,
            fingerprint,
            bare: shown.bare(),
            class: object.identity().class,
            revision,
            remembered: None,
        };
        let adopted = keeper.with_journal(|journal| journal.adopt(&taken, &holders));
        adopted.map_err(|_| ckr::DEVICE_ERROR)?;
        object.set_known(Known {
            id: taken.id,
            fingerprint,
            class: taken.class,
            remembered: None,
        });
        Ok(())
    }

    /// The member's handle of an object, if it has it.
    pub(super) fn locate_or_none(
        &self,
        lease: &mut crate::group::Lease,
        object: &VirtualObject,
    ) -> Result<Option<everslot_protocol::ObjectHandle>, crate::domain::CallError> {
        use crate::domain::CallError;
        let function = everslot_protocol::Function::FindObjects;
        match self.locate(lease, object.handle, ckr::OBJECT_HANDLE_INVALID) {
            Ok(handle) => Ok(Some(handle)),
            Err(Stop::NotHere(_)) => Ok(None),
            Err(Stop::Unanswered(failure)) => Err(CallError::NoAnswer {
                function,
                cause: failure.cause,
            }),
            Err(Stop::Refused(rv) | Stop::Final(rv)) => Err(CallError::Code { function, rv }),
        }
    }
}
