//! Operations of one part and of many, over real tokens, and what becomes of them when their member is lost.

use std::collections::HashSet;

use cryptoki_sys::{
    CKA_APPLICATION, CKA_EC_PARAMS, CKA_ENCRYPT, CKA_LABEL, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN,
    CKA_TOKEN, CKA_VALUE, CKA_VALUE_LEN, CKA_VERIFY, CKM_AES_KEY_GEN, CKM_EC_KEY_PAIR_GEN,
    CKM_SHA256, CKM_SHA256_RSA_PKCS, CKO_DATA, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY,
};
use everslot_core::ckr;
use everslot_tests::client::{Mechanism, Object, Session, Template};
use everslot_tests::{AES_LABEL, EC_LABEL, ECDSA, Lab, PATIENCE, RSA_LABEL, eventually};

const RSA: Mechanism = Mechanism::Plain(CKM_SHA256_RSA_PKCS);
const SHA256: Mechanism = Mechanism::Plain(CKM_SHA256);
/// Of `abc` (FIPS 180-4).
const SHA256_OF_ABC: [u8; 32] = [
    0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
    0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
];
/// DER of the OID of P-256.
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

fn key(session: Session, label: &str) -> Object {
    session.only(&Template::new().class(CKO_PRIVATE_KEY).label(label))
}

#[test]
fn parts_and_the_whole_give_the_same() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    session.digest_init(SHA256).expect("it begins");
    for part in [b"a", b"b", b"c"] {
        session.digest_update(part).expect("it takes a part");
    }
    assert_eq!(session.digest_final().expect("it ends"), SHA256_OF_ABC);

    let (private, public) = (
        key(session, RSA_LABEL),
        session.only(&Template::new().class(CKO_PUBLIC_KEY).label(RSA_LABEL)),
    );
    session.sign_init(RSA, private).expect("it begins");
    session.sign_update(b"ab").expect("it takes a part");
    session.sign_update(b"c").expect("it takes a part");
    let signature = session.sign_final().expect("it ends");
    assert_eq!(
        signature,
        session.sign(RSA, private, b"abc").expect("it signs")
    );
    session
        .verify(RSA, public, b"abc", &signature)
        .expect("it is right");
    let wrong = session
        .verify(RSA, public, b"abd", &signature)
        .map_err(|failure| failure.code);
    assert_eq!(wrong, Err(ckr::SIGNATURE_INVALID));
}

#[test]
fn what_one_member_encrypts_another_decrypts() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let aes = session.only(&Template::new().label(AES_LABEL));
    let text = [0x61; 1000];
    for mechanism in [Mechanism::AesGcm([1; 12]), Mechanism::AesCbcPad([2; 16])] {
        // With nothing outstanding the members take turns, so that three in a row are three members.
        let encrypted: Vec<_> = (0..3)
            .map(|_| session.encrypt(mechanism, aes, &text).expect("it encrypts"))
            .collect();
        assert!(
            encrypted.windows(2).all(|pair| pair[0] == pair[1]),
            "{mechanism:?}: the same key everywhere"
        );
        for _ in 0..3 {
            assert_eq!(
                session
                    .decrypt(mechanism, aes, &encrypted[0])
                    .expect("it decrypts"),
                text
            );
        }
    }
    session
        .encrypt_init(Mechanism::AesCbcPad([2; 16]), aes)
        .expect("it begins");
    let mut parts = Vec::new();
    for part in text.chunks(300) {
        parts.extend(session.encrypt_update(part).expect("it takes a part"));
    }
    parts.extend(session.encrypt_final().expect("it ends"));
    assert_eq!(
        session
            .decrypt(Mechanism::AesCbcPad([2; 16]), aes, &parts)
            .expect("it decrypts"),
        text
    );
}

#[test]
fn operations_of_many_parts_go_on_when_their_member_is_lost() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let session = lab.session(module);
    let private = key(session, RSA_LABEL);
    let expected = session.sign(RSA, private, b"abc").expect("it signs");
    let sessions: Vec<_> = (0..6).map(|_| lab.public_session(module)).collect();
    for session in &sessions {
        session.sign_init(RSA, private).expect("it begins");
        session.sign_update(b"ab").expect("it takes a part");
    }
    lab.host(1).kill();
    for session in &sessions {
        session.sign_update(b"c").expect("it takes a part");
        assert_eq!(session.sign_final().expect("it ends"), expected);
    }
}

