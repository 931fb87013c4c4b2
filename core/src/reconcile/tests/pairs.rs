//! What is done about one object, and what follows from how that ends.

use super::*;

/// A lacks object 1, and is about to get it.
fn lacking(live: Live) -> (Reconcile, ReconcileOutput) {
    first(&[group(1, GroupEntry::Live(live)), NO_OBJECT])
}

fn ended(outcome: DeedOutcome) -> ReconcileInput {
    ReconcileInput::Deed(outcome)
}

#[test]
fn a_copy_comes_from_one_that_has_it_as_the_group_has_it() {
    let live = Live {
        holders: set(&[C]),
        behind: set(&[B]),
        ..live()
    };
    let (mut reconcile, output) = lacking(live);
    assert_eq!(deed(output), (key(1), Deed::Copy { from: C }));
    // C is lost: one that has it otherwise is better than none, and the next object does not come from C either (S8).
    let output = feed(&mut reconcile, &[ended(DeedOutcome::SourceLost)]);
    assert_eq!(deed(output), (key(1), Deed::Copy { from: B }));
    let output = feed(&mut reconcile, &[DONE, group(2, GroupEntry::Live(live))]);
    assert_eq!(deed(output), (key(2), Deed::Copy { from: B }));
    assert_eq!(reconcile.progress().copied, 1);
}

#[test]
fn a_copy_waits_when_nobody_is_left_to_give_it() {
    let (mut reconcile, _) = lacking(live());
    let lost = ended(DeedOutcome::SourceLost);
    let output = feed(&mut reconcile, &[lost, lost]);
    assert_eq!(output.event, Some(ReconcileEvent::Postponed(key(1))));
    assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
    assert_eq!(reconcile.progress().postponed, 1);
}

#[test]
fn one_that_lacks_what_it_is_on_record_to_have_is_owed_a_reconcile() {
    let (mut reconcile, _) = lacking(live());
    let output = feed(&mut reconcile, &[ended(DeedOutcome::Gone)]);
    assert_eq!(deed(output), (key(1), Deed::Copy { from: C }));
    assert_eq!(reconcile.owed(), set(&[B]));
}

#[test]
fn what_a_member_is_on_record_to_have_and_does_without_is_set_right() {
    let known = Live {
        known: Some(OLD),
        behind: set(&[A]),
        ..live()
    };
    for (outcome, event) in [
        (DeedOutcome::NotCarryable, ReconcileEvent::Stays(key(1))),
        (DeedOutcome::Refused, ReconcileEvent::Refused(key(1))),
    ] {
        let (mut reconcile, _) = lacking(known);
        let output = feed(&mut reconcile, &[ended(outcome)]);
        assert_eq!(output.event, Some(event));
        assert_eq!(deed(output), (key(1), Deed::RecordAbsent));
        let output = feed(&mut reconcile, &[DONE]);
        assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
    }
    // A change was lost there, or it is on record by how it was known alone.
    for live in [
        Live {
            known: None,
            ..known
        },
        Live {
            behind: MemberSet::EMPTY,
            ..known
        },
    ] {
        let (mut reconcile, _) = lacking(live);
        let output = feed(&mut reconcile, &[ended(DeedOutcome::Refused)]);
        assert_eq!(deed(output), (key(1), Deed::RecordAbsent), "{live:?}");
    }
    let only_here = Live {
        holders: MemberSet::EMPTY,
        ..known
    };
    let (_, output) = lacking(only_here);
    assert_eq!(output.event, Some(ReconcileEvent::Missing(key(1))));
    assert_eq!(deed(output), (key(1), Deed::RecordAbsent));
}

#[test]
fn a_conflict_is_told_and_the_groups_wins() {
    let (mut reconcile, output) =
        first(&[group(1, GroupEntry::Live(live())), object(1, has(OTHER))]);
    assert_eq!(output.event, Some(ReconcileEvent::Conflict(key(1))));
    assert_eq!(deed(output), (key(1), Deed::Update { from: B }));
    let lost = ended(DeedOutcome::SourceLost);
    let output = feed(&mut reconcile, &[lost]);
    assert_eq!(deed(output), (key(1), Deed::Update { from: C }));
    let output = feed(&mut reconcile, &[ended(DeedOutcome::Refused)]);
    assert_eq!(output.event, Some(ReconcileEvent::Refused(key(1))));
    assert_eq!(reconcile.progress().conflicts, 1);
}

#[test]
fn each_pattern_of_an_update_is_asked_once() {
    let (mut reconcile, output) =
        first(&[group(1, GroupEntry::Live(live())), object(1, has(OTHER))]);
    assert_eq!(deed(output), (key(1), Deed::Update { from: B }));
    let gone = ended(DeedOutcome::Gone);
    let output = feed(&mut reconcile, &[gone]);
    assert_eq!(deed(output), (key(1), Deed::Update { from: C }));
    let output = feed(&mut reconcile, &[gone]);
    assert_eq!(output.event, Some(ReconcileEvent::Postponed(key(1))));
    assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
    assert_eq!(reconcile.owed(), set(&[B, C]));
}

/// An update comes only from one that has it as the group has it; who lacks the object gets what there is.
#[test]
fn an_update_waits_for_its_pattern() {
    let away = MemberId(3);
    let waits = |behind: &[MemberId]| {
        let behind = Live {
            known: Some(OLD),
            holders: set(&[away]),
            behind: set(behind),
            ..live()
        };
        let (reconcile, output) = first(&[group(1, GroupEntry::Live(behind)), object(1, has(OLD))]);
        assert_eq!(output.event, Some(ReconcileEvent::Postponed(key(1))));
        assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
        reconcile.owed()
    };
    assert_eq!(waits(&[A]), set(&[B, C]));
    assert_eq!(waits(&[A, B]), MemberSet::EMPTY);
}

