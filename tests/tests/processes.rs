//! What an application's process and everslot must not do to each other: threads, mutexes, signals, forks, and the end.

use std::panic::AssertUnwindSafe;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use cryptoki_sys::{CK_SLOT_ID, CKF_LIBRARY_CANT_CREATE_OS_THREADS, CKF_OS_LOCKING_OK};
use everslot_core::ckr;
use everslot_tests::client::{Module, MutexUse};
use everslot_tests::resources::{Resources, status_field, threads};
use everslot_tests::{
    Artifact, ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, ec_public_key, eventually, process,
    within,
};
use rustix::process::Signal;

/// A member's, in the tests that wait for it to pass.
const DEADLINE: Duration = Duration::from_secs(3);

fn test_lab() -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        deadline: DEADLINE,
        ..Plan::default()
    })
}

#[test]
fn an_applications_mutexes_are_used_and_given_back() {
    let lab = test_lab();
    let module = Module::load(&Artifact::Module.path());
    for flags in [0, CKF_LIBRARY_CANT_CREATE_OS_THREADS] {
        let before = MutexUse::now();
        module
            .initialize_with_mutexes(flags)
            .expect("it locks with them");
        let session = lab.public_session(module);
        session.login(lab.pin()).expect("the PIN is right");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let own = lab.public_session(module);
                    for _ in 0..50 {
                        own.sign(ECDSA, ec_key(own), &HASH).expect("it signs");
                    }
                    own.close().expect("it closes");
                });
            }
        });
        module.finalize().expect("it ends");
        let after = MutexUse::now();
        assert!(after.locked >= before.locked + 8 * 50, "{after:?}");
        assert_eq!((after.alive, after.misused), (0, 0));
    }
}

#[test]
fn mutexes_are_left_alone_where_the_systems_locks_are_allowed() {
    let lab = test_lab();
    let module = Module::load(&Artifact::Module.path());
    module
        .initialize_with_mutexes(CKF_OS_LOCKING_OK)
        .expect("it locks by itself");
    let _session = lab.session(module);
    let MutexUse { alive, locked, .. } = MutexUse::now();
    assert_eq!((alive, locked), (0, 0));
}

#[test]
fn an_application_that_forbids_threads_gets_none_whatever_happens() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        interval: Duration::from_millis(50),
        ..Plan::default()
    });
    let module = Module::load(&Artifact::Module.path());
    let before = Resources::now().threads;
    let count = |when: &str| assert_eq!(Resources::now().threads, before, "{when}");
    module
        .initialize_with(CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS)
        .expect("it does without");
    count("at the start");
    let session = lab.public_session(module);
    session.login(lab.pin()).expect("the PIN is right");
    let key = ec_key(session);
    for member in 0..3 {
        lab.host(member).kill();
        session.sign(ECDSA, key, &HASH).expect("a member is left");
        count("at a loss");
        eventually("the member is hosted again", PATIENCE, || {
            session.sign(ECDSA, key, &HASH).expect("a member is left");
            count("at a recovery");
            everslot_tests::HostProcess::of_module(lab.members()[member].module()).is_some()
        });
    }
    module.finalize().expect("it ends");
    count("at the end");
}

#[test]
fn threads_of_ours_take_no_signals_and_hosts_take_all() {
    let lab = test_lab();
    let session = lab.session(lab.module());
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("it signs");
    let ours: Vec<_> = threads()
        .into_iter()
        .filter(|(name, _)| name.starts_with("everslot-"))
        .collect();
    assert!(ours.len() >= 2, "recovery and status: {ours:?}");
    let asynchronous = [
        Signal::INT,
        Signal::TERM,
        Signal::HUP,
        Signal::ALARM,
        Signal::USR1,
    ];
    for signal in asynchronous
        .into_iter()
        .chain([Signal::CHILD, Signal::PIPE])
    {
        let bit = 1 << (signal.as_raw() - 1);
        for (name, mask) in &ours {
            assert_ne!(mask & bit, 0, "{name} takes {signal:?}");
        }
    }
    let host = lab.host(0);
    assert_eq!(status_field(&host.directory(), "SigBlk"), Some(0));
    assert_ne!(
        host.group(),
        rustix::process::getpgrp().as_raw_nonzero().get(),
        "a terminal's Ctrl-C is the application's"
    );
}

/// What a forked child must find and be able to do, as an exit status: 0, or the number of what went wrong.
fn live_on_in_child(lab: &Lab, module: Module, slot: CK_SLOT_ID) -> u8 {
    let codes = [
        module.slots().map(drop),
        module.open(slot).map(drop),
        module.finalize(),
    ];
    for (code, number) in codes.into_iter().zip(1..) {
        if code.map_err(|failure| failure.code) != Err(ckr::CRYPTOKI_NOT_INITIALIZED) {
            return number;
        }
    }
    if module.initialize().is_err() {
        return 11;
    }
    let Ok(session) = module.open(slot) else {
        return 12;
    };
    if session.login(lab.pin()).is_err() {
        return 13;
    }
    if session.sign(ECDSA, ec_key(session), &HASH).is_err() {
        return 14;
    }
    u8::from(module.finalize().is_err()) * 15
}

