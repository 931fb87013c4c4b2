//! Keys that come back in a mechanism's parameter: they are virtual objects like any other.

use cryptoki_sys::{CKA_VALUE, CKA_VALUE_LEN, CKM_AES_KEY_GEN};
use everslot_core::ckr;
use everslot_tests::client::{KeyMaterial, Mechanism, Object, Session, Template};
use everslot_tests::{Isolation, Lab, PATIENCE, Plan, Token};

fn lab(isolation: Isolation) -> Lab {
    Lab::new(Plan {
        token: Token::Test,
        isolation,
        deadline: PATIENCE,
        ..Plan::default()
    })
}

fn secret(session: Session) -> Object {
    let template = Template::new().on_token(false).number(CKA_VALUE_LEN, 32);
    session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template)
        .expect("a key to derive from")
}

fn every_key(material: KeyMaterial) -> Vec<Object> {
    let KeyMaterial { macs, keys, .. } = material;
    macs.into_iter().chain(keys).collect()
}

#[test]
fn keys_and_ivs_come_from_a_hosted_member() {
    derive_on(&lab(Isolation::Process));
}

#[test]
fn keys_and_ivs_come_from_a_member_in_process() {
    derive_on(&lab(Isolation::None));
}

fn derive_on(lab: &Lab) {
    let session = lab.session(lab.module());
    let template = Template::new().on_token(false);
    for _ in 0..4 {
        let (master, version) = session
            .derive_master_key(secret(session), &template)
            .expect("it is derived");
        assert_eq!(version, (3, 3), "the version came back");
        let material = session
            .derive_key_material(master, &template)
            .expect("it is derived");
        assert_eq!(material.ivs, [[b'c'; 16], [b's'; 16]]);
        let values: Vec<Vec<u8>> = every_key(material)
            .into_iter()
            .map(|key| session.attribute(key, CKA_VALUE).expect("it has a value"))
            .collect();
        (1..4).for_each(|index| assert_ne!(values[index - 1], values[index]));
        let cipher = Mechanism::AesCbcPad(material.ivs[0]);
        let encrypted = session
            .encrypt(cipher, material.keys[0], b"a record")
            .expect("the key is usable");
        let decrypted = session.decrypt(cipher, material.keys[0], &encrypted);
        assert_eq!(decrypted.as_deref(), Ok(&b"a record"[..]));
        for key in every_key(material) {
            session.destroy(key).expect("it is an object");
        }
    }
    assert_eq!(lab.codes(), ["CKR_OK"; 3]);
}

#[test]
fn an_output_comes_from_a_hosted_member() {
    put_out_on(&lab(Isolation::Process));
}

#[test]
fn an_output_comes_from_a_member_in_process() {
    put_out_on(&lab(Isolation::None));
}

fn put_out_on(lab: &Lab) {
    let session = lab.session(lab.module());
    let base = secret(session);
    for length in [0, 48, 5000] {
        let output = session.pseudo_random(base, length);
        assert_eq!(output, Ok(vec![b'p'; length]));
    }
    let endless = session.pseudo_random(base, 0x1_0001);
    assert_eq!(
        endless.map_err(|failure| failure.code),
        Err(ckr::MECHANISM_PARAM_INVALID)
    );
}

#[test]
fn further_keys_come_from_a_hosted_member() {
    derive_several_on(&lab(Isolation::Process));
}

#[test]
fn further_keys_come_from_a_member_in_process() {
    derive_several_on(&lab(Isolation::None));
}

fn derive_several_on(lab: &Lab) {
    let module = lab.module();
    let session = lab.session(module);
    let (of_session, of_token) = (
        Template::new().on_token(false),
        Template::new().on_token(true),
    );
    let (key, [second, third]) = session
        .derive_keys(secret(session), &of_session, [&of_session, &of_token])
        .expect("they are derived");
    let value = |session: Session, key| {
        let value = session.attribute(key, CKA_VALUE);
        value.map_err(|failure| failure.code)
    };
    let values = [key, second, third].map(|key| value(session, key).expect("a key of its own"));
    assert!(values[0] != values[1] && values[1] != values[2] && values[0] != values[2]);

    let reader = lab.public_session(module);
    session.close().expect("it closes");
    assert_eq!(value(reader, second), Err(ckr::OBJECT_HANDLE_INVALID));
    assert_eq!(value(reader, third).as_ref(), Ok(&values[2]));
}

#[test]
fn what_was_derived_goes_with_its_session() {
    let lab = lab(Isolation::Process);
    let module = lab.module();
    let first = lab.session(module);
    let session = lab.public_session(module);
    let material = session
        .derive_key_material(secret(session), &Template::new().on_token(false))
        .expect("it is derived");
    session.close().expect("it closes");
    for key in every_key(material) {
        let gone = first
            .attribute(key, CKA_VALUE)
            .map_err(|failure| failure.code);
        assert_eq!(gone, Err(ckr::OBJECT_HANDLE_INVALID));
    }
}

#[test]
fn a_derivation_whose_outcome_is_unknown_is_not_sent_again() {
    let lab = lab(Isolation::Process);
    let session = lab.session(lab.module());
    let base = secret(session);
    let template = Template::new().on_token(false);
    for member in lab.members() {
        member.misbehave("C_DeriveKey after crash\n");
    }
    let unknown = session.derive_key_material(base, &template);
    assert_eq!(
        unknown.map_err(|failure| failure.code),
        Err(ckr::DEVICE_ERROR)
    );
    let calls = lab
        .members()
        .iter()
        .map(|member| member.calls("C_DeriveKey"));
    assert_eq!(calls.sum::<usize>(), 1);
}
