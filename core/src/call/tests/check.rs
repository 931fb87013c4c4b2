//! The invariants see what they are there for: calls that no sequence of inputs leads to.

use super::{A, B, BUSY, FIRST, PINNED, SESSION_GONE, START, chosen};
use crate::call::{Phase, Target};
use crate::{Answer, Binding, Call, CallInput, CallViolation, Incarnation, MemberSet, Repeat};

const AT_A: Target = Target {
    member: A,
    incarnation: FIRST,
};

fn after(binding: Binding, inputs: &[CallInput]) -> Call {
    let mut call = Call::new(Repeat::Safe, binding);
    for input in inputs {
        let _ = call.handle(*input);
    }
    assert_eq!(call.check(), Ok(()));
    call
}

#[test]
fn a_member_that_is_asked_is_counted() {
    let call = after(Binding::Free, &[START, chosen(A)]);
    for phase in [Phase::Sent(AT_A), Phase::Probing(AT_A)] {
        let uncounted = Call {
            phase,
            tried: MemberSet::of(B),
            ..call
        };
        assert_eq!(uncounted.check(), Err(CallViolation::NotCounted));
    }
}

#[test]
fn a_fresh_session_is_counted() {
    let call = after(Binding::Free, &[START, chosen(A), SESSION_GONE]);
    let uncounted = Call {
        reopened: false,
        ..call
    };
    assert_eq!(uncounted.check(), Err(CallViolation::ReopenNotCounted));
    let elsewhere = Call {
        tried: MemberSet::of(B),
        ..call
    };
    assert_eq!(elsewhere.check(), Err(CallViolation::NotCounted));
}

#[test]
fn pinned_work_is_where_it_began() {
    let call = after(PINNED, &[START]);
    let moved = Target {
        member: B,
        incarnation: FIRST,
    };
    let later = Target {
        member: A,
        incarnation: Incarnation(2),
    };
    for at in [moved, later] {
        let tried = MemberSet::of(A).with(B);
        let elsewhere = Call {
            phase: Phase::Sent(at),
            tried,
            ..call
        };
        assert_eq!(elsewhere.check(), Err(CallViolation::NotWhereItIsPinned));
    }
    let choosing = Call {
        phase: Phase::Choosing,
        ..call
    };
    assert_eq!(choosing.check(), Err(CallViolation::PinnedButChoosing));
}

#[test]
fn a_reply_is_somebodys() {
    let call = after(Binding::Free, &[START, chosen(A), BUSY]);
    let replied = Call {
        phase: Phase::Over(Answer::Reply),
        ..call
    };
    assert_eq!(replied.check(), Ok(()));
    let nobodys = Call {
        tried: MemberSet::EMPTY,
        ..replied
    };
    assert_eq!(nobodys.check(), Err(CallViolation::ReplyOfNobody));
}
