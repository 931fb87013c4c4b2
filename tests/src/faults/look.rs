//! What is on each token, seen past everslot.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use cryptoki_sys::*;
use serde_json::{Value, json};

use super::world::{store_in, token_label};
use super::{MEMBERS, World};
use crate::client::{Mechanism, Module, Object, Session, Template};
use crate::{ECDSA, HASH, PIN, SOFTHSM, checked, process};

/// What begins the label of the domain key, which is no object of the group's.
const DOMAIN_KEY: &str = "everslot domain key";

/// The `CKA_SUBJECT` that the updates of these tests set, and of a data object the value; a secret key gets `CKA_DERIVE`.
pub const UPDATED: &str = "updated";

/// An object as one token has it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Seen {
    /// `CKA_CLASS`
    pub class: CK_OBJECT_CLASS,
    /// `CKA_LABEL`, with [`UPDATED`] behind it if an update has been there.
    pub label: String,
    /// What tells that it is the right one and works: a value, what it encrypts to, or whether its other half takes its signature.
    pub proof: String,
}

/// The objects on each member, sorted.
pub type Members = Vec<Vec<Seen>>;

/// Looks in a process of its own, as each token needs SoftHSM with an environment of its own.
///
/// # Panics
/// A token cannot be opened.
#[must_use]
pub fn at(program: &Path, world: &World) -> Members {
    let output = checked(Command::new(program).arg("look").arg(world.path()));
    let all: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let member = |member: &Value| member.as_array().into_iter().flatten().map(seen).collect();
    all.as_array().into_iter().flatten().map(member).collect()
}

fn seen(value: &Value) -> Seen {
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Seen {
        class: value["class"].as_u64().unwrap_or(u64::MAX),
        label: text("label"),
        proof: text("proof"),
    }
}

/// What the process of [`at`] prints.
///
/// # Panics
/// A token cannot be opened.
#[must_use]
pub fn print(directory: &Path) -> String {
    let members: Vec<Value> = (0..MEMBERS)
        .map(|member| {
            let seen = alone(directory, member);
            let object = |seen: &Seen| json!({"class": seen.class, "label": seen.label, "proof": seen.proof});
            seen.iter().map(object).collect()
        })
        .collect();
    Value::from(members).to_string()
}

fn alone(directory: &Path, member: usize) -> Vec<Seen> {
    process::set_variable("SOFTHSM2_CONF", store_in(directory, member).config());
    let module = Module::load(Path::new(SOFTHSM));
    module.initialize().expect("SoftHSM reads its tokens");
    let slot = module.slot_of(&token_label(member));
    let session = module.open(slot).expect("the token is there");
    session.login(PIN).expect("the PIN is right");
    let seen = objects(session);
    module.finalize().expect("it is initialised");
    seen
}

/// The objects of a token in whose session the user is logged in, sorted.
///
/// # Panics
/// It cannot be searched.
#[must_use]
pub fn objects(session: Session) -> Vec<Seen> {
    let objects = session.find(&Template::new()).expect("it can be searched");
    let mut publics = BTreeMap::new();
    let mut all: Vec<_> = objects
        .iter()
        .map(|&object| {
            let class = class(session, object);
            let mut label = text(session, object, CKA_LABEL);
            if is_updated(session, object, class) {
                label += UPDATED;
            }
            if class == CKO_PUBLIC_KEY {
                publics.insert(text(session, object, CKA_ID), object);
            }
            (object, class, label)
        })
        .collect();
    all.retain(|(_, _, label)| !label.starts_with(DOMAIN_KEY));
    let mut seen: Vec<_> = all
        .into_iter()
        .map(|(object, class, label)| Seen {
            class,
            label,
            proof: proof(session, object, class, &publics),
        })
        .collect();
    seen.sort();
    seen
}

fn is_updated(session: Session, object: Object, class: CK_OBJECT_CLASS) -> bool {
    match class {
        CKO_SECRET_KEY => session.attribute(object, CKA_DERIVE).as_deref() == Ok(&[1]),
        CKO_DATA => text(session, object, CKA_VALUE) == UPDATED,
        _ => text(session, object, CKA_SUBJECT) == UPDATED,
    }
}

fn class(session: Session, object: Object) -> CK_OBJECT_CLASS {
    // SoftHSM that was killed while it made the object leaves one without.
    let value = session.attribute(object, CKA_CLASS).unwrap_or_default();
    value
        .try_into()
        .map_or(CK_OBJECT_CLASS::MAX, CK_OBJECT_CLASS::from_ne_bytes)
}

fn text(session: Session, object: Object, kind: CK_ATTRIBUTE_TYPE) -> String {
    let value = session.attribute(object, kind).unwrap_or_default();
    String::from_utf8_lossy(&value).into_owned()
}

fn proof(
    session: Session,
    object: Object,
    class: CK_OBJECT_CLASS,
    publics: &BTreeMap<String, Object>,
) -> String {
    match class {
        CKO_PUBLIC_KEY => hexadecimal(session.attribute(object, CKA_EC_POINT)),
        CKO_PRIVATE_KEY => {
            let other = publics.get(&text(session, object, CKA_ID));
            let signature = session.sign(ECDSA, object, &HASH);
            let taken = signature.ok().zip(other).is_some_and(|(signature, other)| {
                session.verify(ECDSA, *other, &HASH, &signature).is_ok()
            });
            if taken { "signs" } else { "does not sign" }.to_owned()
        }
        CKO_SECRET_KEY => {
            let mut output = [0; 64];
            let encrypted = session
                .encrypt_init(Mechanism::Plain(CKM_AES_ECB), object)
                .and_then(|()| session.encrypt_into(&HASH, &mut output));
            hexadecimal(encrypted.map(|length| output[..length].to_vec()))
        }
        _ => hexadecimal(session.attribute(object, CKA_VALUE)),
    }
}

fn hexadecimal<E: std::fmt::Debug>(value: Result<Vec<u8>, E>) -> String {
    match value {
        Ok(value) => value.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(error) => format!("{error:?}"),
    }
}
