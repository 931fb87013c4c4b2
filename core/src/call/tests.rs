mod check;
mod sequences;
mod table;

use std::vec::Vec;

use super::{Answer, Binding, Call, CallInput, CallOutput, Next, SetAside};
use crate::{Incarnation, MemberId, MemberSet, QuarantineReason, Repeat, Verdict};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const FIRST: Incarnation = Incarnation(1);
const PINNED: Binding = Binding::Pinned {
    member: A,
    incarnation: FIRST,
};

const START: CallInput = CallInput::Start;
const NOBODY: CallInput = CallInput::Chosen(None);
const FINE: CallInput = CallInput::Verdict(Verdict::Fine);
const GONE: CallInput = CallInput::Verdict(Verdict::MemberLost { executed: false });
const GONE_PERHAPS_EXECUTED: CallInput = CallInput::Verdict(Verdict::MemberLost { executed: true });
const SESSION_GONE: CallInput = CallInput::Verdict(Verdict::SessionLost { executed: false });
const BUSY: CallInput = CallInput::Verdict(Verdict::MemberBusy);
const UNKNOWN: CallInput = CallInput::Verdict(Verdict::Unknown);

const fn chosen(member: MemberId) -> CallInput {
    CallInput::Chosen(Some((member, FIRST)))
}

const fn send(member: MemberId) -> Next {
    Next::Send {
        member,
        incarnation: FIRST,
    }
}

const fn choose(tried: &[MemberId]) -> Next {
    let mut set = MemberSet::EMPTY;
    let mut rest = tried;
    while let [member, tail @ ..] = rest {
        set.insert(*member);
        rest = tail;
    }
    Next::Choose { tried: set }
}

/// Feeds the inputs and returns what came back for the last one.
#[track_caller]
fn last(repeat: Repeat, binding: Binding, inputs: &[CallInput]) -> CallOutput {
    let mut call = Call::new(repeat, binding);
    let outputs: Vec<_> = inputs.iter().map(|input| call.handle(*input)).collect();
    *outputs.last().expect("at least one input")
}

#[track_caller]
fn safe(inputs: &[CallInput]) -> CallOutput {
    last(Repeat::Safe, Binding::Free, inputs)
}

#[track_caller]
fn once(inputs: &[CallInput]) -> CallOutput {
    last(Repeat::OnlyIfUndelivered, Binding::Free, inputs)
}

#[test]
fn a_call_goes_to_the_chosen_member_and_its_reply_is_the_answer() {
    assert_eq!(safe(&[START]).next, choose(&[]));
    assert_eq!(safe(&[START, chosen(A)]).next, send(A));
    let over = safe(&[START, chosen(A), FINE]);
    assert_eq!(over.next, Next::Answer(Answer::Reply));
    assert_eq!((over.lost, over.set_aside), (None, None));
}

#[test]
fn the_callers_fault_is_answered_and_costs_no_member() {
    let over = safe(&[START, chosen(A), CallInput::Verdict(Verdict::CallersFault)]);
    assert_eq!(over.next, Next::Answer(Answer::Reply));
    assert_eq!(over.lost, None);
}

#[test]
fn without_a_member_the_answer_is_unavailable() {
    assert_eq!(
        safe(&[START, NOBODY]).next,
        Next::Answer(Answer::Unavailable)
    );
}

#[test]
fn a_call_that_may_be_repeated_goes_on_elsewhere_when_its_member_is_lost() {
    for loss in [
        GONE,
        GONE_PERHAPS_EXECUTED,
        CallInput::Unanswered { delivered: true },
    ] {
        let output = safe(&[START, chosen(A), loss]);
        assert_eq!(output.lost, Some((A, FIRST)));
        assert_eq!(output.next, choose(&[A]));
        assert_eq!(safe(&[START, chosen(A), loss, chosen(B)]).next, send(B));
        let over = safe(&[START, chosen(A), loss, NOBODY]);
        assert_eq!(over.next, Next::Answer(Answer::Unavailable));
    }
}

/// S4, S12: what may have been executed, such as a login, is not sent to a second member.
#[test]
fn a_call_that_may_not_be_repeated_goes_on_only_if_it_was_surely_not_executed() {
    for loss in [GONE, CallInput::Unanswered { delivered: false }] {
        assert_eq!(once(&[START, chosen(A), loss]).next, choose(&[A]));
    }
    for loss in [
        GONE_PERHAPS_EXECUTED,
        CallInput::Unanswered { delivered: true },
    ] {
        let over = once(&[START, chosen(A), loss]);
        assert_eq!(over.next, Next::Answer(Answer::Unknown));
        assert_eq!(over.lost, Some((A, FIRST)));
    }
}

#[test]
fn a_lost_session_is_made_anew_once_and_the_call_goes_to_the_same_member() {
    let reopen = Next::Reopen {
        member: A,
        incarnation: FIRST,
    };
    let begin = [START, chosen(A), SESSION_GONE];
    assert_eq!(once(&begin).next, reopen);
    assert_eq!(once(&begin).lost, None);
    let again = [START, chosen(A), SESSION_GONE, CallInput::Reopened(true)];
    assert_eq!(once(&again).next, send(A));
    let twice = [
        START,
        chosen(A),
        SESSION_GONE,
        CallInput::Reopened(true),
        SESSION_GONE,
    ];
    assert_eq!(once(&twice).lost, Some((A, FIRST)));
    assert_eq!(once(&twice).next, choose(&[A]));
    let failed = [START, chosen(A), SESSION_GONE, CallInput::Reopened(false)];
    assert_eq!(once(&failed).lost, Some((A, FIRST)));
    assert_eq!(once(&failed).next, choose(&[A]));
}

