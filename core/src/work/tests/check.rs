//! The invariants see what they are there for: operations that no sequence of inputs leads to.

use super::{A, B, PAST_THE_BOUND, TAKEN, after};
use crate::work::{Phase, Work};
use crate::{Replayable, WorkViolation};

#[track_caller]
fn fails(work: Work, violation: WorkViolation) {
    assert_eq!(work.check(), Err(violation));
}

#[test]
fn it_is_in_one_place_at_a_time() {
    let work = after(Replayable::Alike, &[TAKEN]);
    for phase in [
        Phase::Beginning(B),
        Phase::Resending { seat: B, part: 0 },
        Phase::Beginning(A),
    ] {
        fails(Work { phase, ..work }, WorkViolation::TwoPlaces);
    }
}

#[test]
fn only_what_can_move_moves() {
    let work = after(Replayable::Alike, &[PAST_THE_BOUND]);
    let moving = Work {
        phase: Phase::Beginning(B),
        at: None,
        ..work
    };
    fails(moving, WorkViolation::CannotMove);
}

#[test]
fn there_is_what_is_sent_and_compared() {
    let work = Work {
        at: None,
        ..after(Replayable::Alike, &[TAKEN])
    };
    let phase = Phase::Resending { seat: B, part: 1 };
    fails(Work { phase, ..work }, WorkViolation::NoSuchPart);
    let phase = Phase::Comparing(B);
    fails(Work { phase, ..work }, WorkViolation::NothingToCompare);
}

#[test]
fn a_call_goes_where_all_parts_are() {
    let work = after(Replayable::Alike, &[TAKEN]);
    for at in [None, Some(A)] {
        let phase = Phase::Sent(B);
        fails(Work { at, phase, ..work }, WorkViolation::PartsMissing);
    }
}
