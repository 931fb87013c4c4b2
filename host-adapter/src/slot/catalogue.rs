use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use everslot_core::{Incarnation, MemberId};
use everslot_protocol::ObjectHandle;
use rustc_hash::FxBuildHasher;

use super::identity::Identity;
use super::object::{VirtualObject, Whereabouts};
use super::recipe::Recipe;
use crate::objects::Known;

/// The virtual objects of a slot, by their handles, by where they are and by what they are.
///
/// Looking one up by its handle takes no lock.
pub(crate) struct Catalogue {
    objects: papaya::HashMap<u64, Arc<VirtualObject>, FxBuildHasher>,
    next: AtomicU64,
    members: usize,
    /// Whether an object was ever given a recipe.
    recipes: AtomicBool,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    by_place: HashMap<(MemberId, ObjectHandle), (Incarnation, u64)>,
    by_name: HashMap<Vec<u8>, Vec<u64>>,
}

impl Catalogue {
    pub(crate) fn new(members: usize) -> Self {
        Self {
            objects: papaya::HashMap::default(),
            next: AtomicU64::new(1),
            members,
            recipes: AtomicBool::new(false),
            index: Mutex::default(),
        }
    }

    pub(crate) fn object(&self, handle: u64) -> Option<Arc<VirtualObject>> {
        self.objects.pin().get(&handle).cloned()
    }

    /// The member's handle of a virtual object that was seen there in this incarnation.
    pub(crate) fn handle_at(
        &self,
        object: u64,
        member: MemberId,
        incarnation: Incarnation,
    ) -> Option<ObjectHandle> {
        match self
            .objects
            .pin()
            .get(&object)?
            .whereabouts(member, incarnation)
        {
            Whereabouts::At(handle) => Some(handle),
            Whereabouts::Absent | Whereabouts::Unknown => None,
        }
    }

    /// The virtual object that is known to be at a member's handle.
    pub(crate) fn at(
        &self,
        member: MemberId,
        incarnation: Incarnation,
        handle: ObjectHandle,
    ) -> Option<u64> {
        let index = self.index();
        let (seen, object) = index.by_place.get(&(member, handle))?;
        (*seen == incarnation).then_some(*object)
    }

    /// Takes in an object that was seen on a member: as the known one that it is, else as a new one. Its virtual handle.
    ///
    /// Two handles of one member are two objects, however alike they are.
    pub(crate) fn adopt(
        &self,
        (member, incarnation): (MemberId, Incarnation),
        handle: ObjectHandle,
        identity: Identity,
    ) -> u64 {
        let mut index = self.index();
        if let Some((seen, object)) = index.by_place.get(&(member, handle))
            && *seen == incarnation
        {
            return *object;
        }
        let object = self
            .twin(&index, member, incarnation, &identity)
            .unwrap_or_else(|| self.add(&mut index, identity));
        self.note(&mut index, object, (member, incarnation), handle);
        object
    }

    /// Takes in an object that was made on several members at once. Its virtual handle.
    pub(crate) fn insert(
        &self,
        identity: Identity,
        places: &[((MemberId, Incarnation), ObjectHandle)],
        known: Option<Known>,
    ) -> u64 {
        let mut index = self.index();
        let seen = places.iter().find_map(|((member, incarnation), handle)| {
            let (seen, object) = index.by_place.get(&(*member, *handle))?;
            (seen == incarnation).then_some(*object)
        });
        // A search may have been quicker.
        let object = seen.unwrap_or_else(|| self.add(&mut index, identity));
        if let (Some(known), Some(object)) = (known, self.object(object)) {
            object.set_known(known);
        }
        for (place, handle) in places {
            self.note(&mut index, object, *place, *handle);
        }
        object
    }

    fn add(&self, index: &mut Index, identity: Identity) -> u64 {
        let object = self.next.fetch_add(1, Ordering::Relaxed);
        let name = identity.name();
        let new = VirtualObject::new(object, identity, self.members);
        self.objects.pin().insert(object, Arc::new(new));
        index.by_name.entry(name).or_default().push(object);
        object
    }

    /// Notes that `object` is at a member's handle.
    pub(crate) fn found(
        &self,
        object: &VirtualObject,
        place: (MemberId, Incarnation),
        handle: ObjectHandle,
    ) {
        self.note(&mut self.index(), object.handle, place, handle);
    }

    /// Keeps what a session object can be made of again.
    pub(crate) fn keep(&self, object: u64, recipe: Recipe) {
        if let Some(object) = self.object(object) {
            object.set_recipe(Some(recipe));
            self.recipes.store(true, Ordering::Release);
        }
    }

    /// Whether there may be objects that can be made again.
    pub(crate) fn has_recipes(&self) -> bool {
        self.recipes.load(Ordering::Acquire)
    }

    /// The application has given an object another label or id.
    pub(crate) fn rename(&self, object: &VirtualObject, identity: Identity) {
        let mut index = self.index();
        if let Some(named) = index.by_name.get_mut(&object.identity().name()) {
            named.retain(|named| *named != object.handle);
        }
        index
            .by_name
            .entry(identity.name())
            .or_default()
            .push(object.handle);
        object.set_identity(identity);
    }

    /// Takes an object out: its handle is invalid from now on.
    pub(crate) fn remove(&self, handle: u64) {
        let Some(object) = self.objects.pin().remove(&handle).cloned() else {
            return;
        };
        // Whoever still has the object finds no handle of a member in it, which the member may give to another.
        object.forget();
        let mut index = self.index();
        index.by_place.retain(|_, (_, at)| *at != handle);
        if let Some(named) = index.by_name.get_mut(&object.identity().name()) {
            named.retain(|named| *named != handle);
        }
    }

    /// The objects for which `of` holds.
    pub(crate) fn select(&self, of: impl Fn(&VirtualObject) -> bool) -> Vec<Arc<VirtualObject>> {
        self.objects
            .pin()
            .values()
            .filter(|object| of(object))
            .cloned()
            .collect()
    }

    fn twin(
        &self,
        index: &Index,
        member: MemberId,
        incarnation: Incarnation,
        identity: &Identity,
    ) -> Option<u64> {
        let named = index.by_name.get(&identity.name())?;
        named.iter().copied().find(|handle| {
            self.object(*handle).is_some_and(|object| {
                let elsewhere =
                    matches!(object.whereabouts(member, incarnation), Whereabouts::At(_));
                !elsewhere && object.identity().is_same(identity)
            })
        })
    }

    fn note(
        &self,
        index: &mut Index,
        object: u64,
        (member, incarnation): (MemberId, Incarnation),
        handle: ObjectHandle,
    ) {
        if let Some(known) = self.object(object) {
            known.found(member, incarnation, handle);
        }
        index
            .by_place
            .insert((member, handle), (incarnation, object));
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