/// What the group has is lost with the last that had it: A's is the group's from now on, and the others' too.
#[test]
fn a_revision_that_nobody_has_is_given_up() {
    let lost = Live {
        known: Some(OLD),
        holders: MemberSet::EMPTY,
        behind: set(&[A, B]),
        ..live()
    };
    let (mut reconcile, output) = first(&[group(1, GroupEntry::Live(lost)), object(1, has(OLD))]);
    let adopt = Deed::AdoptChange {
        revision: OLD,
        instead_of: NEW,
    };
    assert_eq!(deed(output), (key(1), adopt));
    feed(&mut reconcile, &[DONE]);
    assert_eq!(reconcile.owed(), set(&[B, C]));
}

#[test]
fn a_member_that_keeps_what_was_destroyed_is_not_admitted() {
    let (mut reconcile, output) = first(&[group(1, GroupEntry::Tombstone), object(1, has(OLD))]);
    assert_eq!(deed(output), (key(1), Deed::Destroy));
    let output = feed(&mut reconcile, &[ended(DeedOutcome::Refused)]);
    let ended = Ended::KeepsDestroyed(key(1));
    assert_eq!(output.next, ReconcileNext::Over(ended));
}

/// The journal refuses a note: that is told, and the next reconcile notes it.
#[test]
fn a_note_that_is_refused_does_not_end_it() {
    let (mut reconcile, output) = first(&[group(1, GroupEntry::Live(live())), object(1, has(NEW))]);
    let note = Deed::Record { revision: NEW };
    assert_eq!(deed(output), (key(1), note));
    let output = feed(&mut reconcile, &[ended(DeedOutcome::Refused)]);
    assert_eq!(output.event, Some(ReconcileEvent::Refused(key(1))));
    assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
    assert_eq!(reconcile.progress().refused, 1);
}

#[test]
fn what_is_new_is_owed_to_the_others() {
    let (mut reconcile, output) = first(&[NO_GROUP, object(1, has(OLD))]);
    let adopt = Deed::Adopt {
        revision: OLD,
        carryable: true,
    };
    assert_eq!(deed(output), (key(1), adopt));
    assert_eq!(reconcile.owed(), MemberSet::EMPTY);
    feed(&mut reconcile, &[DONE]);
    assert_eq!(reconcile.owed(), set(&[B, C]));

    let fixed = MemberEntry {
        carryable: false,
        ..has(OLD)
    };
    let (reconcile, output) = first(&[NO_GROUP, object(1, fixed), DONE]);
    assert_eq!(output.event, Some(ReconcileEvent::Stays(key(1))));
    assert_eq!(reconcile.owed(), MemberSet::EMPTY);

    let known = Live {
        known: Some(NEW),
        holders: set(&[A, B]),
        ..live()
    };
    let (mut reconcile, output) =
        first(&[group(1, GroupEntry::Live(known)), object(1, has(OTHER))]);
    let adopt = Deed::AdoptChange {
        revision: OTHER,
        instead_of: NEW,
    };
    assert_eq!(deed(output), (key(1), adopt));
    feed(&mut reconcile, &[DONE]);
    assert_eq!(reconcile.owed(), set(&[B]));
}

/// S8: what A alone has brought back the others may lack, as they were reconciled without it.
#[test]
fn what_only_it_has_is_owed_to_the_others() {
    let owed = |live| {
        let keep = [group(1, GroupEntry::Live(live)), object(1, has(NEW))];
        first(&keep).0.owed()
    };
    let only_here = Live {
        known: Some(NEW),
        holders: set(&[A]),
        behind: set(&[B]),
        ..live()
    };
    assert_eq!(owed(only_here), set(&[B, C]));
    let fixed = Live {
        carryable: false,
        ..only_here
    };
    assert_eq!(owed(fixed), set(&[B]));
    let elsewhere = Live {
        holders: set(&[A, C]),
        ..only_here
    };
    assert_eq!(owed(elsewhere), MemberSet::EMPTY);
}

#[test]
fn a_creation_under_way_is_left_alone() {
    let pending = MemberEntry {
        pending: true,
        ..has(OLD)
    };
    let (reconcile, output) = first(&[NO_GROUP, object(1, pending)]);
    assert!(matches!(output.next, ReconcileNext::ReadMember { .. }));
    assert_eq!(reconcile.owed(), MemberSet::EMPTY);
    // The group has such an object: A may lack it in truth, which is seen when the creation is over.
    let (reconcile, _) = first(&[group(1, GroupEntry::Live(live())), object(1, pending)]);
    assert_eq!(reconcile.owed(), set(&[A]));
}

#[test]
fn twins_are_told() {
    let twins = MemberEntry {
        twins: true,
        ..has(NEW)
    };
    for entry in [GroupEntry::Live(live()), GroupEntry::Tombstone] {
        let (reconcile, output) = first(&[group(1, entry), object(1, twins)]);
        assert_eq!(output.event, Some(ReconcileEvent::Ambiguous(key(1))));
        assert!(matches!(output.next, ReconcileNext::ReadGroup { .. }));
        assert_eq!(reconcile.progress().ambiguous, 1);
    }
}
