use std::vec;

use super::*;
use crate::{Outage, QuarantineReason, Reason, WakeUp};

#[test]
fn a_group_without_members_waits_for_nothing() {
    let mut group = trio(Attempts::Unlimited);
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    assert_void(&at(&mut group, 5, Input::Timer));
}

#[test]
fn a_new_member_is_connected_opened_logged_in_synchronised_and_then_serves() {
    let mut group = trio(Attempts::Unlimited);
    let added = at(
        &mut group,
        3,
        Input::Add {
            member: A,
            role: Role::Active,
        },
    );
    assert_eq!(
        events(&added),
        [Event::Added {
            member: A,
            role: Role::Active
        }]
    );
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(3), Reason::Attempt(A))
    );
    let mut output = at(&mut group, 3, Input::Timer);
    assert_eq!(
        events(&output),
        [Event::AttemptBegan {
            member: A,
            number: 1
        }]
    );
    for step in STEPS {
        let login = (group.login(), group.generation());
        let (serial, _) = attempt(&group, A);
        assert_eq!(
            actions(&output),
            [Action::Perform {
                member: A,
                serial,
                step,
                login
            }]
        );
        assert!(group.view().active.is_empty());
        output = step_done(&mut group, 4, A);
    }
    let returned = Event::Returned {
        member: A,
        incarnation: Incarnation(1),
        attempts: 1,
    };
    assert_eq!(events(&output), [returned, Event::GroupUp]);
    assert_eq!(actions(&output), vec![]);
    assert_eq!(group.view().incarnation(A), Some(Incarnation(1)));
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
}

/// Start-up: the members are brought up side by side, one begun by each timer.
#[test]
fn several_members_are_tried_at_the_same_time() {
    let mut group = trio(Attempts::AtMost(0));
    for member in [A, B, C] {
        at(
            &mut group,
            0,
            Input::Add {
                member,
                role: Role::Active,
            },
        );
    }
    for member in [A, B, C] {
        assert_eq!(
            group.poll_timeout(),
            WakeUp::At(seconds(0), Reason::Attempt(member))
        );
        at(&mut group, 0, Input::Timer);
        assert_eq!(attempt(&group, member).1, Step::Connect);
    }
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    for member in [C, A, B] {
        finish(&mut group, 1, member);
    }
    assert_eq!(group.view().active.len(), 3);
}

#[test]
fn a_lost_member_is_closed_at_once_and_tried_at_once() {
    let mut group = serving_trio(Attempts::AtMost(3));
    let lost = lose(&mut group, 100, A);
    let incarnation = Incarnation(1);
    assert_eq!(
        actions(&lost),
        [Action::Close {
            member: A,
            incarnation
        }]
    );
    assert_eq!(
        events(&lost),
        [Event::Lost {
            member: A,
            incarnation,
            evidence: FAILURE
        }]
    );
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(100), Reason::Attempt(A))
    );
    let returned = bring_up(&mut group, 100, A);
    let incarnation = Incarnation(2);
    assert_eq!(
        events(&returned),
        [Event::Returned {
            member: A,
            incarnation,
            attempts: 1
        }]
    );
}

/// S3, the seed: "it will only try to reconnection to an appliance every X secs and N number of times".
#[test]
fn attempts_are_an_interval_apart_and_end_after_n() {
    let mut group = serving_trio(Attempts::AtMost(3));
    lose(&mut group, 100, A);
    for (second, number) in [(100, 1), (160, 2)] {
        let failed = try_in_vain(&mut group, second, A);
        let next = Some(seconds(second + 60));
        let (member, step, evidence) = (A, Step::Connect, FAILURE);
        let event = Event::AttemptFailed {
            member,
            number,
            step,
            evidence,
            next,
        };
        assert_eq!(events(&failed), [event]);
        assert_void(&at(&mut group, second + 59, Input::Timer));
        assert_eq!(
            group.poll_timeout(),
            WakeUp::At(seconds(second + 60), Reason::Attempt(A))
        );
    }
    let failed = try_in_vain(&mut group, 220, A);
    assert_eq!(
        events(&failed)[1],
        Event::GaveUp {
            member: A,
            attempts: 3
        }
    );
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    assert_void(&at(&mut group, 10_000, Input::Timer));
}

/// X runs from the beginning of an attempt, however long that takes.
#[test]
fn a_slow_attempt_may_be_followed_by_the_next_at_once() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    at(&mut group, 100, Input::Timer);
    assert_void(&at(&mut group, 500, Input::Timer));
    step_ends(
        &mut group,
        500,
        A,
        StepOutcome::Failed(Evidence::DeadlinePassed),
    );
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(160), Reason::Attempt(A))
    );
}

