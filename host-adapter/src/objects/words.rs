//! Objects in words for people.

use cryptoki_sys as ck;
use everslot_protocol::ObjectHandle;

use super::planted;
use crate::domain::{NAMES, Token};

/// Bytes of an id that are shown.
const SHOWN: usize = 20;

/// A class (`CKO_…`).
#[must_use]
pub const fn class_name(class: u64) -> &'static str {
    match class {
        ck::CKO_PRIVATE_KEY => "private key",
        ck::CKO_PUBLIC_KEY => "public key",
        ck::CKO_SECRET_KEY => "secret key",
        ck::CKO_CERTIFICATE => "certificate",
        ck::CKO_DATA => "data",
        _ => "object",
    }
}

/// An object by its class, label and id, which everyone who is logged in may see; none if the token does not show it.
pub(super) fn words(token: &mut Token<'_>, object: ObjectHandle) -> Option<String> {
    let names = token.attributes(object, NAMES).ok()?;
    let class = names.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
    let mut words = class_name(class).to_owned();
    if let Some(label) = names.get(ck::CKA_LABEL).filter(|label| !label.is_empty()) {
        words += &format!(" {:?}", String::from_utf8_lossy(planted::label_of(label)));
    }
    if let Some(id) = names.get(ck::CKA_ID).filter(|id| !id.is_empty()) {
        words += &format!(" (id {})", hex(id));
    }
    Some(words)
}

/// As it is written for people, not longer than they read.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text: String = bytes
        .iter()
        .take(SHOWN)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}
