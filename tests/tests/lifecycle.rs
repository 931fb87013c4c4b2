//! Beginning, ending, beginning again, forking, and many threads at once.

use std::panic::AssertUnwindSafe;

use cryptoki_sys::{CKF_LIBRARY_CANT_CREATE_OS_THREADS, CKF_OS_LOCKING_OK};
use everslot_core::ckr;
use everslot_tests::client::Failure;
use everslot_tests::{
    Artifact, ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, ec_public_key, eventually, process,
};

#[test]
fn it_ends_and_begins_again_in_one_process() {
    let lab = Lab::softhsm();
    let module = lab.module();
    assert_eq!(
        module.initialize().map_err(|failure| failure.code),
        Err(ckr::CRYPTOKI_ALREADY_INITIALIZED)
    );
    for _ in 0..3 {
        let session = lab.session(module);
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("it works each time");
        let hosts: Vec<_> = (0..3).map(|member| lab.host(member)).collect();
        module.finalize().expect("it ends");
        assert_eq!(
            session.info().map_err(|failure| failure.code).err(),
            Some(ckr::CRYPTOKI_NOT_INITIALIZED)
        );
        eventually("the hosts end", PATIENCE, || {
            hosts.iter().all(|host| !host.is_running())
        });
        module.initialize().expect("it begins again");
        let stale = session.info().map_err(|failure| failure.code).err();
        assert_eq!(
            stale,
            Some(ckr::SESSION_HANDLE_INVALID),
            "no session outlives C_Finalize"
        );
    }
}

#[test]
fn a_member_that_is_absent_at_the_start_joins_when_it_comes() {
    let lab = Lab::softhsm();
    lab.members()[0].store().take_away();
    let module = lab.module();
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("two members are there");
    let key = ec_key(session);
    session
        .sign(ECDSA, key, &HASH)
        .expect("two members are there");
    assert_ne!(lab.code(0), "CKR_OK");
    lab.bring_back(0);
    lab.wait_until_all_serve();
    session
        .sign(ECDSA, key, &HASH)
        .expect("all members are there");
}

#[test]
fn a_forked_child_begins_for_itself_and_the_parent_goes_on() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    let slot = module.slot_of(Lab::LABEL);
    let status = process::in_fork(AssertUnwindSafe(|| {
        if module.initialize().is_err() {
            return 1;
        }
        let Ok(own) = module.open(slot) else { return 2 };
        if own.login(lab.pin()).is_err() {
            return 3;
        }
        let Ok(signature) = own.sign(ECDSA, ec_key(own), &HASH) else {
            return 4;
        };
        u8::from(signature.len() != 64) * 5
    }));
    assert_eq!(status, 0, "the child signs by itself");
    session.sign(ECDSA, key, &HASH).expect("the parent goes on");
    lab.wait_until_all_serve();
}

#[test]
fn a_child_that_does_nothing_does_no_harm() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    assert_eq!(process::in_fork(|| 0), 0);
    session.sign(ECDSA, key, &HASH).expect("the parent goes on");
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0], "no member noticed");
}

#[test]
fn the_members_hosts_end_with_the_application() {
    let lab = Lab::softhsm();
    let hosts: Vec<_> = {
        let (module, members) = (Artifact::Module.path(), lab.members());
        let mut application = std::process::Command::new("pkcs11-tool")
            .args([
                "--module",
                &module.display().to_string(),
                "--test-threads",
                "ILGISLT0L",
                "--token-label",
                Lab::LABEL,
            ])
            .args(["--login", "--pin", lab.pin()])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("pkcs11-tool starts");
        let mut hosts = Vec::new();
        eventually("a member is hosted", PATIENCE, || {
            hosts = members
                .iter()
                .filter_map(|member| everslot_tests::HostProcess::of_module(member.module()))
                .collect();
            !hosts.is_empty()
        });
        // It may have ended by itself, which is as good.
        let _ = application.kill();
        application.wait().expect("it is ours");
        hosts
    };
    eventually("its hosts end", PATIENCE, || {
        hosts.iter().all(|host| !host.is_running())
    });
}

#[test]
fn many_threads_sign_at_once() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let session = lab.session(module);
    let public = ec_public_key(session);
    std::thread::scope(|scope| {
        for number in 0..16_u8 {
            let lab = &lab;
            scope.spawn(move || {
                for round in 0..20_u8 {
                    let own = lab.public_session(module);
                    let hash = [number ^ (round << 3); 32];
                    let signature = own.sign(ECDSA, ec_key(own), &hash).expect("it signs");
                    own.verify(ECDSA, public, &hash, &signature)
                        .expect("it is right");
                    own.close().expect("it closes");
                }
            });
        }
    });
    let calls: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["calls"].as_u64().expect("a number"))
        .collect();
    let (least, most) = (calls.iter().min(), calls.iter().max());
    assert!(
        least
            .zip(most)
            .is_some_and(|(least, most)| 2 * least >= *most),
        "balanced: {calls:?}"
    );
}

#[test]
fn more_sessions_than_a_member_allows() {
    let lab = Lab::new(Plan {
        sessions: Some(4),
        ..Plan::default()
    });
    let module = lab.module();
    let first = lab.session(module);
    let key = ec_key(first);
    let sessions: Vec<_> = (0..40).map(|_| lab.public_session(module)).collect();
    for session in &sessions {
        session
            .sign(ECDSA, key, &HASH)
            .expect("real sessions are lent, not owned");
    }
    std::thread::scope(|scope| {
        for session in &sessions {
            scope.spawn(|| {
                session
                    .sign(ECDSA, key, &HASH)
                    .expect("callers wait for their turn")
            });
        }
    });
}

#[test]
fn an_application_that_forbids_threads_gets_none() {
    let lab = Lab::softhsm();
    let module = everslot_tests::client::Module::load(&Artifact::Module.path());
    let threads = || {
        std::fs::read_dir("/proc/self/task")
            .expect("/proc is mounted")
            .count()
    };
    let before = threads();
    module
        .initialize_with(CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS)
        .expect("it does without");
    assert_eq!(threads(), before);
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("it signs");
    assert_eq!(threads(), before);
}

#[test]
fn threads_that_log_in_and_out_at_once_cost_no_member() {
    let lab = Lab::softhsm();
    let module = lab.module();
    lab.wait_until_all_serve();
    let accept = |outcome: Result<(), Failure>, other| match outcome {
        Ok(()) => {}
        Err(failure) => assert_eq!(failure.code, other),
    };
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let session = lab.public_session(module);
                for _ in 0..3 {
                    accept(session.login(lab.pin()), ckr::USER_ALREADY_LOGGED_IN);
                }
                for _ in 0..3 {
                    accept(session.logout(), ckr::USER_NOT_LOGGED_IN);
                }
            });
        }
    });
    lab.wait_until_all_serve();
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0]);
}
