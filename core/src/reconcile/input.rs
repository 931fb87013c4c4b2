//! What a reconcile is told.

use super::{GroupEntry, MemberEntry};
use crate::{MemberSet, ObjectKey, Sequence};

/// What a reconcile is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ReconcileInput {
    /// Begin.
    Start {
        /// The other members that serve: objects are copied from these.
        sources: MemberSet,
    },
    /// The outcome of [`ReconcileNext::Clean`](crate::ReconcileNext::Clean): nothing that an intent has left at the member is there
    /// any more, as far as the member lets it go.
    Cleaned,
    /// The outcome of [`ReconcileNext::BeginPass`](crate::ReconcileNext::BeginPass): how far the journal has counted.
    PassBegan(Sequence),
    /// The outcome of [`ReconcileNext::ReadGroup`](crate::ReconcileNext::ReadGroup); `None` at the end.
    Group(Option<(ObjectKey, GroupEntry)>),
    /// The outcome of [`ReconcileNext::ReadMember`](crate::ReconcileNext::ReadMember), `None` at the end; and of
    /// [`ReconcileNext::LookUp`](crate::ReconcileNext::LookUp), `None` if the member has no such object.
    Member(Option<(ObjectKey, MemberEntry)>),
    /// The outcome of [`ReconcileNext::Do`](crate::ReconcileNext::Do).
    Deed(DeedOutcome),
    /// The outcome of [`ReconcileNext::CloseGate`](crate::ReconcileNext::CloseGate): no change is under way in any process, and none
    /// begins until the gate is opened; or it could not be closed in time.
    Gate {
        /// Whether it is closed.
        closed: bool,
    },
    /// Whatever it waits for: the member is lost. What it was told to do may be done or not.
    MemberLost,
    /// Whatever it waits for: the journal cannot be read.
    JournalFailed,
}

/// How something that a reconcile has asked for has ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum DeedOutcome {
    /// It is done, also if the journal could not note who holds what since: the next reconcile will.
    Done,
    /// The object cannot leave its holder, or not for this member.
    NotCarryable,
    /// The member that it was to come from is lost, and nothing has been made.
    SourceLost,
    /// The object is not there, at the source if there is one; or the journal's entry is not what was read any more.
    Gone,
    /// The member, or the journal, refuses.
    Refused,
}
