use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};
use everslot_core::{Evidence, Step};

use super::*;

#[test]
fn lights_show_who_serves() {
    let (dark, lit) = (Transaction::set(State::Low), Transaction::set(State::High));
    let lights = [
        Mock::new(&[dark.clone(), lit.clone(), dark.clone(), lit.clone()]),
        Mock::new(&[dark.clone(), lit.clone()]),
        Mock::new(&[dark, lit]),
    ];
    let mut bench = Bench::with(SETTINGS, lights.clone());
    bench.pass(6);
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    bench.token(A).is_dead = false;
    bench.pass(20);
    for mut light in lights {
        light.done();
    }
}

#[test]
fn members_come_up_step_by_step_without_a_call_waiting_for_them() {
    let mut bench = Bench::new();
    bench.token(A).is_dead = true;
    let mut turns = 0;
    while bench.serving() < 2 {
        bench.gateway.turn();
        bench.gateway.rest();
        turns += 1;
        assert!(turns < 100, "the dead one holds nobody up");
    }
    let told = bench.told();
    assert_eq!(told[..3], ["added"; 3]);
    assert!(told.contains(&"in service".into()));
    assert!(!told.contains(&"attempt to recover failed".into()));
}

#[test]
fn a_dead_member_is_tried_as_often_as_the_policy_says() {
    let mut bench = Bench::logged_in();
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    bench.pass(21);
    let told = bench.told();
    let began = told
        .iter()
        .filter(|told| *told == "attempt to recover began");
    assert_eq!(
        began.count(),
        5,
        "one at once and one each five seconds: {told:?}"
    );
}

#[test]
fn an_operator_has_a_member_tried_at_once() {
    let settings = Settings {
        policy: Policy {
            attempts: Attempts::AtMost(1),
            ..SETTINGS.policy
        },
        ..SETTINGS
    };
    let mut bench = Bench::with(settings, [bench::Dark, bench::Dark, bench::Dark]);
    bench.pass(6);
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    bench.pass(20);
    assert!(bench.told().contains(&"given up".into()));
    bench.token(A).is_dead = false;
    bench.pass(20);
    assert_eq!(bench.told(), [""; 0]);
    bench.gateway.recover(A);
    bench.pass(1);
    assert_eq!(bench.told(), ["attempt to recover began", "in service"]);
}

#[test]
fn a_member_whose_token_is_another_or_nowhere_does_not_come_back() {
    let failed = |prepare: fn(&Bench), step, evidence| {
        let mut bench = Bench::new();
        prepare(&bench);
        bench.pass(1);
        let is_it = |happened: &Happened| {
            matches!(happened, Happened::Event(Event::AttemptFailed { member: A, step: at, evidence: seen, .. })
                if (*at, *seen) == (step, evidence))
        };
        let happened = bench.happened();
        assert!(happened.iter().any(is_it), "{happened:?}");
        assert_eq!(bench.serving(), 2);
    };
    failed(
        |bench| bench.token(A).label = "other",
        Step::Open,
        Evidence::TokenAbsent,
    );
    let code = |rv| Evidence::Code(rv);
    failed(
        |bench| {
            bench
                .token(A)
                .refusals
                .push(("ModuleInfo", ckr::GENERAL_ERROR))
        },
        Step::Connect,
        code(ckr::GENERAL_ERROR),
    );
    failed(
        |bench| {
            bench
                .token(A)
                .refusals
                .push(("OpenSession", ckr::DEVICE_ERROR))
        },
        Step::Open,
        code(ckr::DEVICE_ERROR),
    );
    failed(
        |bench| bench.token(A).refusals.push(("Slots", ckr::OK)),
        Step::Open,
        Evidence::TokenAbsent,
    );
    // An answer of another kind than the question's.
    failed(
        |bench| bench.token(A).refusals.push(("OpenSession", ckr::OK)),
        Step::Open,
        Evidence::NotReached,
    );
    // A description that cannot be read.
    failed(
        |bench| bench.token(A).refusals.push(("TokenInfo", ckr::OK)),
        Step::Open,
        Evidence::NotReached,
    );
    failed(
        |bench| bench.token(A).is_cut = true,
        Step::Connect,
        Evidence::NotReached,
    );
}

#[test]
fn a_status_says_device_error_once_then_that_there_is_no_token() {
    let mut bench = Bench::logged_in();
    let codes = |codes: [Rv; 3]| codes.map(Some);
    assert_eq!(bench.gateway.status(), codes([ckr::OK; 3]));
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    assert_eq!(
        bench.gateway.status(),
        codes([ckr::DEVICE_ERROR, ckr::OK, ckr::OK])
    );
    assert_eq!(
        bench.gateway.status(),
        codes([ckr::TOKEN_NOT_PRESENT, ckr::OK, ckr::OK])
    );
    bench.token(A).is_dead = false;
    bench.pass(20);
    assert_eq!(bench.gateway.status(), codes([ckr::OK; 3]));
}

#[test]
fn what_a_lost_member_has_open_is_closed_when_it_hears_again() {
    let mut bench = Bench::logged_in();
    bench.token(A).is_frozen = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    let before = bench.token(A).count("CloseAllSessions");
    bench.token(A).thaw();
    assert!(bench.token(A).count("CloseAllSessions") > before);
    assert!(!bench.token(A).is_logged_in());
}
