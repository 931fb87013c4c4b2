//! Sessions as PKCS#11 has them: their kinds, who is logged in to them, and their end.

use std::sync::atomic::{AtomicBool, Ordering};

use cryptoki_sys::{
    CKA_CLASS, CKA_PRIVATE, CKA_TOKEN, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKO_DATA,
    CKS_RO_PUBLIC_SESSION, CKS_RO_USER_FUNCTIONS, CKS_RW_PUBLIC_SESSION, CKS_RW_SO_FUNCTIONS,
    CKS_RW_USER_FUNCTIONS, CKU_SO, CKU_USER,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Session, Template};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, Plan, Token, ec_key};

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

#[test]
fn the_sessions_of_one_slot_are_none_of_another_ones_business() {
    let lab = Lab::new(Plan {
        members: 2,
        ..Plan::default()
    });
    let config = std::fs::read_to_string(lab.config_path()).expect("the lab has written it");
    let second = config.rfind("[[group.member]]").expect("it has two");
    let (one, other) = config.split_at(second);
    let two = format!("{one}\n[[group]]\nlabel = \"other\"\nserial = \"2\"\n{other}");
    std::fs::write(lab.config_path(), two).expect("the lab's directory is writable");
    let module = lab.module();
    let [slot, other] = [Lab::LABEL, "other"].map(|label| module.slot_of(label));
    let [here, there] = [slot, other].map(|slot| module.open(slot).expect("its member serves"));
    let reads = module.open_read_only(other).expect("its member serves");
    here.login_as(CKU_SO, lab.so_pin())
        .expect("the read-only session is the other slot's");
    assert_eq!(state(there), CKS_RW_PUBLIC_SESSION);
    reads.login(lab.pin()).expect("nobody is logged in there");
    assert_eq!(state(here), CKS_RW_SO_FUNCTIONS);
    let object = there.create(&data(false, false)).expect("it is made");
    assert_eq!(
        code(here.attribute(object, CKA_CLASS)),
        ckr::OBJECT_HANDLE_INVALID
    );
    module.close_all_sessions(slot).expect("the slot is there");
    assert_eq!(code(here.info()), ckr::SESSION_HANDLE_INVALID);
    assert_eq!(state(there), CKS_RW_USER_FUNCTIONS);
    there
        .attribute(object, CKA_CLASS)
        .expect("its session is open");
}

#[test]
fn sessions_that_come_and_go_around_logins_break_no_rule() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        members: 1,
        ..Plan::default()
    });
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let writes = module.open(slot).expect("it is no read-only one");
                    let login = code(writes.login_as(CKU_SO, lab.so_pin()));
                    assert!(
                        [
                            ckr::OK,
                            ckr::USER_ALREADY_LOGGED_IN,
                            ckr::SESSION_READ_ONLY_EXISTS
                        ]
                        .contains(&login),
                        "{login}"
                    );
                    writes.close().expect("it is open");
                }
            });
            scope.spawn(|| {
                for _ in 0..100 {
                    match module.open_read_only(slot) {
                        Ok(reads) => {
                            assert_eq!(state(reads), CKS_RO_PUBLIC_SESSION);
                            reads.close().expect("it is open");
                        }
                        Err(failure) => {
                            assert_eq!(failure.code, ckr::SESSION_READ_WRITE_SO_EXISTS);
                        }
                    }
                }
            });
        }
    });
    let last = module.open(slot).expect("a member serves");
    assert_eq!(state(last), CKS_RW_PUBLIC_SESSION);
    last.login(lab.pin())
        .expect("the officer went with the sessions");
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

#[test]
fn a_login_by_another_thread_fails_no_call() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        isolation: Isolation::None,
        members: 1,
        ..Plan::default()
    });
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    lab.wait_until_all_serve();
    let [calls, logs_in] = [(); 2].map(|()| module.open(slot).expect("a member serves"));
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                calls.random(&mut [0; 8]).expect("the member serves");
            }
        });
        for _ in 0..2000 {
            logs_in.login(lab.pin()).expect("it is the PIN");
            logs_in.logout().expect("the user is logged in");
        }
        over.store(true, Ordering::Relaxed);
    });
}
