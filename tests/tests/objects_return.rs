//! A member of a group that has a domain key returns: its objects are the group's before it serves.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cryptoki_sys::*;
use everslot_tests::client::{Mechanism, Module, Object, Session, Template};
use everslot_tests::{Lab, PATIENCE, Plan, eventually};

fn domain(members: usize) -> Lab {
    Lab::new(Plan {
        members,
        domain: true,
        empty: true,
        // A call waits for its member's reconcile to let go of the gate.
        deadline: Duration::from_secs(10),
        trace: true,
        ..Plan::default()
    })
}

fn make_key(session: Session, label: &str) -> Object {
    let template = Template::new()
        .id(7)
        .label(label)
        .on_token(true)
        .number(CKA_VALUE_LEN, 32)
        .flag(CKA_ENCRYPT, true);
    session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
        .expect("a member serves")
}

fn labels(session: Session) -> Vec<Vec<u8>> {
    let keys = Template::new().class(CKO_SECRET_KEY);
    let found = session.find(&keys).expect("the token answers");
    let label = |key| session.attribute(key, CKA_LABEL).expect("it has a label");
    let mut labels: Vec<_> = found.into_iter().map(label).collect();
    labels.retain(|label| !label.starts_with(b"everslot domain key"));
    labels.sort();
    labels
}

fn wait_until_lost(lab: &Lab, member: usize) {
    eventually("the member is lost", PATIENCE, || {
        lab.code(member) != "CKR_OK"
    });
}

/// What each member has, asked past everslot.
fn held_alone(lab: &Lab) -> Vec<Vec<Vec<u8>>> {
    lab.members()
        .iter()
        .map(|member| member.alone(labels))
        .collect()
}

#[test]
fn it_gets_what_was_made_and_loses_what_was_destroyed_while_it_was_away() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let old = make_key(session, "old");
    make_key(session, "stays");
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    session.destroy(old).expect("a member serves");
    make_key(session, "new");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    let expected = vec![b"new".to_vec(), b"stays".to_vec()];
    assert_eq!(held_alone(&lab), [expected.clone(), expected]);
    // All of them are replayed when the lab ends.
    for machine in ["change", "reconcile"] {
        let line = format!("{{\"{machine}\":");
        eventually("its steps are in the trace", PATIENCE, || {
            let traces = lab.traces().into_iter();
            let mut texts = traces.filter_map(|path| std::fs::read_to_string(path).ok());
            texts.any(|text| text.contains(&line))
        });
    }
}

#[test]
fn two_members_that_are_lost_in_turn_end_the_same() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let first = make_key(session, "first");
    for (member, label) in [(0, "second"), (1, "third")] {
        lab.take_away(member);
        wait_until_lost(&lab, member);
        make_key(session, label);
        if member == 1 {
            session.destroy(first).expect("a member serves");
        }
        lab.bring_back(member);
        lab.wait_until_all_serve();
    }
    module.finalize().expect("it is initialised");
    let expected = vec![b"second".to_vec(), b"third".to_vec()];
    assert_eq!(held_alone(&lab), [expected.clone(), expected]);
}

/// Destroys and makes a key while the second member is away, which returns while nobody is logged in.
fn returns_to_nobody(lab: &Lab) -> Session {
    let session = lab.session(lab.module());
    let old = make_key(session, "old");
    lab.take_away(1);
    wait_until_lost(lab, 1);
    session.destroy(old).expect("a member serves");
    make_key(session, "new");
    session.logout().expect("it is logged in");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    session
}

fn is_made_good_at_the_login(lab: &Lab, session: Session) {
    session.login(lab.pin()).expect("the PIN is right");
    eventually("both serve", PATIENCE, || {
        lab.codes().iter().all(|code| code == "CKR_OK")
    });
    assert_eq!(labels(session), [b"new"]);
    session.module().finalize().expect("it is initialised");
    let expected = vec![b"new".to_vec()];
    assert_eq!(held_alone(lab), [expected.clone(), expected]);
}

#[test]
fn what_was_missed_while_nobody_was_logged_in_is_made_good_at_the_login() {
    let lab = domain(2);
    let config = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let is_kept = |line: &&str| !line.starts_with("pin =") && !line.starts_with("so_pin =");
    let config: Vec<_> = config.lines().filter(is_kept).collect();
    std::fs::write(lab.config_path(), config.join("\n")).expect("it is writable");
    let session = returns_to_nobody(&lab);
    is_made_good_at_the_login(&lab, session);
}

#[test]
fn what_was_missed_while_nobody_was_logged_in_is_made_good_by_the_pins_of_the_configuration() {
    let lab = domain(2);
    let session = returns_to_nobody(&lab);
    // Nobody has logged in since, and nobody is: the application sees no private object.
    assert_eq!(labels(session), [b""; 0]);
    session.module().finalize().expect("it is initialised");
    let expected = vec![b"new".to_vec()];
    assert_eq!(held_alone(&lab), [expected.clone(), expected]);
}

/// Whether a token's flags say that a wrong PIN was tried since the last right one.
fn has_seen_a_wrong_pin(lab: &Lab, member: usize) -> bool {
    let member = &lab.members()[member];
    everslot_tests::process::set_variable("SOFTHSM2_CONF", member.store().config());
    let module = Module::load(Path::new(everslot_tests::SOFTHSM));
    module.initialize().expect("the token is there");
    let info = module.token_info(module.slot_of(member.token_label()));
    module.finalize().expect("it is initialised");
    info.expect("it is described").flags & CKF_USER_PIN_COUNT_LOW != 0
}

