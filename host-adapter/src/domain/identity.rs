//! Fixed-size marks of objects: the fingerprint, by which an object is the same on two members, and the revision of what may change in it.

use cryptoki_sys as ck;
use everslot_protocol::ObjectHandle;
use sha2::{Digest, Sha256};

use super::attributes::{Attributes, Content};
use super::call::CallError;
use super::check::CheckValue;
use super::kinds;
use super::token::Token;
use crate::objects::planted;

/// What makes an object of one member the same as an object of another: a hash of class, key type, `CKA_ID`, label, and the public or check
/// value.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Fingerprint(pub [u8; 16]);

/// The state of what may change in an object, as a hash of those attributes: equal or not, neither is older.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Revision(pub [u8; 8]);

/// What an object is called.
pub(crate) const NAMES: &[u64] = &[ck::CKA_CLASS, ck::CKA_KEY_TYPE, ck::CKA_ID, ck::CKA_LABEL];

impl Fingerprint {
    /// Of an object as the token shows it.
    ///
    /// A private key is known by its public value. Where the token does not show that, it is taken from the one public key beside it with
    /// the same `CKA_ID`; where there is none, class, type, id and label have to do.
    ///
    /// # Errors
    /// The token gives no answer, or the object is not there.
    pub fn of(token: &mut Token<'_>, object: ObjectHandle) -> Result<Self, CallError> {
        let names = token.attributes(object, NAMES)?;
        let proof = proof(token, object, &names)?;
        Ok(Self::of_names(&names, proof.as_deref()))
    }

    /// Of an object as the token will show it once these changes are made.
    ///
    /// # Errors
    /// As for [`of`](Self::of).
    pub fn after(
        token: &mut Token<'_>,
        object: ObjectHandle,
        changes: &Attributes,
    ) -> Result<Self, CallError> {
        let mut names = token.attributes(object, NAMES)?;
        for kind in [ck::CKA_ID, ck::CKA_LABEL] {
            if let Some(value) = changes.get(kind) {
                names.set(kind, value);
            }
        }
        let is_key = names.get(ck::CKA_KEY_TYPE).is_some();
        let proof = match changes.get(ck::CKA_VALUE).filter(|_| !is_key) {
            Some(value) => Some(Sha256::digest(value).to_vec()),
            None => proof(token, object, &names)?,
        };
        Ok(Self::of_names(&names, proof.as_deref()))
    }

    /// Of what it is called and what proves it.
    pub(crate) fn of_names(names: &Attributes, proof: Option<&[u8]>) -> Self {
        let mut hash = Sha256::new();
        for kind in NAMES {
            let value = names.get(*kind);
            // What is being made is known by what it will be.
            let label = |value| match *kind {
                ck::CKA_LABEL => planted::label_of(value),
                _ => value,
            };
            // Empty unless somebody says otherwise (PKCS#11 v3.1 §4.4, §4.7): kryoptic has no such attribute then, others an empty one.
            let value = value.map(label).filter(|value| !value.is_empty());
            add(&mut hash, value);
        }
        add(&mut hash, proof);
        let mut fingerprint = [0; 16];
        fill(&mut fingerprint, hash);
        Self(fingerprint)
    }
}

impl Revision {
    /// Of an object as the token shows it. An attribute that the token does not know is taken for one that nobody has set, so that tokens of
    /// different makes agree.
    ///
    /// # Errors
    /// The token gives no answer, or the object is not there.
    pub fn of(token: &mut Token<'_>, object: ObjectHandle) -> Result<Self, CallError> {
        let class = token.attributes(object, &[ck::CKA_CLASS])?;
        let class = class.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
        let attributes = token.attributes(object, kinds::changing(class))?;
        Ok(Self::of_attributes(class, &attributes))
    }

    /// Of an object of `class` with these attributes, of which only those that may change matter.
    pub(crate) fn of_attributes(class: u64, attributes: &Attributes) -> Self {
        let mut hash = Sha256::new();
        for kind in kinds::changing(class) {
            // A flag that is not there and one that is not set are the same.
            let value = attributes.get(*kind).filter(|value| **value != [0]);
            add(&mut hash, Some(value.unwrap_or_default()));
        }
        let mut revision = [0; 8];
        fill(&mut revision, hash);
        Self(revision)
    }
}

