//! Session objects that outlive the member they were made on: what they were made of is kept, as far as that is nobody's secret.

use cryptoki_sys as ck;
use everslot_core::{Repeat, ckr};
use everslot_protocol::{Attribute, Body, Bytes, List, ObjectHandle, Request, Template, Value};
use zeroize::Zeroizing;

use super::VirtualSlot;
use super::object::{VirtualObject, Whereabouts};
use crate::group::{Errand, Home, Lease, Stop};

/// The attributes of a `C_CreateObject`, and what has become of them since. Zeroed when it is dropped.
pub(crate) struct Recipe(Vec<(u64, Zeroizing<Vec<u8>>)>);

/// Classes whose values PKCS#11 lets everybody read who may see the object.
const OPEN_CLASSES: [u64; 4] = [
    ck::CKO_DATA,
    ck::CKO_CERTIFICATE,
    ck::CKO_PUBLIC_KEY,
    ck::CKO_DOMAIN_PARAMETERS,
];

impl Recipe {
    /// `None` for a template that has another in it.
    pub(super) fn of(template: Template<'_>) -> Option<Self> {
        Self(Vec::new()).with_changes(template)
    }

    /// The recipe of what this becomes by a change. `None` when it must not be kept any longer: the change hides the value.
    pub(super) fn with_changes(&self, template: Template<'_>) -> Option<Self> {
        let mut attributes = self.0.clone();
        for attribute in template.iter() {
            let Value::Bytes(Bytes(value)) = attribute.value else {
                return None;
            };
            let hides = match attribute.kind {
                // It is a session object whatever the template says of it.
                ck::CKA_TOKEN => continue,
                ck::CKA_SENSITIVE => value != [0],
                ck::CKA_EXTRACTABLE => value == [0],
                _ => false,
            };
            if hides {
                return None;
            }
            attributes.retain(|(kind, _)| *kind != attribute.kind);
            attributes.push((attribute.kind, Zeroizing::new(value.to_vec())));
        }
        Some(Self(attributes))
    }

    /// The template to make the object again.
    fn template<T>(&self, make: impl FnOnce(Template<'_>) -> T) -> T {
        let attributes: Vec<_> = self
            .0
            .iter()
            .map(|(kind, value)| Attribute {
                kind: *kind,
                value: Value::Bytes(Bytes(value)),
            })
            .collect();
        make(List::Items(&attributes))
    }
}

/// Whether objects of this class may be made again from what they were made of; the value of another one has to be open by itself.
pub(super) fn is_open_class(class: u64) -> bool {
    OPEN_CLASSES.contains(&class)
}

impl VirtualSlot {
    /// A session object that is on no member any more is made again on this one.
    ///
    /// # Errors
    /// The member gave no answer.
    pub(super) fn make_again(
        &self,
        lease: &mut Lease,
        object: &VirtualObject,
    ) -> Result<Option<ObjectHandle>, Stop> {
        let Some(recipe) = object.recipe() else {
            return Ok(None);
        };
        // Two calls that need it make it once.
        let _turn = object.turn();
        let (member, incarnation) = lease.place();
        if let Whereabouts::At(handle) = object.whereabouts(member, incarnation) {
            return Ok(Some(handle));
        }
        if self.lives(object) {
            return Ok(None);
        }
        let reply = recipe.template(|template| {
            lease.create(Home::Anchor, &|session| Request::CreateObject {
                session,
                template,
            })
        })?;
        let Body::Object(handle) = reply.body else {
            return Ok(None);
        };
        self.catalogue.found(object, (member, incarnation), handle);
        Ok(Some(handle))
    }

    /// Whether a session object is on a member whose sessions have not gone since.
    pub(super) fn lives(&self, object: &VirtualObject) -> bool {
        self.driver.members().iter().any(|member| {
            let incarnation = member.incarnation();
            let there = object.whereabouts(member.id, incarnation);
            member.has_sessions(incarnation) && matches!(there, Whereabouts::At(_))
        })
    }

    /// Makes all lost session objects again that can be, so that a search finds them.
    pub(super) fn make_lost_again(&self) {
        if !self.catalogue.has_recipes() {
            return;
        }
        let lost = |object: &VirtualObject| object.recipe().is_some() && !self.lives(object);
        for object in self.catalogue.select(lost) {
            let mut send = |lease: &mut Lease| match self.make_again(lease, &object)? {
                Some(_) => Ok(DONE),
                None => Err(Stop::NotHere(ckr::OBJECT_HANDLE_INVALID)),
            };
            // One that cannot be made is not found.
            let _ = self
                .driver
                .perform(Errand::anywhere(Repeat::Safe), &mut send);
        }
    }
}

const DONE: everslot_protocol::Reply = everslot_protocol::Reply {
    rv: everslot_protocol::Rv::OK,
    body: Body::Empty,
};

#[cfg(test)]
mod tests;
