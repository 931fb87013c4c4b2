use super::*;

fn destroy(holders: &[MemberId]) -> Change {
    Change::destroy(MARK, set(holders))
}

fn recorded(members: &[MemberId]) -> ChangeNext {
    record(ChangeKind::Destroy, 0, members)
}

const fn at(member: MemberId) -> ChangeNext {
    ChangeNext::Destroy { member }
}

/// S9: the tombstone is there before the first member destroys; a member that is lost does not hold it up.
#[test]
fn every_holder_destroys_after_the_tombstone() {
    let mut change = destroy(&[A, B, C]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B, C])),
            (Done, at(A)),
            (Done, at(B)),
            (Unknown, at(C)),
            (NotSent, commit(0, &[A], &[B])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    assert_eq!(change.owed(), set(&[B, C]));
}

#[test]
fn a_refusal_by_the_first_takes_the_tombstone_back() {
    let mut change = destroy(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Refused, retract(0, &[])),
            (Done, answer(ChangeAnswer::Refused)),
        ],
    );
    // One that was lost, or did not have it, was not the first to destroy it.
    for outcome in [Unknown, NotSent, Gone] {
        let mut change = destroy(&[A, B]);
        goes(
            &mut change,
            &[(Start, recorded(&[A, B])), (Done, at(A)), (outcome, at(B))],
        );
        assert!(matches!(change.handle(Refused), ChangeNext::Retract { .. }));
        assert_eq!(change.handle(Done), answer(ChangeAnswer::Refused));
    }
}

/// It cannot be had back any more: the tombstone stands, and the member that refuses is not admitted with it again.
#[test]
fn a_refusal_by_a_later_one_does_not() {
    let mut change = destroy(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Done, at(B)),
            (Refused, commit(0, &[A], &[])),
            // The journal has the tombstone already.
            (Refused, answer(ChangeAnswer::Done)),
        ],
    );
    assert_eq!(change.owed(), set(&[B]));
}

#[test]
fn without_any_holder_it_is_taken_back() {
    let mut change = destroy(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (NotSent, retract(0, &[])),
            (Done, answer(ChangeAnswer::Unavailable)),
        ],
    );
    let mut change = destroy(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (NotSent, retract(0, &[])),
            // The tombstone stands: it will be destroyed.
            (Unknown, answer(ChangeAnswer::Unknown)),
        ],
    );
    let mut change = destroy(&[A]);
    goes(
        &mut change,
        &[(Start, recorded(&[A])), (Gone, answer(ChangeAnswer::Gone))],
    );
}

/// What others have may be older than what may have been destroyed.
#[test]
fn where_nobody_knows_it_is_not_taken_back() {
    let mut change = destroy(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (Unknown, commit(0, &[], &[A])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    assert_eq!(change.owed(), set(&[A]));
}

#[test]
fn what_is_nowhere_is_destroyed() {
    let mut change = destroy(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (Gone, commit(0, &[A], &[])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
}

#[test]
fn an_interrupted_one_is_finished() {
    let kind = ChangeKind::Destroy;
    let (plant, members) = (plant(0), set(&[A, B, C]));
    let intent = Intent {
        plant,
        kind,
        members,
    };
    let mut change = Change::resume(intent, set(&[A, B]), NOBODY);
    goes(
        &mut change,
        &[
            (Start, at(A)),
            (Gone, at(B)),
            (Done, commit(0, &[A, B], &[C])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    // Nobody could be asked: the tombstone stands.
    let mut change = Change::resume(intent, set(&[A]), NOBODY);
    goes(
        &mut change,
        &[(Start, at(A)), (NotSent, answer(ChangeAnswer::Unavailable))],
    );
}
