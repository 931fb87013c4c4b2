//! What makes an object of one member the same as an object of another (class, key type, `CKA_ID`, label, and the public value
//! or check value), since handles and `CKA_UNIQUE_ID` are each token's own.

use cryptoki_sys as ck;
use everslot_core::{Rv, ckr};
use everslot_protocol::{
    Attribute, AttributeValue, Bytes, List, ObjectHandle, Request, Value, Wanted, wire,
};

use super::{handles, written};
use crate::group::Lease;
use crate::journal::Plant;
use crate::module::LinkFailure;
use crate::objects::planted;

/// Identifies an object across members.
#[derive(Clone, Default)]
pub(crate) struct Identity {
    pub(crate) class: u64,
    pub(crate) token: bool,
    pub(crate) private: bool,
    pub(crate) key_type: Option<u64>,
    pub(super) id: Vec<u8>,
    pub(super) label: Vec<u8>,
    /// It is being made, or was made and its maker did not come to say so at the member.
    pub(super) plant: Option<Plant>,
    /// The first of [`PROOFS`] that the object has: its kind and value.
    pub(super) proof: Option<(u64, Vec<u8>)>,
}

/// Attributes that tell two objects apart whatever they are called, in the order of their worth.
const PROOFS: [u64; 5] = [
    ck::CKA_MODULUS,
    ck::CKA_EC_POINT,
    ck::CKA_CHECK_VALUE,
    ck::CKA_VALUE,
    ck::CKA_OBJECT_ID,
];

const NAMES: [u64; 6] = [
    ck::CKA_CLASS,
    ck::CKA_TOKEN,
    ck::CKA_PRIVATE,
    ck::CKA_KEY_TYPE,
    ck::CKA_ID,
    ck::CKA_LABEL,
];

/// An attribute of an identity longer than this is not kept: 16 KiB holds every certificate and public key in use.
const LONGEST: u64 = 16 * 1024;

impl Identity {
    /// Reads an object's identity from a member.
    ///
    /// # Errors
    /// The member gave no answer.
    pub(crate) fn read(
        lease: &mut Lease,
        object: ObjectHandle,
    ) -> Result<Result<Self, Rv>, LinkFailure> {
        let mut identity = Self::default();
        let mut note = |kind: u64, value: &[u8]| match kind {
            ck::CKA_CLASS => identity.class = integer(value).unwrap_or(u64::MAX),
            ck::CKA_TOKEN => identity.token = value == [1],
            ck::CKA_PRIVATE => identity.private = value == [1],
            ck::CKA_KEY_TYPE => identity.key_type = integer(value),
            ck::CKA_ID => identity.id = value.to_vec(),
            ck::CKA_LABEL => {
                identity.label = planted::label_of(value).to_vec();
                identity.plant = planted::plant_of(value);
            }
            _ => {}
        };
        if let Err(rv) = read_attributes(lease, object, &NAMES, &mut note)? {
            return Ok(Err(rv));
        }
        let mut proof = None;
        let mut note = |kind: u64, value: &[u8]| {
            if proof.is_none() && !value.is_empty() {
                proof = Some((kind, value.to_vec()));
            }
        };
        let proofs = identity.proofs();
        if let Err(rv) = read_attributes(lease, object, proofs, &mut note)? {
            return Ok(Err(rv));
        }
        identity.proof = proof;
        if identity.class == ck::CKO_PRIVATE_KEY
            && identity.proof.is_none()
            && !identity.id.is_empty()
        {
            identity.proof = identity.proof_of_public_key(lease)?;
        }
        Ok(Ok(identity))
    }

    /// Whether a key's value may be read: it is not sensitive, and extractable.
    ///
    /// # Errors
    /// The member gave no answer.
    pub(super) fn is_open(lease: &mut Lease, object: ObjectHandle) -> Result<bool, LinkFailure> {
        let (mut sensitive, mut extractable) = (true, false);
        let mut note = |kind: u64, value: &[u8]| match kind {
            ck::CKA_SENSITIVE => sensitive = value != [0],
            ck::CKA_EXTRACTABLE => extractable = value == [1],
            _ => {}
        };
        let kinds = [ck::CKA_SENSITIVE, ck::CKA_EXTRACTABLE];
        let read = read_attributes(lease, object, &kinds, &mut note)?;
        Ok(read.is_ok() && !sensitive && extractable)
    }

