//! The interfaces 3.0 to 3.2, over members that have them, over some that have not, and while members are lost.

use std::collections::HashSet;
use std::time::Duration;

use cryptoki_sys::{
    CKA_VALUE, CKA_VALUE_LEN, CKF_FIND_OBJECTS, CKF_MESSAGE_ENCRYPT, CKF_SIGN, CKF_VERIFY,
    CKG_GENERATE_COUNTER, CKG_GENERATE_RANDOM, CKG_NO_GENERATE, CKM_AES_KEY_GEN, CKM_ECDSA_SHA256,
    CKM_ML_KEM, CKO_SECRET_KEY, CKS_LAST_VALIDATION_OK, CKU_CONTEXT_SPECIFIC, CKU_USER,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Gcm, Mechanism, Object, Session, Template};
use everslot_tests::{
    AES_LABEL, ECDSA, HASH, Isolation, Lab, PATIENCE, Plan, Token, ec_key, ec_public_key,
    eventually,
};

const ECDSA_SHA256: Mechanism = Mechanism::Plain(CKM_ECDSA_SHA256);
const ML_KEM: Mechanism = Mechanism::Plain(CKM_ML_KEM);

const CALLERS: Gcm = Gcm {
    iv: [1; 12],
    tag: [0; 16],
    generator: CKG_NO_GENERATE,
};

fn lab(isolation: Isolation, legacy: usize) -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        isolation,
        legacy,
        deadline: Duration::from_millis(500),
        ..Plan::default()
    })
}

fn aes_key(session: Session) -> Object {
    session.only(&Template::new().class(CKO_SECRET_KEY).label(AES_LABEL))
}

fn code<T>(result: Result<T, Failure>) -> Rv {
    result.err().map_or(ckr::OK, |failure| failure.code)
}

fn calls(lab: &Lab, function: &str) -> Vec<usize> {
    lab.members()
        .iter()
        .map(|member| member.calls(function))
        .collect()
}

fn misbehave(lab: &Lab, script: &str) {
    lab.members()
        .iter()
        .for_each(|member| member.misbehave(script));
}

/// The member that was asked since `before`.
fn asked(lab: &Lab, function: &str, before: &[usize]) -> usize {
    let now = calls(lab, function);
    now.iter()
        .zip(before)
        .position(|(now, before)| now > before)
        .expect("a member was asked")
}

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

#[test]
fn a_login_by_name_comes_to_members_that_return() {
    let lab = lab(Isolation::Process, 0);
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    let refused = session.login_user(CKU_USER, lab.pin(), "nobody");
    assert_eq!(code(refused), ckr::PIN_INCORRECT);
    assert_eq!(
        calls(&lab, "C_LoginUser").iter().sum::<usize>(),
        1,
        "one member heard it"
    );
    session
        .login_user(CKU_USER, lab.pin(), "user")
        .expect("name and PIN are right");
    let key = ec_key(session);
    lab.host(0).kill();
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("a member is left"));
    lab.wait_until_all_serve();
    eventually("the member has signed again", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("it signs");
        lab.members()[0].calls("C_LoginUser") >= 2 && lab.members()[0].calls("C_Sign") > 0
    });
    assert_eq!(calls(&lab, "C_Login"), [0; 3]);
    session.logout().expect("it logs out");
    session
        .login_user(CKU_USER, lab.pin(), "")
        .expect("without a name it is C_Login");
    assert!(calls(&lab, "C_Login").iter().sum::<usize>() > 0);
}

#[test]
fn a_member_without_named_users_is_set_aside_when_one_logs_in() {
    let lab = lab(Isolation::Process, 1);
    let module = lab.module();
    lab.wait_until_all_serve();
    let session = lab.public_session(module);
    session
        .login_user(CKU_USER, lab.pin(), "user")
        .expect("two members know the user");
    lab.wait_for_code(0, "CKR_DEVICE_ERROR");
    let key = ec_key(session);
    (0..6).for_each(|_| _ = session.sign(ECDSA, key, &HASH).expect("the others sign"));
    assert_eq!(lab.members()[0].calls("C_Sign"), 0);
}

#[test]
fn a_login_for_an_operation_goes_to_the_member_of_the_message() {
    let lab = lab(Isolation::Process, 0);
    let session = lab.session(lab.module());
    let login = || code(session.login_as(CKU_CONTEXT_SPECIFIC, lab.pin()));
    assert_eq!(login(), ckr::OPERATION_NOT_INITIALIZED);
    let (before, logins) = (calls(&lab, "C_MessageEncryptInit"), calls(&lab, "C_Login"));
    session
        .message_encrypt_init(aes_key(session))
        .expect("it begins");
    assert_eq!(
        login(),
        ckr::USER_TYPE_INVALID,
        "the test module's own word"
    );
    let member = asked(&lab, "C_MessageEncryptInit", &before);
    assert_eq!(asked(&lab, "C_Login", &logins), member);
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
