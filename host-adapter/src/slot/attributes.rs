use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{AttributeValue, Body, Bytes, List, Request, Wanted, wire};

use super::object::VirtualObject;
use super::{Refusal, Session, written};
use crate::group::{Errand, Lease};

/// Bytes of attribute values that are asked for without further ado.
const ROOM: usize = 64 * 1024;
/// Bytes of attribute values that are asked for at all.
const LARGEST: usize = 256 * 1024 * 1024;

impl Session {
    /// `C_GetAttributeValue`. `take` is given the values, one for each that is wanted, also with the codes that leave only some out.
    ///
    /// The code: `CKR_OBJECT_HANDLE_INVALID`, what the member says, `CKR_DEVICE_ERROR` when no member that has the object serves.
    pub fn attribute_values(
        &self,
        object: u64,
        wanted: List<'_, Wanted<'_>>,
        take: &mut dyn FnMut(List<'_, AttributeValue<'_>>),
    ) -> Rv {
        if let Err(rv) = self.state().map(drop) {
            return rv;
        }
        if wire::attribute_values_size(wanted) <= ROOM {
            return self.read_attributes(object, wanted, take);
        }
        // The room that an application claims says nothing of what there is: ask that first.
        let mut trimmed: Vec<Wanted<'_>> = wanted.iter().collect();
        let lengths: Vec<_> = trimmed
            .iter()
            .map(|wanted| Wanted {
                room: None,
                ..*wanted
            })
            .collect();
        let rv = self.read_attributes(object, List::Items(&lengths), &mut |values| {
            for (wanted, value) in trimmed.iter_mut().zip(values.iter()) {
                if let AttributeValue::Length(length) = value {
                    wanted.room = wanted.room.map(|room| room.min(length));
                }
            }
        });
        let listed = matches!(
            rv,
            ckr::OK
                | ckr::ATTRIBUTE_SENSITIVE
                | ckr::ATTRIBUTE_TYPE_INVALID
                | ckr::BUFFER_TOO_SMALL
        );
        match listed {
            true if wire::attribute_values_size(List::Items(&trimmed)) > LARGEST => {
                ckr::HOST_MEMORY
            }
            true => self.read_attributes(object, List::Items(&trimmed), take),
            false => rv,
        }
    }

    /// What the group has on record is answered in the member's place.
    fn read_attributes(
        &self,
        object: u64,
        wanted: List<'_, Wanted<'_>>,
        take: &mut dyn FnMut(List<'_, AttributeValue<'_>>),
    ) -> Rv {
        let known = self.slot.on_record(object);
        let answers: Vec<_> = match &known {
            Some(known) => wanted
                .iter()
                .map(|wanted| known.answer(wanted.kind))
                .collect(),
            None => Vec::new(),
        };
        if answers.iter().all(Option::is_none) {
            return self.ask_member(object, wanted, take);
        }
        let asked: Vec<Wanted<'_>> = wanted
            .iter()
            .zip(&answers)
            .filter(|(_, answer)| answer.is_none())
            .map(|(wanted, _)| wanted)
            .collect();
        let answered = wanted.iter().zip(&answers);
        let is_small = answered.clone().any(|(wanted, answer)| {
            let length = answer.as_ref().map_or(0, |answer| answer.len() as u64);
            wanted.room.is_some_and(|room| room < length)
        });
        let mut merge = |values: List<'_, AttributeValue<'_>>| {
            let mut values = values.iter();
            let merged: Vec<_> = answered
                .clone()
                .map(|(wanted, answer)| match (answer, wanted.room) {
                    (None, _) => values.next().unwrap_or(AttributeValue::Unavailable),
                    (Some(answer), None) => AttributeValue::Length(answer.len() as u64),
                    (Some(answer), Some(room)) if room < answer.len() as u64 => {
                        AttributeValue::Unavailable
                    }
                    (Some(answer), Some(_)) => AttributeValue::Bytes(Bytes(answer)),
                })
                .collect();
            take(List::Items(&merged));
        };
        let rv = if asked.is_empty() {
            merge(List::EMPTY);
            ckr::OK
        } else {
            self.ask_member(object, List::Items(&asked), &mut merge)
        };
        match rv {
            ckr::OK if is_small => ckr::BUFFER_TOO_SMALL,
            rv => rv,
        }
    }

    fn ask_member(
        &self,
        object: u64,
        wanted: List<'_, Wanted<'_>>,
        take: &mut dyn FnMut(List<'_, AttributeValue<'_>>),
    ) -> Rv {
        let mut output = vec![0; wire::attribute_values_size(wanted)];
        let mut send = |lease: &mut Lease| {
            let object = self
                .slot
                .locate(lease, object, ckr::OBJECT_HANDLE_INVALID)?;
            Ok(lease.call(
                &Request::AttributeValues {
                    session: lease.handle(),
                    object,
                    wanted,
                },
                &mut output,
            )?)
        };
        let reply = match self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)
        {
            Ok(done) => done.reply,
            Err(rv) => return rv,
        };
        match wire::decode_attribute_values(written(reply, &output)) {
            Ok(values) if matches!(reply.body, Body::Written(_)) => take(values),
            Ok(_) | Err(_) => {}
        }
        Rv(reply.rv.0)
    }

    /// `C_GetObjectSize`, in bytes.
    ///
    /// # Errors
    /// As in [`attribute_values`](Self::attribute_values).
    pub fn object_size(&self, object: u64) -> Result<u64, Rv> {
        drop(self.state()?);
        let mut send = |lease: &mut Lease| {
            let object = self
                .slot
                .locate(lease, object, ckr::OBJECT_HANDLE_INVALID)?;
            Ok(lease.call(
                &Request::ObjectSize {
                    session: lease.handle(),
                    object,
                },
                &mut [],
            )?)
        };
        let reply = self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?
            .reply;
        Refusal::of_length(reply).map_err(|refusal| refusal.rv)
    }

    /// The virtual object of a handle.
    pub(super) fn object(&self, object: u64) -> Result<std::sync::Arc<VirtualObject>, Rv> {
        self.slot
            .catalogue
            .object(object)
            .ok_or(ckr::OBJECT_HANDLE_INVALID)
    }
}
