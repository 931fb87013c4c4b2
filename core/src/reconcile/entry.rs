//! What the two streams are made of.

use crate::{MemberSet, ObjectKey, Revision};

/// What the group has on record under a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum GroupEntry {
    /// An object.
    Live(Live),
    /// An object that was destroyed (S9).
    Tombstone,
}

/// An object of the group, as a member that is reconciled sees it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Live {
    /// How the group has it.
    pub revision: Revision,
    /// How the member was last known to have it; `None` if it was not, or if a change was lost there ([`ChangeNext::Commit`]): then it is
    /// among those that have it otherwise.
    ///
    /// [`ChangeNext::Commit`]: crate::ChangeNext::Commit
    pub known: Option<Revision>,
    /// Who is on record to have it as the group has it.
    pub holders: MemberSet,
    /// Who is on record to have it otherwise.
    pub behind: MemberSet,
    /// Whether it may be carried to another member, as far as is known.
    pub carryable: bool,
}

impl Live {
    /// Who is on record to have it, in whatever revision.
    pub(super) const fn on_record(self) -> MemberSet {
        self.holders.union(self.behind)
    }
}

/// What a member has under a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemberEntry {
    /// How the member has it.
    pub revision: Revision,
    /// Whether more than one object of the member has this key.
    pub twins: bool,
    /// Whether an intent that is open has made it: it bears a [`Plant`](crate::Plant) and is nobody's object yet.
    pub pending: bool,
    /// Whether it may be carried to another member, as far as can be told.
    pub carryable: bool,
}

/// Both sides of a key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Pair {
    pub(super) key: ObjectKey,
    pub(super) group: Option<GroupEntry>,
    pub(super) object: Option<MemberEntry>,
}