#[test]
fn a_wrong_pin_in_the_configuration_is_tried_once_and_what_was_missed_is_made_good_at_the_login() {
    let lab = domain(2);
    std::fs::write(lab.directory().join("pin"), "999999").expect("the lab is ours");
    let session = returns_to_nobody(&lab);
    session.module().finalize().expect("it is initialised");
    assert!(has_seen_a_wrong_pin(&lab, 1), "its own was tried");
    assert!(
        !has_seen_a_wrong_pin(&lab, 0),
        "one that is refused ends it"
    );
    let session = lab.public_session(lab.module());
    lab.wait_until_all_serve();
    is_made_good_at_the_login(&lab, session);
}

#[test]
fn a_process_that_starts_later_brings_it_in_step() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let old = make_key(session, "old");
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    session.destroy(old).expect("a member serves");
    make_key(session, "new");
    module.finalize().expect("it is initialised");
    lab.bring_back(1);
    let module = lab.module();
    let session = lab.session(module);
    lab.wait_until_all_serve();
    assert_eq!(labels(session), [b"new"]);
    module.finalize().expect("it is initialised");
    let expected = vec![b"new".to_vec()];
    assert_eq!(held_alone(&lab), [expected.clone(), expected]);
}

#[test]
fn one_that_lacks_the_domain_key_is_set_aside() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    make_key(session, "key");
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    module.finalize().expect("it is initialised");
    lab.bring_back(1);
    lab.members()[1].alone(|session| {
        let keys = Template::new().class(CKO_SECRET_KEY);
        for key in session.find(&keys).expect("the token answers") {
            session.destroy(key).expect("it may be destroyed");
        }
    });
    let module = lab.module();
    let _session = lab.session(module);
    make_key_again(&lab);
    eventually("it is set aside", PATIENCE, || {
        let status = lab.status();
        status[1]["state"].to_string().contains("quarantined")
    });
    module.finalize().expect("it is initialised");
}

/// The journal has something that the member lacks, so that it is looked at.
fn make_key_again(lab: &Lab) {
    lab.host(1).kill();
    wait_until_lost(lab, 1);
}

#[test]
fn a_sync_that_is_killed_again_and_again_ends_with_all_the_same() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    let keys = 24;
    for number in 0..keys {
        make_key(session, &format!("key {number:02}"));
    }
    module.finalize().expect("it is initialised");
    lab.members()[1].alone(|session| {
        let all = Template::new().class(CKO_SECRET_KEY);
        for key in session.find(&all).expect("the token answers") {
            let label = session.attribute(key, CKA_LABEL).expect("it has one");
            if !label.starts_with(b"everslot domain key") {
                session.destroy(key).expect("it may be destroyed");
            }
        }
    });
    let program = everslot_tests::Artifact::Command.path();
    for milliseconds in [30, 90, 150, 210, 270, 330, 390, 450] {
        let mut sync = Command::new(&program)
            .arg("sync")
            .envs(lab.environment())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        sync.kill().expect("it is ours");
        sync.wait().expect("it is ours");
    }
    let done = lab_sync(&lab, &[]);
    assert!(done.0, "{}", done.1);
    let again = lab_sync(&lab, &["--dry-run"]);
    assert!(
        again.0 && again.1.contains("Nothing was done"),
        "{}",
        again.1
    );
    let held = held_alone(&lab);
    assert_eq!((held[0].len(), &held[0]), (keys, &held[1]));
}

/// Only the second member serves, which has missed what the first one then had alone.
fn leave_the_second_alone(lab: &Lab) {
    lab.take_away(0);
    wait_until_lost(lab, 0);
    lab.bring_back(1);
    lab.wait_for_code(1, "CKR_OK");
}

#[test]
fn what_only_members_have_that_are_away_can_be_changed_when_one_is_back() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    let key = make_key(session, "key");
    leave_the_second_alone(&lab);
    let label = Template::new().label("other");
    let refused = session.set_attributes(key, &label);
    let refused = refused.map_err(|failure| failure.code);
    assert_eq!(refused, Err(everslot_core::ckr::DEVICE_ERROR));
    lab.bring_back(0);
    lab.wait_until_all_serve();
    let changed = session.set_attributes(key, &label);
    changed.expect("the handle is valid still");
    assert_eq!(labels(session), [b"other"]);
}

#[test]
fn members_that_all_have_missed_something_are_brought_in_step_at_one_login() {
    let lab = domain(2);
    let module = lab.module();
    let session = lab.session(module);
    lab.take_away(1);
    wait_until_lost(&lab, 1);
    make_key(session, "first");
    leave_the_second_alone(&lab);
    make_key(session, "second");
    module.finalize().expect("it is initialised");
    lab.bring_back(0);
    let module = lab.module();
    let session = lab.session(module);
    for member in lab.status() {
        assert_eq!(member["losses"].as_u64(), Some(0), "{member}");
    }
    assert_eq!(labels(session), [b"first".to_vec(), b"second".to_vec()]);
}

fn lab_sync(lab: &Lab, more: &[&str]) -> (bool, String) {
    let output = Command::new(everslot_tests::Artifact::Command.path())
        .arg("sync")
        .args(more)
        .envs(lab.environment())
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}
