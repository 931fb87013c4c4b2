//! Keys and objects carried between tokens of different makes, in every direction.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod makes;

use cryptoki_sys::*;
use everslot::domain::key::KeyName;
use everslot::domain::profile::{KeyKind, Profile};
use everslot::domain::{
    Attributes, CarryError, CheckValue, End, Proof, Recipient, Revision, Shown, Token, carry,
    establish, try_members, update,
};
use everslot_protocol::ObjectHandle;
use makes::{Make, Member};

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

/// Members with a domain key, and what the trial has found.
struct Domain {
    members: Vec<Member>,
    keys: Vec<ObjectHandle>,
    profiles: Vec<Profile>,
    carried: usize,
    failed: Vec<String>,
}

impl Domain {
    fn of(makes: &[Make]) -> Self {
        let mut members: Vec<_> = makes.iter().map(|make| Member::new(*make)).collect();
        let name = KeyName::of_group("e1a0c3");
        let received = {
            let mut tokens: Vec<_> = members.iter_mut().map(Member::token).collect();
            let mut recipients: Vec<_> = tokens
                .iter_mut()
                .map(|token| Recipient { token, pins: None })
                .collect();
            establish(&mut recipients, &name).unwrap()
        };
        for (member, received) in members.iter_mut().zip(&received) {
            assert!(!received.extractable, "{:?}", member.make);
            assert_eq!(name.find(&mut member.token()).unwrap(), [received.key]);
        }
        let keys = received.iter().map(|received| received.key).collect();
        let mut domain = Self {
            members,
            keys,
            profiles: Vec::new(),
            carried: 0,
            failed: Vec::new(),
        };
        domain.try_out();
        domain
    }

    fn try_out(&mut self) {
        let makes: Vec<_> = self.members.iter().map(|member| member.make).collect();
        let mut tokens: Vec<_> = self.members.iter_mut().map(Member::token).collect();
        let mut ends: Vec<_> = tokens
            .iter_mut()
            .zip(&self.keys)
            .zip(&makes)
            .map(|((token, key), make)| End {
                name: make.name(),
                token,
                domain_key: *key,
                profile: Profile::default(),
            })
            .collect();
        let trial = try_members(&mut ends).unwrap();
        self.profiles = ends.into_iter().map(|end| end.profile).collect();
        self.carried = trial.carried;
        self.failed = trial
            .failed
            .iter()
            .map(|failed| {
                let (from, to) = (makes[failed.from], makes[failed.to]);
                format!(
                    "{from:?} to {to:?}, {}: {}",
                    failed.kind.name(),
                    failed.error
                )
            })
            .collect();
    }

    /// Gives `work` two members as ends.
    fn between<T>(
        &mut self,
        from: usize,
        to: usize,
        work: impl FnOnce(&mut End<'_, '_>, &mut End<'_, '_>) -> T,
    ) -> T {
        let (keys, profiles) = (&self.keys, &self.profiles);
        let [one, other] = self.members.get_disjoint_mut([from, to]).unwrap();
        let names = (one.make.name(), other.make.name());
        let (mut one, mut other) = (one.token(), other.token());
        let mut from = End {
            name: names.0,
            token: &mut one,
            domain_key: keys[from],
            profile: profiles[from].clone(),
        };
        let mut to = End {
            name: names.1,
            token: &mut other,
            domain_key: keys[to],
            profile: profiles[to].clone(),
        };
        work(&mut from, &mut to)
    }
}

#[test]
fn every_pair_of_makes_is_found_to_carry_every_kind_of_key() {
    let makes = Make::installed();
    let domain = Domain::of(&makes);
    assert_eq!(domain.failed, Vec::<String>::new());
    assert_eq!(
        domain.carried,
        makes.len() * makes.len() * KeyKind::ALL.len()
    );
    for (make, profile) in makes.iter().zip(&domain.profiles) {
        let expected = match make {
            Make::SoftHsm => (CKM_AES_KEY_WRAP_PAD, false),
            Make::Kryoptic => (CKM_AES_KEY_WRAP_KWP, false),
            Make::Nss => (CKM_AES_KEY_WRAP_KWP, true),
        };
        assert_eq!((profile.wrap, profile.wants_nss_db), expected, "{make:?}");
        assert_eq!(profile.lacks_data, *make == Make::Nss, "{make:?}");
    }
}

