//! One object of a member, in fixed size.

use cryptoki_sys as ck;
use everslot_core::ckr;
use everslot_protocol::ObjectHandle;
use sha2::{Digest, Sha256};

use crate::domain::key::KeyName;
use crate::domain::{
    Attributes, CallError, Fingerprint, NAMES, Revision, Token, changing, own_proof, pair_of,
    traveling,
};
use crate::journal::Plant;
use crate::objects::planted;

/// By what a private key and its public key are known to belong together: a hash of type and `CKA_ID`.
pub(super) type Pair = [u8; 16];

/// What a member shows of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Look {
    pub(super) fingerprint: Fingerprint,
    /// Of a private key that is known by the public key beside it: what it is known by without that.
    pub(super) bare: Option<Fingerprint>,
    pub(super) revision: Revision,
    /// `CKO_…`
    pub(super) class: u64,
    /// Whether the member lets it go, as far as it says.
    pub(super) carryable: bool,
    /// What its label bears.
    pub(super) plant: Option<Plant>,
    /// Of a public or private key that has an id.
    pub(super) pair: Option<Pair>,
    /// Of a public key.
    pub(super) public: Option<Vec<u8>>,
    /// Of a private key: that it is known by its public key, since it does not show its public value itself.
    pub(super) leans: bool,
}

/// What there is at a handle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    /// An object that is, or may be, the group's.
    Object(Look),
    /// The token's own, or the domain key.
    NotOurs,
    /// Nothing any more.
    Gone,
}

impl Seen {
    /// Looks at an object. `public` knows the public value of the one public key of a pair.
    ///
    /// # Errors
    /// The token gives no answer, or does not let the object be read.
    pub(super) fn at<E: From<CallError>>(
        token: &mut Token<'_>,
        object: ObjectHandle,
        key_name: &KeyName,
        public: impl FnOnce(&Pair) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let read = read(token, object, key_name);
        let Read {
            names,
            own,
            changing,
        } = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(Self::NotOurs),
            Err(error) if is_gone(error) => return Ok(Self::Gone),
            Err(error) => return Err(error.into()),
        };
        let class = names.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
        let is_private = class == ck::CKO_PRIVATE_KEY;
        let pair = (is_private || class == ck::CKO_PUBLIC_KEY)
            .then(|| pair_of(&names).map(hashed))
            .flatten();
        let leans = is_private && own.is_none() && pair.is_some();
        let borrowed = match pair.filter(|_| leans) {
            Some(pair) => public(&pair)?,
            None => None,
        };
        let proof = own.as_deref().or(borrowed.as_deref());
        let bare = borrowed
            .is_some()
            .then(|| Fingerprint::of_names(&names, None));
        Ok(Self::Object(Look {
            fingerprint: Fingerprint::of_names(&names, proof),
            bare,
            revision: Revision::of_attributes(class, &changing),
            class,
            carryable: changing.flag(ck::CKA_EXTRACTABLE) != Some(false),
            plant: names.get(ck::CKA_LABEL).and_then(planted::plant_of),
            pair,
            public: own.filter(|_| class == ck::CKO_PUBLIC_KEY),
            leans,
        }))
    }
}

/// What was read of an object.
struct Read {
    names: Attributes,
    /// What it itself shows of what proves it.
    own: Option<Vec<u8>>,
    /// What may change in it.
    changing: Attributes,
}

/// None of what is not the group's.
fn read(
    token: &mut Token<'_>,
    object: ObjectHandle,
    key_name: &KeyName,
) -> Result<Option<Read>, CallError> {
    let names = token.attributes(object, NAMES)?;
    let class = names.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
    if traveling(class).is_none() || key_name.is(&names) {
        return Ok(None);
    }
    let own = own_proof(token, object, &names)?;
    let changing = token.attributes(object, changing(class))?;
    Ok(Some(Read {
        names,
        own,
        changing,
    }))
}

/// Whether the token says that there is no such object.
pub(super) fn is_gone(error: CallError) -> bool {
    error.is_refusal()
        && matches!(
            error.code(),
            ckr::OBJECT_HANDLE_INVALID | ckr::KEY_HANDLE_INVALID
        )
}

fn hashed((key_type, id): (u64, &[u8])) -> Pair {
    let hash = Sha256::new()
        .chain_update(key_type.to_le_bytes())
        .chain_update(id)
        .finalize();
    hash.first_chunk().copied().unwrap_or_default()
}
