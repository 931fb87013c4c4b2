//! What each function of 3.0 to 3.2 does while all is well.

use cryptoki_sys::{
    CKA_VALUE, CKA_VALUE_LEN, CKF_FIND_OBJECTS, CKF_MESSAGE_ENCRYPT, CKF_SIGN, CKF_VERIFY,
    CKG_GENERATE_COUNTER, CKG_GENERATE_RANDOM, CKG_NO_GENERATE, CKM_AES_KEY_GEN,
    CKS_LAST_VALIDATION_OK,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Gcm, Mechanism, Object, Session, Template};
use everslot_tests::{ECDSA, HASH, Isolation, Lab, ec_key, ec_public_key};

use super::{CALLERS, ECDSA_SHA256, ML_KEM, aes_key, calls, code, lab};

#[test]
fn every_interface_is_on_offer() {
    let lab = lab(Isolation::Process, 0);
    let module = lab.module();
    assert_eq!(
        module.interfaces(),
        [(3, 2), (3, 1), (3, 0), (2, 40), (1, 0)],
        "the last one is our own"
    );
}

#[test]
fn every_new_function_works_over_hosted_members() {
    let lab = lab(Isolation::Process, 0);
    every_new_function_works(&lab);
}

#[test]
fn every_new_function_works_in_process() {
    let lab = lab(Isolation::None, 0);
    every_new_function_works(&lab);
}

#[test]
fn every_new_function_works_where_one_member_has_it() {
    let lab = lab(Isolation::Process, 2);
    every_new_function_works(&lab);
    for function in [
        "C_EncryptMessage",
        "C_VerifySignatureInit",
        "C_EncapsulateKey",
    ] {
        let [none, nor_here, all] = calls(&lab, function)[..] else {
            panic!("three members")
        };
        assert_eq!((none, nor_here), (0, 0), "{function}");
        assert!(all > 0, "{function}");
    }
}

fn every_new_function_works(lab: &Lab) {
    let session = lab.session(lab.module());
    for _ in 0..4 {
        ciphers_of_messages(session);
        signatures_of_messages(session);
        a_signature_that_is_given_first(session);
        keys_that_travel(session);
    }
    let vouched = session.validation_flags(CKS_LAST_VALIDATION_OK);
    assert_eq!(vouched, Ok(0), "the session's last operation is not known");
    let key = aes_key(session);
    session.message_encrypt_init(key).expect("it begins");
    let vouched = session.validation_flags(CKS_LAST_VALIDATION_OK);
    assert_eq!(vouched, Ok(1), "the member's own word");
    session.message_encrypt_final().expect("it ends");
}

fn ciphers_of_messages(session: Session) {
    let key = aes_key(session);
    session.message_encrypt_init(key).expect("it begins");
    session.message_decrypt_init(key).expect("another kind");
    assert_eq!(
        code(session.message_encrypt_init(key)),
        ckr::OPERATION_ACTIVE
    );
    for generator in [CKG_NO_GENERATE, CKG_GENERATE_RANDOM, CKG_GENERATE_COUNTER] {
        let mut gcm = Gcm {
            generator,
            ..CALLERS
        };
        let encrypted = session
            .encrypt_message(&mut gcm, b"about it", b"a message")
            .expect("it encrypts");
        assert_ne!(gcm.tag, CALLERS.tag, "the tag came back");
        assert_eq!(
            gcm.iv == CALLERS.iv,
            generator == CKG_NO_GENERATE,
            "so did the IV"
        );
        assert_eq!(gcm.iv[..4], CALLERS.iv[..4], "its fixed part is as it was");
        gcm.generator = CKG_NO_GENERATE;
        let decrypted = session.decrypt_message(&mut gcm, b"about it", &encrypted);
        assert_eq!(decrypted.as_deref(), Ok(&b"a message"[..]));
        let refused = session.decrypt_message(&mut gcm, b"about other", &encrypted);
        assert_eq!(code(refused), ckr::AEAD_DECRYPT_FAILED);
        assert_eq!(
            in_parts(session, &mut gcm),
            encrypted,
            "in parts it is the same"
        );
    }
    session.message_encrypt_final().expect("it ends");
    session.message_decrypt_final().expect("it ends");
    assert_eq!(
        code(session.message_decrypt_final()),
        ckr::OPERATION_NOT_INITIALIZED
    );
}

