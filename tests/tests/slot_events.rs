//! `C_WaitForSlotEvent`: the group's coming and going.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use cryptoki_sys::{CK_SLOT_ID, CKF_DONT_BLOCK};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Module, Session};
use everslot_tests::{Lab, PATIENCE, Plan, Token, eventually};

fn plan() -> Plan {
    Plan {
        token: Token::Test,
        members: 2,
        deadline: Duration::from_millis(500),
        ..Plan::default()
    }
}

/// What `C_WaitForSlotEvent` returns in another thread, call after call until it fails.
fn watch(module: Module) -> Receiver<Result<CK_SLOT_ID, Rv>> {
    let (tell, told) = channel();
    std::thread::spawn(move || {
        loop {
            let event = module
                .wait_for_slot_event(0)
                .map_err(|failure| failure.code);
            if tell.send(event).is_err() || event.is_err() {
                return;
            }
        }
    });
    told
}

fn poll(module: Module) -> Result<CK_SLOT_ID, Rv> {
    module
        .wait_for_slot_event(CKF_DONT_BLOCK)
        .map_err(|failure| failure.code)
}

/// Has every member of the lab die at its next call, and makes calls until all are lost.
fn lose_all(lab: &Lab, session: Session) {
    (lab.members().iter()).for_each(|member| member.misbehave("* crash\n"));
    eventually("every member is lost", PATIENCE, || {
        session.random(&mut [0; 8]).is_err() && lab.codes().iter().all(|code| code != "CKR_OK")
    });
}

fn return_one(lab: &Lab) {
    lab.members()[1].misbehave("");
}

#[test]
fn going_and_coming_are_reported_once_each() {
    let lab = Lab::new(plan());
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    assert_eq!(poll(module), Err(ckr::NO_EVENT), "the first coming is none");
    lab.members()[0].misbehave("* crash\n");
    eventually("one member is lost", PATIENCE, || {
        session.random(&mut [0; 8]).expect("one is left");
        lab.code(0) != "CKR_OK"
    });
    assert_eq!(poll(module), Err(ckr::NO_EVENT), "the group is there");
    lose_all(&lab, session);
    assert_eq!([poll(module), poll(module)], [Ok(slot), Err(ckr::NO_EVENT)]);
    return_one(&lab);
    lab.wait_for_code(1, "CKR_OK");
    assert_eq!([poll(module), poll(module)], [Ok(slot), Err(ckr::NO_EVENT)]);
}

#[test]
fn who_waits_is_told_when_it_happens_and_sent_away_at_the_end() {
    let lab = Lab::new(plan());
    let module = lab.module();
    let session = lab.session(module);
    let slot = module.slot_of(Lab::LABEL);
    let told = watch(module);
    lose_all(&lab, session);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(slot)), "gone");
    return_one(&lab);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(slot)), "back");
    assert!(told.try_recv().is_err(), "nothing further has happened");
    module.finalize().expect("it ends");
    assert_eq!(
        told.recv_timeout(PATIENCE),
        Ok(Err(ckr::CRYPTOKI_NOT_INITIALIZED))
    );
}

#[test]
fn without_threads_the_call_that_waits_brings_members_back() {
    let lab = Lab::new(Plan {
        in_call: true,
        ..plan()
    });
    let module = lab.module();
    let session = lab.public_session(module);
    let slot = module.slot_of(Lab::LABEL);
    lose_all(&lab, session);
    let told = watch(module);
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(slot)), "gone");
    return_one(&lab);
    // No other call is made.
    assert_eq!(told.recv_timeout(PATIENCE), Ok(Ok(slot)), "back");
    module.finalize().expect("it ends");
    assert_eq!(
        told.recv_timeout(PATIENCE),
        Ok(Err(ckr::CRYPTOKI_NOT_INITIALIZED))
    );
}

#[test]
fn of_several_slots_the_one_that_it_is_about_is_reported() {
    let other = Lab::prepare(Plan {
        members: 1,
        ..plan()
    });
    let lab = Lab::prepare(plan());
    let read = |lab: &Lab| std::fs::read_to_string(lab.config_path()).expect("it is readable");
    let renamed = read(&other)
        .replace("label = \"lab\"", "label = \"other\"")
        .replace("serial = \"1\"", "serial = \"2\"");
    let both = format!("{}\n{renamed}", read(&lab));
    std::fs::write(lab.config_path(), both).expect("it is writable");
    for (name, value) in lab.environment() {
        everslot_tests::process::set_variable(name, value);
    }
    let module = lab.module();
    let (slot, of_other) = (module.slot_of(Lab::LABEL), module.slot_of("other"));
    let session = module.open(of_other).expect("it serves");
    other.members()[0].misbehave("* crash\n");
    eventually("the other group is lost", PATIENCE, || {
        session.random(&mut [0; 8]).is_err()
    });
    assert_eq!(
        [poll(module), poll(module)],
        [Ok(of_other), Err(ckr::NO_EVENT)]
    );
    let session = module.open(slot).expect("it serves");
    (lab.members().iter()).for_each(|member| member.misbehave("* crash\n"));
    eventually("this group is lost as well", PATIENCE, || {
        session.random(&mut [0; 8]).is_err()
    });
    other.members()[0].misbehave("");
    let events = [(); 2].map(|()| module.wait_for_slot_event(0).expect("two have happened"));
    assert!(events.contains(&slot) && events.contains(&of_other));
}
