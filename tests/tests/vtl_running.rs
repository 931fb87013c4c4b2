//! `everslot vtl haAdmin` while an application runs: what it recovers, brings into step and takes away.

use std::process::Output;

use cryptoki_sys::{CKA_ENCRYPT, CKA_LABEL, CKA_VALUE_LEN, CKM_AES_KEY_GEN, CKO_SECRET_KEY};
use everslot_tests::client::{Mechanism, Session, Template};
use everslot_tests::{ECDSA, HASH, HostProcess, Lab, PATIENCE, Plan, ec_key, eventually};

fn vtl(lab: &Lab, line: &str) -> Output {
    let words: Vec<_> = ["vtl", "haAdmin"]
        .into_iter()
        .chain(line.split(' '))
        .collect();
    lab.everslot(&words)
}

/// What a line of Luna's prints.
#[track_caller]
fn done(lab: &Lab, line: &str) -> String {
    let output = vtl(lab, line);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {error}");
    String::from_utf8(output.stdout).expect("it is text")
}

#[test]
fn recover_brings_back_a_member_that_nothing_else_does() {
    let lab = Lab::new(Plan {
        attempts: 0,
        ..Plan::default()
    });
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.take_away(0);
    let lost = || {
        session.sign(ECDSA, key, &HASH).expect("two are left");
        lab.code(0) != "CKR_OK"
    };
    eventually("the member is lost", PATIENCE, lost);
    lab.bring_back(0);
    assert_eq!(lab.status()[0]["attempts"], 0, "no attempt is allowed");
    assert_eq!(lab.status()[0]["next_attempt_ms"], serde_json::Value::Null);
    assert_ne!(lab.code(0), "CKR_OK");

    done(&lab, "recover -group lab");
    lab.wait_until_all_serve();
    let other = vtl(&lab, "recover -group other");
    assert!(!other.status.success());
    let error = String::from_utf8_lossy(&other.stderr);
    assert!(error.contains("other") && error.lines().count() == 1);
}

fn make_key(session: Session, label: &str) {
    let template = Template::new()
        .label(label)
        .on_token(true)
        .number(CKA_VALUE_LEN, 32)
        .flag(CKA_ENCRYPT, true);
    session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
        .expect("a member serves");
}

/// The keys that a member has, asked past everslot, by their labels.
fn held_alone(lab: &Lab, member: usize) -> Vec<Vec<u8>> {
    lab.members()[member].alone(|session| {
        let keys = Template::new().class(CKO_SECRET_KEY);
        let found = session.find(&keys).expect("the token answers");
        let label = |key| session.attribute(key, CKA_LABEL).expect("it has a label");
        let mut labels: Vec<_> = found.into_iter().map(label).collect();
        labels.retain(|label| !label.starts_with(b"everslot domain key"));
        labels
    })
}

#[test]
fn synchronize_gives_a_member_what_was_made_while_it_was_away() {
    let lab = Lab::new(Plan {
        members: 2,
        domain: true,
        empty: true,
        attempts: 0,
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    lab.take_away(1);
    make_key(session, "made meanwhile");
    module.finalize().expect("it is initialised");
    lab.bring_back(1);
    assert_eq!(held_alone(&lab, 1), Vec::<Vec<u8>>::new());

    let report = done(&lab, "synchronize -group lab");
    assert!(report.contains("m1"), "{report}");
    assert_eq!(held_alone(&lab, 1), [b"made meanwhile"]);
}

#[test]
fn the_log_is_shown_switched_off_and_on_and_moved() {
    let lab = Lab::softhsm();
    for (line, shown) in [
        ("halog -disable", "HA Logging: disabled"),
        ("halog -enable", "HA Logging: enabled"),
        (
            "halog -path /var/tmp/ha.log",
            "HA Log File: /var/tmp/ha.log",
        ),
    ] {
        done(&lab, line);
        let said = done(&lab, "halog -show");
        assert!(said.contains(shown), "{line}: {said}");
    }
}

#[test]
fn a_group_that_is_deleted_goes_with_the_next_start_and_the_other_one_stays() {
    let lab = Lab::softhsm();
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let (_, group) = text.split_once("[[group]]").expect("a group");
    let group = group.replace("\"lab\"", "\"other\"");
    let group = group.replace("serial = \"1\"", "serial = \"2\"");
    std::fs::write(lab.config_path(), format!("{text}\n[[group]]{group}")).expect("it is ours");
    let module = lab.module();
    assert_eq!(module.slots().expect("it is initialised").len(), 2);

    done(&lab, "deleteGroup -label other");
    assert_eq!(module.slots().expect("it runs on").len(), 2);
    module.finalize().expect("it is initialised");
    let members = lab.members().iter();
    eventually("the hosts end", PATIENCE, || {
        members
            .clone()
            .all(|member| HostProcess::of_module(member.module()).is_none())
    });
    module.initialize().expect("a member can serve");
    let session = lab.session(module);
    let key = ec_key(session);
    session.sign(ECDSA, key, &HASH).expect("a member serves");
    assert_eq!(module.slots().expect("it is initialised").len(), 1);
}