/// Encrypts the message in parts and decrypts it again in others.
fn in_parts(session: Session, gcm: &mut Gcm) -> Vec<u8> {
    let outside = session.encrypt_message_next(gcm, b"x", true);
    assert_eq!(code(outside), ckr::OPERATION_NOT_INITIALIZED);
    session
        .encrypt_message_begin(gcm, b"about it")
        .expect("the message begins");
    let within = session.encrypt_message(&mut { CALLERS }, b"", b"another");
    assert_eq!(code(within), ckr::OPERATION_ACTIVE);
    let mut encrypted = session
        .encrypt_message_next(gcm, b"a mess", false)
        .expect("a part");
    encrypted.extend(
        session
            .encrypt_message_next(gcm, b"age", true)
            .expect("the last part"),
    );
    session
        .decrypt_message_begin(gcm, b"about it")
        .expect("the message begins");
    let mut plain = session
        .decrypt_message_next(gcm, &encrypted[..2], false)
        .expect("a part");
    plain.extend(
        session
            .decrypt_message_next(gcm, &encrypted[2..], true)
            .expect("the tag is right"),
    );
    assert_eq!(plain, b"a message");
    encrypted
}

fn signatures_of_messages(session: Session) {
    let (private, public) = (ec_key(session), ec_public_key(session));
    let signed = session
        .sign_messages(ECDSA, private, &[b"one", b"another"])
        .expect("both are signed");
    assert_ne!(signed[0], signed[1]);
    let in_parts = session.sign_message_in_parts(ECDSA, private, [b"o", b"ne"]);
    assert_eq!(in_parts.as_ref(), Ok(&signed[0]));
    let verify = |parts: &[&[u8]]| code(session.verify_message(ECDSA, public, parts, &signed[0]));
    assert_eq!(verify(&[b"one"]), ckr::OK);
    assert_eq!(verify(&[b"on", b"e"]), ckr::OK);
    assert_eq!(verify(&[b"another"]), ckr::SIGNATURE_INVALID);
    assert_eq!(verify(&[b"an", b"other"]), ckr::SIGNATURE_INVALID);
}

fn a_signature_that_is_given_first(session: Session) {
    let (private, public) = (ec_key(session), ec_public_key(session));
    let signature = session
        .sign(ECDSA_SHA256, private, b"signed")
        .expect("it signs");
    let init = || session.verify_signature_init(ECDSA_SHA256, public, &signature);
    init().expect("it begins");
    assert_eq!(code(init()), ckr::OPERATION_ACTIVE);
    session.verify_signature(b"signed").expect("it is right");
    assert_eq!(
        code(session.verify_signature(b"signed")),
        ckr::OPERATION_NOT_INITIALIZED
    );
    init().expect("it begins");
    session.verify_signature_update(b"sig").expect("a part");
    session.verify_signature_update(b"ned").expect("a part");
    session.verify_signature_final().expect("it is right");
    init().expect("it begins");
    assert_eq!(
        code(session.verify_signature(b"forged")),
        ckr::SIGNATURE_INVALID
    );
}

