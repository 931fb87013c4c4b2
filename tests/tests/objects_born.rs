//! Objects of a group that has a domain key: made on one member, and there on all of them when the call answers.

use cryptoki_sys::*;
use everslot_tests::client::{Mechanism, Session, Template};
use everslot_tests::{ECDSA, HASH, Lab, Plan};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

fn domain() -> Lab {
    Lab::new(Plan {
        domain: true,
        empty: true,
        ..Plan::default()
    })
}

fn key(id: u8, label: &str) -> Template {
    Template::new().id(id).label(label).on_token(true)
}

fn make_ec_pair(session: Session, label: &str) {
    session
        .generate_key_pair(
            Mechanism::Plain(CKM_EC_KEY_PAIR_GEN),
            &key(1, label)
                .bytes(CKA_EC_PARAMS, P256)
                .flag(CKA_VERIFY, true),
            &key(1, label).flag(CKA_SIGN, true),
        )
        .expect("all members serve");
}

fn sign_alone(session: Session, label: &str) {
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY).label(label));
    let public = session.only(&Template::new().class(CKO_PUBLIC_KEY).label(label));
    let signature = session.sign(ECDSA, private, &HASH).expect("it signs");
    session
        .verify(ECDSA, public, &HASH, &signature)
        .expect("it is the other half");
}

#[test]
fn a_key_pair_is_on_every_member_and_used_there_alone() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    make_ec_pair(session, "born");
    sign_alone(session, "born");
    module.finalize().expect("it is initialised");
    for member in lab.members() {
        member.alone(|session| sign_alone(session, "born"));
    }
}

#[test]
fn the_application_is_answered_what_it_asked_for() {
    let lab = domain();
    let session = lab.session(lab.module());
    make_ec_pair(session, "born");
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY).label("born"));
    let read = |kind| session.attribute(private, kind).expect("it has it");
    for _ in 0..6 {
        assert_eq!(read(CKA_EXTRACTABLE), [0]);
        assert_eq!(read(CKA_NEVER_EXTRACTABLE), [1]);
        assert_eq!(read(CKA_SENSITIVE), [1]);
        assert_eq!(read(CKA_ALWAYS_SENSITIVE), [1]);
        assert_eq!(read(CKA_LOCAL), [1]);
        assert_eq!(
            read(CKA_KEY_GEN_MECHANISM),
            CKM_EC_KEY_PAIR_GEN.to_ne_bytes()
        );
        assert_eq!(read(CKA_UNIQUE_ID), read(CKA_UNIQUE_ID));
    }
    let found = |template: Template| session.find(&template).expect("members answer");
    let private_keys = || Template::new().class(CKO_PRIVATE_KEY);
    assert_eq!(
        found(private_keys().flag(CKA_EXTRACTABLE, false)),
        [private]
    );
    assert_eq!(found(private_keys().flag(CKA_EXTRACTABLE, true)), []);
    let unique = read(CKA_UNIQUE_ID);
    assert_eq!(
        found(Template::new().bytes(CKA_UNIQUE_ID, unique)),
        [private]
    );
}

#[test]
fn what_was_made_before_a_restart_is_known_after_it() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    make_ec_pair(session, "born");
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY));
    let unique = session
        .attribute(private, CKA_UNIQUE_ID)
        .expect("it has one");
    module.finalize().expect("it is initialised");
    let session = lab.session(lab.module());
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY));
    assert_eq!(session.attribute(private, CKA_UNIQUE_ID), Ok(unique));
    assert_eq!(session.attribute(private, CKA_EXTRACTABLE), Ok(vec![0]));
}

#[test]
fn nothing_of_our_own_is_shown() {
    let lab = domain();
    let session = lab.session(lab.module());
    let all = || session.find(&Template::new()).expect("members answer");
    assert_eq!(all(), []);
    make_ec_pair(session, "born");
    assert_eq!(all().len(), 2);
}
