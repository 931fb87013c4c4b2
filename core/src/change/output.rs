//! What a change wants next.

use super::{Intent, Plant};
use crate::{MemberId, MemberSet};

/// What a change waits for; its outcome is the next input.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use]
pub enum ChangeNext {
    /// Record in the journal, durably, before anything is done. That of a destruction puts the tombstone in the object's place in the same
    /// step (S9). [`Gone`](crate::ChangeInput::Gone) if the object to change is not live in the journal.
    RecordIntent(Intent),
    /// Make the object at the member. It bears the plant from its first moment on, and can be found by it as long as the intent stands.
    Make {
        /// The member.
        member: MemberId,
        /// The plant.
        plant: Plant,
    },
    /// The member was lost while it made the object: look, if it can be reached at all, whether something there bears the plant (S4).
    Find {
        /// The member.
        member: MemberId,
        /// The plant.
        plant: Plant,
    },
    /// Copy the object; the copy bears the plant as well.
    Copy {
        /// From a member that holds it.
        from: MemberId,
        /// To one that is to hold it.
        to: MemberId,
        /// The plant.
        plant: Plant,
    },
    /// Set the object's attributes at the member as the application wants them.
    Update {
        /// The member.
        member: MemberId,
    },
    /// Set the object's attributes at the member as another one has them.
    Restore {
        /// The member.
        member: MemberId,
        /// The other one.
        from: MemberId,
    },
    /// Destroy the object at the member.
    Destroy {
        /// The member.
        member: MemberId,
    },
    /// Destroy what bears the plant at the member, copies and halves included; [`Gone`](crate::ChangeInput::Gone) if nothing does.
    Clean {
        /// The member.
        member: MemberId,
        /// The plant.
        plant: Plant,
    },
    /// Put the change into the catalogue, in one step with what is to become of the intent. To do it twice is the same as once.
    ///
    /// - A creation: the object with its holders `done`. The intent goes, but for the members `unclear`, where it stands until they are
    ///   cleaned. From here on nothing at the members in `done` needs to bear the plant.
    /// - An update: the revision that the object has at the first of `done`, which all of `done` hold. The members `unclear` hold it in
    ///   a way that is not known. The intent goes, and with it any of the object's that stands and that nobody is about.
    ///   [`Gone`](crate::ChangeInput::Gone) if there is a tombstone by now. One that is resumed, and was made at none of `done`, since all have the
    ///   object as they were on record to have it before others changed it, is no change: only its intent goes.
    /// - A destruction: the members `done` hold it no longer; nobody may, where nobody knows. The intent goes, the tombstone stays.
    Commit {
        /// The intent.
        plant: Plant,
        /// Where the change is made.
        done: MemberSet,
        /// Where it may be made.
        unclear: MemberSet,
    },
    /// Take the change back, in one step.
    ///
    /// - A creation: the intent goes, but for the members `left`, where it stands until they are cleaned.
    /// - An update: the intent goes; the members `left` hold the object in a way that is not known. If nobody else is on record to hold it as the
    ///   group has it, they stay on record instead, and the intent stands for those of them that are: only they can tell what it is (S8).
    /// - A destruction: the intent and the tombstone go, the object is live again.
    Retract {
        /// The intent.
        plant: Plant,
        /// Where something may be left of the change.
        left: MemberSet,
    },
    /// It is over: answer the application.
    Answer(ChangeAnswer),
}

/// How a change ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ChangeAnswer {
    /// It is made. Of a change resumed: nothing is left to be done.
    Done,
    /// It is not made: a member has refused; its answer is the application's.
    Refused,
    /// It is not made: the object cannot be carried to as many members as are asked for.
    NotCarryable,
    /// It is not made: fewer members can be reached than it is asked for.
    TooFew,
    /// It is not made: the object is not there.
    Gone,
    /// It is not made: no member is left for it. Of a change resumed: the members that it waits for are not there, the intent stands.
    Unavailable,
    /// It is not made: the journal has not taken it.
    JournalFailed,
    /// Nobody can tell whether it is made; it will be so everywhere or nowhere.
    Unknown,
}
