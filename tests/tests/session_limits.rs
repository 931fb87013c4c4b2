//! More sessions, and more work in them, than any token allows.

use cryptoki_sys::CKM_SHA256;
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Mechanism, Module, Session};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, Plan, Token, ec_key};

fn code<T>(outcome: Result<T, Failure>) -> Rv {
    outcome.err().map_or(ckr::OK, |failure| failure.code)
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
        deadline: std::time::Duration::from_secs(20),
        ..Plan::default()
    });
    let module = lab.module();
    let sessions = crowd(&lab, module);
    // Those of the member in the process all sign; here some do, since each call goes to another process.
    all_sign(&sessions[..2_000], 200);
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
        deadline: std::time::Duration::from_secs(20),
        isolation: Isolation::None,
        scripted: false,
        ..Plan::default()
    });
    all_sign(&crowd(&lab, lab.module()), 10_000);
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

/// Two of three real sessions are taken by digests of two parts, the third by the login.
fn two_digests(lab: &Lab, module: Module) -> [Session; 2] {
    let both = [lab.session(module), lab.public_session(module)];
    for session in both {
        session
            .digest_init(Mechanism::Plain(CKM_SHA256))
            .expect("there are two");
        session.digest_update(&HASH).expect("it goes on");
    }
    both
}

fn of_three_sessions(transcript: Option<&'static str>) -> Lab {
    Lab::new(Plan {
        members: 1,
        sessions: Some(3),
        transcript,
        ..Plan::default()
    })
}

#[test]
fn work_that_cannot_give_way_is_waited_for_no_longer_than_the_deadline() {
    // What is longer than its transcript stays where it is.
    let lab = of_three_sessions(Some("16B"));
    let module = lab.module();
    let [first, second] = two_digests(&lab, module);
    let third = lab.public_session(module);
    // CKR_SESSION_COUNT is C_OpenSession's alone (PKCS#11 v3.1 §5.1.6).
    assert_eq!(code(third.random(&mut [0; 8])), ckr::DEVICE_MEMORY);
    first.digest_final().expect("it was not touched");
    third.random(&mut [0; 8]).expect("one is free");
    second.digest_final().expect("it was not touched");
    assert_eq!(lab.codes(), ["CKR_OK"]);
}

#[test]
fn work_of_several_parts_gives_way_as_far_as_its_transcript_goes() {
    let lab = of_three_sessions(None);
    let module = lab.module();
    let both = two_digests(&lab, module);
    let third = lab.public_session(module);
    let key = ec_key(third);
    third.sign(ECDSA, key, &HASH).expect("one gives way");
    let digests = both.map(|session| session.digest_final().expect("it is brought back"));
    assert_eq!(digests[0], digests[1]);
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
