//! A member's process dies or freezes, idle or in a call: no crash, no hang beyond the deadline, no failed call that may be repeated.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use everslot_tests::client::Module;
use everslot_tests::{
    ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, ec_public_key, eventually, within,
};

const DEADLINE: Duration = Duration::from_millis(500);
/// What a call may take beyond the deadline on a busy machine; one that waits for a second deadline takes longer.
const SLACK: Duration = DEADLINE;

fn lab(token: Token) -> Lab {
    Lab::new(Plan {
        token,
        deadline: DEADLINE,
        trace: true,
        ..Plan::default()
    })
}

/// Signs from several threads while `fault` happens and until it has been seen through; the longest that any call took.
fn sign_through(lab: &Lab, module: Module, fault: impl FnOnce()) -> Duration {
    let session = lab.session(module);
    let public = ec_public_key(session);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let signer = || {
            let session = lab.public_session(module);
            let key = ec_key(session);
            let mut longest = Duration::ZERO;
            while !stop.load(Relaxed) {
                let start = Instant::now();
                let signature = session.sign(ECDSA, key, &HASH).expect("a member is left");
                longest = longest.max(start.elapsed());
                session
                    .verify(ECDSA, public, &HASH, &signature)
                    .expect("the signature is right");
            }
            longest
        };
        let signers: Vec<_> = (0..4).map(|_| scope.spawn(signer)).collect();
        fault();
        stop.store(true, Relaxed);
        signers
            .into_iter()
            .map(|signer| signer.join().expect("no call failed"))
            .max()
            .unwrap_or_default()
    })
}

/// Waits until a member that served has been lost and is back. On a busy machine it may be lost more than once.
fn wait_for_return(lab: &Lab, member: usize) {
    eventually("the member is lost and back", PATIENCE, || {
        let status = &lab.status()[member];
        status["losses"].as_u64() >= Some(1) && status["code"]["name"] == "CKR_OK"
    });
}

#[test]
fn killed_under_load() {
    let lab = lab(Token::SoftHsm);
    let longest = sign_through(&lab, lab.module(), || {
        lab.host(1).kill();
        wait_for_return(&lab, 1);
    });
    assert!(longest <= DEADLINE + SLACK, "a call took {longest:?}");
}

#[test]
fn frozen_under_load() {
    let lab = lab(Token::SoftHsm);
    let longest = sign_through(&lab, lab.module(), || {
        let host = lab.host(1);
        host.freeze();
        wait_for_return(&lab, 1);
        host.thaw();
    });
    assert!(longest <= DEADLINE + SLACK, "a call took {longest:?}");
}

#[test]
fn killed_while_idle() {
    let lab = lab(Token::SoftHsm);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    for member in 0..3 {
        lab.host(member).kill();
    }
    // Every member has lost its process; each call finds the next one dead, or back already.
    let start = Instant::now();
    while session.sign(ECDSA, key, &HASH).is_err() {
        assert!(start.elapsed() < PATIENCE, "no member is back");
    }
    lab.wait_until_all_serve();
    for _ in 0..6 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("all members are back");
    }
}

#[test]
fn killed_in_a_call() {
    let lab = lab(Token::Test);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.members()[0].misbehave("C_Sign crash\n");
    eventually("the crash has happened", PATIENCE, || {
        within(DEADLINE + SLACK, || session.sign(ECDSA, key, &HASH)).expect("a member is left");
        lab.members()[0].calls("C_Sign") > 0
    });
    lab.members()[0].misbehave("");
    lab.wait_until_all_serve();
    assert!(lab.status()[0]["losses"].as_u64() >= Some(1));
}

#[test]
fn hangs_in_a_call() {
    let lab = lab(Token::Test);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.members()[0].misbehave("C_Sign hang\n");
    eventually("the hang has happened", PATIENCE, || {
        let start = Instant::now();
        within(DEADLINE + SLACK, || session.sign(ECDSA, key, &HASH)).expect("a member is left");
        start.elapsed() >= DEADLINE && lab.members()[0].calls("C_Sign") > 0
    });
    lab.members()[0].misbehave("");
    wait_for_return(&lab, 0);
}

#[test]
fn a_broken_pipe_ends_nobody() {
    let lab = lab(Token::Test);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    // SIGPIPE, as p11-kit's client raises it when its server is gone.
    lab.members()[0].misbehave("C_Sign signal 13\n");
    eventually("the signal came", PATIENCE, || {
        session
            .sign(ECDSA, key, &HASH)
            .expect("the signal is ignored, or a member is left");
        lab.members()[0].calls("C_Sign") > 0
    });
}

#[test]
fn frozen_while_logging_in_a_new_session() {
    let lab = lab(Token::SoftHsm);
    let module = lab.module();
    let first = lab.session(module);
    let key = ec_key(first);
    let host = lab.host(2);
    host.freeze();
    for _ in 0..6 {
        let session = within(DEADLINE + SLACK, || lab.public_session(module));
        within(DEADLINE + SLACK, || session.sign(ECDSA, key, &HASH)).expect("a member is left");
        within(DEADLINE + SLACK, || session.close()).expect("a session closes");
    }
    host.thaw();
}
