use super::*;

fn create(copies: Copies) -> Change {
    let all = set(&[A, B, C]);
    Change::create(MARK, copies, all, all, None)
}

fn recorded(attempt: u8, members: &[MemberId]) -> ChangeNext {
    record(ChangeKind::Create, attempt, members)
}

const fn make(member: MemberId, attempt: u8) -> ChangeNext {
    let plant = plant(attempt);
    ChangeNext::Make { member, plant }
}

const fn find(member: MemberId, attempt: u8) -> ChangeNext {
    let plant = plant(attempt);
    ChangeNext::Find { member, plant }
}

const fn copy(from: MemberId, to: MemberId, attempt: u8) -> ChangeNext {
    let plant = plant(attempt);
    ChangeNext::Copy { from, to, plant }
}

const fn clean(member: MemberId, attempt: u8) -> ChangeNext {
    let plant = plant(attempt);
    ChangeNext::Clean { member, plant }
}

#[test]
fn it_is_made_on_one_and_copied_to_the_others_before_it_is_answered() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (Done, copy(A, C, 0)),
            (Done, commit(0, &[A, B, C], &[])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    assert_eq!(change.owed(), NOBODY);
    // S1: void after the answer.
    goes(&mut change, &[(Start, answer(ChangeAnswer::Done))]);
}

#[test]
fn the_preferred_maker_is_asked_first_and_others_after_it() {
    let mut change = Change::create(
        MARK,
        Copies::Number(1),
        set(&[A, B]),
        set(&[A, B, C]),
        Some(B),
    );
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(B, 0)),
            // It was not asked at all, so the same try goes on elsewhere.
            (NotSent, make(A, 0)),
            (Done, commit(0, &[A], &[])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
}

/// S4: a member that died while it made the object is looked at; what is found is adopted.
#[test]
fn what_is_found_is_adopted() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Unknown, find(A, 0)),
            (Done, copy(A, B, 0)),
        ],
    );
}

/// S4: what is not found is made anew elsewhere under another plant; the first stays on record until its member is cleaned.
#[test]
fn what_is_not_found_is_made_anew_under_another_plant() {
    for outcome in [Gone, NotSent, Unknown, Refused] {
        let mut change = create(Copies::All);
        goes(
            &mut change,
            &[
                (Start, recorded(0, &[A, B, C])),
                (Done, make(A, 0)),
                (Unknown, find(A, 0)),
                (outcome, retract(0, &[A])),
                (Done, recorded(1, &[B, C])),
                (Done, make(B, 1)),
                (Done, copy(B, C, 1)),
                (Done, commit(1, &[B, C], &[])),
                (Done, answer(ChangeAnswer::Done)),
            ],
        );
        assert_eq!(change.owed(), set(&[A]));
    }
}

#[test]
fn nothing_is_made_without_a_record() {
    for (outcome, next) in [
        (Refused, answer(ChangeAnswer::JournalFailed)),
        (Unknown, retract(0, &[])),
    ] {
        let mut change = create(Copies::All);
        goes(
            &mut change,
            &[(Start, recorded(0, &[A, B, C])), (outcome, next)],
        );
    }
}

#[test]
fn a_refusal_is_the_answer() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Refused, retract(0, &[])),
            (Done, answer(ChangeAnswer::Refused)),
        ],
    );
}

/// All means those that can be reached: one that is lost in the middle is its reconcile's business.
#[test]
fn a_member_lost_in_the_middle_is_left_behind() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (NotSent, make(B, 0)),
            (Done, copy(B, A, 0)),
            (NotSent, copy(B, C, 0)),
            (Unknown, commit(0, &[B], &[C])),
        ],
    );
    assert_eq!(change.owed(), set(&[A, C]));
}

#[test]
fn a_lost_source_is_replaced_by_a_copy() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (Done, copy(A, C, 0)),
            (SourceLost, copy(B, C, 0)),
            // A has it, though it is away.
            (Done, commit(0, &[A, B, C], &[])),
        ],
    );
    assert_eq!(change.owed(), set(&[A]));
}

