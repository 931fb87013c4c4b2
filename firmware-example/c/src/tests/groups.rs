//! A group as C has one.

use super::*;

fn lost(member: u8, incarnation: u32) -> Input {
    Input {
        member,
        incarnation,
        evidence: Evidence {
            kind: EvidenceKind::Code as u8,
            rv: DEVICE_ERROR,
            why: 0,
        },
        ..input(InputKind::Lost)
    }
}

#[test]
fn a_member_is_lost_and_comes_back() {
    let mut gateway = Gateway::of_three();
    assert_eq!(
        (gateway.serving().active, gateway.serving().standby),
        (0b011, 0b100)
    );
    gateway.feed(lost(0, 1));
    let [event] = gateway.events() else {
        panic!("{:?}", gateway.events())
    };
    assert_eq!((event.kind, event.member), (EventKind::Lost as u8, 0));
    assert_eq!((event.evidence.rv, event.incarnation), (DEVICE_ERROR, 1));
    // SAFETY: the core's words stay where they are.
    let words = unsafe { core::slice::from_raw_parts(event.words.text, event.words.length) };
    assert_eq!(words, b"lost");
    assert_eq!(gateway.actions()[0].kind, ActionKind::Close as u8);
    assert_eq!(gateway.serving().active, 0b010);
    let seen = gateway.member(0).expect("a member");
    assert_eq!(
        (seen.state, seen.code),
        (MemberState::Lost as u8, DEVICE_ERROR)
    );
    // A minute after the beginning of the attempt that brought it up.
    assert_eq!(gateway.poll_timeout(), Some((NOW + 60_000, 0)));
    gateway.feed(Input {
        member: 0,
        ..input(InputKind::Recover)
    });
    gateway.finish();
    assert_eq!(gateway.event_kinds(), [EventKind::Returned as u8]);
    let seen = gateway.member(0).expect("a member");
    assert_eq!((seen.is_usable, seen.incarnation), (1, 2));
    assert_eq!(gateway.poll_timeout(), None);
}

#[test]
fn a_login_reaches_all_others() {
    let mut gateway = Gateway::of_three();
    gateway.feed(Input {
        member: 1,
        incarnation: 1,
        user: User::User as u8,
        ..input(InputKind::LoginAccepted)
    });
    assert_eq!(gateway.events()[0].user, User::User as u8);
    let told: Vec<_> = gateway.actions().to_vec();
    let to: Vec<_> = told
        .iter()
        .map(|action| (action.kind, action.member))
        .collect();
    let log_in = ActionKind::LogIn as u8;
    assert_eq!(to, [(log_in, 0), (log_in, 2)]);
    assert_eq!(gateway.serving().changing, 0b101);
    for (action, outcome) in told.iter().zip([Outcome::Done, Outcome::Refused]) {
        assert_eq!(action.login, Login::User as u8);
        gateway.feed(Input {
            member: action.member,
            incarnation: action.incarnation,
            generation: action.generation,
            outcome: outcome as u8,
            why: SetAsideReason::PinRefused as u8,
            ..input(InputKind::LoginChanged)
        });
    }
    assert_eq!(gateway.serving().changing, 0);
    let seen = gateway.member(2).expect("a member");
    assert_eq!(seen.state, MemberState::Quarantined as u8);
    assert_eq!(seen.evidence.why, SetAsideReason::PinRefused as u8);
    gateway.feed(input(InputKind::LogOut));
    assert_eq!(gateway.event_kinds(), [EventKind::LoggedOut as u8]);
    assert!(
        gateway
            .actions()
            .iter()
            .all(|action| action.kind == ActionKind::LogOut as u8)
    );
}