fn keys_that_travel(session: Session) {
    let (private, public) = (ec_key(session), ec_public_key(session));
    let template = Template::new().on_token(false);
    let (ciphertext, sent) = session
        .encapsulate(ML_KEM, public, &template)
        .expect("it encapsulates");
    let received = session
        .decapsulate(ML_KEM, private, &template, &ciphertext)
        .expect("it decapsulates");
    let value = |key| {
        session
            .attribute(key, CKA_VALUE)
            .expect("the key has a value")
    };
    assert_eq!(value(sent), value(received));

    let mut gcm = Gcm {
        generator: CKG_GENERATE_RANDOM,
        ..CALLERS
    };
    let wrapping = aes_key(session);
    let wrapped = session
        .wrap_authenticated(&mut gcm, wrapping, received, b"for you")
        .expect("it wraps");
    assert_ne!(gcm.iv, CALLERS.iv, "the IV came back");
    let mut unwrap = |associated: &[u8]| {
        session.unwrap_authenticated(&mut gcm, wrapping, &wrapped, &template, associated)
    };
    let unwrapped = unwrap(b"for you").expect("it unwraps");
    assert_eq!(value(unwrapped), value(sent));
    assert_eq!(code(unwrap(b"for me")), ckr::WRAPPED_KEY_INVALID);
}

#[test]
fn what_no_member_has_is_not_supported() {
    let lab = Lab::softhsm();
    let session = lab.session(lab.module());
    assert_eq!(
        unsupported(session, aes_key(session)),
        [ckr::FUNCTION_NOT_SUPPORTED; 10]
    );
    let one_members = session
        .generate_key(
            Mechanism::Plain(CKM_AES_KEY_GEN),
            &Template::new().on_token(false).number(CKA_VALUE_LEN, 32),
        )
        .expect("a member makes it");
    for turn in 0..6 {
        assert_eq!(
            unsupported(session, one_members),
            [ckr::FUNCTION_NOT_SUPPORTED; 10],
            "whoever is asked last, turn {turn}"
        );
    }
    assert_eq!(
        unsupported(session, Object(0xDEAD_BEEF)),
        [ckr::FUNCTION_NOT_SUPPORTED; 10],
        "the function comes before the key"
    );
    assert_eq!(lab.codes(), ["CKR_OK"; 3], "no member is lost for it");
    assert_eq!(
        code(session.cancel(CKF_SIGN)),
        ckr::OK,
        "this needs no member"
    );
    session
        .sign(ECDSA, ec_key(session), &HASH)
        .expect("the session is usable");
}

/// What the functions answer with this key that only PKCS#11 3.0 and later have.
fn unsupported(session: Session, key: Object) -> [Rv; 10] {
    let (mut gcm, template) = (CALLERS, Template::new());
    [
        code(session.message_encrypt_init(key)),
        code(session.message_decrypt_init(key)),
        code(session.sign_messages(ECDSA, key, &[])),
        code(session.verify_message(ECDSA, key, &[], &[])),
        code(session.verify_signature_init(ECDSA, key, &[0; 64])),
        code(session.encapsulate(ML_KEM, key, &template)),
        code(session.decapsulate(ML_KEM, key, &template, &[0; 32])),
        code(session.wrap_authenticated(&mut gcm, key, key, b"")),
        code(session.unwrap_authenticated(&mut gcm, key, &[0; 32], &template, b"")),
        code(session.validation_flags(CKS_LAST_VALIDATION_OK)),
    ]
}

#[test]
fn a_cancelled_operation_is_over_and_others_are_not() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let (aes, ec) = (aes_key(session), ec_key(session));
    session.message_encrypt_init(aes).expect("it begins");
    session.sign_init(ECDSA, ec).expect("it begins");
    session.cancel(0).expect("nothing is asked");
    session
        .cancel(CKF_SIGN | CKF_VERIFY | CKF_FIND_OBJECTS)
        .expect("what is not active is ignored");
    session
        .sign_init(ECDSA, ec)
        .expect("the one before is over");
    session
        .encrypt_message(&mut { CALLERS }, b"", b"a message")
        .expect("this one was not meant");
    session
        .cancel(CKF_MESSAGE_ENCRYPT)
        .expect("it is cancelled");
    let over = session.encrypt_message(&mut { CALLERS }, b"", b"a message");
    assert_eq!(code(over), ckr::OPERATION_NOT_INITIALIZED);
}
