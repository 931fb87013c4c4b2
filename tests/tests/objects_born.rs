//! Objects of a group that has a domain key: made on one member, and there on all of them when the call answers.

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_tests::client::{Failure, Mechanism, Object, Session, Template};
use everslot_tests::{ECDSA, HASH, Lab, Plan};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

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

/// The labels of all objects of a class on a member, sorted.
fn labels(session: Session, class: CK_OBJECT_CLASS) -> Vec<String> {
    let found = session
        .find(&Template::new().class(class))
        .expect("it answers");
    let label = |object: &Object| {
        let label = session.attribute(*object, CKA_LABEL).expect("it has one");
        String::from_utf8_lossy(&label).into_owned()
    };
    let mut labels: Vec<_> = found.iter().map(label).collect();
    labels.retain(|label| !label.starts_with("everslot domain key"));
    labels.sort();
    labels
}

/// The same on every member, each asked past everslot.
fn labels_alone(lab: &Lab, class: CK_OBJECT_CLASS) -> Vec<Vec<String>> {
    let members = lab.members().iter();
    members
        .map(|member| member.alone(|session| labels(session, class)))
        .collect()
}

fn aes(label: &str, bytes: CK_ULONG) -> Template {
    key(9, label)
        .number(CKA_VALUE_LEN, bytes)
        .flag(CKA_ENCRYPT, true)
        .flag(CKA_DECRYPT, true)
}

fn make_aes(session: Session, label: &str) -> Object {
    session
        .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &aes(label, 32))
        .expect("all members serve")
}

#[test]
fn objects_of_every_kind_are_born_everywhere_and_end_everywhere() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    for (label, curve) in [("p256", P256), ("p384", P384)] {
        let public = key(1, label).bytes(CKA_EC_PARAMS, curve);
        session
            .generate_key_pair(
                Mechanism::Plain(CKM_EC_KEY_PAIR_GEN),
                &public.flag(CKA_VERIFY, true),
                &key(1, label).flag(CKA_SIGN, true),
            )
            .expect("all members serve");
    }
    for (label, bits) in [("rsa2048", 2048), ("rsa3072", 3072)] {
        let public = key(2, label).number(CKA_MODULUS_BITS, bits);
        session
            .generate_key_pair(
                Mechanism::Plain(CKM_RSA_PKCS_KEY_PAIR_GEN),
                &public.flag(CKA_VERIFY, true),
                &key(2, label).flag(CKA_SIGN, true),
            )
            .expect("all members serve");
    }
    for (label, bytes) in [("aes128", 16), ("aes256", 32)] {
        session
            .generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &aes(label, bytes))
            .expect("all members serve");
    }
    let secret = key(3, "secret").class(CKO_SECRET_KEY);
    session
        .create(
            &secret
                .number(CKA_KEY_TYPE, CKK_GENERIC_SECRET)
                .bytes(CKA_VALUE, [7; 32])
                .flag(CKA_SIGN, true),
        )
        .expect("all members serve");
    session.create(&data("data")).expect("all members serve");
    let certificate = key(4, "certificate").class(CKO_CERTIFICATE);
    session
        .create(
            &certificate
                .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
                .bytes(CKA_SUBJECT, *b"0\0")
                .bytes(CKA_VALUE, *b"0\x03\x02\x01\x05"),
        )
        .expect("all members serve");
    module.finalize().expect("it is initialised");
    for member in lab.members() {
        member.alone(|session| {
            sign_alone(session, "p256");
            sign_alone(session, "p384");
            let private =
                |label| session.only(&Template::new().class(CKO_PRIVATE_KEY).label(label));
            for label in ["rsa2048", "rsa3072"] {
                let pkcs = Mechanism::Plain(CKM_SHA256_RSA_PKCS);
                session.sign(pkcs, private(label), &HASH).expect("it signs");
            }
            assert_eq!(
                labels(session, CKO_SECRET_KEY),
                ["aes128", "aes256", "secret"]
            );
            assert_eq!(labels(session, CKO_CERTIFICATE), ["certificate"]);
            assert_eq!(labels(session, CKO_DATA), ["data"]);
        });
    }
    let module = lab.module();
    let session = lab.session(module);
    for object in session.find(&Template::new()).expect("members answer") {
        session.destroy(object).expect("all members serve");
    }
    module.finalize().expect("it is initialised");
    for class in [
        CKO_PUBLIC_KEY,
        CKO_PRIVATE_KEY,
        CKO_SECRET_KEY,
        CKO_CERTIFICATE,
        CKO_DATA,
    ] {
        assert_eq!(
            labels_alone(&lab, class),
            [const { Vec::<String>::new() }; 3]
        );
    }
}

fn data(label: &str) -> Template {
    Template::new()
        .class(CKO_DATA)
        .label(label)
        .on_token(true)
        .flag(CKA_PRIVATE, false)
        .bytes(CKA_VALUE, *b"value")
}