#[test]
fn an_attempt_that_fails_says_when_the_next_is() {
    let mut gateway = Gateway::new();
    gateway.feed(Input {
        role: Role::Standby as u8,
        ..input(InputKind::Add)
    });
    assert_eq!(gateway.events()[0].role, Role::Standby as u8);
    gateway.feed(input(InputKind::Timer));
    let failed = Input {
        serial: gateway.actions()[0].serial,
        outcome: Outcome::Failed as u8,
        evidence: Evidence {
            kind: EvidenceKind::NotReached as u8,
            ..Evidence::default()
        },
        ..input(InputKind::Step)
    };
    gateway.feed(failed);
    let event = gateway.events()[0];
    assert_eq!(event.kind, EventKind::AttemptFailed as u8);
    assert_eq!(
        (event.has_next, event.next, event.number),
        (1, NOW + 60_000, 1)
    );
    assert_eq!(event.evidence.kind, EvidenceKind::NotReached as u8);
    gateway.feed(Input {
        policy: Policy {
            interval: 5,
            attempts: 1,
        },
        ..input(InputKind::SetPolicy)
    });
    let event = gateway.events()[0];
    assert_eq!((event.policy.interval, event.policy.attempts), (5, 1));
    let seen = gateway.member(0).expect("a member");
    assert_eq!((seen.state, seen.attempts), (MemberState::GivenUp as u8, 1));
}

#[test]
fn numbers_that_are_none_of_their_enumeration_are_refused() {
    let mut gateway = Gateway::of_three();
    let before = gateway.group.clone();
    let of_role = |role| Input {
        member: 3,
        role,
        ..input(InputKind::Add)
    };
    let mut odd = lost(0, 1);
    odd.evidence.kind = 7;
    for refused in [
        of_role(2),
        odd,
        Input {
            kind: 15,
            ..Input::default()
        },
        Input {
            kind: 255,
            ..Input::default()
        },
        Input {
            step: 4,
            ..input(InputKind::Step)
        },
        Input {
            outcome: 3,
            ..input(InputKind::Step)
        },
        Input {
            user: 2,
            ..input(InputKind::LoginAccepted)
        },
        Input {
            why: 7,
            ..input(InputKind::Quarantine)
        },
        Input {
            outcome: 3,
            ..input(InputKind::LoginChanged)
        },
    ] {
        assert!(!gateway.handle(&refused), "{refused:?}");
    }
    assert_eq!(gateway.group, before);
    assert!(gateway.handle(&of_role(1)));
}

#[test]
fn pointers_that_cannot_be_used_are_refused() {
    let mut gateway = Gateway::of_three();
    let timer = input(InputKind::Timer);
    let (group, output) = (&raw mut gateway.group, &raw mut gateway.output);
    let (no_input, no_output) = (core::ptr::null(), core::ptr::null_mut());
    let odd = output.cast::<u8>().wrapping_add(1).cast::<Output>();
    let mut serving = Serving::default();
    // SAFETY: each is valid, null or misaligned.
    unsafe {
        assert!(!everslot_group_handle(
            core::ptr::null_mut(),
            &raw const timer,
            NOW,
            output
        ));
        assert!(!everslot_group_handle(group, no_input, NOW, output));
        assert!(!everslot_group_handle(
            group,
            &raw const timer,
            NOW,
            no_output
        ));
        assert!(!everslot_group_handle(group, &raw const timer, NOW, odd));
        assert!(!everslot_group_new(group, core::ptr::null()));
        assert!(!everslot_group_serving(core::ptr::null(), &raw mut serving));
        assert!(!everslot_group_member(
            group,
            3,
            &mut MemberStatus::default()
        ));
        assert!(everslot_group_handle(group, &raw const timer, NOW, output));
    }
}

#[test]
fn memory_in_which_no_group_was_made_is_refused() {
    // SAFETY: a group's memory is any numbers.
    let mut group: Group = unsafe { MaybeUninit::zeroed().assume_init() };
    let (timer, mut output) = (input(InputKind::Timer), Output::default());
    // SAFETY: all are valid.
    let taken =
        unsafe { everslot_group_handle(&raw mut group, &raw const timer, NOW, &raw mut output) };
    assert!(!taken);
}