#[test]
fn a_made_key_works_and_lives_with_its_member() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let on_token = |template: Template| template.flag(CKA_TOKEN, true).id(0x42);
    let public = on_token(Template::new())
        .label("made")
        .flag(CKA_VERIFY, true)
        .bytes(CKA_EC_PARAMS, P256);
    let private = on_token(Template::new())
        .label("made")
        .flag(CKA_SIGN, true)
        .flag(CKA_PRIVATE, true)
        .flag(CKA_SENSITIVE, true);
    let (public, private) = session
        .generate_key_pair(Mechanism::Plain(CKM_EC_KEY_PAIR_GEN), &public, &private)
        .expect("it is made");
    for _ in 0..6 {
        let signature = session
            .sign(ECDSA, private, &[7; 32])
            .expect("calls on it go to its member");
        session
            .verify(ECDSA, public, &[7; 32], &signature)
            .expect("it is right");
    }
    let found = session
        .find(&Template::new().label("made"))
        .expect("it is found");
    assert_eq!(
        found.len(),
        2,
        "a key pair is two objects, however many members there are"
    );
    session.destroy(private).expect("it goes");
    session.destroy(public).expect("it goes");
    assert_eq!(
        session
            .find(&Template::new().label("made"))
            .expect("the search goes well"),
        []
    );

    let secret = Template::new()
        .on_token(false)
        .flag(CKA_ENCRYPT, true)
        .number(CKA_VALUE_LEN, 32);
    let secret = session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &secret)
        .expect("it is made");
    let encrypted = session
        .encrypt(Mechanism::AesGcm([1; 12]), secret, b"text")
        .expect("it encrypts");
    assert_eq!(encrypted.len(), 4 + 16);
}

#[test]
fn objects_are_made_read_changed_copied_and_destroyed() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let template = Template::new()
        .class(CKO_DATA)
        .on_token(true)
        .label("note")
        .bytes(CKA_APPLICATION, "test")
        .bytes(CKA_VALUE, "one");
    let note = session.create(&template).expect("it is made");
    assert_eq!(
        session.attribute(note, CKA_VALUE).expect("it is read"),
        b"one"
    );
    session
        .set_attributes(note, &Template::new().label("changed"))
        .expect("it is changed");
    assert_eq!(
        session.attribute(note, CKA_LABEL).expect("it is read"),
        b"changed"
    );
    let fixed = session.set_attributes(note, &Template::new().bytes(CKA_VALUE, "two"));
    assert_eq!(
        fixed.map_err(|failure| failure.code),
        Err(ckr::ATTRIBUTE_READ_ONLY),
        "what its member says is passed on"
    );
    let copy = session
        .copy(note, &Template::new().label("copy"))
        .expect("it is copied");
    assert_eq!(
        session.attribute(copy, CKA_LABEL).expect("it is read"),
        b"copy"
    );
    session.destroy(note).expect("it goes");
    let gone = session
        .attribute(note, CKA_VALUE)
        .map_err(|failure| failure.code);
    assert_eq!(gone, Err(ckr::OBJECT_HANDLE_INVALID));
    assert_eq!(
        session.attribute(copy, CKA_VALUE).expect("it is read"),
        b"one"
    );
}

#[test]
fn each_object_that_all_members_hold_is_one_object() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    let find = || -> HashSet<Object> {
        let found = session.find(&Template::new());
        found.expect("the search goes well").into_iter().collect()
    };
    let found = find();
    assert_eq!(found.len(), 5, "two key pairs and a secret key");
    let private = key(session, EC_LABEL);
    lab.host(0).kill();
    eventually("the member is lost and back", PATIENCE, || {
        session
            .sign(ECDSA, private, &[7; 32])
            .expect("the handle stays valid");
        let status = &lab.status()[0];
        status["losses"] == 1 && status["code"]["name"] == "CKR_OK"
    });
    assert_eq!(find(), found, "the same handles");
}
