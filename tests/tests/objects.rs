//! Objects that tell the slot something new: gone behind its back, alike but not the same, left in the middle of work.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cryptoki_sys::{CKA_CLASS, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};
use everslot_core::ckr;
use everslot_tests::client::Template;
use everslot_tests::{ECDSA, HASH, Lab, Member, PIN, Plan, SOFTHSM, ec_key};

/// Has `pkcs11-tool` work on a member's own token, past everslot.
fn behind_the_back(member: &Member, arguments: &[&str]) {
    let mut tool = Command::new("pkcs11-tool");
    tool.env("SOFTHSM2_CONF", member.store().config());
    tool.arg("--module")
        .arg(Path::new(SOFTHSM))
        .args(["--token-label", member.token_label()]);
    tool.args(["--login", "--pin", PIN]).args(arguments);
    let output = tool
        .output()
        .expect("pkcs11-tool is installed; `make test` does it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_key_that_one_member_has_no_more_is_used_where_it_is() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    for _ in 0..6 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("all members have it");
    }
    behind_the_back(
        &lab.members()[1],
        &["--delete-object", "--type", "privkey", "--id", "01"],
    );
    for _ in 0..12 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("two members have it");
    }
    assert_eq!(
        lab.codes(),
        ["CKR_OK"; 3],
        "no member is lost for an object that somebody destroyed"
    );
}

#[test]
fn two_keys_under_one_id_and_label_are_two_objects() {
    let lab = Lab::softhsm();
    for member in &lab.members()[..2] {
        let arguments = [
            "--keypairgen",
            "--key-type",
            "EC:prime256v1",
            "--id",
            "55",
            "--label",
            "twin",
        ];
        behind_the_back(member, &arguments);
    }
    let session = lab.session(lab.module());
    let twins = session
        .find(&Template::new().class(CKO_PRIVATE_KEY).label("twin"))
        .expect("they are found");
    assert_eq!(twins.len(), 2, "each member made its own");
    let public = session
        .find(&Template::new().label("twin"))
        .expect("they are found");
    for twin in twins {
        assert_eq!(
            session.attribute(twin, CKA_CLASS).expect("it is read"),
            CKO_PRIVATE_KEY.to_ne_bytes()
        );
        let signatures: Vec<_> = (0..4)
            .map(|_| session.sign(ECDSA, twin, &HASH).expect("its member signs"))
            .collect();
        let verifying = |key| {
            signatures
                .iter()
                .filter(|signature| session.verify(ECDSA, key, &HASH, signature).is_ok())
                .count()
        };
        let counts: Vec<_> = public
            .iter()
            .map(|key| verifying(*key))
            .filter(|count| *count > 0)
            .collect();
        assert_eq!(counts, [4], "one key made all of a key's signatures");
    }
}

#[test]
fn a_session_closed_in_the_middle_of_its_work_leaves_none_of_it_behind() {
    let lab = Lab::new(Plan {
        members: 1,
        sessions: Some(1),
        ..Plan::default()
    });
    let module = lab.module();
    let session = lab.session(module);
    let key = ec_key(session);
    for _ in 0..3 {
        let other = lab.public_session(module);
        other
            .sign_init(ECDSA, key)
            .expect("the one real session is free");
        other.close().expect("it is open");
        session
            .sign(ECDSA, key, &HASH)
            .expect("the one real session is free again, and nothing is active in it");
    }
}

#[test]
fn sessions_and_searches_go_on_while_another_thread_logs_in_and_out() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let slot = module.slot_of(Lab::LABEL);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let session = module.open(slot).expect("a member serves");
            for _ in 0..60 {
                session.login(PIN).expect("it is the PIN");
                session.logout().expect("it is logged in");
            }
            stop.store(true, Ordering::SeqCst);
        });
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    let session = module.open(slot).expect("members serve all the time");
                    let keys = session
                        .find(&Template::new().class(CKO_PUBLIC_KEY))
                        .expect("members answer");
                    assert_eq!(keys.len(), 2, "public keys are there whoever is logged in");
                    session.close().expect("it is open");
                }
            });
        }
    });
}

#[test]
fn a_key_that_another_session_has_destroyed_is_one_no_more() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let (session, other) = (lab.session(module), lab.public_session(module));
    let key = ec_key(session);
    for _ in 0..2 {
        session
            .sign(ECDSA, key, &HASH)
            .expect("the key that the session used last");
    }
    other.destroy(key).expect("anybody who is logged in may");
    assert_eq!(
        session
            .sign_init(ECDSA, key)
            .map_err(|failure| failure.code),
        Err(ckr::KEY_HANDLE_INVALID)
    );
}