#[test]
fn the_domain_key_is_the_same_everywhere_and_cannot_be_taken_away() {
    let mut domain = Domain::of(&Make::installed());
    let mut values = Vec::new();
    for (member, key) in domain.members.iter_mut().zip(&domain.keys) {
        let mut token = member.token();
        values.push(CheckValue::of(&mut token, *key, CKK_AES).unwrap().unwrap());
        assert_eq!(token.attribute(*key, CKA_VALUE).unwrap(), None);
        let shown = token
            .attributes(*key, &[CKA_EXTRACTABLE, CKA_SENSITIVE, CKA_PRIVATE])
            .unwrap();
        let flags = [CKA_EXTRACTABLE, CKA_SENSITIVE, CKA_PRIVATE].map(|kind| shown.flag(kind));
        assert_eq!(flags, [Some(false), Some(true), Some(true)]);
    }
    values.dedup();
    assert_eq!(values.len(), 1, "{values:?}");
}

/// The object's template on its first member, or what makes it there.
struct Case {
    name: &'static str,
    make: fn(&mut Token<'_>) -> ObjectHandle,
    proof: Proof,
}

const CASES: &[Case] = &[
    Case {
        name: "EC P-256",
        make: |token| curve(token, P256),
        proof: Proof::Use,
    },
    Case {
        name: "EC P-384",
        make: |token| curve(token, P384),
        proof: Proof::Use,
    },
    Case {
        name: "RSA-2048",
        make: |token| rsa(token, 2048),
        proof: Proof::Use,
    },
    Case {
        name: "RSA-3072",
        make: |token| rsa(token, 3072),
        proof: Proof::Use,
    },
    Case {
        name: "AES-128",
        make: |token| aes(token, 16),
        proof: Proof::Use,
    },
    Case {
        name: "AES-256",
        make: |token| aes(token, 32),
        proof: Proof::Use,
    },
    Case {
        name: "generic secret",
        make: |token| {
            let uses = &[CKA_SIGN, CKA_VERIFY];
            let template = hidden(b"secret", uses).number(CKA_VALUE_LEN, 40);
            let made = token.generate(CKM_GENERIC_SECRET_KEY_GEN, &template);
            made.unwrap()
        },
        proof: Proof::Use,
    },
    Case {
        name: "EC public key",
        make: |token| public(token, P256),
        proof: Proof::Value,
    },
    Case {
        name: "certificate",
        make: |token| token.create(&certificate()).unwrap(),
        proof: Proof::Value,
    },
];

fn named(label: &[u8]) -> Attributes {
    Attributes::new()
        .bytes(CKA_LABEL, label)
        .bytes(CKA_ID, &[label, b" id"].concat())
        .flags(&[CKA_TOKEN], true)
}

fn hidden(label: &[u8], uses: &[u64]) -> Attributes {
    named(label)
        .flags(&[CKA_PRIVATE, CKA_SENSITIVE, CKA_EXTRACTABLE], true)
        .flags(uses, true)
}

fn curve(token: &mut Token<'_>, curve: &[u8]) -> ObjectHandle {
    pair(token, CKM_EC_KEY_PAIR_GEN, |public| {
        public.bytes(CKA_EC_PARAMS, curve)
    })
    .1
}

fn public(token: &mut Token<'_>, curve: &[u8]) -> ObjectHandle {
    pair(token, CKM_EC_KEY_PAIR_GEN, |public| {
        public.bytes(CKA_EC_PARAMS, curve)
    })
    .0
}

fn rsa(token: &mut Token<'_>, bits: u64) -> ObjectHandle {
    pair(token, CKM_RSA_PKCS_KEY_PAIR_GEN, |public| {
        public
            .number(CKA_MODULUS_BITS, bits)
            .bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1])
    })
    .1
}

