//! Sessions as PKCS#11 has them: their kinds, who is logged in to them, their end, and more of them than any token allows.

use cryptoki_sys::{
    CKA_CLASS, CKA_PRIVATE, CKA_TOKEN, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKM_SHA256, CKO_DATA,
    CKS_RO_PUBLIC_SESSION, CKS_RO_USER_FUNCTIONS, CKS_RW_PUBLIC_SESSION, CKS_RW_SO_FUNCTIONS,
    CKS_RW_USER_FUNCTIONS, CKU_SO, CKU_USER,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Mechanism, Module, Session, Template};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, Plan, Token, ec_key, ec_public_key};

fn code<T>(outcome: Result<T, Failure>) -> Rv {
    outcome.err().map_or(ckr::OK, |failure| failure.code)
}

fn state(session: Session) -> u64 {
    session.info().expect("the session is open").state
}

fn data(token: bool, private: bool) -> Template {
    Template::new()
        .number(CKA_CLASS, CKO_DATA)
        .flag(CKA_TOKEN, token)
        .flag(CKA_PRIVATE, private)
        .label("data")
}

#[test]
fn a_session_says_what_it_is_and_who_is_logged_in() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    lab.wait_until_all_serve();
    let writes = module.open(slot).expect("a member serves");
    let reads = module.open_read_only(slot).expect("a member serves");
    let states = || (state(reads), state(writes));
    assert_eq!(states(), (CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
    reads.login(lab.pin()).expect("it is the PIN");
    assert_eq!(states(), (CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS));
    assert_eq!(code(writes.login(lab.pin())), ckr::USER_ALREADY_LOGGED_IN);
    writes.logout().expect("the user is logged in");
    assert_eq!(states(), (CKS_RO_PUBLIC_SESSION, CKS_RW_PUBLIC_SESSION));
    assert_eq!(code(reads.logout()), ckr::USER_NOT_LOGGED_IN);
    assert_eq!(
        code(writes.login_as(CKU_SO, lab.so_pin())),
        ckr::SESSION_READ_ONLY_EXISTS
    );
    reads.close().expect("it is open");
    writes
        .login_as(CKU_SO, lab.so_pin())
        .expect("no read-only session is left");
    assert_eq!(state(writes), CKS_RW_SO_FUNCTIONS);
    assert_eq!(
        code(module.open_read_only(slot)),
        ckr::SESSION_READ_WRITE_SO_EXISTS
    );
    assert_eq!(
        code(writes.login_as(CKU_USER, lab.pin())),
        ckr::USER_ANOTHER_ALREADY_LOGGED_IN
    );
    assert_eq!(
        code(writes.login_as(CKU_SO, lab.so_pin())),
        ckr::USER_ALREADY_LOGGED_IN
    );
    let info = writes.info().expect("it is open");
    assert_eq!(
        (info.flags, info.ulDeviceError, info.slotID),
        (CKF_SERIAL_SESSION | CKF_RW_SESSION, 0, slot)
    );
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
}

#[test]
fn a_read_only_session_changes_no_token_object() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    let writes = lab.session(module);
    let reads = module.open_read_only(slot).expect("a member serves");
    let object = writes.create(&data(true, false)).expect("it may");
    let found = reads.only(&Template::new().label("data"));
    assert_eq!(found, object, "sessions share their handles");
    let renamed = Template::new().label("renamed");
    let refused = [
        code(reads.create(&data(true, false))),
        code(reads.create(&data(false, false).flag(CKA_TOKEN, true))),
        code(reads.copy(object, &Template::new().flag(CKA_TOKEN, true))),
        code(reads.copy(object, &Template::new())),
        code(reads.set_attributes(object, &renamed)),
        code(reads.destroy(object)),
        code(reads.set_pin(lab.pin(), "999999")),
    ];
    assert_eq!(refused, [ckr::SESSION_READ_ONLY; 7]);
    let copy = reads
        .copy(object, &Template::new().flag(CKA_TOKEN, false))
        .expect("a session object of its own it may make");
    reads.destroy(copy).expect("and destroy");
    writes.destroy(object).expect("it may");
}

#[test]
fn private_objects_go_with_the_login() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    let private = session.create(&data(false, true)).expect("it is made");
    let public = session.create(&data(false, false)).expect("it is made");
    session.logout().expect("the user is logged in");
    assert_eq!(
        code(session.sign(ECDSA, key, &HASH)),
        ckr::KEY_HANDLE_INVALID
    );
    assert_eq!(
        code(session.attribute(private, CKA_CLASS)),
        ckr::OBJECT_HANDLE_INVALID
    );
    session
        .attribute(public, CKA_CLASS)
        .expect("a public session object stays");
    session.login(lab.pin()).expect("it is the PIN");
    assert_eq!(
        code(session.sign(ECDSA, key, &HASH)),
        ckr::KEY_HANDLE_INVALID,
        "not even when the user is back (PKCS#11 v3.1 §5.6.9)"
    );
    assert_eq!(
        session.only(&Template::new().label("data")),
        public,
        "the private session object is destroyed"
    );
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("it is found anew");
}

#[test]
fn the_last_session_takes_the_login_with_it() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    let session = lab.session(module);
    let other = module.open(slot).expect("a member serves");
    session.close().expect("it is open");
    assert_eq!(state(other), CKS_RW_USER_FUNCTIONS);
    other.close().expect("it is open");
    let next = module.open(slot).expect("a member serves");
    assert!(next.handle() != session.handle() && next.handle() != other.handle());
    assert_eq!(state(next), CKS_RW_PUBLIC_SESSION);
    next.login(lab.pin()).expect("nobody is logged in");
    module.close_all_sessions(slot).expect("the slot is there");
    for closed in [session, other, next] {
        assert_eq!(code(closed.info()), ckr::SESSION_HANDLE_INVALID);
        assert_eq!(code(closed.close()), ckr::SESSION_HANDLE_INVALID);
    }
    let last = module.open(slot).expect("a member serves");
    assert_eq!(state(last), CKS_RW_PUBLIC_SESSION);
}

