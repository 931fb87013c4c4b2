//! What a change is told.

use crate::MemberId;

/// What a change is told: to begin, then the outcome of each thing that it asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChangeInput {
    /// Begin.
    Start,
    /// It is done; of [`Find`](crate::ChangeNext::Find): something that bears the plant is there, and it is whole.
    Done,
    /// The member, or the journal, refuses, and nothing was done.
    Refused,
    /// The object cannot leave its holder, or not for this member; nothing was done.
    NotCarryable,
    /// The member that it was to come from is lost; nothing was done.
    SourceLost,
    /// The object is not there; of [`Find`](crate::ChangeNext::Find): nothing there bears the plant; of the journal: it has no such
    /// object, or a tombstone.
    Gone,
    /// The member was lost, or busy, before it could be asked: nothing was done.
    NotSent,
    /// The member, or the journal, was lost in the call: it may be done.
    Unknown,
    /// Not an outcome, but whenever it is heard, before what the change waits for is begun: the member is lost. When it is back, what it
    /// was asked may have been undone, also by its reconcile, which knows nothing of a change under way. What the change waits for is
    /// said again, and may be another thing then.
    Lost(MemberId),
}
