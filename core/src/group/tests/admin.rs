use super::*;
use crate::{MemberSet, Outage, QuarantineReason, Reason, WakeUp};

const CLOSE_A: Action = Action::Close {
    member: A,
    incarnation: Incarnation(1),
};

fn policy(interval: u64, attempts: Attempts) -> Input {
    Input::SetPolicy(Policy {
        interval: Duration::from_secs(interval),
        attempts,
    })
}

#[test]
fn an_id_that_is_taken_or_too_great_cannot_be_added() {
    let mut group = serving_trio(Attempts::Unlimited);
    for member in [A, MemberId(3), MemberId(255)] {
        assert_void(&at(
            &mut group,
            1,
            Input::Add {
                member,
                role: Role::Standby,
            },
        ));
    }
    assert_eq!(group.members().count(), 3);
}

#[test]
fn orders_for_a_member_that_is_not_there_are_void() {
    let mut group = trio(Attempts::Unlimited);
    for member in [A, MemberId(3), MemberId(255)] {
        for order in [
            Input::Remove { member },
            Input::Park { member },
            Input::Unpark { member },
            Input::Recover { member },
            Input::SetRole {
                member,
                role: Role::Active,
            },
        ] {
            assert_void(&at(&mut group, 1, order));
        }
    }
}

/// S6: a new member under an old id is not mistaken for the one that had it.
#[test]
fn a_removed_member_is_closed_and_its_counts_go_on_for_the_next_of_its_id() {
    let mut group = serving_trio(Attempts::Unlimited);
    let removed = at(&mut group, 10, Input::Remove { member: A });
    assert_eq!(actions(&removed), [CLOSE_A]);
    assert_eq!(events(&removed), [Event::Removed { member: A }]);
    assert_eq!(group.member(A), None);
    at(
        &mut group,
        11,
        Input::Add {
            member: A,
            role: Role::Active,
        },
    );
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(11), Reason::Attempt(A))
    );
    bring_up(&mut group, 11, A);
    assert_eq!(incarnation(&group, A), Incarnation(2));
}

#[test]
fn a_parked_member_is_left_alone_until_it_is_unparked() {
    let mut group = serving_trio(Attempts::AtMost(0));
    let parked = at(&mut group, 10, Input::Park { member: A });
    assert_eq!(
        (actions(&parked)[0], events(&parked)[0]),
        (CLOSE_A, Event::Parked { member: A })
    );
    assert_void(&at(&mut group, 11, Input::Park { member: A }));
    assert_void(&at(&mut group, 11, Input::Recover { member: A }));
    assert_void(&lose(&mut group, 12, A));
    assert_void(&at(&mut group, 1000, Input::Timer));
    let unparked = at(&mut group, 1000, Input::Unpark { member: A });
    assert_eq!(events(&unparked), [Event::Unparked { member: A }]);
    assert_void(&at(&mut group, 1000, Input::Unpark { member: A }));
    bring_up(&mut group, 1000, A);
}

/// S3: parking and unparking is no way around the interval.
#[test]
fn an_unparked_member_is_tried_an_interval_after_the_last_attempt() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    at(&mut group, 101, Input::Park { member: A });
    at(&mut group, 102, Input::Unpark { member: A });
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(160), Reason::Attempt(A))
    );
}

/// S11: what the attempt has opened is closed, and its late outcome is void.
#[test]
fn a_member_can_be_parked_in_the_middle_of_an_attempt() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    at(&mut group, 100, Input::Timer);
    let (serial, step) = attempt(&group, A);
    assert_eq!(
        actions(&at(&mut group, 101, Input::Park { member: A })),
        [CLOSE_A]
    );
    let outcome = StepOutcome::Done {
        login: group.generation(),
    };
    assert_void(&at(
        &mut group,
        102,
        Input::Step {
            member: A,
            serial,
            step,
            outcome,
        },
    ));
    at(&mut group, 200, Input::Unpark { member: A });
    at(&mut group, 200, Input::Timer);
    assert_void(&at(
        &mut group,
        201,
        Input::Step {
            member: A,
            serial,
            step,
            outcome,
        },
    ));
}

#[test]
fn a_manual_recover_begins_at_once_and_counts_anew() {
    let mut group = serving_trio(Attempts::AtMost(2));
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    let order = Input::Recover { member: A };
    let begun = at(&mut group, 101, order);
    assert_eq!(
        events(&begun),
        [Event::AttemptBegan {
            member: A,
            number: 1
        }]
    );
    assert_void(&at(&mut group, 102, order));
    step_ends(&mut group, 102, A, StepOutcome::Failed(FAILURE));
    try_in_vain(&mut group, 161, A);
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
    at(&mut group, 162, order);
    finish(&mut group, 162, A);
    assert_void(&at(&mut group, 163, order));
}