#[test]
fn a_lost_source_without_a_copy_is_a_lost_try() {
    let mut change = create(Copies::All);
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (SourceLost, retract(0, &[A])),
            (Done, recorded(1, &[B, C])),
            (Done, make(B, 1)),
            (Done, copy(B, C, 1)),
            (SourceLost, retract(1, &[B])),
            (Done, recorded(2, &[C])),
            (Done, make(C, 2)),
            (Unknown, find(C, 2)),
            (NotSent, retract(2, &[C])),
            (Done, answer(ChangeAnswer::Unavailable)),
        ],
    );
}

/// Fewer copies than the policy asks: what was made is destroyed, and an intent stands for what cannot be reached.
#[test]
fn it_leaves_nothing_behind_when_it_fails() {
    for (outcome, why) in [
        (NotCarryable, ChangeAnswer::NotCarryable),
        (Refused, ChangeAnswer::Refused),
    ] {
        let mut change = create(Copies::All);
        goes(
            &mut change,
            &[
                (Start, recorded(0, &[A, B, C])),
                (Done, make(A, 0)),
                (Done, copy(A, B, 0)),
                (Done, copy(A, C, 0)),
                (outcome, clean(A, 0)),
                (Done, clean(B, 0)),
                (Unknown, retract(0, &[B])),
                (Done, answer(why)),
            ],
        );
        assert_eq!(change.owed(), set(&[B]));
    }
}

#[test]
fn a_number_of_copies_is_had_from_whoever_takes_them() {
    let mut change = create(Copies::Number(2));
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (NotCarryable, copy(A, C, 0)),
            (Done, commit(0, &[A, C], &[])),
        ],
    );
    let mut change = create(Copies::Number(2));
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (NotSent, copy(A, C, 0)),
            (NotSent, clean(A, 0)),
            (Done, retract(0, &[])),
            (Done, answer(ChangeAnswer::TooFew)),
        ],
    );
    // Not for want of members.
    let mut change = create(Copies::Number(2));
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, copy(A, B, 0)),
            (NotCarryable, copy(A, C, 0)),
            (NotCarryable, clean(A, 0)),
            (Done, retract(0, &[])),
            (Done, answer(ChangeAnswer::NotCarryable)),
        ],
    );
    let mut change = create(Copies::Number(4));
    goes(&mut change, &[(Start, answer(ChangeAnswer::TooFew))]);
}

#[test]
fn a_commit_that_is_refused_is_undone() {
    let mut change = create(Copies::Number(1));
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, commit(0, &[A], &[])),
            (Refused, clean(A, 0)),
            (Done, retract(0, &[])),
            (Refused, answer(ChangeAnswer::JournalFailed)),
        ],
    );
}

/// One without an answer may have taken effect: nothing is touched, and it ends on all or none when the intent is looked for.
#[test]
fn a_commit_without_an_answer_is_sent_once_more() {
    let mut change = create(Copies::Number(1));
    goes(
        &mut change,
        &[
            (Start, recorded(0, &[A, B, C])),
            (Done, make(A, 0)),
            (Done, commit(0, &[A], &[])),
            (Unknown, commit(0, &[A], &[])),
        ],
    );
    for outcome in [Unknown, Refused] {
        goes(
            &mut change.clone(),
            &[(outcome, answer(ChangeAnswer::Unknown))],
        );
    }
    goes(&mut change, &[(Done, answer(ChangeAnswer::Done))]);
}

#[test]
fn an_interrupted_one_is_undone() {
    let kind = ChangeKind::Create;
    let (plant, members) = (plant(3), set(&[A, B, C]));
    let intent = Intent {
        plant,
        kind,
        members,
    };
    let mut change = Change::resume(intent, set(&[A, B, C]), NOBODY);
    goes(
        &mut change,
        &[
            (Start, clean(A, 3)),
            (Done, clean(B, 3)),
            (Gone, clean(C, 3)),
            (Done, retract(3, &[])),
            (Done, answer(ChangeAnswer::Done)),
        ],
    );
    // For a member that is away the intent stands.
    let mut change = Change::resume(intent, set(&[A]), NOBODY);
    goes(
        &mut change,
        &[
            (Start, clean(A, 3)),
            (Done, retract(3, &[B, C])),
            (Done, answer(ChangeAnswer::Unavailable)),
        ],
    );
    let mut change = Change::resume(intent, NOBODY, NOBODY);
    goes(&mut change, &[(Start, answer(ChangeAnswer::Unavailable))]);
}
