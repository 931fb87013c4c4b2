//! The invariants see what they are there for: groups that no sequence of inputs leads to.

use super::*;
use crate::group::{Seat, Violation};
use crate::{LoginSync, Outage};

/// A group whose member A is spoilt.
#[track_caller]
fn spoilt(group: &Trio, spoil: impl FnOnce(&mut Trio, &mut Seat)) -> Result<(), Violation> {
    let mut group = group.clone();
    let mut seat = *group.seat(A).expect("a member");
    spoil(&mut group, &mut seat);
    group.places[A.index()].seat = Some(seat);
    group.check()
}

fn outage(attempts: u16, next: u64) -> Outage {
    let next_attempt_at = seconds(next);
    Outage {
        evidence: FAILURE,
        attempts,
        next_attempt_at,
        reported: false,
    }
}

fn lost(attempts: u16, next: u64) -> MemberState {
    MemberState::Lost {
        outage: outage(attempts, next),
    }
}

fn given_up(attempts: u16, next: u64) -> MemberState {
    MemberState::GivenUp {
        outage: outage(attempts, next),
    }
}

/// At most 2 attempts; A has had one at second 100 and is lost.
fn lost_once() -> Trio {
    let mut group = serving_trio(Attempts::AtMost(2));
    lose(&mut group, 100, A);
    try_in_vain(&mut group, 100, A);
    group
}

/// The second attempt at A is under way.
fn recovering() -> Trio {
    let mut group = lost_once();
    at(&mut group, 160, Input::Timer);
    group
}

#[test]
fn a_member_serves_as_its_role_says() {
    let group = serving_trio(Attempts::Unlimited);
    let standby = spoilt(&group, |_, seat| seat.state = MemberState::Standby);
    assert_eq!(standby, Err(Violation::Role(A)));
    let role = spoilt(&group, |_, seat| {
        (seat.role, seat.state) = (Role::Standby, MemberState::Active);
    });
    assert_eq!(role, Err(Violation::Role(A)));
}

#[test]
fn who_serves_has_come_into_service() {
    let group = serving_trio(Attempts::Unlimited);
    let never = spoilt(&group, |group, _| {
        group.places[0].incarnation = Incarnation(0)
    });
    assert_eq!(never, Err(Violation::Incarnation(A)));
}

#[test]
fn who_serves_has_a_login_and_nobody_else() {
    let group = serving_trio(Attempts::Unlimited);
    let without = spoilt(&group, |_, seat| seat.login = LoginSync::Void);
    assert_eq!(without, Err(Violation::Login(A)));
    for login in [LoginSync::Changing, LoginSync::Reached] {
        let with = spoilt(&lost_once(), |_, seat| seat.login = login);
        assert_eq!(with, Err(Violation::Login(A)));
    }
}

#[test]
fn no_attempt_is_due_within_the_interval() {
    let group = lost_once();
    for state in [lost(1, 159), given_up(2, 159)] {
        assert_eq!(
            spoilt(&group, |_, seat| seat.state = state),
            Err(Violation::Spacing(A))
        );
    }
    assert_eq!(spoilt(&group, |_, seat| seat.state = lost(1, 160)), Ok(()));
    assert_eq!(
        spoilt(&group, |_, seat| seat.state = given_up(2, 160)),
        Ok(())
    );
    let early = spoilt(&recovering(), |_, seat| {
        if let Some(outage) = seat.state.outage_mut() {
            outage.next_attempt_at = seconds(219);
        }
    });
    assert_eq!(early, Err(Violation::Spacing(A)));
}

#[test]
fn no_attempt_is_waited_for_that_is_not_given() {
    let group = lost_once();
    assert_eq!(
        spoilt(&group, |_, seat| seat.state = lost(2, 160)),
        Err(Violation::Budget(A))
    );
    let joining = spoilt(&group, |_, seat| {
        let outage = Outage {
            evidence: Evidence::Joining,
            ..outage(2, 160)
        };
        seat.state = MemberState::Lost { outage };
    });
    assert_eq!(joining, Ok(()));
}

#[test]
fn the_attempt_under_way_is_counted() {
    for (attempts, expected) in [(0, Err(Violation::Budget(A))), (1, Ok(())), (2, Ok(()))] {
        let spoilt = spoilt(&recovering(), |_, seat| {
            if let Some(outage) = seat.state.outage_mut() {
                outage.attempts = attempts;
            }
        });
        assert_eq!(spoilt, expected);
    }
}

#[test]
fn nobody_gives_up_early() {
    let early = spoilt(&lost_once(), |_, seat| seat.state = given_up(1, 160));
    assert_eq!(early, Err(Violation::GaveUpEarly(A)));
}

#[test]
fn the_attempt_under_way_is_the_one_begun_last() {
    let older = spoilt(&recovering(), |_, seat| {
        if let MemberState::Recovering { serial, .. } = &mut seat.state {
            serial.0 -= 1;
        }
    });
    assert_eq!(older, Err(Violation::Serial(A)));
}
