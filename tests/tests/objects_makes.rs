//! Groups of tokens of different makes: what is made through the group is on each of them, is used there alone, and ends on all of them.

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_tests::client::{Failure, Mechanism, Object, Session, Template};
use everslot_tests::{ECDSA, HASH, Make, Mixed};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
const IV: [u8; 16] = [0; 16];
/// A generic secret's value.
const SECRET: [u8; 32] = [0x5e; 32];

/// What is made, and how it is used.
enum Kind {
    Ec(&'static [u8]),
    Rsa(CK_ULONG),
    Aes(CK_ULONG),
    GeneratedSecret,
    CreatedSecret,
    Certificate,
    Data { private: bool },
}

const KINDS: &[(&str, Kind)] = &[
    ("EC P-256", Kind::Ec(P256)),
    ("EC P-384", Kind::Ec(P384)),
    ("RSA-2048", Kind::Rsa(2048)),
    ("RSA-3072", Kind::Rsa(3072)),
    ("AES-128", Kind::Aes(16)),
    ("AES-256", Kind::Aes(32)),
    ("a secret", Kind::GeneratedSecret),
    ("a secret from elsewhere", Kind::CreatedSecret),
    ("a certificate", Kind::Certificate),
    ("public data", Kind::Data { private: false }),
    ("private data", Kind::Data { private: true }),
];

impl Kind {
    /// Whether a token of this make takes such an object: NSS's database keeps no data objects.
    fn is_taken_by(&self, make: Make) -> bool {
        !(matches!(self, Self::Data { .. }) && make == Make::Nss)
    }

    fn make(&self, session: Session, label: &str) -> Result<(), Failure> {
        let named = Template::new()
            .on_token(true)
            .label(label)
            .bytes(CKA_ID, label);
        let pair = |mechanism, public: Template| {
            let public = public.flag(CKA_VERIFY, true);
            let private = named.clone().flag(CKA_SIGN, true);
            let made = session.generate_key_pair(Mechanism::Plain(mechanism), &public, &private);
            made.map(drop)
        };
        let key = |mechanism, template: Template| {
            let made = session.generate_key(Mechanism::Plain(mechanism), &template);
            made.map(drop)
        };
        let mac = |template: Template| template.flag(CKA_SIGN, true).flag(CKA_VERIFY, true);
        match self {
            Self::Ec(curve) => {
                let public = named.clone().bytes(CKA_EC_PARAMS, *curve);
                pair(CKM_EC_KEY_PAIR_GEN, public)
            }
            Self::Rsa(bits) => {
                let public = named.clone().number(CKA_MODULUS_BITS, *bits);
                let public = public.bytes(CKA_PUBLIC_EXPONENT, [1, 0, 1]);
                pair(CKM_RSA_PKCS_KEY_PAIR_GEN, public)
            }
            Self::Aes(bytes) => {
                let template = named.number(CKA_VALUE_LEN, *bytes);
                let template = template.flag(CKA_ENCRYPT, true).flag(CKA_DECRYPT, true);
                key(CKM_AES_KEY_GEN, template)
            }
            Self::GeneratedSecret => {
                let template = mac(named.number(CKA_VALUE_LEN, 32));
                key(CKM_GENERIC_SECRET_KEY_GEN, template)
            }
            Self::CreatedSecret => {
                let template = mac(named.class(CKO_SECRET_KEY));
                let template = template.number(CKA_KEY_TYPE, CKK_GENERIC_SECRET);
                session.create(&template.bytes(CKA_VALUE, SECRET)).map(drop)
            }
            Self::Certificate => session.create(&certificate(named)).map(drop),
            Self::Data { private } => session.create(&data(label, *private)).map(drop),
        }
    }

