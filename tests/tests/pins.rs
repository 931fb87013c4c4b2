//! A PIN that one member has refused is not tried on another: tokens lock themselves after a few. A PIN is changed on every member
//! or on none.

use std::time::Duration;

use cryptoki_sys::CKU_SO;
use everslot_core::{Rv, ckr};
use everslot_tests::client::Failure;
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, eventually};

const NEW: &str = "567890";

fn lab() -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        deadline: Duration::from_millis(500),
        ..Plan::default()
    })
}

fn code<T>(outcome: Result<T, Failure>) -> Rv {
    outcome.err().map_or(ckr::OK, |failure| failure.code)
}

/// The members' own PINs, as far as they were changed.
fn pins(lab: &Lab) -> Vec<Option<String>> {
    let members = lab.members().iter();
    members.map(|member| member.changed_pin()).collect()
}

fn all_have(pin: &str) -> Vec<Option<String>> {
    vec![Some(pin.to_owned()); 3]
}

#[track_caller]
fn wait_for_state(lab: &Lab, member: usize, state: &str) {
    eventually(state, PATIENCE, || lab.status()[member]["state"] == state);
}

#[track_caller]
fn recover(lab: &Lab, member: usize) {
    let output = lab.everslot(&["recover", &lab.members()[member].name()]);
    assert!(output.status.success(), "{output:?}");
}

fn logins(lab: &Lab) -> Vec<usize> {
    lab.members()
        .iter()
        .map(|member| member.calls("C_Login"))
        .collect()
}

#[test]
fn a_wrong_pin_reaches_one_member_only() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    for attempts in 1..=3 {
        let refused = session.login("0000");
        assert_eq!(
            refused.map_err(|failure| failure.code),
            Err(ckr::PIN_INCORRECT)
        );
        assert_eq!(
            logins(&lab).iter().sum::<usize>(),
            attempts,
            "{:?}",
            logins(&lab)
        );
    }
    let before: usize = logins(&lab).iter().sum();
    session.login(lab.pin()).expect("the PIN is right");
    lab.wait_until_all_serve();
    // The right one reaches each member once.
    assert_eq!(
        logins(&lab).iter().sum::<usize>(),
        before + 3,
        "{:?}",
        logins(&lab)
    );
}

#[test]
fn a_member_that_refuses_an_accepted_pin_is_set_aside_and_not_tried_again() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let module = lab.module();
    lab.wait_until_all_serve();
    lab.members()[1].misbehave("C_Login return 0xa0\n");
    lab.members()[2].misbehave("C_Login return 0xa0\n");
    let session = lab.public_session(module);
    // Whichever member is asked first decides; ask until that is the one that accepts.
    while session.login(lab.pin()).is_err() {}
    for member in [1, 2] {
        everslot_tests::eventually(
            "the member is set aside",
            std::time::Duration::from_secs(10),
            || lab.status()[member]["state"] == "quarantined",
        );
    }
    let before = logins(&lab);
    for _ in 0..20 {
        session.random(&mut [0; 8]).expect("a member is left");
    }
    assert_eq!(logins(&lab), before, "no further login");
}

#[test]
fn a_changed_pin_is_every_members_and_is_kept_for_those_that_return() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    session.set_pin(lab.pin(), NEW).expect("it is the old PIN");
    for member in 0..3 {
        lab.host(member).kill();
        eventually("it has come back", PATIENCE, || {
            lab.status()[member]["recoveries"] == 1
        });
    }
    session.logout().expect("the user is logged in");
    assert_eq!(code(session.login(lab.pin())), ckr::PIN_INCORRECT);
    session.login(NEW).expect("it is the new PIN");
    lab.wait_until_all_serve();
    for _ in 0..6 {
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("all members are logged in");
    }
}

#[test]
fn the_users_pin_is_changed_by_whom_nobody_has_logged_in() {
    let lab = lab();
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    session.set_pin(lab.pin(), NEW).expect("it is the old PIN");
    assert_eq!(pins(&lab), all_have(NEW));
}

#[test]
fn a_wrong_old_pin_reaches_one_member_only() {
    let lab = lab();
    let session = lab.session(lab.module());
    assert_eq!(code(session.set_pin("0000", NEW)), ckr::PIN_INCORRECT);
    assert_eq!(code(session.set_pin(lab.pin(), "123")), ckr::PIN_LEN_RANGE);
    let asked = lab.members().iter().map(|member| member.calls("C_SetPIN"));
    assert_eq!(asked.sum::<usize>(), 1);
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
}

#[test]
fn a_pin_that_one_member_refuses_is_taken_back_from_the_others() {
    let lab = lab();
    let session = lab.session(lab.module());
    // CKR_PIN_INVALID: a policy of its own.
    lab.members()[2].misbehave("C_SetPIN return 0xa1\n");
    assert_eq!(code(session.set_pin(lab.pin(), NEW)), ckr::PIN_INVALID);
    let old = Some(lab.pin().to_owned());
    assert_eq!(pins(&lab), [old.clone(), old, None]);
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
    lab.members()[2].misbehave("");
    session.set_pin(lab.pin(), NEW).expect("all take it now");
    assert_eq!(pins(&lab), all_have(NEW));
}

