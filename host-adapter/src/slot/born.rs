//! Token objects of a group that has a domain key: made on one member, carried to the others, and on record before the call answers.

mod at_member;
mod birth;
mod creation;

use std::sync::Arc;

use everslot_core::{Change, ChangeAnswer, MemberSet, Rv, ckr};

use super::Session;
use super::create::{Made, Send};
use super::identity::Identity;
use super::order::{Given, Order};
use crate::domain::{Fingerprint, Revision, Shown};
use crate::group::Lease;
use crate::journal::ObjectId;
use crate::objects::change::{carry_through, new_mark};
use crate::objects::reach::Serving;
use crate::objects::{Known, Profiles};
use birth::Birth;
use creation::Creation;

/// What is known of a new object once a member has it.
pub(super) struct Fact {
    identity: Identity,
    shown: Shown,
    revision: Revision,
}

impl Session {
    /// Makes token objects on as many members as the configuration says; a session object that the same call makes stays where it is.
    ///
    /// # Errors
    /// What a member says; `CKR_FUNCTION_FAILED` when they cannot be carried to as many members as are asked for, `CKR_DEVICE_ERROR` when
    /// fewer serve, the journal does not take it, or nobody can tell. Nothing is left behind then, or it goes when its member is back.
    pub(super) fn bear(
        &self,
        order: &Order<'_>,
        profiles: Arc<Profiles>,
        send: &mut Send<'_>,
    ) -> Result<Made, Rv> {
        self.may_change(true)?;
        let preferred = self.state()?.maker;
        let driver = &self.slot.driver;
        let keeper = &driver.keeper;
        driver.recover_in_call();
        let entered = keeper.enter().map_err(|_| ckr::DEVICE_ERROR)?;
        let reach = Serving::new(driver, profiles);
        let keepers = crate::objects::reach::Reach::reachable(&reach);
        reach.look_up_keys(keepers);
        let births = Birth::of_order(order, keeper.protection())?;
        let mark = new_mark().ok_or(ckr::FUNCTION_FAILED)?;
        let balanced = || driver.choose(order.eligible, MemberSet::EMPTY);
        let prefer = preferred.or_else(|| balanced().map(|(member, _)| member));
        let classes = births.iter().filter(|birth| birth.token);
        let makers = keepers.intersection(order.eligible);
        let makers = reach.that_keep(makers, classes.map(|birth| birth.class));
        let change = Change::create(mark, keeper.copies(), makers, keepers, prefer);
        let _under_way = keeper.begin(mark);
        let mut creation = Creation::new(driver, reach, births, send);
        let made = match carry_through(change, keeper, &mut creation) {
            ChangeAnswer::Done => creation.finish(&self.slot),
            answer => Err(creation.refusal(answer)),
        };
        drop(entered);
        driver.bring_what_is_owed();
        let (made, maker) = made?;
        self.own(made, maker)?;
        Ok(made)
    }
}

impl Session {
    /// Makes a session object that is a copy of a key which the members have otherwise than the application believes: what it was promised
    /// of the original holds for the copy too.
    ///
    /// # Errors
    /// As for any copy; `CKR_TEMPLATE_INCONSISTENT` for one that is kept less closely than its original.
    pub(super) fn copy_guarded(&self, order: &Order<'_>, send: &mut Send<'_>) -> Result<Made, Rv> {
        let births = Birth::of_order(order, self.slot.driver.keeper.protection())?;
        let birth = births.first().ok_or(ckr::FUNCTION_FAILED)?;
        let made = birth.given().with_template(|template| {
            let order = Order {
                templates: Given::one(template),
                label: order.label.clone(),
                ..*order
            };
            self.make_on_one(&order, send)
        })?;
        if let Made::One(copy) = made
            && let Some(object) = self.slot.catalogue.object(copy)
        {
            object.set_known(Known {
                id: ObjectId::random().ok_or(ckr::FUNCTION_FAILED)?,
                // It is on one member, and never looked for.
                fingerprint: Fingerprint([0; 16]),
                class: birth.class,
                remembered: birth.remembered,
            });
        }
        Ok(made)
    }
}

impl Fact {
    /// Reads what a new object is known by; the token is asked in its own words, and in the slot's.
    fn read(
        lease: &mut Lease,
        object: everslot_protocol::ObjectHandle,
    ) -> Result<Self, crate::domain::CallError> {
        let identity = Identity::read(lease, object);
        let identity = identity.map_err(|failure| crate::domain::CallError::NoAnswer {
            function: everslot_protocol::Function::GetAttributeValue,
            cause: failure.cause,
        })?;
        let mut token = lease.token();
        Ok(Self {
            identity: identity.unwrap_or_default(),
            shown: Shown::of(&mut token, object)?,
            revision: Revision::of(&mut token, object)?,
        })
    }

    fn known(&self, id: ObjectId, birth: &Birth) -> Known {
        Known {
            id,
            fingerprint: self.shown.fingerprint(),
            class: birth.class,
            remembered: birth.remembered,
        }
    }
}
