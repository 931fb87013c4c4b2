use super::*;

#[test]
fn a_right_pin_goes_to_every_member() {
    let mut bench = Bench::up();
    bench.gateway.log_in(PIN).expect("it is right");
    bench.pass(1);
    for member in [A, B, C] {
        assert!(bench.token(member).is_logged_in());
        assert_eq!(bench.token(member).count("Login"), 1);
    }
    assert_eq!(bench.told(), ["logged in"]);
}

#[test]
fn a_wrong_pin_reaches_one_member_only() {
    let mut bench = Bench::up();
    assert_eq!(
        bench.gateway.log_in("0000"),
        Err(Failure::Code(ckr::PIN_INCORRECT))
    );
    bench.pass(1);
    let tries: usize = [A, B, C]
        .map(|member| bench.token(member).count("Login"))
        .iter()
        .sum();
    assert_eq!(tries, 1);
}

#[test]
fn a_member_that_refuses_the_groups_pin_is_set_aside() {
    let mut bench = Bench::up();
    bench.token(C).pin = "another";
    bench
        .gateway
        .log_in(PIN)
        .expect("it is right for the first");
    bench.pass(20);
    assert_eq!(bench.token(C).count("Login"), 1, "it is not tried again");
    assert_eq!(bench.told(), ["logged in", "set aside"]);
    assert_eq!(bench.serving(), 2);
}

#[test]
fn a_member_that_returns_and_refuses_the_groups_pin_is_set_aside() {
    let mut bench = Bench::logged_in();
    bench.token(A).lose_sessions();
    bench.token(A).is_dead = true;
    for _ in 0..2 {
        bench.gateway.random(&mut [0; 4]).expect("one is left");
    }
    bench.token(A).pin = "another";
    bench.token(A).is_dead = false;
    bench.happened();
    bench.pass(20);
    assert_eq!(
        bench.told().last().map(std::string::String::as_str),
        Some("set aside")
    );
    assert_eq!(bench.token(A).count("Login"), 2, "once before, once after");
}

#[test]
fn a_member_that_is_lost_while_it_logs_in_comes_back_with_the_login() {
    let mut bench = Bench::up();
    bench.token(C).refusals.push(("Login", ckr::DEVICE_ERROR));
    bench.gateway.log_in(PIN).expect("it is right");
    bench.pass(20);
    assert_eq!(
        bench.told(),
        [
            "logged in",
            "lost",
            "attempt to recover began",
            "in service"
        ]
    );
    assert!(bench.token(C).is_logged_in());
}

#[test]
fn a_call_waits_for_members_that_are_logging_in() {
    let mut bench = Bench::up();
    bench.gateway.log_in(PIN).expect("it is right");
    // Whoever accepted it is gone before the others have followed.
    let first = [A, B, C]
        .into_iter()
        .find(|member| bench.token(*member).is_logged_in())
        .expect("one has accepted it");
    bench.token(first).is_cut = true;
    bench
        .gateway
        .sign(&HASH, &mut [0; 64])
        .expect("the others follow");
}

#[test]
fn a_login_without_an_answer_is_not_sent_to_another_member() {
    let mut bench = Bench::up();
    for member in [A, B, C] {
        bench.token(member).is_frozen = true;
    }
    assert_eq!(bench.gateway.log_in(PIN), Err(Failure::Unknown));
    for member in [A, B, C] {
        bench.token(member).thaw();
    }
    let tries: usize = [A, B, C]
        .map(|member| bench.token(member).count("Login"))
        .iter()
        .sum();
    assert_eq!(tries, 1);
}

#[test]
fn after_a_logout_nobody_is_logged_in_and_a_member_that_returns_is_not_either() {
    let mut bench = Bench::logged_in();
    bench.token(A).is_dead = true;
    bench.gateway.log_out();
    bench.pass(3);
    bench.token(A).is_dead = false;
    bench.pass(20);
    for member in [A, B, C] {
        assert!(!bench.token(member).is_logged_in());
    }
    assert_eq!(bench.serving(), 3);
    let signed = bench.gateway.sign(&HASH, &mut [0; 64]);
    assert_eq!(signed, Err(Failure::Code(ckr::KEY_HANDLE_INVALID)));
}

#[test]
fn a_token_that_is_logged_out_already_is_what_a_logout_wants() {
    let mut bench = Bench::logged_in();
    bench
        .token(B)
        .refusals
        .push(("Logout", ckr::USER_NOT_LOGGED_IN));
    bench.gateway.log_out();
    bench.pass(1);
    assert_eq!(bench.told(), ["logged out"]);
    assert_eq!(bench.serving(), 3);
}
