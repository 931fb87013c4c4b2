use super::*;
use crate::{QuarantineReason, Rv};

/// A status read as a reader does it: each member's code, then the input.
fn read(group: &mut Trio, second: u64) -> [Option<Rv>; 3] {
    let codes = [A, B, C].map(|member| group.status(member));
    assert_void(&at(group, second, Input::StatusRead));
    codes
}

const WELL: Option<Rv> = Some(ckr::OK);
const FIRST: Option<Rv> = Some(ckr::DEVICE_ERROR);
const LATER: Option<Rv> = Some(ckr::TOKEN_NOT_PRESENT);

/// S5, the seed: "When an HA Group member first fails, the HA status for the group shows "device error"
/// for the failed member. All subsequent calls return "token not present", until the member [..] is
/// returned to service."
#[test]
fn the_first_read_after_a_loss_says_device_error_and_each_later_one_token_not_present() {
    let mut group = serving_trio(Attempts::AtMost(2));
    assert_eq!(read(&mut group, 10), [WELL, WELL, WELL]);
    lose(&mut group, 20, A);
    assert_eq!(read(&mut group, 21), [FIRST, WELL, WELL]);
    assert_eq!(read(&mut group, 22), [LATER, WELL, WELL]);
    at(&mut group, 23, Input::Timer);
    assert_eq!(read(&mut group, 24), [LATER, WELL, WELL]);
    step_ends(&mut group, 25, A, StepOutcome::Failed(FAILURE));
    assert_eq!(read(&mut group, 26), [LATER, WELL, WELL]);
    try_in_vain(&mut group, 90, A);
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
    assert_eq!(read(&mut group, 91), [LATER, WELL, WELL]);
    at(&mut group, 92, Input::Recover { member: A });
    assert_eq!(read(&mut group, 93), [LATER, WELL, WELL]);
    finish(&mut group, 94, A);
    assert_eq!(read(&mut group, 95), [WELL, WELL, WELL]);
    lose(&mut group, 96, A);
    assert_eq!(read(&mut group, 97), [FIRST, WELL, WELL]);
}

/// A read may come late: the loss is told of as the first one, whatever has been tried by then.
#[test]
fn a_loss_is_told_of_however_late_it_is_read() {
    let mut group = serving_trio(Attempts::AtMost(1));
    lose(&mut group, 20, A);
    try_in_vain(&mut group, 20, A);
    assert!(matches!(state(&group, A), MemberState::GivenUp { .. }));
    assert_eq!(read(&mut group, 30), [FIRST, WELL, WELL]);
    assert_eq!(read(&mut group, 31), [LATER, WELL, WELL]);
}

#[test]
fn each_member_is_told_of_by_itself() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 20, A);
    assert_eq!(read(&mut group, 21), [FIRST, WELL, WELL]);
    lose(&mut group, 22, C);
    assert_eq!(read(&mut group, 23), [LATER, WELL, FIRST]);
    assert_eq!(read(&mut group, 24), [LATER, WELL, LATER]);
}

#[test]
fn a_member_that_was_never_reached_reads_like_a_lost_one() {
    let mut group = trio(Attempts::Unlimited);
    at(
        &mut group,
        0,
        Input::Add {
            member: B,
            role: Role::Standby,
        },
    );
    assert_eq!(read(&mut group, 1), [None, FIRST, None]);
    assert_eq!(read(&mut group, 2), [None, LATER, None]);
}

#[test]
fn a_member_that_is_set_aside_reads_like_a_lost_one_through_its_recovery() {
    let mut group = serving_trio(Attempts::Unlimited);
    let (member, incarnation, why) = (A, Incarnation(1), QuarantineReason::SelfTestFailed);
    at(
        &mut group,
        20,
        Input::Quarantine {
            member,
            incarnation,
            why,
        },
    );
    assert_eq!(read(&mut group, 21), [FIRST, WELL, WELL]);
    assert_eq!(read(&mut group, 22), [LATER, WELL, WELL]);
    at(&mut group, 23, Input::Recover { member });
    assert_eq!(read(&mut group, 24), [LATER, WELL, WELL]);
    step_ends(&mut group, 25, A, StepOutcome::Refused(why));
    assert_eq!(read(&mut group, 26), [LATER, WELL, WELL]);
}

#[test]
fn a_parked_member_is_not_there_until_it_has_returned() {
    let mut group = serving_trio(Attempts::Unlimited);
    at(&mut group, 20, Input::Park { member: B });
    assert_eq!(read(&mut group, 21), [WELL, LATER, WELL]);
    at(&mut group, 22, Input::Unpark { member: B });
    assert_eq!(read(&mut group, 23), [WELL, LATER, WELL]);
    bring_up(&mut group, 24, B);
    assert_eq!(read(&mut group, 25), [WELL, WELL, WELL]);
}

/// Logs and their readers go by them.
#[test]
fn every_event_is_told_in_words_of_its_own() {
    let (member, evidence, number) = (A, FAILURE, 1);
    let (incarnation, attempts, role) = (Incarnation(1), 1, Role::Active);
    let why = QuarantineReason::PinRefused;
    let told = [
        (Event::Added { member, role }, "added"),
        (Event::Removed { member }, "removed"),
        (
            Event::Lost {
                member,
                incarnation,
                evidence,
            },
            "lost",
        ),
        (
            Event::AttemptBegan { member, number },
            "attempt to recover began",
        ),
        (
            Event::AttemptFailed {
                member,
                number,
                step: Step::Connect,
                evidence,
                next: None,
            },
            "attempt to recover failed",
        ),
        (Event::GaveUp { member, attempts }, "given up"),
        (
            Event::Returned {
                member,
                incarnation,
                attempts,
            },
            "in service",
        ),
        (Event::Quarantined { member, why }, "set aside"),
        (Event::Parked { member }, "parked"),
        (Event::Unparked { member }, "unparked"),
        (Event::RoleChanged { member, role }, "role changed"),
        (
            Event::PolicyChanged {
                policy: Policy::default(),
            },
            "policy changed",
        ),
        (
            Event::StandbyServing,
            "no active member is left: standby members serve",
        ),
        (Event::ActiveServing, "an active member serves"),
        (Event::GroupDown, "no member is left"),
        (Event::GroupUp, "the group serves"),
        (Event::LoggedIn { user: User::User }, "logged in"),
        (Event::LoggedOut, "logged out"),
    ];
    for (event, words) in told {
        assert_eq!(event.words(), words, "{event:?}");
    }
}