    /// A private key that shows nothing of its public value (SoftHSM's EC keys) is known by the public key beside it.
    fn proof_of_public_key(
        &self,
        lease: &mut Lease,
    ) -> Result<Option<(u64, Vec<u8>)>, LinkFailure> {
        let public = Self {
            class: ck::CKO_PUBLIC_KEY,
            label: Vec::new(),
            ..self.clone()
        };
        let mut found = [0; 8 * 2];
        let reply = public.search(|template| {
            let request = Request::FindObjects {
                session: lease.handle(),
                template,
            };
            lease.call(&request, &mut found)
        })?;
        let mut keys = handles(reply, &found);
        // Of several with one CKA_ID, none tells anything.
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Ok(None);
        };
        let mut proof = None;
        let mut note = |kind: u64, value: &[u8]| {
            if proof.is_none() && !value.is_empty() {
                proof = Some((kind, value.to_vec()));
            }
        };
        // A key that is gone again proves nothing.
        let _ = read_attributes(lease, key, public.proofs(), &mut note)?;
        Ok(proof)
    }

    /// Whether the identity is enough to recognise the object on another member.
    pub(crate) fn is_telling(&self) -> bool {
        self.token && (self.proof.is_some() || !self.id.is_empty())
    }

    /// What both must have in common to be compared at all, as one key for look-ups.
    pub(crate) fn name(&self) -> Vec<u8> {
        let length = self.id.len() as u64;
        let head = [self.class, self.key_type.unwrap_or(u64::MAX), length];
        head.iter()
            .flat_map(|part| part.to_ne_bytes())
            .chain(self.id.iter().copied())
            .chain(self.label.iter().copied())
            .collect()
    }

    /// Whether this is the same object, seen on another member.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let proven = match (&self.proof, &other.proof) {
            (Some(one), Some(another)) => one == another,
            // A token that does not show the public value of a private key: the CKA_ID has to do.
            (Some(_) | None, _) => !self.id.is_empty(),
        };
        self.is_telling() && other.is_telling() && self.name() == other.name() && proven
    }

    /// A search template for objects that may be this one, given to `search`.
    pub(crate) fn search<T>(&self, search: impl FnOnce(List<'_, Attribute<'_>>) -> T) -> T {
        let (class, key_type) = (
            self.class.to_ne_bytes(),
            self.key_type.unwrap_or(0).to_ne_bytes(),
        );
        let bytes = |kind, value| Attribute {
            kind,
            value: Value::Bytes(Bytes(value)),
        };
        let mut template = vec![bytes(ck::CKA_CLASS, &class[..]), bytes(ck::CKA_TOKEN, &[1])];
        if self.key_type.is_some() {
            template.push(bytes(ck::CKA_KEY_TYPE, &key_type));
        }
        if !self.id.is_empty() {
            template.push(bytes(ck::CKA_ID, &self.id));
        }
        if !self.label.is_empty() {
            template.push(bytes(ck::CKA_LABEL, &self.label));
        }
        search(List::Items(&template))
    }

    /// Never a key's own value: only what is public of it.
    fn proofs(&self) -> &'static [u64] {
        match self.class {
            ck::CKO_PUBLIC_KEY | ck::CKO_PRIVATE_KEY => PROOFS.get(..2).unwrap_or_default(),
            ck::CKO_SECRET_KEY => PROOFS.get(2..3).unwrap_or_default(),
            _ => PROOFS.get(3..).unwrap_or_default(),
        }
    }
}

/// Reads attributes one by one into `note`, leaving out those that the object has not.
fn read_attributes(
    lease: &mut Lease,
    object: ObjectHandle,
    kinds: &[u64],
    note: &mut dyn FnMut(u64, &[u8]),
) -> Result<Result<(), Rv>, LinkFailure> {
    let ask = |kind: &u64| Wanted {
        kind: *kind,
        room: None,
        nested: List::EMPTY,
    };
    let mut wanted: Vec<Wanted<'_>> = kinds.iter().map(ask).collect();
    let mut output = vec![0; wire::attribute_values_size(List::Items(&wanted))];
    match ask_for(lease, object, &wanted, &mut output)? {
        Ok(values) => {
            for (wanted, value) in wanted.iter_mut().zip(values.iter()) {
                wanted.room = match value {
                    AttributeValue::Length(length) if length <= LONGEST => Some(length),
                    _ => Some(0),
                };
            }
        }
        Err(rv) => return Ok(Err(rv)),
    }
    wanted.retain(|wanted| wanted.room != Some(0));
    output.resize(wire::attribute_values_size(List::Items(&wanted)), 0);
    match ask_for(lease, object, &wanted, &mut output)? {
        Ok(values) => {
            for (wanted, value) in wanted.iter().zip(values.iter()) {
                if let AttributeValue::Bytes(value) = value {
                    note(wanted.kind, &value);
                }
            }
            Ok(Ok(()))
        }
        Err(rv) => Ok(Err(rv)),
    }
}

fn ask_for<'o>(
    lease: &mut Lease,
    object: ObjectHandle,
    wanted: &[Wanted<'_>],
    output: &'o mut [u8],
) -> Result<Result<List<'o, AttributeValue<'o>>, Rv>, LinkFailure> {
    let request = Request::AttributeValues {
        session: lease.handle(),
        object,
        wanted: List::Items(wanted),
    };
    let reply = lease.call(&request, output)?;
    let rv = Rv(reply.rv.0);
    let partial = matches!(
        rv,
        ckr::OK | ckr::ATTRIBUTE_TYPE_INVALID | ckr::ATTRIBUTE_SENSITIVE | ckr::BUFFER_TOO_SMALL
    );
    if !partial {
        return Ok(Err(rv));
    }
    Ok(wire::decode_attribute_values(written(reply, output)).map_err(|_| ckr::DEVICE_ERROR))
}

fn integer(value: &[u8]) -> Option<u64> {
    value.try_into().ok().map(u64::from_ne_bytes)
}

#[cfg(test)]
pub(in crate::slot) mod tests;
