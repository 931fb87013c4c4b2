//! What becomes of each when members are lost.

use std::collections::HashSet;

use cryptoki_sys::{CKG_GENERATE_COUNTER, CKG_GENERATE_RANDOM};
use everslot_core::ckr;
use everslot_tests::client::{Gcm, Template};
use everslot_tests::{ECDSA, HASH, Isolation, ec_key, ec_public_key};

use super::{CALLERS, ECDSA_SHA256, ML_KEM, aes_key, asked, calls, code, lab, misbehave};

#[test]
fn messages_go_on_on_another_member() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    session
        .message_encrypt_init(aes_key(session))
        .expect("it begins");
    let mut members = HashSet::new();
    let mut expected = None;
    for _ in 0..3 {
        let before = calls(&lab, "C_EncryptMessage");
        let encrypted = session
            .encrypt_message(&mut { CALLERS }, b"", b"a message")
            .expect("a member is left");
        assert_eq!(*expected.get_or_insert(encrypted.clone()), encrypted);
        let member = asked(&lab, "C_EncryptMessage", &before);
        assert!(
            members.insert(member),
            "it stays where it is until that is gone"
        );
        if members.len() < 3 {
            lab.members()[member].misbehave("* crash\n");
            lab.host(member).kill();
        }
    }
    session.message_encrypt_final().expect("it ends");
}

#[test]
fn a_message_whose_earlier_parts_are_lost_is_over_and_the_next_one_works() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    session
        .message_encrypt_init(aes_key(session))
        .expect("it begins");
    let before = calls(&lab, "C_EncryptMessageBegin");
    let mut gcm = CALLERS;
    session
        .encrypt_message_begin(&mut gcm, b"")
        .expect("a message begins");
    session
        .encrypt_message_next(&mut gcm, b"a part", false)
        .expect("a part");
    let member = asked(&lab, "C_EncryptMessageBegin", &before);
    lab.host(member).kill();
    let lost = session.encrypt_message_next(&mut gcm, b"the last", true);
    assert_eq!(code(lost), ckr::DEVICE_ERROR);
    let over = session.encrypt_message_next(&mut gcm, b"the last", true);
    assert_eq!(code(over), ckr::OPERATION_NOT_INITIALIZED);
    session
        .encrypt_message(&mut gcm, b"", b"another")
        .expect("the operation goes on");
}

#[test]
fn a_message_is_sent_twice_only_with_the_callers_iv() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    session
        .message_encrypt_init(aes_key(session))
        .expect("it begins");
    let total = || calls(&lab, "C_EncryptMessage").iter().sum::<usize>();
    let first = calls(&lab, "C_MessageEncryptInit");
    misbehave(&lab, "");
    let member = first.iter().position(|count| *count > 0).expect("begun");
    lab.members()[member].misbehave("C_EncryptMessage after crash times 1\n");
    session
        .encrypt_message(&mut { CALLERS }, b"", b"a message")
        .expect("another member does it");
    assert_eq!(total(), 2);

    misbehave(&lab, "C_EncryptMessage after crash\n");
    let mut gcm = Gcm {
        generator: CKG_GENERATE_RANDOM,
        ..CALLERS
    };
    let unknown = session.encrypt_message(&mut gcm, b"", b"a message");
    assert_eq!(code(unknown), ckr::DEVICE_ERROR);
    assert_eq!(
        (total(), gcm.iv),
        (3, CALLERS.iv),
        "it reached one member, once"
    );
    misbehave(&lab, "");
    lab.wait_until_all_serve();
    session
        .encrypt_message(&mut gcm, b"", b"a message")
        .expect("the next one is sent");
}

#[test]
fn a_member_that_counts_the_ivs_is_not_replaced_by_one_that_begins_anew() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let key = aes_key(session);
    session.message_encrypt_init(key).expect("it begins");
    let mut used = HashSet::new();
    let mut encrypt = || {
        let mut gcm = Gcm {
            generator: CKG_GENERATE_COUNTER,
            ..CALLERS
        };
        let done = session.encrypt_message(&mut gcm, b"", b"a message");
        assert!(done.is_err() || used.insert(gcm.iv), "an IV was used twice");
        code(done)
    };
    let before = calls(&lab, "C_EncryptMessage");
    assert_eq!(encrypt(), ckr::OK);
    assert_eq!(encrypt(), ckr::OK);
    lab.host(asked(&lab, "C_EncryptMessage", &before)).kill();
    assert_eq!([encrypt(), encrypt()], [ckr::DEVICE_ERROR; 2]);
    session.message_encrypt_final().expect("it ends");
    session.message_encrypt_init(key).expect("another begins");
    session
        .encrypt_message(&mut { CALLERS }, b"", b"a message")
        .expect("the session is usable");
}

#[test]
fn a_verification_moves_until_data_have_gone_in() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let (private, public) = (ec_key(session), ec_public_key(session));
    let signature = session
        .sign(ECDSA_SHA256, private, b"signed")
        .expect("it signs");
    let before = calls(&lab, "C_VerifySignatureInit");
    let init = || session.verify_signature_init(ECDSA_SHA256, public, &signature);
    init().expect("it begins");
    let first = asked(&lab, "C_VerifySignatureInit", &before);
    lab.members()[first].misbehave("* crash\n");
    lab.host(first).kill();
    session
        .verify_signature(b"signed")
        .expect("another member does it");

    let before = calls(&lab, "C_VerifySignatureInit");
    init().expect("it begins");
    session.verify_signature_update(b"sig").expect("a part");
    lab.host(asked(&lab, "C_VerifySignatureInit", &before))
        .kill();
    assert_eq!(
        code(session.verify_signature_update(b"ned")),
        ckr::DEVICE_ERROR
    );
    assert_eq!(
        code(session.verify_signature_final()),
        ckr::OPERATION_NOT_INITIALIZED
    );
    init().expect("the session is usable");
}

#[test]
fn where_the_only_member_with_a_function_is_lost_the_answer_is_an_error_of_the_device() {
    let lab = lab(Isolation::Process, 2);
    let session = lab.session(lab.module());
    let key = aes_key(session);
    session
        .message_encrypt_init(key)
        .expect("one member has it");
    lab.members()[2].misbehave("* crash\n");
    lab.host(2).kill();
    let lost = session.encrypt_message(&mut { CALLERS }, b"", b"a message");
    assert_eq!(code(lost), ckr::DEVICE_ERROR);
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the others do what they can");
    lab.members()[2].misbehave("");
    lab.wait_until_all_serve();
    session
        .encrypt_message(&mut { CALLERS }, b"", b"a message")
        .expect("it is back");
}

#[test]
fn a_made_key_is_made_once_however_its_member_ends() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let public = ec_public_key(session);
    misbehave(&lab, "C_EncapsulateKey after crash\n");
    let template = Template::new().on_token(true);
    let unknown = session.encapsulate(ML_KEM, public, &template);
    assert_eq!(code(unknown), ckr::DEVICE_ERROR);
    assert_eq!(calls(&lab, "C_EncapsulateKey").iter().sum::<usize>(), 1);
    misbehave(&lab, "");
    lab.wait_until_all_serve();
    session
        .encapsulate(ML_KEM, public, &template)
        .expect("the next one is made");
}