#[test]
fn children_forked_while_other_threads_are_in_calls_begin_for_themselves() {
    let lab = test_lab();
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    let own = lab.public_session(module);
                    own.sign(ECDSA, ec_key(own), &HASH)
                        .expect("the parent goes on");
                    own.close().expect("the parent goes on");
                }
            });
        }
        for round in 0..12 {
            let status =
                process::in_fork(AssertUnwindSafe(|| live_on_in_child(&lab, module, slot)));
            assert_eq!(status, 0, "child {round}");
        }
        stop.store(true, Relaxed);
    });
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the parent goes on");
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0], "no member noticed");
}

#[test]
fn a_childs_child_begins_for_itself_too() {
    let lab = test_lab();
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let status = process::in_fork(AssertUnwindSafe(|| {
        if module.initialize().is_err() {
            return 31;
        }
        let grandchild =
            process::in_fork(AssertUnwindSafe(|| live_on_in_child(&lab, module, slot)));
        if grandchild != 0 {
            return u8::try_from(grandchild).unwrap_or(u8::MAX);
        }
        // A grandchild that never had a parent that began.
        u8::from(module.finalize().is_err()) * 32
    }));
    assert_eq!(status, 0);
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the first of them goes on");
}

#[test]
fn a_program_that_the_application_runs_inherits_nothing_of_ours() {
    let lab = test_lab();
    let list = || {
        let output = Command::new("ls").args(["-l", "/proc/self/fd"]).output();
        let listed = String::from_utf8(output.expect("ls runs").stdout).expect("UTF-8");
        listed.lines().count()
    };
    let before = list();
    let _session = lab.session(lab.module());
    assert_eq!(list(), before);
}

#[test]
fn the_end_during_calls_leaves_no_call_behind() {
    let lab = test_lab();
    let module = lab.module();
    let key = ec_key(lab.session(module));
    for frozen in [false, true] {
        let started: Vec<_> = (0..6).map(|_| AtomicBool::new(false)).collect();
        std::thread::scope(|scope| {
            let workers: Vec<_> = started
                .iter()
                .map(|started| {
                    let session = lab.public_session(module);
                    scope.spawn(move || {
                        loop {
                            if let Err(failure) = session.sign(ECDSA, key, &HASH) {
                                return failure.code;
                            }
                            started.store(true, Relaxed);
                        }
                    })
                })
                .collect();
            eventually("all are at work", PATIENCE, || {
                started.iter().all(|started| started.load(Relaxed))
            });
            if frozen {
                (0..3).for_each(|member| lab.host(member).freeze());
            }
            within(DEADLINE, || module.finalize()).expect("it ends");
            for worker in workers {
                let code = worker.join().expect("no panic");
                assert_eq!(code, ckr::CRYPTOKI_NOT_INITIALIZED, "frozen: {frozen}");
            }
        });
        module.initialize().expect("it begins again");
        let session = lab.session(module);
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("it works again");
    }
}

#[test]
fn the_end_while_a_member_hangs_at_its_start_is_not_late() {
    let lab = test_lab();
    let module = Module::load(&Artifact::Module.path());
    lab.members()[1].misbehave("C_Initialize hang\n");
    module.initialize().expect("two members serve");
    within(DEADLINE, || module.finalize()).expect("it ends");
    let Resources {
        children, threads, ..
    } = Resources::now();
    assert_eq!(children, 0, "the host that was being started is gone too");
    assert!(threads <= 2, "the test's own: {threads}");
}

#[test]
fn the_library_stays_where_its_threads_run_when_it_is_unloaded() {
    let path = Artifact::Module.path();
    let _module = Module::load(&path);
    Module::unload(&path);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    assert!(
        maps.contains("libeverslot.so"),
        "code of ours may still run"
    );
}

#[test]
fn beginning_and_ending_again_and_again_leaks_nothing() {
    let lab = test_lab();
    let module = Module::load(&Artifact::Module.path());
    let round = || {
        module.initialize().expect("it begins");
        let session = lab.session(module);
        session
            .sign(ECDSA, ec_key(session), &HASH)
            .expect("it signs");
        module.finalize().expect("it ends");
    };
    // What a process has once, it has after the first round.
    round();
    let before = Resources::now();
    (0..20).for_each(|_| round());
    eventually(
        &format!("{before:?} again, not {:?}", Resources::now()),
        PATIENCE,
        || Resources::now() == before,
    );
}

#[test]
fn one_session_used_by_many_threads_at_once_is_safe() {
    let lab = test_lab();
    let module = lab.module();
    let session = lab.session(module);
    let (key, public) = (ec_key(session), ec_public_key(session));
    std::thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                for round in 0..100 {
                    // Whose operation is whose nobody can say: any answer will do.
                    match (number + round) % 4 {
                        0 => drop(session.sign(ECDSA, key, &HASH)),
                        1 => drop(session.find(&everslot_tests::client::Template::new())),
                        2 => drop(session.verify(ECDSA, public, &HASH, &[0; 64])),
                        _ => drop(session.info()),
                    }
                }
            });
        }
    });
    // With the last session the login would end.
    let own = lab.public_session(module);
    session.close().expect("it is open");
    own.sign(ECDSA, key, &HASH).expect("nothing is stuck");
    let losses: Vec<_> = lab
        .status()
        .iter()
        .map(|member| member["losses"].clone())
        .collect();
    assert_eq!(losses, [0, 0, 0], "no member is blamed");
}
