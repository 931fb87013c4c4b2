use super::*;

fn update(holders: &[MemberId]) -> Change {
    Change::update(MARK, set(holders))
}

fn recorded(members: &[MemberId]) -> ChangeNext {
    record(ChangeKind::Update, 0, members)
}

const fn at(member: MemberId) -> ChangeNext {
    ChangeNext::Update { member }
}

const fn restore(member: MemberId, from: MemberId) -> ChangeNext {
    ChangeNext::Restore { member, from }
}

#[test]
fn every_holder_follows() {
    let mut change = update(&[A, B, C]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B, C])),
            (Done, at(A)),
            (Done, at(B)),
            (NotSent, at(C)),
            (Unknown, commit(0, &[A], &[C])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    assert_eq!(change.owed(), set(&[B, C]));
}

#[test]
fn a_refusal_takes_it_back() {
    let mut change = update(&[A, B, C]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B, C])),
            (Done, at(A)),
            (Refused, retract(0, &[])),
            (Done, answer(ChangeAnswer::Refused)),
        ],
    );
    let mut change = update(&[A, B, C]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B, C])),
            (Done, at(A)),
            (Done, at(B)),
            (Refused, restore(A, B)),
            (SourceLost, restore(A, C)),
            (Done, retract(0, &[])),
            (Done, answer(ChangeAnswer::Refused)),
        ],
    );
}

/// Whoever cannot be set back is on record as one of whom nobody knows, so that the group's wins when it is reconciled.
#[test]
fn who_cannot_be_set_back_is_on_record() {
    let mut change = update(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Done, at(B)),
            (Refused, restore(A, B)),
            (SourceLost, retract(0, &[A])),
            (Unknown, answer(ChangeAnswer::Unknown)),
        ],
    );
    assert_eq!(change.owed(), set(&[A]));
}

/// It may be back without the update, so it is not on record to have it; before the commit or while that waits.
#[test]
fn who_is_lost_since_it_was_asked_is_on_record() {
    let mut change = update(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Done, at(B)),
            (Lost(A), at(B)),
            (Lost(C), at(B)),
            (Done, commit(0, &[B], &[A])),
            (Lost(B), retract(0, &[A, B])),
            (Done, answer(ChangeAnswer::Unknown)),
        ],
    );
    assert_eq!(change.owed(), set(&[A, B]));
    let mut change = update(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Lost(A), at(A)),
            (Done, at(B)),
            (Done, commit(0, &[B], &[A])),
        ],
    );
    // One that was lost before it was asked has nothing to lose of it.
    let mut change = update(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Lost(B), at(A)),
            (Done, at(B)),
            (Done, commit(0, &[A, B], &[])),
        ],
    );
}

/// A commit that is sent twice has to be the same both times.
#[test]
fn a_commit_that_is_sent_again_is_not_changed_by_a_loss() {
    let mut change = update(&[A, B]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A, B])),
            (Done, at(A)),
            (Done, at(B)),
            (Done, commit(0, &[A, B], &[])),
            (Unknown, commit(0, &[A, B], &[])),
            (Lost(A), commit(0, &[A, B], &[])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
}

#[test]
fn without_any_holder_it_fails() {
    for (outcome, why) in [
        (NotSent, ChangeAnswer::Unavailable),
        (Gone, ChangeAnswer::Gone),
    ] {
        let mut change = update(&[A]);
        goes(
            &mut change,
            &[
                (Start, recorded(&[A])),
                (Done, at(A)),
                (outcome, retract(0, &[])),
                (Done, answer(why)),
            ],
        );
    }
    let mut change = update(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (Unknown, retract(0, &[A])),
            (Done, answer(ChangeAnswer::Unknown)),
        ],
    );
    let mut change = update(&[A]);
    goes(
        &mut change,
        &[(Start, recorded(&[A])), (Gone, answer(ChangeAnswer::Gone))],
    );
    let mut change = update(&[]);
    goes(&mut change, &[(Start, answer(ChangeAnswer::Unavailable))]);
}

#[test]
fn an_object_destroyed_meanwhile_stays_destroyed() {
    let mut change = update(&[A]);
    goes(
        &mut change,
        &[
            (Start, recorded(&[A])),
            (Done, at(A)),
            (Done, commit(0, &[A], &[])),
            (Gone, retract(0, &[])),
            (Done, answer(ChangeAnswer::Gone)),
        ],
    );
}

#[test]
fn an_interrupted_one_is_settled_on_what_one_holder_has() {
    let kind = ChangeKind::Update;
    let (plant, members) = (plant(0), set(&[A, B, C]));
    let intent = Intent {
        plant,
        kind,
        members,
    };
    let mut change = Change::resume(intent, members, NOBODY);
    goes(
        &mut change,
        &[
            (Start, restore(B, A)),
            (Done, restore(C, A)),
            (SourceLost, restore(C, B)),
            (Done, commit(0, &[B, C], &[A])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    let mut change = Change::resume(intent, set(&[B]), NOBODY);
    goes(&mut change, &[(Start, commit(0, &[B], &[A, C]))]);
    // Those that are behind follow one that is not.
    let mut change = Change::resume(intent, members, set(&[B, C]));
    goes(
        &mut change,
        &[
            (Start, restore(A, B)),
            (Done, restore(C, A)),
            (Done, commit(0, &[A, B, C], &[])),
        ],
    );
    // The pattern is lost before anybody follows: the next one is as good.
    let mut change = Change::resume(intent, set(&[A, B]), NOBODY);
    goes(
        &mut change,
        &[
            (Start, restore(B, A)),
            (SourceLost, commit(0, &[B], &[A, C])),
        ],
    );
}

/// The intent of an update that a crash has left, of three holders that can be reached.
fn interrupted() -> Change {
    let members = set(&[A, B, C]);
    let kind = ChangeKind::Update;
    let plant = plant(0);
    Change::resume(
        Intent {
            plant,
            kind,
            members,
        },
        members,
        NOBODY,
    )
}

#[test]
fn who_is_lost_while_it_is_settled_is_on_record_if_it_was_asked() {
    for (lost, done, unclear) in [(A, [B, C], A), (B, [A, C], B)] {
        let mut change = interrupted();
        goes(
            &mut change,
            &[
                (Start, restore(B, A)),
                (Lost(lost), restore(B, A)),
                (Done, restore(C, A)),
                (Done, commit(0, &done, &[unclear])),
            ],
        );
    }
    let mut change = interrupted();
    goes(
        &mut change,
        &[
            (Start, restore(B, A)),
            (Lost(C), restore(B, A)),
            (Done, restore(C, A)),
            (Done, commit(0, &[A, B, C], &[])),
        ],
    );
}
