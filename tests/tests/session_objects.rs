//! Session objects: as long as their session, and past the member they were made on where that is nobody's secret.

use cryptoki_sys::{
    CKA_CLASS, CKA_ENCRYPT, CKA_EXTRACTABLE, CKA_KEY_TYPE, CKA_PRIVATE, CKA_SENSITIVE, CKA_TOKEN,
    CKA_VALUE, CKK_AES, CKM_AES_ECB, CKO_DATA, CKO_SECRET_KEY,
};
use everslot_core::{Rv, ckr};
use everslot_tests::client::{Failure, Mechanism, Module, Object, Session, Template};
use everslot_tests::{Lab, PATIENCE, Plan, Token, eventually};

fn code<T>(outcome: Result<T, Failure>) -> Rv {
    outcome.err().map_or(ckr::OK, |failure| failure.code)
}

fn data(token: bool, private: bool) -> Template {
    Template::new()
        .number(CKA_CLASS, CKO_DATA)
        .flag(CKA_TOKEN, token)
        .flag(CKA_PRIVATE, private)
        .label("data")
}

/// A lab, and a session of it with session objects of which each may be made again; the last may not.
fn with_session_objects(lab: &Lab, module: Module) -> (Session, [Object; 4]) {
    let session = lab.session(module);
    let key = |sensitive| {
        Template::new()
            .class(CKO_SECRET_KEY)
            .number(CKA_KEY_TYPE, CKK_AES)
            .flag(CKA_SENSITIVE, sensitive)
            .flag(CKA_EXTRACTABLE, true)
            .flag(CKA_ENCRYPT, true)
            .bytes(CKA_VALUE, [7; 32])
    };
    let made = [
        data(false, true).bytes(CKA_VALUE, *b"value"),
        key(false).label("open"),
        data(false, false).label("to be copied"),
        key(true).label("sensitive"),
    ];
    let objects = made.map(|template| session.create(&template).expect("it is made"));
    session
        .set_attributes(objects[2], &Template::new().label("renamed"))
        .expect("it is the session's");
    (session, objects)
}

/// Has every member lost and come back, the so manieth time.
fn lose_all(lab: &Lab, recoveries: u64) {
    for member in 0..lab.members().len() {
        lab.host(member).kill();
        eventually("it has come back", PATIENCE, || {
            lab.status()[member]["recoveries"] == recoveries
        });
    }
}

#[test]
fn a_session_object_outlives_its_member_unless_its_value_is_a_secret() {
    let lab = Lab::softhsm();
    let module = lab.module();
    let (session, [private, open, copied, sensitive]) = with_session_objects(&lab, module);
    let cipher = Mechanism::Plain(CKM_AES_ECB);
    let before = session
        .encrypt(cipher, open, &[1; 16])
        .expect("it is a key");
    lose_all(&lab, 1);
    let value = session.attribute(private, CKA_VALUE);
    assert_eq!(value.expect("it is made again"), b"value");
    let after = session.encrypt(cipher, open, &[1; 16]);
    assert_eq!(after.expect("it is made again"), before);
    assert_eq!(
        code(session.encrypt(cipher, sensitive, &[1; 16])),
        ckr::KEY_HANDLE_INVALID
    );
    assert_eq!(
        code(session.attribute(sensitive, CKA_CLASS)),
        ckr::OBJECT_HANDLE_INVALID
    );
    let found = session.only(&Template::new().label("renamed"));
    assert_eq!(found, copied, "it is found as it was last");
    let copy = session
        .copy(copied, &Template::new().label("copy"))
        .expect("it is there");
    lose_all(&lab, 2);
    assert_eq!(session.only(&Template::new().label("copy")), copy);
    session
        .destroy(copied)
        .expect("it goes with its member or now");
    assert_eq!(
        code(session.attribute(copied, CKA_CLASS)),
        ckr::OBJECT_HANDLE_INVALID
    );
    session.close().expect("it is open");
    let other = lab.public_session(module);
    other.login(lab.pin()).expect("it is the PIN");
    for label in ["copy", "renamed", "open", "data"] {
        let left = other.find(&Template::new().label(label));
        assert_eq!(left.expect("members serve"), [], "{label}");
    }
}

#[test]
fn a_session_object_that_is_not_lost_is_made_once() {
    let lab = Lab::new(Plan {
        token: Token::Test,
        ..Plan::default()
    });
    let (session, [_, open, ..]) = with_session_objects(&lab, lab.module());
    let made = || -> usize {
        let members = lab.members().iter();
        members.map(|member| member.calls("C_CreateObject")).sum()
    };
    let before = made();
    for _ in 0..12 {
        session.attribute(open, CKA_CLASS).expect("it is there");
        session
            .find(&Template::new().label("open"))
            .expect("members serve");
    }
    assert_eq!(made(), before);
}