#[test]
fn a_member_that_comes_and_goes_is_not_tried_more_often_than_one_that_stays_away() {
    let mut group = serving_trio(Attempts::AtMost(1));
    lose(&mut group, 100, A);
    bring_up(&mut group, 100, A);
    lose(&mut group, 101, A);
    assert_void(&at(&mut group, 159, Input::Timer));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(160), Reason::Attempt(A))
    );
    bring_up(&mut group, 160, A);
    lose(&mut group, 400, A);
    bring_up(&mut group, 400, A);
}

#[test]
fn without_attempts_a_lost_member_stays_lost_until_an_operator_recovers_it() {
    let mut group = serving_trio(Attempts::AtMost(0));
    lose(&mut group, 100, A);
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    assert_void(&at(&mut group, 10_000, Input::Timer));
    assert!(matches!(state(&group, A), MemberState::Lost { .. }));
    at(&mut group, 10_000, Input::Recover { member: A });
    let failed = step_ends(&mut group, 10_001, A, StepOutcome::Failed(FAILURE));
    let (number, step, evidence) = (1, Step::Connect, FAILURE);
    let event = Event::AttemptFailed {
        member: A,
        number,
        step,
        evidence,
        next: None,
    };
    assert_eq!(events(&failed), [event]);
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    at(&mut group, 10_002, Input::Recover { member: A });
    finish(&mut group, 10_002, A);
}

#[test]
fn attempts_without_end_are_counted_up_to_the_greatest_number() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 0, A);
    for round in 1..=70_000 {
        try_in_vain(&mut group, round * 60, A);
    }
    let outage = state(&group, A).outage().copied().expect("an outage");
    assert_eq!(outage.attempts, u16::MAX);
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(70_001 * 60), Reason::Attempt(A))
    );
}

/// L1: the seed's one count for all members lets one member's attempts use up another's.
#[test]
fn each_member_has_its_own_count_and_the_one_that_waits_longest_is_tried_first() {
    let mut group = serving_trio(Attempts::AtMost(2));
    lose(&mut group, 100, B);
    lose(&mut group, 110, A);
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(100), Reason::Attempt(B))
    );
    try_in_vain(&mut group, 120, B);
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(110), Reason::Attempt(A))
    );
    try_in_vain(&mut group, 121, A);
    try_in_vain(&mut group, 300, B);
    assert!(matches!(state(&group, B), MemberState::GivenUp { .. }));
    bring_up(&mut group, 300, A);
    assert!(state(&group, A).serves());
}

/// S11: what a failed attempt has opened is closed.
#[test]
fn an_attempt_may_fail_at_each_step_and_what_it_opened_is_closed() {
    for (done, step) in STEPS.into_iter().enumerate() {
        let mut group = serving_trio(Attempts::Unlimited);
        lose(&mut group, 100, A);
        at(&mut group, 100, Input::Timer);
        for _ in 0..done {
            step_done(&mut group, 100, A);
        }
        let evidence = Evidence::TokenAbsent;
        let failed = step_ends(&mut group, 100, A, StepOutcome::Failed(evidence));
        assert_eq!(
            actions(&failed),
            [Action::Close {
                member: A,
                incarnation: Incarnation(1)
            }]
        );
        let next = Some(seconds(160));
        let event = Event::AttemptFailed {
            member: A,
            number: 1,
            step,
            evidence,
            next,
        };
        assert_eq!(events(&failed), [event]);
        let next_attempt_at = seconds(160);
        let outage = Outage {
            evidence,
            attempts: 1,
            next_attempt_at,
            reported: false,
        };
        assert_eq!(state(&group, A), MemberState::Lost { outage });
    }
}

#[test]
fn a_member_that_is_refused_in_an_attempt_is_set_aside_and_not_tried_again() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    at(&mut group, 100, Input::Timer);
    let why = QuarantineReason::TokenChanged;
    let refused = step_ends(&mut group, 101, A, StepOutcome::Refused(why));
    assert_eq!(events(&refused), [Event::Quarantined { member: A, why }]);
    assert_eq!(group.poll_timeout(), WakeUp::Idle);
    at(&mut group, 102, Input::Recover { member: A });
    finish(&mut group, 102, A);
}

#[test]
fn the_log_says_when_standby_members_take_over_and_when_nobody_is_left() {
    let mut group = serving_trio(Attempts::Unlimited);
    assert_eq!(events(&lose(&mut group, 100, A)).len(), 1);
    assert_eq!(events(&lose(&mut group, 101, B))[1], Event::StandbyServing);
    assert_eq!(events(&lose(&mut group, 102, C))[1], Event::GroupDown);
    at(&mut group, 103, Input::Timer);
    at(&mut group, 103, Input::Timer);
    at(&mut group, 103, Input::Timer);
    let standby = events(&finish(&mut group, 104, C));
    assert_eq!(standby[1..], [Event::GroupUp, Event::StandbyServing]);
    assert_eq!(events(&finish(&mut group, 105, A))[1], Event::ActiveServing);
    assert_eq!(events(&finish(&mut group, 106, B)).len(), 1);
}