#[test]
fn a_member_that_can_have_neither_pin_taken_for_granted_is_set_aside() {
    let lab = lab();
    let session = lab.session(lab.module());
    // The first one changes its PIN and does not change it back.
    lab.members()[0].misbehave("C_SetPIN after return 0x0 times 1\nC_SetPIN return 0xa1\n");
    lab.members()[2].misbehave("C_SetPIN return 0xa1\n");
    assert_eq!(code(session.set_pin(lab.pin(), NEW)), ckr::PIN_INVALID);
    wait_for_state(&lab, 0, "quarantined");
    assert_eq!(lab.members()[1].changed_pin().as_deref(), Some(lab.pin()));
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("two members are left");
}

#[test]
fn a_member_that_refuses_the_old_pin_that_others_accept_is_set_aside() {
    let lab = lab();
    let session = lab.session(lab.module());
    lab.members()[1].misbehave("C_SetPIN return 0xa0\n");
    session.set_pin(lab.pin(), NEW).expect("it is the old PIN");
    wait_for_state(&lab, 1, "quarantined");
    assert_eq!(
        lab.members()[1].calls("C_SetPIN"),
        1,
        "it is not asked again"
    );
    assert_eq!(lab.members()[2].changed_pin().as_deref(), Some(NEW));
}

#[test]
fn a_member_that_was_away_stays_set_aside_until_it_is_told() {
    let lab = lab();
    let session = lab.session(lab.module());
    let away = &lab.members()[2];
    away.misbehave("* crash\n");
    for _ in 0..6 {
        session.random(&mut [0; 8]).expect("two members are left");
    }
    wait_for_state(&lab, 2, "lost");
    session.set_pin(lab.pin(), NEW).expect("two members do it");
    let before = away.calls("C_Login");
    away.misbehave("");
    wait_for_state(&lab, 2, "quarantined");
    assert_eq!(away.calls("C_Login"), before, "no PIN is tried on it");
    let why = lab.status()[2]["evidence"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("PIN")), "{why}");
    session.logout().expect("the user is logged in");
    recover(&lab, 2);
    wait_for_state(&lab, 2, "active");
    // Nobody has changed it there, so it is not asked first, and refuses what the others have accepted.
    session.login(NEW).expect("it is the PIN of the others");
    wait_for_state(&lab, 2, "quarantined");
    away.misbehave("* crash\n");
    recover(&lab, 2);
    wait_for_state(&lab, 2, "lost");
    away.change_pin(NEW);
    away.misbehave("");
    wait_for_state(&lab, 2, "active");
}

#[test]
fn a_member_that_dies_over_it_comes_back_with_the_new_pin_whether_it_had_it_or_not() {
    for (fault, tries) in [("C_SetPIN crash\n", 2), ("C_SetPIN after crash\n", 1)] {
        let lab = lab();
        let module = lab.module();
        let session = lab.session(module);
        let member = &lab.members()[1];
        let asked = member.calls("C_Login");
        member.misbehave(fault);
        session.set_pin(lab.pin(), NEW).expect("the others do it");
        member.misbehave("");
        wait_for_state(&lab, 1, "active");
        assert_eq!(member.changed_pin().as_deref(), Some(NEW), "{fault}");
        let logins = member.calls("C_Login") - asked;
        assert_eq!(
            logins, 2,
            "{fault}: one to find out, one to be as the group is"
        );
        assert_eq!(member.calls("C_SetPIN"), tries, "{fault}");
        module.finalize().expect("it is initialised");
    }
}

#[test]
fn the_first_member_that_gives_no_answer_leaves_the_old_pin() {
    let lab = lab();
    let session = lab.session(lab.module());
    lab.members()[0].misbehave("C_SetPIN after crash\n");
    assert_eq!(code(session.set_pin(lab.pin(), NEW)), ckr::DEVICE_ERROR);
    lab.members()[0].misbehave("");
    lab.wait_until_all_serve();
    let old = Some(lab.pin().to_owned());
    assert_eq!(pins(&lab), [old, None, None]);
}

#[test]
fn the_officer_gives_every_member_a_pin() {
    let lab = Lab::softhsm();
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    assert_eq!(code(session.init_pin(NEW)), ckr::USER_NOT_LOGGED_IN);
    session
        .login_as(CKU_SO, lab.so_pin())
        .expect("it is the PIN");
    lab.wait_until_all_serve();
    session.init_pin(NEW).expect("the officer may");
    session
        .set_pin(lab.so_pin(), "99999999")
        .expect("it is the PIN");
    session.logout().expect("the officer is logged in");
    session.login(NEW).expect("it is the PIN");
    lab.wait_until_all_serve();
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
    session.logout().expect("the user is logged in");
    session.login_as(CKU_SO, "99999999").expect("it is the PIN");
    lab.wait_until_all_serve();
}

#[test]
fn an_officer_whose_pin_is_refused_half_way_may_give_another() {
    let lab = lab();
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    session
        .login_as(CKU_SO, lab.so_pin())
        .expect("it is the PIN");
    lab.wait_until_all_serve();
    lab.members()[1].misbehave("C_InitPIN return 0xa1\n");
    assert_eq!(code(session.init_pin("1111")), ckr::PIN_INVALID);
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
    lab.members()[1].misbehave("");
    session.init_pin(NEW).expect("all take it");
    assert_eq!(pins(&lab), all_have(NEW));
    lab.members()[1].misbehave("C_InitPIN return 0xa1\n");
    assert_eq!(code(session.init_pin("1111")), ckr::PIN_INVALID);
    session.logout().expect("the officer is logged in");
    wait_for_state(&lab, 0, "quarantined");
    session.login(NEW).expect("it is the PIN of two");
}
