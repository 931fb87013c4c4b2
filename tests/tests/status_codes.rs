//! What the status shows of a lost member, and how often it is tried again: the seed's rules, with real tokens.

use std::time::{Duration, Instant};

use everslot_tests::client::{Object, Session};
use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually};

fn sign(session: Session, key: Object) {
    session.sign(ECDSA, key, &HASH).expect("a member is left");
}

/// Signs until a member is seen to be lost.
fn sign_until_lost(lab: &Lab, session: Session, key: Object, member: usize) -> String {
    let mut seen = String::new();
    eventually("the loss is seen", PATIENCE, || {
        (0..3).for_each(|_| sign(session, key));
        seen = lab.code(member);
        seen != "CKR_OK"
    });
    seen
}

#[test]
fn a_lost_member_shows_device_error_first_then_token_not_present_then_ok() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.take_away(1);
    assert_eq!(sign_until_lost(&lab, session, key, 1), "CKR_DEVICE_ERROR");
    for _ in 0..3 {
        assert_eq!(lab.codes(), ["CKR_OK", "CKR_TOKEN_NOT_PRESENT", "CKR_OK"]);
        sign(session, key);
    }
    lab.bring_back(1);
    lab.wait_for_code(1, "CKR_OK");
    sign(session, key);
}

#[test]
fn attempts_are_spaced_and_limited_and_an_operator_gives_new_ones() {
    let interval = Duration::from_millis(400);
    let lab = Lab::new(Plan {
        interval,
        attempts: 3,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.take_away(1);
    sign_until_lost(&lab, session, key, 1);
    let begun = times_of_attempts(&lab, 3);
    for pair in begun.windows(2) {
        // A look may come late by its own length, once for each end of the span.
        let (span, slack) = (pair[1].0 - pair[0].0, pair[0].1 + pair[1].1);
        assert!(span + slack >= interval, "{span:?} between two attempts");
    }
    eventually("the attempts are used up", PATIENCE, || {
        lab.status()[1]["state"] == "given-up"
    });
    lab.bring_back(1);
    let start = Instant::now();
    while start.elapsed() < 3 * interval {
        let member = &lab.status()[1];
        assert_eq!(
            (&member["state"], &member["attempts"]),
            (&"given-up".into(), &3.into())
        );
        sign(session, key);
    }
    assert!(lab.everslot(&["recover", "m1"]).status.success());
    lab.wait_for_code(1, "CKR_OK");
}

/// When each attempt was first seen, and how long the look took that saw it.
fn times_of_attempts(lab: &Lab, count: u64) -> Vec<(Instant, Duration)> {
    let mut seen: Vec<(Instant, Duration)> = Vec::new();
    eventually("every attempt is begun", PATIENCE, || {
        let before = Instant::now();
        let attempts = lab.status()[1]["attempts"].as_u64().expect("a number");
        if attempts > seen.len() as u64 {
            assert_eq!(
                attempts,
                seen.len() as u64 + 1,
                "two attempts between two looks"
            );
            seen.push((Instant::now(), before.elapsed()));
        }
        attempts == count
    });
    seen
}
