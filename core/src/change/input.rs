//! What a change is told.

/// What a change is told: to begin, then the outcome of each thing that it asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
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
}
