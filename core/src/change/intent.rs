//! What the journal keeps of a change that is under way.

use crate::MemberSet;

/// The mark of one try of a change: names its intent in the journal, and is borne by what a creation makes at a member, so that it can be
/// found there without knowing whether it was made (S4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plant {
    /// A random number chosen for the change.
    pub mark: u64,
    /// The try of the change.
    pub attempt: u8,
}

impl Plant {
    /// The plant of the next try.
    pub(super) const fn next(self) -> Self {
        Self {
            attempt: self.attempt.wrapping_add(1),
            ..self
        }
    }
}

/// A change that is under way, or one whose traces are to be removed: what a crash leaves in the journal, and all that is needed to
/// go on after it.
///
/// It says where something may have been done, not how far the change has come. That is enough, and saves a write to the journal for each
/// step: a creation that was not committed is undone wherever it may have come to, an update is settled on what one holder has, and a
/// destruction is finished.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Intent {
    /// Its name.
    pub plant: Plant,
    /// What is to be done.
    pub kind: ChangeKind,
    /// The members at which it may have been done.
    pub members: MemberSet,
}

/// What is to be done to an object, or to the pair of objects that one call makes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChangeKind {
    /// Make it: generate, create, copy, unwrap, derive.
    Create,
    /// Set its attributes.
    Update,
    /// Destroy it.
    Destroy,
}
