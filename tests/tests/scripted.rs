//! Faults that no real token has on demand, by the test module's script.

use std::time::Duration;

use cryptoki_sys::{CKA_VALUE_LEN, CKM_AES_KEY_GEN};
use everslot_core::ckr;
use everslot_tests::client::{Mechanism, Object, Template};
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, eventually};

fn lab() -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        deadline: Duration::from_millis(500),
        trace: true,
        ..Plan::default()
    })
}

fn calls(lab: &Lab, function: &str) -> usize {
    lab.members()
        .iter()
        .map(|member| member.calls(function))
        .sum()
}

fn misbehave(lab: &Lab, script: &str) {
    lab.members()
        .iter()
        .for_each(|member| member.misbehave(script));
}

#[test]
fn a_lost_session_is_reopened_once_without_losing_the_member() {
    let lab = lab();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    // CKR_SESSION_HANDLE_INVALID: what a token says that was reset behind our back.
    misbehave(&lab, "C_SignInit return 0xb3 times 1\n");
    for _ in 0..6 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("a fresh session does it");
    }
    misbehave(&lab, "");
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0]);
}

#[test]
fn a_key_that_may_have_been_made_is_not_made_again() {
    let lab = lab();
    let session = lab.session(lab.module());
    misbehave(&lab, "C_GenerateKey after crash\n");
    let template = Template::new().on_token(true).number(CKA_VALUE_LEN, 32);
    let made = session.generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template);
    assert_eq!(made.map_err(|failure| failure.code), Err(ckr::DEVICE_ERROR));
    assert_eq!(
        calls(&lab, "C_GenerateKey"),
        1,
        "it reached one member, once"
    );
    misbehave(&lab, "");
    lab.wait_until_all_serve();
    session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
        .expect("the next one is made");
}

#[test]
fn the_callers_own_fault_costs_no_member() {
    let lab = lab();
    let session = lab.session(lab.module());
    let refused = session
        .sign(ECDSA, Object(0xdead), &HASH)
        .map_err(|failure| failure.code);
    assert_eq!(refused, Err(ckr::KEY_HANDLE_INVALID));
    let refused = session
        .sign(Mechanism::Plain(0x7fff_0000), ec_key(session), &HASH)
        .map_err(|failure| failure.code);
    assert_eq!(refused, Err(ckr::MECHANISM_INVALID));
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0]);
}

#[test]
fn a_member_that_forgets_its_login_is_brought_to_it_again() {
    let lab = lab();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    // CKR_USER_NOT_LOGGED_IN while the application is.
    lab.members()[0].misbehave("C_SignInit return 0x101 times 1\n");
    for _ in 0..6 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("the application is logged in");
    }
}

#[test]
fn a_standby_serves_only_when_no_active_member_is_left() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 2,
        standby: 1,
        deadline: Duration::from_millis(500),
        trace: true,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    (0..6).for_each(|_| {
        _ = session
            .sign(ECDSA, key, &HASH)
            .expect("the active member signs")
    });
    assert_eq!(
        (
            lab.members()[0].calls("C_Sign"),
            lab.members()[1].calls("C_Sign")
        ),
        (6, 0)
    );
    lab.members()[0].misbehave("* crash\n");
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("the standby signs"));
    assert_eq!(lab.members()[1].calls("C_Sign"), 6);
    lab.members()[0].misbehave("");
    lab.wait_until_all_serve();
    (0..6).for_each(|_| {
        _ = session
            .sign(ECDSA, key, &HASH)
            .expect("the active member signs")
    });
    assert_eq!(
        lab.members()[1].calls("C_Sign"),
        6,
        "the standby rests again"
    );
}

#[test]
fn a_member_that_fails_while_it_recovers_is_tried_again() {
    let lab = lab();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.members()[0].misbehave("C_Login crash\nC_Sign crash\n");
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("a member is left"));
    eventually("recovery has failed at the login twice", PATIENCE, || {
        lab.status()[0]["attempts"].as_u64() >= Some(2)
    });
    lab.members()[0].misbehave("");
    lab.wait_for_code(0, "CKR_OK");
}

#[test]
fn a_lost_session_with_no_other_to_spare_is_no_lost_member() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 1,
        sessions: Some(2),
        deadline: Duration::from_millis(500),
        trace: true,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    // The token allows no other session until the fault is over.
    misbehave(
        &lab,
        "C_SignInit return 0xb3 times 1\nC_OpenSession return 0xb1\n",
    );
    let refused = session.sign(ECDSA, key, &HASH);
    assert_eq!(
        refused.map_err(|failure| failure.code),
        Err(ckr::DEVICE_MEMORY)
    );
    misbehave(&lab, "");
    session
        .sign(ECDSA, key, &HASH)
        .expect("it allows one again");
    assert_eq!(lab.status()[0]["losses"], 0);
}
