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

/// What a token shows of what an object is known by.
///
/// All but private keys show it themselves, and RSA's do; SoftHSM does not show the point of an EC private key. Such a key may have public keys
/// beside it, which come and go; then what is on record decides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// What it is known by, if it shows that itself.
    whole: Option<Fingerprint>,
    /// What it would be known by without a public value.
    bare: Fingerprint,
    is_private_key: bool,
    /// With the public value of the one public key of its type, `CKA_ID` and label.
    firm: Option<Fingerprint>,
    /// With that of each public key of its type and `CKA_ID`.
    loose: Vec<Fingerprint>,
}

/// Something on record that a private key may be, since it is called the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Candidate {
    /// What it is known by.
    pub(crate) fingerprint: Fingerprint,
    /// Whether it was destroyed.
    pub(crate) gone: bool,
    /// Whether the member that shows the key has it, as far as is on record.
    pub(crate) is_held: bool,
}

/// A public key beside a private one: its label and its public value.
type Beside = (Vec<u8>, Vec<u8>);

impl Shown {
    /// Of an object as the token shows it.
    ///
    /// # Errors
    /// The token gives no answer, or the object is not there.
    pub fn of(token: &mut Token<'_>, object: ObjectHandle) -> Result<Self, CallError> {
        let names = token.attributes(object, NAMES)?;
        Self::called(token, object, &names)
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
        match changes.get(ck::CKA_VALUE).filter(|_| !is_key) {
            Some(value) => Ok(Self::with(&names, Some(&Sha256::digest(value)), &[])),
            None => Self::called(token, object, &names),
        }
    }

    /// Of an object that is called so.
    ///
    /// # Errors
    /// As for [`of`](Self::of).
    pub(crate) fn called(
        token: &mut Token<'_>,
        object: ObjectHandle,
        names: &Attributes,
    ) -> Result<Self, CallError> {
        let own = own_proof(token, object, names)?;
        let beside = match own {
            None if is_private(names) => public_keys_of(token, names)?,
            _ => Vec::new(),
        };
        Ok(Self::with(names, own.as_deref(), &beside))
    }

    /// Of what an object is called, what it shows itself, and the public keys beside it if it is a private key that shows nothing.
    fn with(names: &Attributes, own: Option<&[u8]>, beside: &[Beside]) -> Self {
        let bare = Fingerprint::of_names(names, None);
        let is_settled = own.is_some() || !is_private(names);
        let with = |(_, value): &Beside| Fingerprint::of_names(names, Some(value));
        let label = names.get(ck::CKA_LABEL).unwrap_or_default();
        let label = planted::label_of(label);
        let mut of_label = beside.iter().filter(|(other, _)| other == label);
        let firm = match (of_label.next(), of_label.next()) {
            (Some(one), None) => Some(with(one)),
            _ => None,
        };
        Self {
            whole: is_settled.then(|| Fingerprint::of_names(names, own)),
            bare,
            is_private_key: is_private(names),
            firm,
            loose: beside.iter().map(with).collect(),
        }
    }

    /// What it is known by, by itself or else by the public key beside it.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.known_as(&[])
    }

    /// Of a private key: what it would be known by without a public value. What is called the same has the same.
    #[must_use]
    pub fn bare(&self) -> Option<Fingerprint> {
        self.is_private_key.then_some(self.bare)
    }

    /// By what that is found on record which has a say in what it is known by.
    pub(crate) fn open_name(&self) -> Option<Fingerprint> {
        self.bare().filter(|_| self.whole.is_none())
    }

    /// What it is known by, given what is on record under its names. A public key beside it that agrees with the record tells; one that is called as
    /// the key itself and does not agree tells that it is another key; else the record does, first of what the member has.
    pub(crate) fn known_as(&self, candidates: &[Candidate]) -> Fingerprint {
        if let Some(whole) = self.whole {
            return whole;
        }
        let agrees = |candidate: &&Candidate| self.loose.contains(&candidate.fingerprint);
        let agreeing: Vec<_> = candidates.iter().filter(agrees).copied().collect();
        if let Some(one) = likeliest(&agreeing) {
            return one;
        }
        if let Some(firm) = self.firm {
            let bare = |candidate: &Candidate| candidate.fingerprint == self.bare;
            return if candidates.iter().any(bare) {
                self.bare
            } else {
                firm
            };
        }
        match (likeliest(candidates), &self.loose[..]) {
            (Some(one), _) => one,
            (None, [one]) if candidates.is_empty() => *one,
            (None, _) => self.bare,
        }
    }
}

/// The one that the member holds, else the one that lives, else the one that there is.
fn likeliest(candidates: &[Candidate]) -> Option<Fingerprint> {
    let one = |is_likely: fn(&Candidate) -> bool| {
        let mut likely = candidates.iter().filter(|candidate| is_likely(candidate));
        match (likely.next(), likely.next()) {
            (Some(one), None) => Some(one.fingerprint),
            _ => None,
        }
    };
    one(|candidate| candidate.is_held)
        .or_else(|| one(|candidate| !candidate.gone))
        .or_else(|| one(|_| true))
}

fn is_private(names: &Attributes) -> bool {
    names.integer(ck::CKA_CLASS) == Some(ck::CKO_PRIVATE_KEY)
}

impl Fingerprint {
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

/// What an object itself shows that tells it from others whatever they are called; never a key's own value.
fn own_proof(
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
fn pair_of(names: &Attributes) -> Option<(u64, &[u8])> {
    let id = names.get(ck::CKA_ID).filter(|id| !id.is_empty())?;
    Some((names.integer(ck::CKA_KEY_TYPE)?, id))
}

/// The one public key that goes with a private key by its `CKA_ID`; of several, none tells anything.
pub(super) fn public_key_of(
    token: &mut Token<'_>,
    private: &Attributes,
) -> Result<Option<ObjectHandle>, CallError> {
    match beside(token, private)?[..] {
        [one] => Ok(Some(one)),
        _ => Ok(None),
    }
}

/// The public keys with a private key's type and `CKA_ID`.
fn beside(token: &mut Token<'_>, private: &Attributes) -> Result<Vec<ObjectHandle>, CallError> {
    let Some((key_type, id)) = pair_of(private) else {
        return Ok(Vec::new());
    };
    let wanted = Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY)
        .number(ck::CKA_KEY_TYPE, key_type)
        .bytes(ck::CKA_ID, id);
    token.find(&wanted)
}

fn public_keys_of(token: &mut Token<'_>, private: &Attributes) -> Result<Vec<Beside>, CallError> {
    let mut keys = Vec::new();
    for key in beside(token, private)? {
        let label = token.attribute(key, ck::CKA_LABEL)?.unwrap_or_default();
        if let Some(value) = public_value(token, key)? {
            keys.push((planted::label_of(&label).to_vec(), value));
        }
    }
    Ok(keys)
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
