//! The table of the reconcile: what becomes of an object, from what the group and the member have of it.

use super::{GroupEntry, Live, MemberEntry};
use crate::{Copies, MemberId, Revision};

/// What becomes of an object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Decision {
    /// Both sides agree, and this is on record.
    Keep,
    /// Both sides agree; the member is to be put on record as a holder.
    Record,
    /// The group's has changed since the member had it, or a change was lost at the member: the member's follows.
    Update,
    /// Both have changed, or the member was not on record to have it: the group's wins, and it is told.
    Overrule,
    /// The member's has changed and the group's has not, or nobody is on record to have the group's any more: the group's follows.
    AdoptChange,
    /// The member lacks it, and gets it from one that has it (S8).
    Copy,
    /// The member lacks it, and it lives on as many members as are asked for.
    Enough,
    /// The member lacks it, and it cannot be carried: it stays on fewer members.
    Stays,
    /// The member lacks it, and nobody else is on record to have it.
    Missing,
    /// It was destroyed: the member's goes too (S9).
    Destroy,
    /// The group did not know it: it becomes the group's.
    Adopt,
    /// Which of several objects is meant cannot be told: it is told, and nothing is done.
    Ambiguous,
    /// A change that is under way has made it: it is left alone.
    Leave,
}

/// What becomes of an object that the group, the member, or both have under one key.
///
/// An object that a member was known to hold and lacks is copied to it again: that it is gone there is no word of the application's
/// (S8). One with a tombstone goes wherever it is found (S9).
#[must_use]
pub const fn decide(
    member: MemberId,
    copies: Copies,
    group: Option<GroupEntry>,
    object: Option<MemberEntry>,
) -> Decision {
    match (group, object) {
        (_, Some(MemberEntry { pending: true, .. })) => Decision::Leave,
        (_, Some(MemberEntry { twins: true, .. })) => Decision::Ambiguous,
        (Some(GroupEntry::Live(live)), Some(object)) => decide_held(member, live, object.revision),
        (Some(GroupEntry::Live(live)), None) => decide_lacking(member, copies, live),
        (Some(GroupEntry::Tombstone), Some(_)) => Decision::Destroy,
        (Some(GroupEntry::Tombstone) | None, None) => Decision::Keep,
        (None, Some(_)) => Decision::Adopt,
    }
}

const fn decide_held(member: MemberId, live: Live, has: Revision) -> Decision {
    let Some(known) = live.known else {
        return if has.0 == live.revision.0 {
            Decision::Record
        } else if live.holders.is_empty() {
            Decision::AdoptChange
        } else if live.on_record().contains(member) {
            // A change that was lost at the member has come to nothing, or to what the group has.
            Decision::Update
        } else {
            Decision::Overrule
        };
    };
    let group_changed = known.0 != live.revision.0;
    let member_changed = known.0 != has.0;
    if has.0 == live.revision.0 {
        if group_changed {
            Decision::Record
        } else {
            Decision::Keep
        }
    } else if live.holders.is_empty() {
        Decision::AdoptChange
    } else if !member_changed {
        Decision::Update
    } else if group_changed {
        Decision::Overrule
    } else {
        Decision::AdoptChange
    }
}

const fn decide_lacking(member: MemberId, copies: Copies, live: Live) -> Decision {
    let others = live.on_record().without(member);
    if others.is_empty() {
        Decision::Missing
    } else if live.known.is_none() && copies.has_enough(others) {
        Decision::Enough
    } else if live.carryable {
        Decision::Copy
    } else {
        Decision::Stays
    }
}
