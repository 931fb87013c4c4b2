//! The changes that a process is about, and what they leave to be done.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use everslot_core::MemberSet;

use super::Keeper;

#[derive(Default)]
pub(super) struct Changes {
    /// The marks of those that are under way.
    marks: Mutex<HashSet<u64>>,
    /// Members that some have left without something.
    owed: AtomicU32,
}

/// A change that this process is about, until it is dropped: nobody resumes its intent.
pub(crate) struct UnderWay<'k> {
    keeper: &'k Keeper,
    mark: u64,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.keeper.changes.marks().remove(&self.mark);
    }
}

impl Keeper {
    /// Notes that this process is about the change of this mark.
    pub(crate) fn begin(&self, mark: u64) -> UnderWay<'_> {
        self.changes.marks().insert(mark);
        UnderWay { keeper: self, mark }
    }

    /// Whether this process is about the change of this mark.
    pub(crate) fn is_under_way(&self, mark: u64) -> bool {
        self.changes.marks().contains(&mark)
    }

    /// A change has left these members without something that they are to have.
    pub(crate) fn owe(&self, members: MemberSet) {
        if !members.is_empty() {
            self.changes.owed.fetch_or(members.bits(), Ordering::AcqRel);
        }
    }

    /// The members that changes have left without something since this was last asked.
    pub(crate) fn take_owed(&self) -> MemberSet {
        match self.changes.owed.load(Ordering::Acquire) {
            0 => MemberSet::EMPTY,
            _ => MemberSet::from_bits(self.changes.owed.swap(0, Ordering::AcqRel)),
        }
    }
}

impl Changes {
    fn marks(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
