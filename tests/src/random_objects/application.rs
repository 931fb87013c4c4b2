//! The calls of the application.

use cryptoki_sys::*;

use super::ledger::{Entry, Ledger};
use crate::client::{Failure, Mechanism, Object, Session, Template};
use crate::faults::look::UPDATED;

const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// A certificate is opaque to PKCS#11.
const CERTIFICATE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];

/// What is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Pair,
    Secret,
    Certificate,
    Data,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Pair, Self::Secret, Self::Certificate, Self::Data];
}

/// Makes an object, or the two of a pair, whose label begins with `mark`; whether it was made.
pub(super) fn make(session: Session, kind: Kind, mark: &str, ledger: &mut Ledger) -> bool {
    let label = format!("{mark}.0");
    let named = || Template::new().on_token(true).label(&label);
    let key = || named().bytes(CKA_ID, mark);
    let mut note = |class, told: Result<Object, Failure>| ledger.made(class, mark, &label, told);
    match kind {
        Kind::Pair => {
            let public = key().bytes(CKA_EC_PARAMS, P256).flag(CKA_VERIFY, true);
            let private = key().flag(CKA_SIGN, true);
            let mechanism = Mechanism::Plain(CKM_EC_KEY_PAIR_GEN);
            let told = session.generate_key_pair(mechanism, &public, &private);
            note(CKO_PUBLIC_KEY, told.map(|(public, _)| public));
            note(CKO_PRIVATE_KEY, told.map(|(_, private)| private));
            told.is_ok()
        }
        Kind::Secret => {
            let template = key().number(CKA_VALUE_LEN, 32).flag(CKA_ENCRYPT, true);
            let told = session.generate_key(Mechanism::Plain(CKM_AES_KEY_GEN), &template);
            note(CKO_SECRET_KEY, told);
            told.is_ok()
        }
        Kind::Certificate => {
            let template = key()
                .class(CKO_CERTIFICATE)
                .number(CKA_CERTIFICATE_TYPE, CKC_X_509)
                .bytes(CKA_SUBJECT, CERTIFICATE)
                .bytes(CKA_VALUE, CERTIFICATE);
            let told = session.create(&template);
            note(CKO_CERTIFICATE, told);
            told.is_ok()
        }
        Kind::Data => {
            let told = session.create(&named().class(CKO_DATA).bytes(CKA_VALUE, mark));
            note(CKO_DATA, told);
            told.is_ok()
        }
    }
}

/// Changes an attribute by which no object is known, once; of a data object its value, by which it is. What came of it, if it can be done.
pub(super) fn update(session: Session, entry: &mut Entry) -> Option<Result<(), Failure>> {
    let object = object(session, entry)?;
    let shown = entry
        .shown()
        .filter(|shown| !shown.ends_with(UPDATED))?
        .to_owned();
    let change = match entry.class {
        CKO_PUBLIC_KEY | CKO_PRIVATE_KEY => Template::new().bytes(CKA_SUBJECT, UPDATED),
        CKO_SECRET_KEY => Template::new().flag(CKA_DERIVE, true),
        CKO_DATA => Template::new().bytes(CKA_VALUE, UPDATED),
        // Nothing of a certificate may change but its label (PKCS#11 v3.1 §4.6.3).
        _ => return None,
    };
    let told = session.set_attributes(object, &change);
    entry.changed(&told, Some(shown + UPDATED));
    Some(told)
}

/// Gives an object another label. What came of it, if it can be done.
pub(super) fn rename(session: Session, entry: &mut Entry) -> Option<Result<(), Failure>> {
    let object = object(session, entry)?;
    let shown = entry.shown()?;
    let label = shown.strip_suffix(UPDATED).unwrap_or(shown);
    let times: u32 = label.rsplit('.').next()?.parse().ok()?;
    let renamed = format!("{}.{}", entry.mark, times + 1);
    let shown = shown.replace(label, &renamed);
    let told = session.set_attributes(object, &Template::new().label(&renamed));
    entry.changed(&told, Some(shown));
    Some(told)
}

/// Destroys an object. What came of it, if it can be done.
pub(super) fn destroy(session: Session, entry: &mut Entry) -> Option<Result<(), Failure>> {
    let told = session.destroy(object(session, entry)?);
    entry.changed(&told, None);
    Some(told)
}

/// All objects of the group under the label of this one.
pub(super) fn find(session: Session, entry: &Entry) -> Result<Vec<Object>, Failure> {
    let shown = entry.shown().unwrap_or_default();
    let label = shown.strip_suffix(UPDATED).unwrap_or(shown);
    session.find(&Template::new().class(entry.class).label(label))
}

/// Its handle; it is looked for where the application has none, and not found while those are away that have it.
fn object(session: Session, entry: &mut Entry) -> Option<Object> {
    if entry.handle.is_none() {
        entry.handle = match find(session, entry).as_deref() {
            Ok([object]) => Some(*object),
            Ok(_) | Err(_) => None,
        };
    }
    entry.handle
}
