//! The deeds of an update and of a destruction.

use everslot_core::{ChangeInput, Intent, MemberId, MemberSet, Plant, Rv};
use everslot_protocol::{Function, ObjectHandle};

use super::super::VirtualSlot;
use super::super::identity::Identity;
use super::super::object::VirtualObject;
use crate::domain::{Attributes, CallError, Fingerprint, Revision, Shown, Token};
use crate::group::Lease;
use crate::journal::{Object, ObjectId};
use crate::objects::Known;
use crate::objects::change::{self, Watch, plant as in_journal, written};
use crate::objects::reach::{Missed, Reach, Serving};

/// What becomes of the object.
pub(super) enum Altered {
    /// It gets these attributes.
    Set {
        given: Attributes,
        /// What keeps it more closely than the application asks for, where the token takes it: SoftHSM has it set at creation only.
        closer: Attributes,
        /// On record afterwards, but for what it is known by.
        after: Known,
    },
    /// It ends.
    Destroyed { id: ObjectId },
}

/// An alteration on its way.
pub(super) struct Deeds<'a> {
    slot: &'a VirtualSlot,
    reach: Serving<'a>,
    watch: Watch,
    object: &'a VirtualObject,
    altered: Altered,
    refused: Option<Rv>,
    changed: Option<(Known, Identity)>,
}

impl<'a> Deeds<'a> {
    pub(super) fn new(
        slot: &'a VirtualSlot,
        reach: Serving<'a>,
        object: &'a VirtualObject,
        altered: Altered,
    ) -> Self {
        Self {
            slot,
            watch: Watch::over(&reach, reach.reachable()),
            reach,
            object,
            altered,
            refused: None,
            changed: None,
        }
    }

    /// What a member has refused it with.
    pub(super) const fn refused(&self) -> Option<Rv> {
        self.refused
    }

    /// What is on record after an update, and what the object is recognised by.
    pub(super) fn changed(self) -> Option<(Known, Identity)> {
        self.changed
    }

    /// The group's own name of the object.
    pub(super) fn id(&self) -> ObjectId {
        match &self.altered {
            Altered::Set { after, .. } => after.id,
            Altered::Destroyed { id } => *id,
        }
    }

    /// Does `work` on the object at a member that has it.
    fn there(
        &mut self,
        member: MemberId,
        work: &mut dyn FnMut(&mut Token<'_>, ObjectHandle) -> Result<(), CallError>,
    ) -> ChangeInput {
        let mut is_there = false;
        let done = self.reach.lease_at(member, &mut |lease| {
            let Some(handle) = self.slot.locate_or_none(lease, self.object)? else {
                return Ok(());
            };
            is_there = true;
            work(&mut lease.token(), handle)
        });
        match done {
            Ok(()) if is_there => ChangeInput::Done,
            Ok(()) => ChangeInput::Gone,
            Err(missed) => {
                if let Missed::Refused(rv) = missed {
                    self.refused = self.refused.or(Some(rv));
                }
                missed.input()
            }
        }
    }

    /// What the object will be known by: after a crash it is looked for by that too.
    fn becomes(&mut self) -> Option<Fingerprint> {
        let given = match &self.altered {
            Altered::Set { given, .. } => given.clone(),
            Altered::Destroyed { .. } => return None,
        };
        let refused = self.refused;
        let mut becomes = None;
        for member in self.reach.reachable().iter() {
            let read = self.there(member, &mut |token, handle| {
                becomes = Some(Shown::after(token, handle, &given)?);
                Ok(())
            });
            if read == ChangeInput::Done {
                break;
            }
        }
        self.refused = refused;
        becomes.map(|shown| self.slot.driver.keeper.known_as(&shown))
    }

    /// What the object is after the update, at a member that has followed.
    fn read(&self, member: MemberId) -> Option<(Shown, Revision, Identity)> {
        let mut read = None;
        let done = self.reach.lease_at(member, &mut |lease| {
            if let Some(handle) = self.slot.locate_or_none(lease, self.object)? {
                let identity = identity(lease, handle)?;
                let mut token = lease.token();
                let revision = Revision::of(&mut token, handle)?;
                read = Some((Shown::of(&mut token, handle)?, revision, identity));
            }
            Ok(())
        });
        done.ok().and(read)
    }

    fn commit_update(
        &mut self,
        plant: Plant,
        after: Known,
        done: MemberSet,
        unclear: MemberSet,
    ) -> ChangeInput {
        // One that was lost just now is not the only one that has it.
        let read = done.iter().find_map(|member| self.read(member));
        let Some((shown, revision, identity)) = read else {
            // Somebody else has destroyed it meanwhile, or nobody can tell.
            return if self.slot.driver.keeper.is_live(after.id) {
                ChangeInput::Unknown
            } else {
                ChangeInput::Gone
            };
        };
        let fingerprint = self.slot.driver.keeper.known_as(&shown);
        let object = Object {
            id: after.id,
            fingerprint,
            bare: shown.bare(),
            class: after.class,
            revision,
            remembered: after.remembered,
        };
        let keeper = &self.slot.driver.keeper;
        let (done, unclear) = (keeper.names(done), keeper.names(unclear));
        let plant = in_journal(plant);
        let committed =
            keeper.with_journal(|journal| journal.commit_update(plant, &object, &done, &unclear));
        match committed {
            Ok(false) => ChangeInput::Gone,
            committed => {
                let known = Known {
                    fingerprint,
                    ..after
                };
                self.changed = Some((known, identity));
                written(&committed.map(|_| ()))
            }
        }
    }
}

impl change::Deeds for Deeds<'_> {
    fn lost(&mut self) -> Option<MemberId> {
        self.watch.lost(&self.reach)
    }