/// One fresh session for each call, not for each member.
#[test]
fn a_second_member_whose_session_is_lost_is_lost() {
    let output = safe(&[
        START,
        chosen(A),
        SESSION_GONE,
        CallInput::Reopened(false),
        chosen(B),
        SESSION_GONE,
    ]);
    assert_eq!(output.lost, Some((B, FIRST)));
    assert_eq!(output.next, choose(&[A, B]));
}

/// S4: a session that was closed while the function ran says nothing of how far that came.
#[test]
fn a_session_lost_in_mid_call_is_no_reason_to_repeat_what_may_not_be() {
    let closed = CallInput::Verdict(Verdict::SessionLost { executed: true });
    let over = once(&[START, chosen(A), closed]);
    assert_eq!(over.next, Next::Answer(Answer::Unknown));
    assert_eq!(over.lost, None);
    let reopen = Next::Reopen {
        member: A,
        incarnation: FIRST,
    };
    assert_eq!(safe(&[START, chosen(A), closed]).next, reopen);
}

#[test]
fn a_busy_member_is_passed_over_without_loss_and_its_answer_is_kept() {
    let output = once(&[START, chosen(A), BUSY]);
    assert_eq!((output.next, output.lost), (choose(&[A]), None));
    let over = once(&[START, chosen(A), BUSY, NOBODY]);
    assert_eq!(over.next, Next::Answer(Answer::Reply));
    let lost_then = once(&[START, chosen(A), BUSY, chosen(B), GONE, NOBODY]);
    assert_eq!(lost_then.next, Next::Answer(Answer::Unavailable));
}

#[test]
fn an_answer_that_does_not_tell_is_followed_by_a_probe() {
    let probe = Next::Probe {
        member: A,
        incarnation: FIRST,
    };
    assert_eq!(safe(&[START, chosen(A), UNKNOWN]).next, probe);
    let dead = safe(&[START, chosen(A), UNKNOWN, CallInput::Probed(false)]);
    assert_eq!((dead.next, dead.lost), (choose(&[A]), Some((A, FIRST))));
    let dead = once(&[START, chosen(A), UNKNOWN, CallInput::Probed(false)]);
    assert_eq!(
        (dead.next, dead.lost),
        (Next::Answer(Answer::Unknown), Some((A, FIRST)))
    );
}

#[test]
fn a_member_that_is_well_and_does_not_tell_is_given_one_second_opinion() {
    let alive = CallInput::Probed(true);
    let elsewhere = safe(&[START, chosen(A), UNKNOWN, alive]);
    assert_eq!((elsewhere.next, elsewhere.lost), (choose(&[A]), None));
    let nobody = safe(&[START, chosen(A), UNKNOWN, alive, NOBODY]);
    assert_eq!(nobody.next, Next::Answer(Answer::Reply));
    let agreed = safe(&[START, chosen(A), UNKNOWN, alive, chosen(B), UNKNOWN, alive]);
    assert_eq!(agreed.next, Next::Answer(Answer::Reply));
    let not_repeatable = once(&[START, chosen(A), UNKNOWN, alive]);
    assert_eq!(not_repeatable.next, Next::Answer(Answer::Reply));
}

#[test]
fn a_member_to_be_set_aside_is_told_of_and_left() {
    let why = QuarantineReason::PinRefused;
    let output = once(&[
        START,
        chosen(A),
        CallInput::Verdict(Verdict::Quarantine(why)),
    ]);
    let set_aside = SetAside {
        member: A,
        incarnation: FIRST,
        why,
    };
    assert_eq!((output.set_aside, output.lost), (Some(set_aside), None));
    assert_eq!(output.next, choose(&[A]));
    // A failed self-test may come from the key pair that was made (PKCS#11 v3.2 §5.1.6).
    let why = QuarantineReason::SelfTestFailed;
    let output = once(&[
        START,
        chosen(A),
        CallInput::Verdict(Verdict::Quarantine(why)),
    ]);
    assert_eq!(output.next, Next::Answer(Answer::Unknown));
}

#[test]
fn pinned_work_never_moves() {
    let pinned = |inputs: &[CallInput]| last(Repeat::Safe, PINNED, inputs);
    assert_eq!(pinned(&[START]).next, send(A));
    assert_eq!(pinned(&[START, FINE]).next, Next::Answer(Answer::Reply));
    assert_eq!(pinned(&[START, BUSY]).next, Next::Answer(Answer::Reply));
    let lost = pinned(&[START, GONE]);
    assert_eq!(
        (lost.next, lost.lost),
        (Next::Answer(Answer::Unavailable), Some((A, FIRST)))
    );
    // A fresh session serves the calls to come, but the work was in the one that is gone.
    let reopened = pinned(&[START, SESSION_GONE, CallInput::Reopened(true)]);
    assert_eq!(
        (reopened.next, reopened.lost),
        (Next::Answer(Answer::Unavailable), None)
    );
    let alive = pinned(&[START, UNKNOWN, CallInput::Probed(true)]);
    assert_eq!(
        (alive.next, alive.lost),
        (Next::Answer(Answer::Reply), None)
    );
}

#[test]
fn a_member_that_no_set_can_hold_is_not_sent_anything() {
    let stranger = MemberId(200);
    let over = safe(&[START, chosen(stranger)]);
    assert_eq!(over.next, Next::Answer(Answer::Unavailable));
    let binding = Binding::Pinned {
        member: stranger,
        incarnation: FIRST,
    };
    assert_eq!(
        last(Repeat::Safe, binding, &[START]).next,
        Next::Answer(Answer::Unavailable)
    );
}
