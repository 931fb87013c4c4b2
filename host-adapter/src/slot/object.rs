use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use everslot_core::{Incarnation, MemberId};
use everslot_protocol::ObjectHandle;

use super::identity::Identity;
use super::recipe::Recipe;
use crate::config::MEMBERS;
use crate::domain::Fingerprint;
use crate::objects::Known;

/// An object as the application holds it: a handle of ours that outlives any member.
pub(crate) struct VirtualObject {
    /// `CK_OBJECT_HANDLE` of the virtual slot.
    pub(crate) handle: u64,
    /// What it is recognised by; an application may change its label and id.
    identity: ArcSwap<Identity>,
    /// `CKA_TOKEN`
    pub(crate) token: bool,
    /// `CKA_PRIVATE`
    pub(crate) private: bool,
    places: Box<[Place]>,
    /// Of the ids beyond those that there were when it was first seen; made when it is seen there.
    later: OnceLock<Box<[Place; MEMBERS]>>,
    /// What a session object can be made of again, if that may be kept.
    recipe: ArcSwapOption<Recipe>,
    turn: Mutex<()>,
    /// What the group's journal has on record of it.
    known: ArcSwapOption<Known>,
    /// What it was known by when it was first seen.
    fingerprint: OnceLock<Fingerprint>,
}

/// Where an object is on one member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Whereabouts {
    /// Not looked for in this incarnation.
    Unknown,
    /// Under this handle.
    At(ObjectHandle),
    /// Looked for, and not there.
    Absent,
}

/// One member's handle of an object with the incarnation in which it was seen (S6), readable without a lock.
///
/// `seen` is the incarnation in its high half and a mark in its low half; `handle` is written before it.
#[derive(Debug, Default)]
struct Place {
    seen: AtomicU64,
    handle: AtomicU64,
}

const PRESENT: u64 = 1;
const ABSENT: u64 = 2;

impl VirtualObject {
    pub(crate) fn new(handle: u64, identity: Identity, members: usize) -> Self {
        Self {
            handle,
            token: identity.token,
            private: identity.private,
            identity: ArcSwap::from_pointee(identity),
            places: (0..members).map(|_| Place::default()).collect(),
            later: OnceLock::new(),
            recipe: ArcSwapOption::empty(),
            turn: Mutex::default(),
            known: ArcSwapOption::empty(),
            fingerprint: OnceLock::new(),
        }
    }

    /// What it is recognised by on other members.
    pub(crate) fn identity(&self) -> Arc<Identity> {
        self.identity.load_full()
    }

    pub(crate) fn set_identity(&self, identity: Identity) {
        self.identity.store(Arc::new(identity));
    }

    pub(crate) fn recipe(&self) -> Option<Arc<Recipe>> {
        self.recipe.load_full()
    }

    pub(super) fn set_recipe(&self, recipe: Option<Recipe>) {
        self.recipe.store(recipe.map(Arc::new));
    }

    /// What is on record of it, as far as this process has seen.
    pub(super) fn known(&self) -> Option<Arc<Known>> {
        self.known.load_full()
    }

    pub(super) fn set_known(&self, known: Known) {
        self.known.store(Some(Arc::new(known)));
    }

    /// What it was known by when it was first seen, if that was asked.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint.get().copied()
    }

    pub(super) fn set_fingerprint(&self, fingerprint: Fingerprint) {
        // The first one stands.
        let _ = self.fingerprint.set(fingerprint);
    }

    /// The turn to make it again.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the object is on a member, as far as it was seen in `incarnation`.
    pub(crate) fn whereabouts(&self, member: MemberId, incarnation: Incarnation) -> Whereabouts {
        let Some(place) = self.place(member) else {
            return self.unseen();
        };
        let seen = place.seen.load(Ordering::Acquire);
        let handle = ObjectHandle(place.handle.load(Ordering::Acquire));
        // A writer between the two loads belongs to another incarnation, or found the same.
        if place.seen.load(Ordering::Acquire) != seen {
            return Whereabouts::Unknown;
        }
        match seen {
            seen if seen == mark(incarnation, PRESENT) => Whereabouts::At(handle),
            seen if seen == mark(incarnation, ABSENT) => Whereabouts::Absent,
            _ => self.unseen(),
        }
    }

    /// Where it is on a member on which it was not seen in this incarnation.
    const fn unseen(&self) -> Whereabouts {
        if self.token {
            Whereabouts::Unknown
        } else {
            // A session object went with the session it lived in.
            Whereabouts::Absent
        }
    }

    /// Whether the object was ever seen on a member other than in its present incarnation, so that it may be there again. What was seen up to
    /// the incarnation `since` was seen on another token.
    pub(crate) fn may_return_on(&self, member: MemberId, since: Incarnation) -> bool {
        let seen = self
            .place(member)
            .map_or(0, |place| place.seen.load(Ordering::Acquire));
        self.token && seen & 0xffff_ffff == PRESENT && seen >> 32 > u64::from(since.0)
    }

    pub(crate) fn found(&self, member: MemberId, incarnation: Incarnation, handle: ObjectHandle) {
        if let Some(place) = self.provided(member) {
            place.handle.store(handle.0, Ordering::Release);
            place
                .seen
                .store(mark(incarnation, PRESENT), Ordering::Release);
        }
    }

    pub(crate) fn missing(&self, member: MemberId, incarnation: Incarnation) {
        if let Some(place) = self.provided(member) {
            place
                .seen
                .store(mark(incarnation, ABSENT), Ordering::Release);
        }
    }

    /// It is gone, from all members.
    pub(crate) fn forget(&self) {
        let later = self.later.get().into_iter().flat_map(|later| later.iter());
        for place in self.places.iter().chain(later) {
            place.seen.store(0, Ordering::Release);
        }
    }

    fn place(&self, member: MemberId) -> Option<&Place> {
        let place = self.places.get(member.index());
        place.or_else(|| self.later.get()?.get(member.index()))
    }

    fn provided(&self, member: MemberId) -> Option<&Place> {
        let place = self.places.get(member.index());
        place.or_else(|| {
            let later = || Box::new(std::array::from_fn(|_| Place::default()));
            self.later.get_or_init(later).get(member.index())
        })
    }
}

const fn mark(incarnation: Incarnation, what: u64) -> u64 {
    (incarnation.0 as u64) << 32 | what
}

#[cfg(test)]
mod tests;