fn pair(
    token: &mut Token<'_>,
    mechanism: u64,
    public: impl FnOnce(Attributes) -> Attributes,
) -> (ObjectHandle, ObjectHandle) {
    let public = public(named(b"pair").flags(&[CKA_VERIFY], true));
    let private = hidden(b"pair", &[CKA_SIGN]).bytes(CKA_SUBJECT, b"\x30\x00");
    token.generate_pair(mechanism, &public, &private).unwrap()
}

fn aes(token: &mut Token<'_>, length: u64) -> ObjectHandle {
    let uses = &[CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY];
    let template = hidden(b"aes", uses)
        .number(CKA_VALUE_LEN, length)
        .bytes(CKA_START_DATE, b"20260101");
    token.generate(CKM_AES_KEY_GEN, &template).unwrap()
}

/// No token looks into it.
fn certificate() -> Attributes {
    named(b"certificate")
        .number(CKA_CLASS, CKO_CERTIFICATE)
        .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
        .bytes(CKA_SUBJECT, b"\x30\x00")
        .bytes(CKA_ISSUER, b"\x30\x00")
        .bytes(CKA_SERIAL_NUMBER, b"\x02\x01\x07")
        .bytes(CKA_VALUE, b"\x30\x03\x02\x01\x07")
        .flags(&[CKA_PRIVATE], false)
}