#[test]
fn all_sessions_are_closed_in_the_middle_of_their_work() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    lab.wait_until_all_serve();
    for _ in 0..5 {
        let sessions: Vec<_> = (0..6).map(|_| lab.public_session(module)).collect();
        sessions[0].login(lab.pin()).expect("it is the PIN");
        let key = ec_key(sessions[0]);
        std::thread::scope(|scope| {
            for session in &sessions {
                scope.spawn(move || {
                    loop {
                        match code(session.sign(ECDSA, key, &HASH)) {
                            ckr::OK => {}
                            // What the call under way says depends on how far it was.
                            ckr::SESSION_HANDLE_INVALID => break,
                            ckr::KEY_HANDLE_INVALID
                            | ckr::USER_NOT_LOGGED_IN
                            | ckr::OPERATION_NOT_INITIALIZED => {}
                            other => panic!("{other}"),
                        }
                    }
                });
            }
            module.close_all_sessions(slot).expect("the slot is there");
        });
    }
    let session = lab.session(module);
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("nothing is left of it");
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
}

#[test]
fn what_only_another_user_may_do_costs_no_member() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    // CKR_USER_NOT_LOGGED_IN, though the member's login stands.
    for member in lab.members() {
        member.misbehave("C_SignInit return 0x101\n");
    }
    for _ in 0..6 {
        assert_eq!(
            code(session.sign(ECDSA, key, &HASH)),
            ckr::USER_NOT_LOGGED_IN
        );
    }
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
}

/// Ten thousand sessions of one application.
fn crowd(lab: &Lab, module: Module) -> Vec<Session> {
    let first = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let others = (1..10_000).map(|_| module.open(slot).expect("no member is asked"));
    std::iter::once(first).chain(others).collect()
}

/// They all sign, and `begun` of them begin together what they end later.
fn all_sign(sessions: &[Session], begun: usize) {
    let key = ec_key(sessions[0]);
    for session in sessions {
        session.sign(ECDSA, key, &HASH).expect("real ones are lent");
    }
    for session in &sessions[..begun] {
        session.sign_init(ECDSA, key).expect("work gives way");
    }
    for session in sessions[..begun].iter().rev() {
        session
            .sign_into(&HASH, &mut [0; 128])
            .expect("it is begun anew");
    }
    std::thread::scope(|scope| {
        for some in sessions.chunks(sessions.len() / 32) {
            scope.spawn(move || {
                for session in some {
                    session.sign(ECDSA, key, &HASH).expect("it has its turn");
                }
            });
        }
    });
}

#[test]
fn ten_thousand_sessions_over_a_member_that_is_to_have_sixteen() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 1,
        sessions: Some(16),
        scripted: false,
        session_limit: Some(16),
        ..Plan::default()
    });
    let module = lab.module();
    let sessions = crowd(&lab, module);
    all_sign(&sessions, 500);
    let slot = module.slot_of(Lab::LABEL);
    let counted = module.token_info(slot).expect("a member serves");
    assert_eq!(counted.ulSessionCount, 10_000);
    module.close_all_sessions(slot).expect("the slot is there");
    assert_eq!(code(sessions[9_999].info()), ckr::SESSION_HANDLE_INVALID);
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

#[test]
fn ten_thousand_sessions_over_a_member_that_allows_sixteen_by_itself() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 1,
        session_limit: Some(16),
        isolation: Isolation::None,
        scripted: false,
        ..Plan::default()
    });
    all_sign(&crowd(&lab, lab.module()), 10_000);
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

#[test]
fn work_that_cannot_give_way_is_waited_for_no_longer_than_the_deadline() {
    let lab = Lab::new(Plan {
        members: 1,
        sessions: Some(3),
        ..Plan::default()
    });
    let module = lab.module();
    let first = lab.session(module);
    let (key, public) = (ec_key(first), ec_public_key(first));
    let second = lab.public_session(module);
    for session in [first, second] {
        session
            .digest_init(Mechanism::Plain(CKM_SHA256))
            .expect("there are two");
        session.digest_update(&HASH).expect("it goes on");
    }
    let third = lab.public_session(module);
    // CKR_SESSION_COUNT is C_OpenSession's alone (PKCS#11 v3.1 §5.1.6).
    let refused = code(third.sign(ECDSA, key, &HASH));
    assert!(
        [ckr::DEVICE_MEMORY, ckr::OK].contains(&refused),
        "{refused}"
    );
    first.digest_final().expect("it was not touched");
    let signature = third.sign(ECDSA, key, &HASH).expect("one is free");
    third
        .verify(ECDSA, public, &HASH, &signature)
        .expect("it is right");
    second.digest_final().expect("it was not touched");
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

#[test]
fn a_call_goes_where_a_session_is_free() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 2,
        sessions: Some(2),
        ..Plan::default()
    });
    let module = lab.module();
    let busy = lab.session(module);
    busy.digest_init(Mechanism::Plain(CKM_SHA256))
        .expect("both are free");
    busy.digest_update(&HASH).expect("it goes on");
    let before = std::time::Instant::now();
    let other = lab.public_session(module);
    for _ in 0..10 {
        other.random(&mut [0; 8]).expect("a member is free");
    }
    assert!(
        before.elapsed() < lab.plan().deadline,
        "none waited for the busy one"
    );
    busy.digest_final().expect("it was not touched");
}
