use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use everslot_core::{MemberId, MemberSet};

use crate::domain::Token;
use crate::objects::Closed;

/// What is known of members that are brought in step.
#[derive(Default)]
pub(in crate::group) struct Synchronised {
    /// Those that were admitted without, since nobody was logged in.
    owing: AtomicU32,
    /// Those whose PINs in the configuration were refused.
    distrusted: AtomicU32,
    /// What stands until a member is admitted.
    admitting: Mutex<HashMap<MemberId, Admitting>>,
}

/// A member that is equal to the group, and about to be admitted.
pub(super) struct Admitting {
    pub(super) closed: Option<Closed>,
    pub(super) owed: MemberSet,
}

/// A member that takes part, in a session in which its user is logged in.
pub(in crate::group) struct Side<'t> {
    pub(in crate::group) member: MemberId,
    pub(in crate::group) token: Token<'t>,
}

/// What is left to be done at a member that may be admitted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::group) enum Judged {
    /// Nothing: it is as it is to be, but for what stays undone whoever is there.
    Whole,
    /// Something that others may have, who could not be asked.
    Short,
}

impl Synchronised {
    /// Another member has this id from now on.
    pub(in crate::group) fn welcome(&self, member: MemberId) {
        self.owing
            .fetch_and(!MemberSet::of(member).bits(), Ordering::AcqRel);
        self.trust_pin_of(member);
    }

    /// The configuration has another PIN for the member from now on.
    pub(in crate::group) fn trust_pin_of(&self, member: MemberId) {
        self.distrusted
            .fetch_and(!MemberSet::of(member).bits(), Ordering::AcqRel);
    }

    pub(in crate::group) fn distrusts_pin_of(&self, member: MemberId) -> bool {
        MemberSet::from_bits(self.distrusted.load(Ordering::Acquire)).contains(member)
    }

    pub(in crate::group) fn distrust_pin_of(&self, member: MemberId) {
        let bit = MemberSet::of(member).bits();
        self.distrusted.fetch_or(bit, Ordering::AcqRel);
    }

    pub(super) fn owes(&self, member: MemberId) -> bool {
        self.owing().contains(member)
    }

    pub(super) fn owing(&self) -> MemberSet {
        MemberSet::from_bits(self.owing.load(Ordering::Acquire))
    }

    pub(super) fn set_owing(&self, member: MemberId, owes: bool) {
        let bit = MemberSet::of(member).bits();
        if owes {
            self.owing.fetch_or(bit, Ordering::AcqRel);
        } else {
            self.owing.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    pub(super) fn admitting(&self) -> MutexGuard<'_, HashMap<MemberId, Admitting>> {
        self.admitting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