#[test]
fn objects_of_every_kind_go_from_every_make_to_every_other() {
    let makes = Make::installed();
    let mut domain = Domain::of(&makes);
    let mut wrong = Vec::new();
    for (from, to) in directed_pairs(makes.len()) {
        for case in CASES {
            let way = format!("{} from {:?} to {:?}", case.name, makes[from], makes[to]);
            if let Err(why) = domain.between(from, to, |from, to| arrives(case, from, to)) {
                wrong.push(format!("{way}: {why}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

fn directed_pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count)
        .flat_map(move |from| (0..count).map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
}

/// Makes the object, carries it, compares the two, and destroys both.
fn arrives(case: &Case, from: &mut End<'_, '_>, to: &mut End<'_, '_>) -> Result<(), String> {
    let original = (case.make)(from.token);
    let carried = carry(original, from, to, &Attributes::new()).map_err(|error| error.to_string());
    let outcome = carried.and_then(|carried| {
        let copy = carried.object;
        let marks = |token: &mut Token<'_>, object| {
            let revision = Revision::of(token, object).unwrap();
            (Shown::of(token, object).unwrap().fingerprint(), revision)
        };
        let class = from.token.attributes(original, &[CKA_CLASS]).unwrap();
        let (one, other) = (marks(from.token, original), marks(to.token, copy));
        // A private key on a curve is known by the public key beside it, which has not come along here.
        let is_private = class.integer(CKA_CLASS) == Some(CKO_PRIVATE_KEY);
        to.token.destroy(copy).unwrap();
        if carried.proof != case.proof {
            return Err(format!("proof {:?}", carried.proof));
        }
        if one.1 != other.1 || (one.0 != other.0 && !is_private) {
            return Err(format!("{one:?} is not {other:?}"));
        }
        // SoftHSM cannot show the date of a private object; NSS gives uses of its own to every private key.
        let own_ways = [
            CKA_START_DATE,
            CKA_DERIVE,
            CKA_DECRYPT,
            CKA_UNWRAP,
            CKA_SIGN_RECOVER,
        ];
        if carried.differs.iter().any(|kind| !own_ways.contains(kind)) {
            return Err(format!("differs in {:x?}", carried.differs));
        }
        Ok(())
    });
    let label = from.token.attribute(original, CKA_LABEL).unwrap().unwrap();
    let all = Attributes::new().bytes(CKA_LABEL, &label);
    for left in from.token.find(&all).unwrap() {
        from.token.destroy(left).unwrap();
    }
    outcome
}

/// SoftHSM fills such a secret up with zeros when it wraps it, which no MAC shows.
#[test]
fn a_secret_of_an_odd_length_arrives_right_or_not_at_all() {
    let makes = Make::installed();
    let mut domain = Domain::of(&makes);
    for (from, to) in directed_pairs(makes.len()) {
        domain.between(from, to, |from, to| {
            let uses = &[CKA_SIGN, CKA_VERIFY];
            let template = hidden(b"odd", uses).number(CKA_VALUE_LEN, 35);
            let made = from.token.generate(CKM_GENERIC_SECRET_KEY_GEN, &template);
            let original = made.unwrap();
            let before = to.token.find(&Attributes::new()).unwrap().len();
            match carry(original, from, to, &Attributes::new()) {
                Ok(carried) => {
                    let marks = [
                        Shown::of(from.token, original).unwrap().fingerprint(),
                        Shown::of(to.token, carried.object).unwrap().fingerprint(),
                    ];
                    assert_eq!(marks[0], marks[1], "{} to {}", from.name, to.name);
                    to.token.destroy(carried.object).unwrap();
                }
                Err(failure) => assert!(!failure.may_remain, "{failure}"),
            }
            assert_eq!(to.token.find(&Attributes::new()).unwrap().len(), before);
            from.token.destroy(original).unwrap();
        });
    }
}

#[test]
fn what_may_not_leave_stays_and_what_may_not_arrive_leaves_nothing() {
    let makes = Make::installed();
    let mut domain = Domain::of(&makes);
    for (from, to) in directed_pairs(makes.len()) {
        domain.between(from, to, |from, to| {
            let count = |token: &mut Token<'_>| token.find(&Attributes::new()).unwrap().len();
            let before = count(to.token);
            let closed = hidden(b"closed", &[CKA_ENCRYPT])
                .number(CKA_VALUE_LEN, 32)
                .flags(&[CKA_EXTRACTABLE], false);
            let closed = from.token.generate(CKM_AES_KEY_GEN, &closed).unwrap();
            let failure = carry(closed, from, to, &Attributes::new()).unwrap_err();
            assert_eq!(failure.error, CarryError::NotExtractable);
            from.token.destroy(closed).unwrap();
            let key = aes(from.token, 32);
            let profile = std::mem::take(&mut to.profile);
            let failure = carry(key, from, to, &Attributes::new()).unwrap_err();
            assert_eq!(failure.error, CarryError::NoCommonWrap);
            to.profile = profile;
            let domain_key = std::mem::replace(&mut to.domain_key, ObjectHandle(0xffff));
            let failure = carry(key, from, to, &Attributes::new()).unwrap_err();
            to.domain_key = domain_key;
            assert!(matches!(failure.error, CarryError::Target(_)), "{failure}");
            assert!(!failure.may_remain);
            assert_eq!(count(to.token), before);
            from.token.destroy(key).unwrap();
        });
    }
}

#[test]
fn a_copy_has_what_is_laid_over_it_and_follows_changes() {
    let makes = Make::installed();
    let mut domain = Domain::of(&makes);
    for (from, to) in directed_pairs(makes.len()) {
        domain.between(from, to, |from, to| {
            let way = format!("{} to {}", from.name, to.name);
            let key = aes(from.token, 32);
            let overlay = Attributes::new().bytes(CKA_LABEL, b"planted");
            let copy = carry(key, from, to, &overlay).unwrap().object;
            let label = to.token.attribute(copy, CKA_LABEL).unwrap().unwrap();
            assert_eq!(label.as_slice(), b"planted", "{way}");
            assert_eq!(
                Revision::of(from.token, key).unwrap(),
                Revision::of(to.token, copy).unwrap(),
                "{way}"
            );
            let change = Attributes::new().flags(&[CKA_DECRYPT], false);
            from.token.set(key, &change).unwrap();
            assert_ne!(
                Revision::of(from.token, key).unwrap(),
                Revision::of(to.token, copy).unwrap(),
                "{way}"
            );
            update(key, from.token, copy, to.token).unwrap();
            assert_eq!(
                Revision::of(from.token, key).unwrap(),
                Revision::of(to.token, copy).unwrap(),
                "{way}"
            );
            from.token.destroy(key).unwrap();
            to.token.destroy(copy).unwrap();
        });
    }
}
