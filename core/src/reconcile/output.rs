//! What a reconcile answers.

use crate::{MemberId, ObjectKey, Revision, Sequence};

/// What a reconcile wants next, and what to log.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub struct ReconcileOutput {
    /// What to do; its outcome is the next input.
    pub next: ReconcileNext,
    /// What happened.
    pub event: Option<ReconcileEvent>,
}

/// What a reconcile waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ReconcileNext {
    /// Resume the intents that name the member and whose process is gone ([`Change::resume`](crate::Change::resume)); under the closed
    /// gate, all that name it. Then feed [`Cleaned`](crate::ReconcileInput::Cleaned).
    Clean,
    /// Read how far the journal has counted, and feed [`PassBegan`](crate::ReconcileInput::PassBegan).
    BeginPass,
    /// Read the group's next entry and feed [`Group`](crate::ReconcileInput::Group).
    ReadGroup {
        /// The entry with the least key above this one; with the least of all if there is none.
        after: Option<ObjectKey>,
        /// Only entries that were changed last after this; all if there is none.
        since: Option<Sequence>,
        /// No entry that was made or changed last after this: a later pass has it. By then the member's side is surely read after it,
        /// while in the first pass it may have been read before.
        upto: Sequence,
    },
    /// Read the member's next object and feed [`Member`](crate::ReconcileInput::Member).
    ReadMember {
        /// The one with the least key above this one; with the least of all if there is none.
        after: Option<ObjectKey>,
    },
    /// Look for one object of the member and feed [`Member`](crate::ReconcileInput::Member).
    LookUp {
        /// Its key.
        key: ObjectKey,
    },
    /// Do something to one object, note in the journal what the member then holds as it is read there, and feed
    /// [`Deed`](crate::ReconcileInput::Deed).
    Do {
        /// The object.
        key: ObjectKey,
        /// What to do.
        deed: Deed,
    },
    /// Close the group's write gate, which every change of every process passes, within a bounded time, and feed
    /// [`Gate`](crate::ReconcileInput::Gate).
    CloseGate,
    /// It is over: admit the member if it is equal, then open the gate if it is closed.
    Over(Ended),
}

/// Something to do to one object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Deed {
    /// Note in the journal that the member holds it.
    Record {
        /// As it has it.
        revision: Revision,
    },
    /// Note in the journal that the member does not hold it.
    RecordAbsent,
    /// Carry it to the member.
    Copy {
        /// From this one.
        from: MemberId,
    },
    /// Set the member's attributes as another one has them.
    Update {
        /// This one.
        from: MemberId,
    },
    /// Destroy it at the member (S9).
    Destroy,
    /// Put it on record as the group's, unless by now the journal has an object or a tombstone of this key: then it is
    /// [`Gone`](crate::DeedOutcome::Gone).
    Adopt {
        /// As the member has it.
        revision: Revision,
        /// Whether it may be carried to others.
        carryable: bool,
    },
    /// Make what the member has the group's revision, unless by now the journal has another revision than `instead_of`, or a tombstone: then it
    /// is [`Gone`](crate::DeedOutcome::Gone).
    AdoptChange {
        /// As the member has it.
        revision: Revision,
        /// As the group had it.
        instead_of: Revision,
    },
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Ended {
    /// The member's objects are the group's, but for what was told, and the gate is closed: admit it.
    ///
    /// A tombstone may go once every member of the group has been equal up to its sequence.
    Equal {
        /// Up to here.
        upto: Sequence,
    },
    /// The member was lost: begin again when it is back.
    MemberLost,
    /// The journal could not be read: who does not know what was destroyed must not admit (S9).
    JournalFailed,
    /// The member keeps an object that was destroyed (S9).
    KeepsDestroyed(ObjectKey),
    /// The gate could not be closed.
    GateNotClosed,
    /// A stream did not ascend: nothing can be told from what it lacks.
    NotAscending(Stream),
}

/// One of the two that are merged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Stream {
    /// The group's entries.
    Group,
    /// The member's objects.
    Member,
}

/// Something that a person may have to know of.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ReconcileEvent {
    /// The object was changed at the member and in the group: the group's wins.
    Conflict(ObjectKey),
    /// The member has more than one such object, and nothing was done.
    Ambiguous(ObjectKey),
    /// The object cannot be carried: it stays on fewer members than asked.
    Stays(ObjectKey),
    /// The members that have the object are away: it waits for their return.
    Postponed(ObjectKey),
    /// The member refused what was to be done to the object.
    Refused(ObjectKey),
    /// Nobody has the object any more.
    Missing(ObjectKey),
}

/// What a reconcile has done so far, in objects.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Progress {
    /// Looked at, over all passes.
    pub looked_at: u32,
    /// Copied to the member.
    pub copied: u32,
    /// Set as the group has them, conflicts included.
    pub updated: u32,
    /// Destroyed at the member.
    pub destroyed: u32,
    /// New to the group.
    pub adopted: u32,
    /// Whose change at the member became the group's.
    pub changes_adopted: u32,
    /// Changed on both sides.
    pub conflicts: u32,
    /// That cannot be told apart.
    pub ambiguous: u32,
    /// That stay on fewer members.
    pub stay: u32,
    /// That wait for another member.
    pub postponed: u32,
    /// That the member, or the journal, refused.
    pub refused: u32,
    /// That nobody has any more.
    pub missing: u32,
}
