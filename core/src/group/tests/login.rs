use super::*;
use crate::{Login, LoginSync, MemberSet, QuarantineReason};

fn serving(group: &Trio) -> MemberSet {
    group.view().active.union(group.view().standby)
}

/// S12: the first member's word decides, and only then do the others hear of the PIN.
#[test]
fn an_accepted_login_goes_to_every_other_member_that_serves() {
    let mut group = serving_trio(Attempts::Unlimited);
    let (generation, user) = (LoginGeneration(1), User::User);
    let accepted = log_in(&mut group, 10, B);
    let incarnation = Incarnation(1);
    let to = |member| Action::LogIn {
        member,
        incarnation,
        generation,
        user,
    };
    assert_eq!(actions(&accepted), [to(A), to(C)]);
    assert_eq!(events(&accepted), [Event::LoggedIn { user }]);
    assert_eq!(group.login(), Login::In(user));
    assert_eq!(serving(&group), MemberSet::of(B));
    assert_eq!(group.view().changing, MemberSet::of(A).with(C));
}

/// S7: a member takes calls only when its login is the group's.
#[test]
fn a_member_takes_calls_again_once_it_has_followed() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    assert_eq!(member(&group, A).login, LoginSync::Changing);
    assert!(!member(&group, A).is_usable() && member(&group, B).is_usable());
    assert_void(&login_changed(&mut group, 11, A, LoginOutcome::Done));
    assert_eq!(serving(&group), MemberSet::of(A).with(B));
    login_changed(&mut group, 12, C, LoginOutcome::Done);
    assert_eq!(serving(&group).len(), 3);
    assert!(group.view().changing.is_empty());
    assert!(member(&group, A).is_usable());
    lose(&mut group, 13, A);
    assert!(!member(&group, A).is_usable(), "it does not serve");
}

#[test]
fn after_a_logout_nobody_takes_calls_before_it_has_logged_out() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    let logged_out = at(&mut group, 11, Input::LogOut);
    let (incarnation, generation) = (Incarnation(1), LoginGeneration(2));
    let to = |member| Action::LogOut {
        member,
        incarnation,
        generation,
    };
    assert_eq!(actions(&logged_out), [to(A), to(B), to(C)]);
    assert_eq!(events(&logged_out), [Event::LoggedOut]);
    assert_eq!(
        (serving(&group), group.view().changing),
        (MemberSet::EMPTY, group.all())
    );
    login_changed(&mut group, 12, B, LoginOutcome::Done);
    assert_eq!(serving(&group), MemberSet::of(B));
}

#[test]
fn the_outcome_of_an_older_change_is_void() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    at(&mut group, 11, Input::LogOut);
    let (member, incarnation, generation) = (A, Incarnation(1), LoginGeneration(1));
    for outcome in [
        LoginOutcome::Done,
        LoginOutcome::Lost(FAILURE),
        LoginOutcome::Refused(QuarantineReason::PinRefused),
    ] {
        let late = Input::LoginChanged {
            member,
            incarnation,
            generation,
            outcome,
        };
        assert_void(&at(&mut group, 12, late));
    }
    assert_eq!(super::member(&group, A).login, LoginSync::Changing);
}

#[test]
fn a_second_login_of_the_same_user_and_a_logout_of_nobody_are_void() {
    let mut group = serving_trio(Attempts::Unlimited);
    assert_void(&at(&mut group, 9, Input::LogOut));
    log_in(&mut group, 10, B);
    assert_void(&log_in(&mut group, 11, A));
    assert_eq!(group.generation(), LoginGeneration(1));
}

#[test]
fn another_user_is_another_login() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    let (member, incarnation, user) = (A, Incarnation(1), User::SecurityOfficer);
    let accepted = at(
        &mut group,
        11,
        Input::LoginAccepted {
            member,
            incarnation,
            user,
        },
    );
    assert_eq!(actions(&accepted).len(), 2);
    assert_eq!(group.login(), Login::In(user));
}

/// S12: a member that refuses a PIN which another has accepted is not tried again.
#[test]
fn a_member_that_refuses_an_accepted_pin_is_set_aside() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    let why = QuarantineReason::PinRefused;
    let refused = login_changed(&mut group, 11, A, LoginOutcome::Refused(why));
    assert_eq!(
        actions(&refused),
        [Action::Close {
            member: A,
            incarnation: Incarnation(1)
        }]
    );
    assert_eq!(events(&refused), [Event::Quarantined { member: A, why }]);
    at(&mut group, 1000, Input::Timer);
    assert_eq!(
        state(&group, A),
        MemberState::Quarantined {
            why,
            reported: false
        }
    );
}

#[test]
fn a_member_lost_while_it_logs_in_is_a_lost_member() {
    let mut group = serving_trio(Attempts::Unlimited);
    log_in(&mut group, 10, B);
    login_changed(&mut group, 11, A, LoginOutcome::Lost(FAILURE));
    assert!(matches!(state(&group, A), MemberState::Lost { .. }));
    assert_eq!(member(&group, A).login, LoginSync::Void);
    bring_up(&mut group, 11, A);
    assert_eq!(member(&group, A).login, LoginSync::Reached);
}

/// The application has been told that it is logged in.
#[test]
fn the_word_of_a_member_that_is_lost_by_now_decides_too() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 10, B);
    let accepted = log_in(&mut group, 11, B);
    assert_eq!(actions(&accepted).len(), 2);
    assert_eq!(serving(&group), MemberSet::EMPTY);
    bring_up(&mut group, 12, B);
    assert_eq!(serving(&group), MemberSet::of(B));
    // It has returned in the meantime and has no login.
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 10, B);
    bring_up(&mut group, 10, B);
    let (incarnation, user) = (Incarnation(1), User::User);
    let accepted = at(
        &mut group,
        11,
        Input::LoginAccepted {
            member: B,
            incarnation,
            user,
        },
    );
    assert_eq!(actions(&accepted).len(), 3);
}

/// S7: the login that a returning member was brought to is not the group's any more.
#[test]
fn a_login_that_changes_during_an_attempt_is_followed_before_the_member_serves() {
    for steps_done in [2, 3] {
        let mut group = serving_trio(Attempts::Unlimited);
        lose(&mut group, 10, A);
        at(&mut group, 10, Input::Timer);
        for _ in 0..steps_done {
            step_done(&mut group, 10, A);
        }
        let before = group.generation();
        assert_eq!(actions(&log_in(&mut group, 11, B)).len(), 1);
        let output = step_ends(&mut group, 12, A, StepOutcome::Done { login: before });
        let (serial, step) = attempt(&group, A);
        assert_eq!(step, Step::LogIn);
        let login = (Login::In(User::User), LoginGeneration(1));
        assert_eq!(
            actions(&output),
            [Action::Perform {
                member: A,
                serial,
                step,
                login
            }]
        );
        finish(&mut group, 13, A);
        assert!(group.view().active.contains(A));
    }
}

/// A change of login before the attempt has come to logging in is no reason to do anything twice.
#[test]
fn a_login_that_changes_early_in_an_attempt_is_followed_in_its_turn() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 10, A);
    at(&mut group, 10, Input::Timer);
    let before = group.generation();
    log_in(&mut group, 11, B);
    step_ends(&mut group, 12, A, StepOutcome::Done { login: before });
    assert_eq!(attempt(&group, A).1, Step::Open);
}
