//! The objects of a token, in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cryptoki_sys as ck;
use everslot_core::{Rv, ckr};
use everslot_protocol::{
    AttributeValue, Body, Bytes, List, ObjectHandle, Reply, Request, Template, Wanted, wire,
};

use crate::domain::Attributes;

/// When the token dies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::group::witnesses) enum Doom {
    /// In the next call, of which it does nothing.
    Before,
    /// In the next call that changes an object, which is changed.
    After,
    /// It does not; it refuses the next call that destroys an object.
    Refuses,
}

/// It stays when its token dies.
#[derive(Default)]
pub(in crate::group::witnesses) struct Store(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    objects: BTreeMap<u64, Attributes>,
    last: u64,
    doom: Option<Doom>,
}

impl Store {
    /// What becomes of the token in a call: that is told once.
    pub(in crate::group::witnesses) fn doom_of(&self, request: &Request<'_>) -> Option<Doom> {
        let mut kept = self.lock();
        let is_of_session = matches!(
            request,
            Request::OpenSession { .. } | Request::CloseSession { .. }
        );
        let alters = matches!(
            request,
            Request::CreateObject { .. }
                | Request::SetAttributes { .. }
                | Request::DestroyObject { .. }
        );
        let strikes = |doom: &mut Doom| match doom {
            Doom::Before => !is_of_session,
            Doom::After => alters,
            Doom::Refuses => matches!(request, Request::DestroyObject { .. }),
        };
        kept.doom.take_if(strikes)
    }

    pub(super) fn set_doom(&self, doom: Option<Doom>) {
        self.lock().doom = doom;
    }

    pub(super) fn is_doomed(&self) -> bool {
        self.lock().doom.is_some()
    }

    pub(super) fn put(&self, attributes: Attributes) -> u64 {
        let mut kept = self.lock();
        kept.last += 1;
        let handle = kept.last;
        kept.objects.insert(handle, attributes);
        handle
    }

    /// Has each object of a class looked at, and changed.
    pub(super) fn each(&self, class: u64, mut look: impl FnMut(&mut Attributes)) {
        let mut kept = self.lock();
        let all = kept.objects.values_mut();
        let of_class = all.filter(|object| object.integer(ck::CKA_CLASS) == Some(class));
        of_class.for_each(&mut look);
    }

    /// All objects of a class are gone.
    pub(super) fn wipe(&self, class: u64) {
        let mut kept = self.lock();
        kept.objects
            .retain(|_, object| object.integer(ck::CKA_CLASS) != Some(class));
    }

    /// The answer to a request about objects; none to others.
    pub(in crate::group::witnesses) fn answer(
        &self,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Option<Reply> {
        Some(match *request {
            Request::CreateObject { template, .. } => Reply {
                rv: everslot_protocol::Rv::OK,
                body: Body::Object(ObjectHandle(self.put(Attributes::of(template)))),
            },
            Request::FindObjects { template, .. } => self.find(template, output),
            Request::AttributeValues { object, wanted, .. } => self.show(object, wanted, output),
            Request::SetAttributes {
                object, template, ..
            } => self.change(object, template),
            Request::DestroyObject { object, .. } => {
                let gone = self.lock().objects.remove(&object.0).is_none();
                bare(gone)
            }
            _ => return None,
        })
    }

    fn find(&self, template: Template<'_>, output: &mut [u8]) -> Reply {
        let wanted = Attributes::of(template);
        let kept = self.lock();
        let fits = |object: &Attributes| {
            wanted
                .iter()
                .all(|(kind, _)| object.get(kind) == wanted.get(kind))
        };
        let found = kept.objects.iter().filter(|(_, object)| fits(object));
        let mut length = 0;
        for (place, (handle, _)) in output.chunks_exact_mut(size_of::<u64>()).zip(found) {
            place.copy_from_slice(&handle.to_ne_bytes());
            length += place.len();
        }
        written(ckr::OK, length)
    }

    fn show(&self, object: ObjectHandle, wanted: List<'_, Wanted<'_>>, output: &mut [u8]) -> Reply {
        let kept = self.lock();
        let Some(object) = kept.objects.get(&object.0) else {
            return bare(true);
        };
        let mut rv = ckr::OK;
        let show = |wanted: Wanted<'_>| match (object.get(wanted.kind), wanted.room) {
            (Some(value), None) => AttributeValue::Length(value.len() as u64),
            (Some(value), Some(room)) if value.len() as u64 <= room => {
                AttributeValue::Bytes(Bytes(value))
            }
            (Some(_), Some(_)) => {
                rv = ckr::BUFFER_TOO_SMALL;
                AttributeValue::Unavailable
            }
            (None, _) => {
                rv = ckr::ATTRIBUTE_TYPE_INVALID;
                AttributeValue::Unavailable
            }
        };
        let values: Vec<_> = wanted.iter().map(show).collect();
        let length = wire::encode_attribute_values(List::Items(&values), output);
        written(rv, length.expect("there is room"))
    }

    fn change(&self, object: ObjectHandle, template: Template<'_>) -> Reply {
        let mut kept = self.lock();
        let Some(object) = kept.objects.get_mut(&object.0) else {
            return bare(true);
        };
        for (kind, content) in Attributes::of(template).iter() {
            object.set_content(kind, content.clone());
        }
        bare(false)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bare(gone: bool) -> Reply {
    let rv = if gone {
        ckr::OBJECT_HANDLE_INVALID
    } else {
        ckr::OK
    };
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}

const fn written(rv: Rv, length: usize) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Written(length as u64),
    }
}
