//! What a search has found is, and what the group has on record of it.

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_protocol::{Attribute, List, ObjectHandle, Template, Value};

use super::VirtualSlot;
use super::identity::Identity;
use super::object::VirtualObject;
use crate::domain::{Attributes, CallError, Fingerprint, Shown};
use crate::group::{Lease, Stop};
use crate::module::{Delivery, LinkFailure};
use crate::objects::{Known, Record};

/// What the group answers in the members' place, of some objects (see [`Known::answer`]).
const ANSWERED: [u64; 10] = [
    ck::CKA_UNIQUE_ID,
    ck::CKA_EXTRACTABLE,
    ck::CKA_NEVER_EXTRACTABLE,
    ck::CKA_SENSITIVE,
    ck::CKA_ALWAYS_SENSITIVE,
    ck::CKA_WRAP_WITH_TRUSTED,
    ck::CKA_LOCAL,
    ck::CKA_KEY_GEN_MECHANISM,
    ck::CKA_MODIFIABLE,
    ck::CKA_DESTROYABLE,
];

impl VirtualSlot {
    /// The virtual object that a member's handle stands for; `None` when it has gone in the meantime, or is not to be seen.
    pub(super) fn recognise(
        &self,
        lease: &mut Lease,
        handle: ObjectHandle,
    ) -> Result<Option<u64>, Stop> {
        let place = lease.place();
        if let Some(object) = self.catalogue.at(place.0, place.1, handle) {
            return Ok(self.still_there(object));
        }
        let identity = match Identity::read(lease, handle)? {
            // A session object that we have not made is somebody else's in this process who uses the same module.
            Ok(identity) if !identity.token => return Ok(None),
            Ok(identity) => identity,
            Err(_) => return Ok(None),
        };
        if !self.driver.keeper.is_on() {
            return Ok(Some(self.catalogue.adopt(place, handle, identity)));
        }
        let shown = shown(lease, handle)?;
        let fingerprint = shown.map(|shown| self.driver.keeper.known_as(&shown));
        if self.is_hidden(lease, handle, (&identity, fingerprint))? {
            return Ok(None);
        }
        let record = fingerprint.map_or(Record::None, |of| self.driver.keeper.record_of(of));
        if record == Record::Gone {
            return Ok(None);
        }
        let object = self.catalogue.adopt(place, handle, identity);
        if let (Some(found), Some(fingerprint)) = (self.catalogue.object(object), fingerprint) {
            found.set_fingerprint(fingerprint);
        }
        Ok(self.still_there(object))
    }

    /// Whether a member's object is none of the application's: the domain key, one that is being made, or one that was made after its change
    /// had been undone. One that was made and still bears its plant has it taken off.
    fn is_hidden(
        &self,
        lease: &mut Lease,
        handle: ObjectHandle,
        (identity, fingerprint): (&Identity, Option<Fingerprint>),
    ) -> Result<bool, Stop> {
        let keeper = &self.driver.keeper;
        if keeper.key_name().names(identity.class, &identity.id) {
            return Ok(true);
        }
        let Some(plant) = identity.plant else {
            return Ok(false);
        };
        let in_the_making = keeper.is_in_the_making(plant, lease.place().0);
        if in_the_making.unwrap_or(true) || keeper.catch_up().is_err() {
            return Ok(true);
        }
        let record = fingerprint.map_or(Record::None, |of| keeper.record_of(of));
        if !matches!(record, Record::Live(_)) {
            return Ok(true);
        }
        let label = Attributes::new().bytes(ck::CKA_LABEL, &identity.label);
        match lease.token().set(handle, &label) {
            // A read-only token keeps it; it is known by its own label all the same.
            Ok(()) | Err(CallError::Code { .. }) => Ok(false),
            Err(error) => Err(unanswered(&error)),
        }
    }

    /// The object, unless the group has on record that it was destroyed: then its handle is no longer valid either.
    fn still_there(&self, handle: u64) -> Option<u64> {
        let Some(object) = self.catalogue.object(handle) else {
            return Some(handle);
        };
        match self.acquaint(&object) {
            Record::None | Record::Live(_) => Some(handle),
            Record::Gone => {
                self.catalogue.remove(handle);
                None
            }
        }
    }

    /// What is on record of an object, as of the last time that the journal was read; the object keeps it.
    pub(super) fn acquaint(&self, object: &VirtualObject) -> Record {
        let keeper = &self.driver.keeper;
        let record = match (object.known(), object.fingerprint()) {
            (Some(known), _) => match keeper.record_of_id(known.id) {
                // Made a moment ago, and not read yet.
                Record::None => Record::Live(*known),
                record @ (Record::Live(_) | Record::Gone) => record,
            },
            (None, Some(fingerprint)) => keeper.record_of(fingerprint),
            (None, None) => Record::None,
        };
        if let Record::Live(known) = record
            && object.known().is_none_or(|before| *before != known)
        {
            object.set_known(known);
        }
        record
    }

    /// What this process knows to be on record of an object.
    pub(super) fn on_record(&self, handle: u64) -> Option<Arc<Known>> {
        self.catalogue.object(handle)?.known()
    }
}

/// The attributes of a search that the group answers for some objects.
pub(super) struct Answered<'t> {
    template: Template<'t>,
    kinds: Vec<u64>,
}

impl<'t> Answered<'t> {
    pub(super) fn of(template: Template<'t>) -> Self {
        let kinds = template.iter().map(|attribute| attribute.kind);
        Self {
            template,
            kinds: kinds.filter(|kind| ANSWERED.contains(kind)).collect(),
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Gives `search` the template without them.
    pub(super) fn ask_members<T>(&self, search: impl FnOnce(Template<'_>) -> T) -> T {
        let rest = self.template.iter();
        let rest: Vec<Attribute<'_>> = rest
            .filter(|attribute| !self.kinds.contains(&attribute.kind))
            .collect();
        search(List::Items(&rest))
    }

    /// Whether the group answers every one of them for this object.
    pub(super) fn are_all_of(&self, known: &Known) -> bool {
        self.kinds.iter().all(|kind| known.answer(*kind).is_some())
    }

    /// Whether the group answers every one of them, and as the template has it.
    pub(super) fn fit(&self, known: &Known) -> bool {
        let mut asked = self.template.iter();
        let fits = asked.all(|attribute| {
            let value = match attribute.value {
                Value::Bytes(value) => value,
                Value::Template(_) => return true,
            };
            let answer = known.answer(attribute.kind);
            !self.kinds.contains(&attribute.kind)
                || answer.is_some_and(|answer| answer.as_slice() == &*value)
        });
        fits && self.are_all_of(known)
    }
}

/// What shows what an object is known by; none when the member does not tell, or it is gone.
fn shown(lease: &mut Lease, object: ObjectHandle) -> Result<Option<Shown>, Stop> {
    match Shown::of(&mut lease.token(), object) {
        Ok(shown) => Ok(Some(shown)),
        Err(CallError::Code { .. }) => Ok(None),
        Err(error) => Err(unanswered(&error)),
    }
}

fn unanswered(error: &CallError) -> Stop {
    match *error {
        CallError::NoAnswer { cause, .. } | CallError::NotLoaded(cause) => {
            let delivery = Delivery::Unknown;
            Stop::Unanswered(LinkFailure { delivery, cause })
        }
        CallError::Code { rv, .. } => Stop::Refused(rv),
    }
}
