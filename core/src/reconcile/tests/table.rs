use super::*;
use crate::reconcile::{Decision, decide};

#[track_caller]
fn decided(group: Option<GroupEntry>, object: Option<MemberEntry>, expected: Decision) {
    assert_eq!(decide(A, Copies::All, group, object), expected);
}

fn of(live: Live) -> Option<GroupEntry> {
    Some(GroupEntry::Live(live))
}

/// How A was last known to have it, how it has it, and what becomes of it; the group has it in `NEW`.
#[test]
fn both_have_it() {
    let rows = [
        (Some(NEW), NEW, Decision::Keep),
        (Some(OLD), NEW, Decision::Record),
        (None, NEW, Decision::Record),
        (Some(OLD), OLD, Decision::Update),
        (Some(NEW), OLD, Decision::AdoptChange),
        (Some(OLD), OTHER, Decision::Overrule),
        (None, OTHER, Decision::Overrule),
    ];
    for (known, revision, expected) in rows {
        let live = Live { known, ..live() };
        decided(of(live), Some(has(revision)), expected);
    }
    // Nobody is on record to have what the group has: what the member has is as good as any.
    for known in [Some(OLD), None] {
        let lost = Live {
            known,
            holders: MemberSet::EMPTY,
            behind: set(&[A, B]),
            ..live()
        };
        decided(of(lost), Some(has(OLD)), Decision::AdoptChange);
        decided(of(lost), Some(has(OTHER)), Decision::AdoptChange);
    }
    // A change was lost at the member: it is on record, but nobody knows how it has it.
    let unclear = Live {
        behind: set(&[A]),
        ..live()
    };
    decided(of(unclear), Some(has(OTHER)), Decision::Update);
    decided(of(unclear), Some(has(NEW)), Decision::Record);
}

#[test]
fn the_member_lacks_it() {
    decided(of(live()), None, Decision::Copy);
    let known = Live {
        known: Some(NEW),
        holders: set(&[A, B]),
        ..live()
    };
    decided(of(known), None, Decision::Copy);
    let only_otherwise = Live {
        holders: MemberSet::EMPTY,
        behind: set(&[B]),
        ..live()
    };
    decided(of(only_otherwise), None, Decision::Copy);
    let only_here = Live {
        holders: set(&[A]),
        ..known
    };
    decided(of(only_here), None, Decision::Missing);
    let fixed = Live {
        carryable: false,
        ..live()
    };
    decided(of(fixed), None, Decision::Stays);
}

#[test]
fn a_number_of_copies_is_enough() {
    let lacking = |number, live| decide(A, Copies::Number(number), of(live), None);
    assert_eq!(lacking(2, live()), Decision::Enough);
    assert_eq!(lacking(3, live()), Decision::Copy);
    // Nought is as one.
    assert_eq!(lacking(0, live()), Decision::Enough);
    let known = Live {
        known: Some(OLD),
        ..live()
    };
    assert_eq!(lacking(2, known), Decision::Copy);
}

#[test]
fn the_group_has_none() {
    decided(
        Some(GroupEntry::Tombstone),
        Some(has(OLD)),
        Decision::Destroy,
    );
    decided(Some(GroupEntry::Tombstone), None, Decision::Keep);
    decided(None, Some(has(OLD)), Decision::Adopt);
    decided(None, None, Decision::Keep);
}

#[test]
fn what_cannot_be_told_is_left() {
    let twins = MemberEntry {
        twins: true,
        ..has(NEW)
    };
    let pending = MemberEntry {
        pending: true,
        ..twins
    };
    for group in [None, Some(GroupEntry::Tombstone), of(live())] {
        decided(group, Some(twins), Decision::Ambiguous);
        decided(group, Some(pending), Decision::Leave);
    }
}