    /// Has the token that the session is of use the object, all by itself. What it says must be the same on each: a key's answer to what was
    /// asked of it, or what verifies it.
    fn use_alone(&self, session: Session, label: &str) -> Vec<u8> {
        let only = |class| session.only(&Template::new().class(class).label(label));
        let sign = |mechanism| {
            let (private, public) = (only(CKO_PRIVATE_KEY), only(CKO_PUBLIC_KEY));
            let signature = session.sign(mechanism, private, &HASH).expect("it signs");
            session
                .verify(mechanism, public, &HASH, &signature)
                .expect("it is the other half");
        };
        let read = |object, kind| session.attribute(object, kind).expect("it shows that");
        match self {
            Self::Ec(_) => {
                sign(ECDSA);
                read(only(CKO_PUBLIC_KEY), CKA_EC_POINT)
            }
            Self::Rsa(_) => {
                sign(Mechanism::Plain(CKM_SHA256_RSA_PKCS));
                read(only(CKO_PUBLIC_KEY), CKA_MODULUS)
            }
            Self::Aes(_) => {
                let cipher = Mechanism::AesCbcPad(IV);
                let encrypted = session.encrypt(cipher, only(CKO_SECRET_KEY), &HASH);
                encrypted.expect("it encrypts")
            }
            Self::GeneratedSecret | Self::CreatedSecret => {
                let mac = Mechanism::Plain(CKM_SHA256_HMAC);
                session
                    .sign(mac, only(CKO_SECRET_KEY), &HASH)
                    .expect("it makes a MAC")
            }
            Self::Certificate => read(only(CKO_CERTIFICATE), CKA_VALUE),
            Self::Data { .. } => read(only(CKO_DATA), CKA_VALUE),
        }
    }
}

fn certificate(named: Template) -> Template {
    named
        .class(CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .bytes(CKA_SUBJECT, *b"\x30\0")
        .bytes(CKA_ISSUER, *b"\x30\0")
        .bytes(CKA_SERIAL_NUMBER, *b"\x02\x01\x07")
        .bytes(CKA_VALUE, *b"\x30\x03\x02\x01\x07")
}

fn data(label: &str, private: bool) -> Template {
    Template::new()
        .class(CKO_DATA)
        .label(label)
        .on_token(true)
        .flag(CKA_PRIVATE, private)
        .bytes(CKA_VALUE, label)
}

/// The labels of all that is on a token, but for the domain key.
fn labels(session: Session) -> Vec<String> {
    let label = |object: Object| {
        // Some tokens have objects of their own, which are called nothing.
        let label = session.attribute(object, CKA_LABEL).unwrap_or_default();
        String::from_utf8_lossy(&label).into_owned()
    };
    let classes = [
        CKO_PUBLIC_KEY,
        CKO_PRIVATE_KEY,
        CKO_SECRET_KEY,
        CKO_CERTIFICATE,
        CKO_DATA,
    ];
    let mut labels = Vec::new();
    for class in classes {
        let found = session.find(&Template::new().class(class));
        labels.extend(found.expect("the token answers").into_iter().map(label));
    }
    labels.retain(|label| !label.starts_with("everslot domain key"));
    labels
}

/// Makes objects of every kind on each member in turn, uses them on each alone, and destroys them.
fn live_through(makes: &[Make], settings: &str) {
    let Some(mixed) = Mixed::of(makes, settings) else {
        return;
    };
    let told = mixed.told(&["domain", "init"]);
    println!("{told}");
    for maker in makes {
        println!("made by {maker:?}");
        mixed.prefer(*maker);
        is_born(&mixed, makes);
        is_used_alone(&mixed);
        ends(&mixed);
    }
}

fn is_born(mixed: &Mixed, makes: &[Make]) {
    mixed.through(|session| {
        for (label, kind) in KINDS {
            let made = kind.make(session, label);
            if makes.iter().all(|make| kind.is_taken_by(*make)) {
                made.unwrap_or_else(|failure| panic!("{label}: {failure:?}"));
                kind.use_alone(session, label);
            } else {
                assert_eq!(
                    made.map_err(|failure| failure.code),
                    Err(ckr::FUNCTION_FAILED),
                    "{label}"
                );
            }
        }
    });
}

fn is_used_alone(mixed: &Mixed) {
    let makes: Vec<_> = mixed
        .members()
        .iter()
        .map(everslot_tests::OtherMember::make)
        .collect();
    let is_everywhere = |kind: &Kind| makes.iter().all(|make| kind.is_taken_by(*make));
    let mut said = Vec::new();
    for member in mixed.members() {
        said.push(member.alone(|session| {
            let everywhere = KINDS.iter().filter(|(_, kind)| is_everywhere(kind));
            let used = everywhere.map(|(label, kind)| (*label, kind.use_alone(session, label)));
            let used: Vec<_> = used.collect();
            let count = |(_, kind): &&(&str, Kind)| match kind {
                Kind::Ec(_) | Kind::Rsa(_) => 2,
                _ if is_everywhere(kind) => 1,
                _ => 0,
            };
            let expected: usize = KINDS.iter().map(|kind| count(&kind)).sum();
            assert_eq!(labels(session).len(), expected, "{:?}", labels(session));
            used
        }));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "the members do not say the same");
}

fn ends(mixed: &Mixed) {
    mixed.through(|session| {
        for object in session.find(&Template::new()).expect("members answer") {
            session.destroy(object).expect("all members serve");
        }
    });
    for member in mixed.members() {
        assert_eq!(member.alone(labels), [""; 0], "{:?}", member.make());
    }
}

/// What one member does not keep lives on the others, where the configuration is content with that.
#[test]
fn data_lives_beside_nss_on_those_that_keep_it() {
    let makes = [Make::Nss, Make::SoftHsm, Make::Kryoptic];
    let Some(mixed) = Mixed::of(&makes, "copies = 2\n") else {
        return;
    };
    let told = mixed.everslot(&["domain", "init"]);
    assert!(told.status.success());
    let warned = String::from_utf8_lossy(&told.stderr);
    assert!(
        warned.contains("member \"nss\" keeps no data objects"),
        "{warned}"
    );
    // NSS is the one that is asked first for all else.
    mixed.through(|session| {
        session
            .create(&data("kept", false))
            .expect("two members keep it");
    });
    let objects = mixed.told(&["objects"]);
    let line = objects.lines().find(|line| line.contains("kept"));
    let line = line.expect("it is on record");
    assert!(
        line.contains("softhsm") && line.contains("kryoptic"),
        "{line}"
    );
    assert!(!line.contains("nss"), "{line}");
    // Nor does a synchronisation try to bring it there.
    let synced = mixed.everslot(&["sync"]);
    assert!(
        synced.status.success(),
        "{}",
        String::from_utf8_lossy(&synced.stderr)
    );
    for member in mixed.members() {
        let expected: &[&str] = if member.make() == Make::Nss {
            &[]
        } else {
            &["kept"]
        };
        assert_eq!(member.alone(labels), expected, "{:?}", member.make());
    }
}

#[test]
fn softhsm_and_kryoptic() {
    live_through(&[Make::SoftHsm, Make::Kryoptic], "");
}

#[test]
fn softhsm_and_nss() {
    live_through(&[Make::SoftHsm, Make::Nss], "");
}

#[test]
fn kryoptic_and_nss() {
    live_through(&[Make::Kryoptic, Make::Nss], "");
}

#[test]
fn softhsm_kryoptic_and_nss() {
    live_through(&[Make::SoftHsm, Make::Kryoptic, Make::Nss], "");
}