    fn record(&mut self, intent: Intent) -> ChangeInput {
        let becomes = self.becomes();
        let keeper = &self.slot.driver.keeper;
        keeper.record(intent, Some(self.id()), becomes)
    }

    fn update(&mut self, member: MemberId) -> ChangeInput {
        let (given, closer) = match &self.altered {
            Altered::Set { given, closer, .. } => (given.clone(), closer.clone()),
            Altered::Destroyed { .. } => return ChangeInput::Refused,
        };
        self.there(member, &mut |token, handle| {
            if closer != Attributes::new()
                && let Err(error) = token.set(handle, &closer)
                && !error.is_refusal()
            {
                return Err(error);
            }
            if given == Attributes::new() {
                Ok(())
            } else {
                token.set(handle, &given)
            }
        })
    }

    fn restore(&mut self, member: MemberId, from: MemberId) -> ChangeInput {
        let kinds: Vec<u64> = match &self.altered {
            Altered::Set { given, .. } => given.iter().map(|(kind, _)| kind).collect(),
            Altered::Destroyed { .. } => return ChangeInput::Refused,
        };
        let mut before = None;
        let read = self.there(from, &mut |token, handle| {
            before = Some(token.attributes(handle, &kinds)?);
            Ok(())
        });
        let Some(before) = before.filter(|_| read == ChangeInput::Done) else {
            return ChangeInput::SourceLost;
        };
        let refused = self.refused;
        let restored = self.there(member, &mut |token, handle| token.set(handle, &before));
        // What the application is told is what kept it from being done.
        self.refused = refused;
        restored
    }

    fn destroy(&mut self, member: MemberId) -> ChangeInput {
        self.there(member, &mut |token, handle| token.destroy(handle))
    }

    fn commit(&mut self, plant: Plant, done: MemberSet, unclear: MemberSet) -> ChangeInput {
        let id = match &self.altered {
            Altered::Set { after, .. } => {
                let after = *after;
                return self.commit_update(plant, after, done, unclear);
            }
            Altered::Destroyed { id } => *id,
        };
        let keeper = &self.slot.driver.keeper;
        let done = keeper.names(done);
        let plant = in_journal(plant);
        written(&keeper.with_journal(|journal| journal.commit_destruction(plant, id, &done)))
    }

    fn retract(&mut self, plant: Plant, left: MemberSet) -> ChangeInput {
        self.slot.driver.keeper.retract(plant, left)
    }
}

fn identity(lease: &mut Lease, handle: ObjectHandle) -> Result<Identity, CallError> {
    let function = Function::GetAttributeValue;
    match Identity::read(lease, handle) {
        Ok(Ok(identity)) => Ok(identity),
        Ok(Err(rv)) => Err(CallError::Code { function, rv }),
        Err(failure) => Err(CallError::NoAnswer {
            function,
            cause: failure.cause,
        }),
    }
}
