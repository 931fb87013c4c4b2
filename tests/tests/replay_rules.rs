//! What is replayed, and what is not: keys in a digest, outputs that did not fit, keys that are used up.

use cryptoki_sys::{
    CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_SENSITIVE, CKA_VALUE, CKK_AES, CKM_HSS, CKM_SHA256,
    CKO_SECRET_KEY,
};
use everslot_core::ckr;
use everslot_tests::client::{Mechanism, Template};
use everslot_tests::{AES_LABEL, ECDSA, HASH, Lab, PATIENCE, Plan, Token, ec_key, eventually};

const SHA256: Mechanism = Mechanism::Plain(CKM_SHA256);
const CBC: Mechanism = Mechanism::AesCbc([9; 16]);
const HSS: Mechanism = Mechanism::Plain(CKM_HSS);

/// Nothing hangs in these tests: whoever does not answer in time is slow, and not to be lost for it.
fn lab(token: Token) -> Lab {
    Lab::new(Plan {
        token,
        members: 2,
        deadline: PATIENCE,
        ..Plan::default()
    })
}

fn losses(lab: &Lab) -> Vec<u64> {
    let status = lab.status();
    let losses = status.iter().filter_map(|member| member["losses"].as_u64());
    losses.collect()
}

/// Kills both members' processes; each is back soon, without what it had open.
fn kill_both(lab: &Lab) {
    let before = losses(lab);
    (0..2).for_each(|member| lab.host(member).kill());
    eventually("both members are lost", PATIENCE, || {
        let now = losses(lab);
        now.iter().zip(&before).all(|(now, before)| now > before)
    });
    lab.wait_until_all_serve();
}

#[test]
fn a_key_in_a_digest_is_digested_again() {
    let lab = lab(Token::SoftHsm);
    let session = lab.session(lab.module());
    let value = [0x5a; 32];
    let key = session
        .create(
            &Template::new()
                .class(CKO_SECRET_KEY)
                .number(CKA_KEY_TYPE, CKK_AES)
                .on_token(false)
                .flag(CKA_SENSITIVE, false)
                .flag(CKA_EXTRACTABLE, true)
                .bytes(CKA_VALUE, value),
        )
        .expect("it is made");
    session.digest_init(SHA256).expect("it begins");
    session.digest_update(b"ab").expect("it takes a part");
    session.digest_key(key).expect("it takes the key");
    kill_both(&lab);
    session
        .digest_update(b"c")
        .expect("another member takes all of it");
    kill_both(&lab);
    let digest = session.digest_final().expect("it ends");
    session.digest_init(SHA256).expect("it begins");
    let whole = session.digest(&[b"ab", &value[..], b"c"].concat());
    assert_eq!(digest, whole.expect("it ends"));
}

#[test]
fn an_output_that_did_not_fit_changes_nothing_before_and_after_a_loss() {
    let lab = lab(Token::SoftHsm);
    let session = lab.session(lab.module());
    let key = session.only(&Template::new().label(AES_LABEL));
    let text = [6; 96];
    let expected = session.encrypt(CBC, key, &text).expect("it encrypts");
    let too_small = || {
        let refused = session.encrypt_update_into(&text[48..], &mut [0; 47]);
        let code = refused.map_err(|failure| failure.code);
        assert_eq!(code, Err(ckr::BUFFER_TOO_SMALL));
    };
    session.encrypt_init(CBC, key).expect("it begins");
    let mut output = session
        .encrypt_update(&text[..48])
        .expect("it takes a part");
    too_small();
    kill_both(&lab);
    too_small();
    kill_both(&lab);
    output.extend(session.encrypt_update(&text[48..]).expect("it goes on"));
    output.extend(session.encrypt_final().expect("it ends"));
    assert_eq!(output, expected);
}

/// A signature that may have been made may have used up its part of the key (PKCS#11 v3.2 §6.14).
#[test]
fn a_key_that_is_used_up_signs_once() {
    let lab = lab(Token::Test);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let signed = || -> usize {
        let calls = lab.members().iter().map(|member| member.calls("C_Sign"));
        calls.sum()
    };
    let misbehave = |script: &str| {
        lab.members()
            .iter()
            .for_each(|member| member.misbehave(script));
    };
    session
        .sign(HSS, key, &HASH)
        .expect("the test module signs by it");
    let before = signed();
    misbehave("C_Sign after crash\n");
    let unknown = session.sign(HSS, key, &HASH);
    assert_eq!(
        unknown.map_err(|failure| failure.code),
        Err(ckr::DEVICE_ERROR)
    );
    assert_eq!(signed(), before + 1, "it was sent to one member");
    misbehave("");
    lab.wait_until_all_serve();
    let before = signed();
    misbehave("C_Sign after crash\n");
    let lost = session.sign(ECDSA, key, &HASH);
    assert_eq!(lost.map_err(|failure| failure.code), Err(ckr::DEVICE_ERROR));
    assert_eq!(signed(), before + 2, "this one may be asked of both");
}