/// What tells two objects apart whatever they are called; never a key's own value.
fn proof(
    token: &mut Token<'_>,
    object: ObjectHandle,
    names: &Attributes,
) -> Result<Option<Vec<u8>>, CallError> {
    if let Some(own) = own_proof(token, object, names)? {
        return Ok(Some(own));
    }
    if names.integer(ck::CKA_CLASS) != Some(ck::CKO_PRIVATE_KEY) {
        return Ok(None);
    }
    match public_key_of(token, names)? {
        Some(public) => public_value(token, public),
        None => Ok(None),
    }
}

/// The same, of what the object itself shows.
pub(crate) fn own_proof(
    token: &mut Token<'_>,
    object: ObjectHandle,
    names: &Attributes,
) -> Result<Option<Vec<u8>>, CallError> {
    match names.integer(ck::CKA_CLASS) {
        Some(ck::CKO_PUBLIC_KEY | ck::CKO_PRIVATE_KEY) => public_value(token, object),
        Some(ck::CKO_SECRET_KEY) => {
            let key_type = names.integer(ck::CKA_KEY_TYPE).unwrap_or(u64::MAX);
            let value = CheckValue::of(token, object, key_type)?;
            Ok(value.map(|value| value.0.to_vec()))
        }
        _ => {
            let read = token.attributes(object, &[ck::CKA_VALUE, ck::CKA_OBJECT_ID])?;
            let value = read.get(ck::CKA_VALUE).or(read.get(ck::CKA_OBJECT_ID));
            Ok(value.map(|value| Sha256::digest(value).to_vec()))
        }
    }
}

/// By what a private key's public key is found beside it: its type and its `CKA_ID`; none without an id.
pub(crate) fn pair_of(names: &Attributes) -> Option<(u64, &[u8])> {
    let id = names.get(ck::CKA_ID).filter(|id| !id.is_empty())?;
    Some((names.integer(ck::CKA_KEY_TYPE)?, id))
}

/// The one public key that goes with a private key by its `CKA_ID`; of several, none tells anything.
pub(super) fn public_key_of(
    token: &mut Token<'_>,
    private: &Attributes,
) -> Result<Option<ObjectHandle>, CallError> {
    let Some((key_type, id)) = pair_of(private) else {
        return Ok(None);
    };
    let wanted = Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY)
        .number(ck::CKA_KEY_TYPE, key_type)
        .bytes(ck::CKA_ID, id);
    match token.find(&wanted)?[..] {
        [one] => Ok(Some(one)),
        _ => Ok(None),
    }
}

/// What is public of a key: the modulus, the point, or the public value of the older kinds.
pub(super) fn public_value(
    token: &mut Token<'_>,
    key: ObjectHandle,
) -> Result<Option<Vec<u8>>, CallError> {
    let read = token.attributes(key, &[ck::CKA_MODULUS, ck::CKA_EC_POINT])?;
    let value = [ck::CKA_MODULUS, ck::CKA_EC_POINT]
        .iter()
        .find_map(|kind| read.get(*kind).filter(|value| !value.is_empty()));
    Ok(value.map(<[u8]>::to_vec))
}

/// With its length, so that no two lists of values look alike.
fn add(hash: &mut Sha256, value: Option<&[u8]>) {
    let length = value.map_or(u64::MAX, |value| value.len() as u64);
    hash.update(length.to_le_bytes());
    hash.update(value.unwrap_or_default());
}

fn fill(mark: &mut [u8], hash: Sha256) {
    let hash = hash.finalize();
    for (to, from) in mark.iter_mut().zip(hash.iter()) {
        *to = *from;
    }
}

/// Whether two values of an attribute say the same.
pub(super) fn agrees(one: Option<&Content>, other: Option<&Content>) -> bool {
    match (one, other) {
        (Some(Content::Bytes(one)), Some(Content::Bytes(other))) => one == other,
        (Some(Content::Template(one)), Some(Content::Template(other))) => {
            one.iter().count() == other.iter().count()
                && one
                    .iter()
                    .all(|(kind, value)| agrees(Some(value), other.content(kind)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
