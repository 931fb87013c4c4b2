use super::*;

fn sign(bench: &mut Bench) -> Result<[u8; 64], Failure> {
    let mut signature = [0; 64];
    bench
        .gateway
        .sign(&HASH, &mut signature)
        .map(|()| signature)
}

fn random(bench: &mut Bench) -> Result<(), Failure> {
    bench.gateway.random(&mut [0; 16])
}

#[test]
fn calls_take_turns_over_the_active_members() {
    let mut bench = Bench::logged_in();
    for _ in 0..6 {
        let signature = sign(&mut bench).expect("all is well");
        assert_eq!(signature, [9; 64]);
        bench
            .gateway
            .verify(&HASH, &signature)
            .expect("it is right");
    }
    for member in [A, B] {
        let token = bench.token(member);
        assert_eq!(token.count("Whole") + token.count("Verify"), 6);
    }
    assert_eq!(bench.token(C).count("Begin"), 0);
    assert_eq!(bench.happened(), []);
}

#[test]
fn a_key_is_looked_for_once_in_a_session() {
    let mut bench = Bench::logged_in();
    for _ in 0..6 {
        sign(&mut bench).expect("all is well");
    }
    assert_eq!(bench.token(A).count("FindObjects"), 1);
}

#[test]
fn a_member_that_does_not_answer_is_lost_and_the_call_goes_on() {
    let mut bench = Bench::logged_in();
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        sign(&mut bench).expect("the other one is well");
    }
    assert_eq!(bench.told()[..2], ["lost", "0 to 1"]);
}

#[test]
fn a_line_that_takes_nothing_is_lost_at_once() {
    let mut bench = Bench::logged_in();
    bench.token(A).is_cut = true;
    let before = bench.gateway.now();
    for _ in 0..2 {
        random(&mut bench).expect("the other one is well");
    }
    assert!(bench.gateway.now().saturating_duration_since(before) < SETTINGS.deadline);
    assert_eq!(bench.told()[..2], ["lost", "0 to 1"]);
}

#[test]
fn without_active_members_the_standby_member_serves_and_without_any_nobody() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench.token(member).is_dead = true;
    }
    sign(&mut bench).expect("there is the third");
    assert_eq!(bench.token(C).count("Whole"), 1);
    let told = bench.told();
    assert!(
        told.iter()
            .any(|line| line.contains("standby members serve")),
        "{told:?}"
    );

    bench.token(C).is_dead = true;
    assert_eq!(sign(&mut bench), Err(Failure::Unavailable));
    let before = bench.gateway.now();
    assert_eq!(sign(&mut bench), Err(Failure::Unavailable));
    assert_eq!(bench.gateway.now(), before, "nobody is waited for");
    assert!(bench.told().contains(&"no member is left".into()));
}

#[test]
fn a_late_answer_is_not_taken_for_the_next_calls() {
    let mut bench = Bench::logged_in();
    for member in [B, C] {
        bench.token(member).is_dead = true;
    }
    bench.token(A).is_frozen = true;
    assert_eq!(random(&mut bench), Err(Failure::Unavailable));
    bench.token(A).thaw();
    bench.pass(6);
    let mut drawn = [0; 16];
    bench.gateway.random(&mut drawn).expect("it is back");
    assert_eq!(drawn, [7; 16]);
}

#[test]
fn garbage_between_answers_is_passed_over() {
    let mut bench = Bench::logged_in();
    for _ in 0..4 {
        for member in [A, B] {
            bench.token(member).babble(&[0xff, 0, 3, 1, 2, 0, 0x55]);
        }
        random(&mut bench).expect("garbage is no answer");
    }
    assert_eq!(bench.happened(), []);
}

#[test]
fn the_callers_fault_is_answered_as_it_is() {
    let mut bench = Bench::logged_in();
    let wrong = bench.gateway.verify(&HASH, &[1; 64]);
    assert_eq!(wrong, Err(Failure::Code(ckr::SIGNATURE_INVALID)));
    assert_eq!(bench.happened(), []);
}

#[test]
fn a_lost_session_is_made_anew_with_its_login_on_the_same_member() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench.token(member).lose_sessions();
    }
    for _ in 0..2 {
        sign(&mut bench).expect("a fresh session serves");
    }
    assert_eq!(bench.happened(), []);
    assert_eq!(bench.token(A).count("OpenSession"), 2);
}

#[test]
fn a_lost_session_that_cannot_be_made_anew_loses_the_member() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench.token(member).lose_sessions();
        bench
            .token(member)
            .refusals
            .push(("Slots", ckr::DEVICE_ERROR));
    }
    sign(&mut bench).expect("there is the third");
    assert_eq!(bench.told()[0], "lost");
}

#[test]
fn a_code_that_does_not_tell_is_followed_by_a_probe_and_another_member() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        let code = ckr::FUNCTION_FAILED;
        bench.token(member).refusals.push(("GenerateRandom", code));
    }
    // Two members that are well say the same: so it is.
    assert_eq!(random(&mut bench), Err(Failure::Code(ckr::FUNCTION_FAILED)));
    for member in [A, B] {
        assert_eq!(bench.token(member).count("SessionInfo"), 1);
    }
    assert_eq!(bench.told().len(), 1, "it went from one to the other");
    assert_eq!(bench.serving(), 3);
}

#[test]
fn a_member_without_the_key_is_passed_by() {
    let mut bench = Bench::logged_in();
    bench.token(A).has_keys = false;
    for _ in 0..3 {
        sign(&mut bench).expect("the other one has it");
    }
    assert!(bench.serving() == 3);
    for member in [B, C] {
        bench.token(member).has_keys = false;
    }
    bench.token(B).lose_sessions();
    assert_eq!(
        sign(&mut bench),
        Err(Failure::Code(ckr::KEY_HANDLE_INVALID))
    );
}

#[test]
fn a_search_that_fails_is_the_calls_answer() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench
            .token(member)
            .refusals
            .push(("FindObjects", ckr::DEVICE_ERROR));
    }
    sign(&mut bench).expect("there is the third");
    let lost = bench.told().iter().filter(|told| *told == "lost").count();
    assert_eq!(lost, 2);
}

#[test]
fn an_output_of_another_length_is_none() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench.token(member).short = 1;
    }
    assert_eq!(random(&mut bench), Err(Failure::Length));
    assert_eq!(sign(&mut bench), Err(Failure::Length));
    assert_eq!(bench.gateway.random(&mut [0; 257]), Err(Failure::Length));
}

#[test]
fn an_output_may_be_as_long_as_its_room() {
    let mut bench = Bench::logged_in();
    let mut drawn = [0; 256];
    bench
        .gateway
        .random(&mut drawn)
        .expect("there is just room for it");
    assert_eq!(drawn, [7; 256]);
}

#[test]
fn an_output_longer_than_its_room_is_no_answer() {
    let mut bench = Bench::logged_in();
    for member in [A, B] {
        bench.token(member).long = 257;
    }
    random(&mut bench).expect("there is the third");
    assert_eq!(bench.token(C).count("GenerateRandom"), 1);
}

#[test]
fn a_member_that_fails_its_self_test_is_set_aside_and_the_call_goes_on() {
    let mut bench = Bench::logged_in();
    let code = ckr::FIPS_SELF_TEST_FAILED;
    bench.token(A).refusals.push(("GenerateRandom", code));
    for _ in 0..2 {
        random(&mut bench).expect("the other one is well");
    }
    assert_eq!(bench.told(), ["set aside", "0 to 1"]);
    bench.pass(20);
    assert_eq!(bench.serving(), 2);
}