#[test]
fn objects_live_on_as_many_members_as_the_configuration_says() {
    for (copies, expected) in [("1", 1), ("2", 2)] {
        let lab = Lab::new(Plan {
            domain: true,
            empty: true,
            copies: Some(copies),
            ..Plan::default()
        });
        let module = lab.module();
        let session = lab.session(module);
        make_aes(session, "few");
        module.finalize().expect("it is initialised");
        let on = labels_alone(&lab, CKO_SECRET_KEY);
        let holders = on.iter().filter(|labels| **labels == ["few"]).count();
        assert_eq!(holders, expected, "{on:?}");
    }
}

#[test]
fn what_must_not_leave_is_wrapped_by_no_other_key_and_not_copied_more_openly() {
    let lab = domain();
    let session = lab.session(lab.module());
    let wrapping = session
        .generate_key(
            Mechanism::Plain(CKM_AES_KEY_GEN),
            &aes("wrapping", 32).flag(CKA_WRAP, true),
        )
        .expect("all members serve");
    let code = |failure: Failure| failure.code;
    let wrap = |key| {
        session
            .wrap_key(Mechanism::Plain(CKM_AES_KEY_WRAP), wrapping, key)
            .map(drop)
            .map_err(code)
    };
    let closed = make_aes(session, "closed");
    assert_eq!(wrap(closed), Err(ckr::KEY_UNEXTRACTABLE));
    for on_token in [true, false] {
        let copy = |extractable| {
            let template = Template::new().label("copy").on_token(on_token);
            session.copy(closed, &template.flag(CKA_EXTRACTABLE, extractable))
        };
        assert_eq!(copy(true).map_err(code), Err(ckr::TEMPLATE_INCONSISTENT));
        let copy = copy(false).expect("it is kept as closely");
        assert_eq!(wrap(copy), Err(ckr::KEY_UNEXTRACTABLE));
    }
    let open = session
        .generate_key(
            Mechanism::Plain(CKM_AES_KEY_GEN),
            &aes("open", 32).flag(CKA_EXTRACTABLE, true),
        )
        .expect("all members serve");
    assert_eq!(wrap(open), Ok(()));
    let close = Template::new().flag(CKA_EXTRACTABLE, false);
    session
        .set_attributes(open, &close)
        .expect("it may be closed");
    assert_eq!(wrap(open), Err(ckr::KEY_UNEXTRACTABLE));
    let reopen = Template::new().flag(CKA_EXTRACTABLE, true);
    let refused = session.set_attributes(open, &reopen);
    assert_eq!(refused.map_err(code), Err(ckr::ATTRIBUTE_READ_ONLY));
}

#[test]
fn a_change_is_on_every_member_and_an_end_is_no_handle_any_more() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    let object = make_aes(session, "before");
    let unique = session.attribute(object, CKA_UNIQUE_ID);
    session
        .set_attributes(object, &Template::new().label("after").id(7))
        .expect("all members serve");
    assert_eq!(session.attribute(object, CKA_UNIQUE_ID), unique);
    let ended = make_aes(session, "ended");
    session.destroy(ended).expect("all members serve");
    let again = session.destroy(ended).map_err(|failure| failure.code);
    assert_eq!(again, Err(ckr::OBJECT_HANDLE_INVALID));
    module.finalize().expect("it is initialised");
    assert_eq!(labels_alone(&lab, CKO_SECRET_KEY), [["after"]; 3]);
}

#[test]
fn a_private_key_is_the_same_after_its_public_half_has_gone() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    make_ec_pair(session, "half");
    let public = session.only(&Template::new().class(CKO_PUBLIC_KEY));
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY));
    let unique = session
        .attribute(private, CKA_UNIQUE_ID)
        .expect("it has one");
    session.destroy(public).expect("all members serve");
    module.finalize().expect("it is initialised");
    let session = lab.session(lab.module());
    let private = session.only(&Template::new().class(CKO_PRIVATE_KEY));
    assert_eq!(session.attribute(private, CKA_UNIQUE_ID), Ok(unique));
}

#[test]
fn what_is_not_to_be_changed_or_destroyed_is_born_under_its_own_label_and_stays() {
    let lab = domain();
    let module = lab.module();
    let session = lab.session(module);
    let fixed = data("fixed").flag(CKA_MODIFIABLE, false);
    let object = session.create(&fixed).expect("all members serve");
    assert_eq!(session.attribute(object, CKA_MODIFIABLE), Ok(vec![0]));
    let code = |failure: Failure| failure.code;
    let set = session.set_attributes(object, &Template::new().label("other"));
    assert_eq!(set.map_err(code), Err(ckr::ACTION_PROHIBITED));
    let kept = data("kept").flag(CKA_DESTROYABLE, false);
    let object = session.create(&kept).expect("all members serve");
    let destroyed = session.destroy(object);
    assert_eq!(destroyed.map_err(code), Err(ckr::ACTION_PROHIBITED));
    module.finalize().expect("it is initialised");
    assert_eq!(labels_alone(&lab, CKO_DATA), [["fixed", "kept"]; 3]);
}
