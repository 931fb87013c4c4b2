mod check;
mod sequences;

use super::{Seat, Work, WorkInput, WorkNext};
use crate::{Binding, Incarnation, MemberId, Replayable};

const A: Seat = seat(0, 1, 7);
const B: Seat = seat(1, 1, 7);

const fn seat(member: u8, incarnation: u32, session: u64) -> Seat {
    Seat {
        member: MemberId(member),
        incarnation: Incarnation(incarnation),
        session,
    }
}

const DONE: WorkInput = WorkInput::Done;
const TAKEN: WorkInput = WorkInput::Taken {
    output: false,
    recorded: true,
};
const GIVEN: WorkInput = WorkInput::Taken {
    output: true,
    recorded: true,
};
const PAST_THE_BOUND: WorkInput = WorkInput::Taken {
    output: false,
    recorded: false,
};

const PINNED_TO_A: Option<Binding> = Some(Binding::Pinned {
    member: A.member,
    incarnation: A.incarnation,
});

/// An operation at A that has taken these parts.
#[track_caller]
fn after(replayable: Replayable, parts: &[WorkInput]) -> Work {
    let mut work = Work::begun(replayable, Some(A));
    for part in parts {
        assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Send);
        assert_eq!(work.handle(*part), WorkNext::Rest);
    }
    work
}

/// What is asked for when a call comes to B and all is done.
fn way_to_b(mut work: Work) -> std::vec::Vec<WorkNext> {
    let mut way = std::vec![work.handle(WorkInput::Reached(B))];
    while let Some(WorkNext::Begin | WorkNext::Resend { .. } | WorkNext::Compare) = way.last() {
        let outcome = match way.last() {
            Some(WorkNext::Compare) => WorkInput::Compared(true),
            _ => DONE,
        };
        way.push(work.handle(outcome));
    }
    way
}

const fn resend(part: u32) -> WorkNext {
    WorkNext::Resend { part }
}

#[test]
fn parts_go_to_the_session_that_has_the_earlier_ones() {
    let mut work = after(Replayable::Alike, &[GIVEN, GIVEN]);
    assert_eq!((work.parts(), work.seat()), (2, Some(A)));
    assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Send);
    assert_eq!(work.handle(WorkInput::Ended), WorkNext::Over);
    assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Over);
}

#[test]
fn another_session_is_given_all_parts_in_their_order_first() {
    let without_output = after(Replayable::UntilOutput, &[TAKEN, TAKEN]);
    assert_eq!(
        way_to_b(without_output),
        [WorkNext::Begin, resend(0), resend(1), WorkNext::Send]
    );
    let nothing_yet = after(Replayable::Never, &[]);
    assert_eq!(way_to_b(nothing_yet), [WorkNext::GiveUp]);
    let nothing_yet = after(Replayable::Alike, &[]);
    assert_eq!(way_to_b(nothing_yet), [WorkNext::Begin, WorkNext::Send]);
}

#[test]
fn output_that_was_given_is_compared_before_anything_new_is_sent() {
    assert!(!after(Replayable::Alike, &[TAKEN]).has_given());
    let mut work = after(Replayable::Alike, &[TAKEN, GIVEN]);
    assert!(work.has_given());
    assert_eq!(work.binding(), Some(Binding::Free));
    assert_eq!(
        way_to_b(work),
        [
            WorkNext::Begin,
            resend(0),
            resend(1),
            WorkNext::Compare,
            WorkNext::Send
        ]
    );
    for input in [WorkInput::Reached(B), DONE, DONE, DONE] {
        let _ = work.handle(input);
    }
    assert_eq!(work.handle(WorkInput::Compared(false)), WorkNext::GiveUp);
    assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::GiveUp);
}

#[test]
fn what_cannot_be_replayed_stays_where_it_is() {
    for work in [
        after(Replayable::UntilOutput, &[TAKEN, GIVEN]),
        after(Replayable::Alike, &[TAKEN, PAST_THE_BOUND]),
        after(Replayable::Alike, &[PAST_THE_BOUND, TAKEN]),
        after(Replayable::Never, &[TAKEN]),
    ] {
        assert_eq!(work.binding(), PINNED_TO_A);
        assert_eq!(way_to_b(work), [WorkNext::GiveUp]);
        let mut lost = work;
        let _ = lost.handle(WorkInput::Reached(A));
        assert_eq!(lost.handle(WorkInput::Failed), WorkNext::Rest);
        assert_eq!(lost.binding(), None);
    }
}

/// S6: neither a later incarnation of the member nor another of its sessions has the parts.
#[test]
fn a_session_of_the_same_member_is_another_session() {
    for other in [seat(0, 2, 7), seat(0, 1, 8)] {
        let mut work = after(Replayable::Alike, &[TAKEN]);
        assert_eq!(work.handle(WorkInput::Reached(other)), WorkNext::Begin);
        let mut work = after(Replayable::Alike, &[PAST_THE_BOUND]);
        assert_eq!(work.handle(WorkInput::Reached(other)), WorkNext::GiveUp);
    }
}

#[test]
fn a_part_that_was_not_acknowledged_leaves_no_session_with_the_parts() {
    let mut work = after(Replayable::Alike, &[TAKEN]);
    let _ = work.handle(WorkInput::Reached(A));
    assert_eq!(work.handle(WorkInput::Failed), WorkNext::Rest);
    assert_eq!((work.seat(), work.parts()), (None, 1));
    assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Begin);
}

#[test]
fn more_parts_than_can_be_counted_cannot_be_replayed() {
    for (parts, may_move) in [(u32::MAX - 2, true), (u32::MAX - 1, false)] {
        let mut work = Work {
            parts,
            ..Work::begun(Replayable::Alike, Some(A))
        };
        assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Send);
        assert_eq!(work.handle(TAKEN), WorkNext::Rest);
        assert_eq!(work.may_move(), may_move);
    }
}

#[test]
fn a_replay_that_fails_is_begun_anew_elsewhere() {
    for done in 0..3 {
        let mut work = after(Replayable::Alike, &[TAKEN, GIVEN]);
        let _ = work.handle(WorkInput::Reached(B));
        for _ in 0..done {
            let _ = work.handle(DONE);
        }
        assert_eq!(work.handle(WorkInput::Failed), WorkNext::Rest);
        assert_eq!(work.handle(WorkInput::Reached(A)), WorkNext::Begin);
        assert_eq!(work.handle(DONE), resend(0));
    }
}

#[test]
fn a_query_changes_nothing() {
    let mut work = after(Replayable::UntilOutput, &[TAKEN]);
    let before = work;
    let _ = work.handle(WorkInput::Reached(A));
    assert_eq!(work.handle(WorkInput::Unchanged), WorkNext::Rest);
    assert_eq!(work, before);
}

#[test]
fn what_is_restored_stands_nowhere_and_is_brought_to_a_member() {
    let work = Work::restored(Replayable::Alike, 1, true);
    assert_eq!(
        way_to_b(work),
        [
            WorkNext::Begin,
            resend(0),
            WorkNext::Compare,
            WorkNext::Send
        ]
    );
}
