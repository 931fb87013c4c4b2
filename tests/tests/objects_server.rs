//! Objects of a group whose journal is on a PostgreSQL server, as groups have it that several hosts share.

use std::process::Command;

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_tests::client::{Failure, Mechanism, Object, Session, Template};
use everslot_tests::{Artifact, ECDSA, HASH, Lab, PATIENCE, Plan, Server, checked, eventually};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// The lab and its server; none where there is no PostgreSQL.
fn lab() -> Option<(Server, Lab)> {
    let server = Server::start()?;
    let lab = Lab::new(Plan {
        members: 2,
        domain: true,
        empty: true,
        journal: Some(server.url.clone()),
        deadline: std::time::Duration::from_secs(10),
        ..Plan::default()
    });
    assert!(!lab.journal().exists(), "nothing is in a file");
    Some((server, lab))
}

fn make_aes(session: Session, label: &str) -> Result<Object, Failure> {
    let template = Template::new().on_token(true).id(9).label(label);
    let template = template.number(CKA_VALUE_LEN, 32).flag(CKA_ENCRYPT, true);
    session.generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
}

fn make_pair(session: Session, label: &str) {
    let template = || Template::new().on_token(true).id(1).label(label);
    let public = template().bytes(CKA_EC_PARAMS, P256);
    session
        .generate_key_pair(
            Mechanism::Plain(CKM_EC_KEY_PAIR_GEN),
            &public.flag(CKA_VERIFY, true),
            &template().flag(CKA_SIGN, true),
        )
        .expect("all members serve");
}

fn sign(session: Session, label: &str) {
    let only = |class| session.only(&Template::new().class(class).label(label));
    let (private, public) = (only(CKO_PRIVATE_KEY), only(CKO_PUBLIC_KEY));
    let signature = session.sign(ECDSA, private, &HASH).expect("it signs");
    session
        .verify(ECDSA, public, &HASH, &signature)
        .expect("it is the other half");
}

fn labels(session: Session) -> Vec<String> {
    let label = |object: Object| {
        let label = session.attribute(object, CKA_LABEL).expect("it has one");
        String::from_utf8_lossy(&label).into_owned()
    };
    let found = session.find(&Template::new()).expect("the token answers");
    let mut labels: Vec<_> = found.into_iter().map(label).collect();
    labels.retain(|label| !label.starts_with("everslot domain key"));
    labels.sort();
    labels
}

fn are_alone(lab: &Lab, expected: &[&str]) {
    for member in lab.members() {
        assert_eq!(member.alone(labels), expected, "{}", member.name());
    }
}

#[test]
fn what_is_made_through_the_group_is_on_every_member_and_ends_everywhere() {
    let Some((_server, lab)) = lab() else { return };
    let module = lab.module();
    let session = lab.session(module);
    make_pair(session, "pair");
    let secret = make_aes(session, "secret").expect("all members serve");
    let renamed = Template::new().label("renamed");
    session
        .set_attributes(secret, &renamed)
        .expect("all members serve");
    module.finalize().expect("it is initialised");
    are_alone(&lab, &["pair", "pair", "renamed"]);
    for member in lab.members() {
        member.alone(|session| sign(session, "pair"));
    }
    // Another process knows of it by the server alone.
    let listed = checked(Command::new(Artifact::Command.path()).args(["objects", "--json"]));
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("renamed"), "{listed}");
    let module = lab.module();
    let session = lab.session(module);
    for object in session.find(&Template::new()).expect("members answer") {
        session.destroy(object).expect("all members serve");
    }
    module.finalize().expect("it is initialised");
    are_alone(&lab, &[]);
}

#[test]
fn a_member_that_was_away_gets_what_was_made_and_loses_what_was_destroyed() {
    let Some((_server, lab)) = lab() else { return };
    let module = lab.module();
    let session = lab.session(module);
    let old = make_aes(session, "old").expect("all members serve");
    lab.take_away(1);
    eventually("it is lost", PATIENCE, || lab.code(1) != "CKR_OK");
    session.destroy(old).expect("a member serves");
    make_aes(session, "new").expect("a member serves");
    lab.bring_back(1);
    lab.wait_until_all_serve();
    module.finalize().expect("it is initialised");
    are_alone(&lab, &["new"]);
}

#[test]
fn while_the_server_is_away_nothing_is_made_or_destroyed_and_use_goes_on() {
    let Some((server, lab)) = lab() else { return };
    let module = lab.module();
    let session = lab.session(module);
    make_pair(session, "pair");
    let kept = make_aes(session, "kept").expect("all members serve");
    server.stop();
    let code = |failure: Failure| failure.code;
    assert_eq!(
        make_aes(session, "never").map_err(code),
        Err(ckr::DEVICE_ERROR)
    );
    assert_eq!(session.destroy(kept).map_err(code), Err(ckr::DEVICE_ERROR));
    sign(session, "pair");
    server.resume();
    // The first call that finds the connection broken may fail still.
    eventually("the journal is used again", PATIENCE, || {
        make_aes(session, "after").is_ok()
    });
    module.finalize().expect("it is initialised");
    are_alone(&lab, &["after", "kept", "pair", "pair"]);
}