#[test]
fn a_role_takes_effect_at_once_or_when_the_member_is_back() {
    let mut group = serving_trio(Attempts::Unlimited);
    let standby = |member| Input::SetRole {
        member,
        role: Role::Standby,
    };
    let changed = at(&mut group, 10, standby(A));
    assert_eq!(actions(&changed), []);
    assert_eq!(
        events(&changed),
        [Event::RoleChanged {
            member: A,
            role: Role::Standby
        }]
    );
    assert_eq!(state(&group, A), MemberState::Standby);
    assert_eq!(incarnation(&group, A), Incarnation(1));
    assert_void(&at(&mut group, 10, standby(A)));
    lose(&mut group, 11, B);
    at(&mut group, 12, standby(B));
    bring_up(&mut group, 13, B);
    assert_eq!(state(&group, B), MemberState::Standby);
    assert_eq!(group.view().active, MemberSet::EMPTY);
}

#[test]
fn a_role_that_changes_who_serves_is_told_of() {
    let mut group = trio(Attempts::Unlimited);
    at(
        &mut group,
        0,
        Input::Add {
            member: A,
            role: Role::Active,
        },
    );
    bring_up(&mut group, 0, A);
    let role = |role| Input::SetRole { member: A, role };
    assert_eq!(
        events(&at(&mut group, 1, role(Role::Standby)))[1],
        Event::StandbyServing
    );
    assert_eq!(
        events(&at(&mut group, 2, role(Role::Active)))[1],
        Event::ActiveServing
    );
}

#[test]
fn a_greater_number_of_attempts_gives_a_member_that_had_given_up_more_of_them() {
    let mut group = serving_trio(Attempts::AtMost(1));
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
    at(&mut group, 101, policy(60, Attempts::AtMost(2)));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(160), Reason::Attempt(A))
    );
    try_in_vain(&mut group, 160, A);
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
}

#[test]
fn a_smaller_number_of_attempts_ends_those_that_have_had_as_many() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    lose(&mut group, 100, B);
    for second in [100, 160, 220] {
        try_in_vain(&mut group, second, A);
        try_in_vain(&mut group, second, B);
    }
    at(&mut group, 280, Input::Timer);
    let changed = at(&mut group, 281, policy(60, Attempts::AtMost(2)));
    let policy = group.policy();
    assert_eq!(events(&changed), [Event::PolicyChanged { policy }]);
    assert!(matches!(state(&group, A), MemberState::Recovering { .. }));
    assert!(matches!(state(&group, B), MemberState::GivenUp { .. }));
    step_ends(&mut group, 282, A, StepOutcome::Failed(FAILURE));
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
}

#[test]
fn another_interval_counts_from_the_beginning_of_the_last_attempt() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    at(&mut group, 110, policy(20, Attempts::Unlimited));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(120), Reason::Attempt(A))
    );
    at(&mut group, 111, policy(5, Attempts::Unlimited));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(111), Reason::Attempt(A))
    );
    at(&mut group, 112, policy(300, Attempts::Unlimited));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(111), Reason::Attempt(A))
    );
    assert_void(&at(&mut group, 112, policy(300, Attempts::Unlimited)));
}

#[test]
fn a_member_set_aside_by_its_own_answer_can_be_recovered() {
    let mut group = serving_trio(Attempts::AtMost(0));
    let (member, incarnation) = (A, Incarnation(1));
    let why = QuarantineReason::Other(ckr::GENERAL_ERROR);
    at(
        &mut group,
        10,
        Input::Quarantine {
            member,
            incarnation,
            why,
        },
    );
    at(&mut group, 20, Input::Recover { member });
    let evidence = Evidence::SetAside(why);
    let next_attempt_at = seconds(80);
    let outage = Outage {
        evidence,
        attempts: 1,
        next_attempt_at,
        reported: false,
    };
    assert_eq!(state(&group, A).outage(), Some(&outage));
}

#[test]
fn moving_the_start_of_time_moves_each_deadline_and_none_below_the_start() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    group.rebase(Duration::from_secs(130));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(30), Reason::Attempt(A))
    );
    group.rebase(Duration::from_secs(130));
    assert_eq!(
        group.poll_timeout(),
        WakeUp::At(seconds(0), Reason::Attempt(A))
    );
    assert_eq!(group.check(), Ok(()));
}

#[test]
fn changing_n_to_and_fro_gives_no_attempt_more() {
    let two = trio(Attempts::AtMost(2)).policy();
    let one = trio(Attempts::AtMost(1)).policy();
    let mut group = serving_trio(Attempts::AtMost(2));
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    at(&mut group, 160, Input::Timer);
    at(&mut group, 160, Input::SetPolicy(one));
    step_ends(&mut group, 161, A, StepOutcome::Failed(FAILURE));
    let given_up = |group: &Trio| matches!(state(group, A), MemberState::GivenUp { outage } if outage.attempts == 2);
    assert!(given_up(&group));
    at(&mut group, 162, Input::SetPolicy(two));
    assert!(
        given_up(&group),
        "S3: both attempts of this outage were begun"
    );
}
