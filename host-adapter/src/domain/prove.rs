//! Proof that a copy is what it is a copy of: something made with the copy is right by the original.

use cryptoki_sys as ck;
use everslot_protocol::ObjectHandle;

use super::attributes::Attributes;
use super::call::CallError;
use super::check::CheckValue;
use super::identity::public_key_of;
use super::token::Token;

/// What is signed, encrypted or given to a MAC: the length of a SHA-256 hash and a multiple of every block.
const SAMPLE: &[u8; 32] = b"everslot: is the copy the same?!";

/// What was made with the copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Evidence {
    /// A signature by the mechanism.
    Signature(u64, Vec<u8>),
    /// A MAC by the mechanism.
    Mac(u64, Vec<u8>),
    /// A block encrypted by the mechanism.
    Encrypted(u64, Vec<u8>),
    /// The check value.
    CheckValue(CheckValue),
    /// Nothing: the key may do nothing that shows it, or only with a PIN for each use.
    None,
}

/// How a copy was seen to be right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// What the copy has made by itself, the original has confirmed.
    Use,
    /// The check values are equal.
    CheckValue,
    /// The wrapping has protected it; nothing else could be seen.
    None,
    /// It was read and made anew, value by value.
    Value,
}

/// Has the copy make something.
pub(super) fn evidence(
    token: &mut Token<'_>,
    copy: ObjectHandle,
    attributes: &Attributes,
) -> Result<Evidence, CallError> {
    let may = |kind| attributes.flag(kind) == Some(true);
    let key_type = attributes.integer(ck::CKA_KEY_TYPE).unwrap_or(u64::MAX);
    if may(ck::CKA_ALWAYS_AUTHENTICATE) {
        return Ok(Evidence::None);
    }
    let made = match attributes.integer(ck::CKA_CLASS) {
        Some(ck::CKO_PRIVATE_KEY) if may(ck::CKA_SIGN) => match signature_mechanism(key_type) {
            Some(mechanism) => token
                .sign(mechanism, copy, SAMPLE)
                .map(|signature| Evidence::Signature(mechanism, signature)),
            None => Ok(Evidence::None),
        },
        Some(ck::CKO_SECRET_KEY) if may(ck::CKA_ENCRYPT) && key_type == ck::CKK_AES => token
            .encrypt(ck::CKM_AES_ECB, copy, SAMPLE)
            .map(|block| Evidence::Encrypted(ck::CKM_AES_ECB, block)),
        Some(ck::CKO_SECRET_KEY) if may(ck::CKA_SIGN) && key_type != ck::CKK_AES => token
            .sign(ck::CKM_SHA256_HMAC, copy, SAMPLE)
            .map(|mac| Evidence::Mac(ck::CKM_SHA256_HMAC, mac)),
        _ => Ok(Evidence::None),
    };
    match made {
        Ok(Evidence::None) => {}
        Err(error) if error.is_refusal() => {}
        made => return made,
    }
    if attributes.integer(ck::CKA_CLASS) == Some(ck::CKO_SECRET_KEY)
        && let Some(value) = CheckValue::of(token, copy, key_type)?
    {
        return Ok(Evidence::CheckValue(value));
    }
    Ok(Evidence::None)
}

/// Whether two secret keys have the same length, as far as both tokens tell. A MAC does not show it: HMAC fills its key up with zeros, which is
/// what SoftHSM does to a secret that is no multiple of 8 bytes long when it wraps it.
pub(super) fn same_length(
    from: &mut Token<'_>,
    original: ObjectHandle,
    copy_length: Option<u64>,
) -> Result<bool, CallError> {
    let own = length(from, original)?;
    Ok(own.is_none() || copy_length.is_none() || own == copy_length)
}

/// `CKA_VALUE_LEN`; SoftHSM says 0 of a key that it has unwrapped.
pub(super) fn length(token: &mut Token<'_>, key: ObjectHandle) -> Result<Option<u64>, CallError> {
    let read = token.attributes(key, &[ck::CKA_VALUE_LEN])?;
    Ok(read
        .integer(ck::CKA_VALUE_LEN)
        .filter(|length| *length != 0))
}

/// Has the original confirm it; `None` when it says no.
pub(super) fn confirm(
    token: &mut Token<'_>,
    original: ObjectHandle,
    attributes: &Attributes,
    evidence: &Evidence,
) -> Result<Option<Proof>, CallError> {
    let key_type = attributes.integer(ck::CKA_KEY_TYPE).unwrap_or(u64::MAX);
    let (said, proof) = match evidence {
        Evidence::None => return Ok(Some(Proof::None)),
        Evidence::Signature(mechanism, signature) => {
            let verified = verify(token, original, attributes, *mechanism, signature);
            (verified.map(Some), Proof::Use)
        }
        Evidence::Mac(mechanism, mac) => {
            let same = token.sign(*mechanism, original, SAMPLE);
            (same.map(|same| Some(Some(same == *mac))), Proof::Use)
        }
        Evidence::Encrypted(mechanism, block) => {
            let same = token.encrypt(*mechanism, original, SAMPLE);
            (same.map(|same| Some(Some(same == *block))), Proof::Use)
        }
        Evidence::CheckValue(value) => {
            let own = CheckValue::of(token, original, key_type);
            (
                own.map(|own| Some(own.map(|own| own == *value))),
                Proof::CheckValue,
            )
        }
    };
    match said {
        Ok(Some(Some(false))) => Ok(None),
        Ok(Some(Some(true))) => Ok(Some(proof)),
        Ok(Some(None) | None) => Ok(Some(Proof::None)),
        Err(error) if error.is_refusal() => Ok(Some(Proof::None)),
        Err(error) => Err(error),
    }
}

/// Whether the signature is right by the public key that goes with the original; `None` when there is no such key.
fn verify(
    token: &mut Token<'_>,
    original: ObjectHandle,
    attributes: &Attributes,
    mechanism: u64,
    signature: &[u8],
) -> Result<Option<bool>, CallError> {
    if let Some(public) = public_key_of(token, attributes)?
        && let Ok(said) = token.verify(mechanism, public, SAMPLE, signature)
        && said
    {
        return Ok(Some(true));
    }
    // A key beside it may have its id and be another's: what the original itself says is what counts.
    let Some(public) = public_half(token, original, attributes)? else {
        return Ok(None);
    };
    let said = token.verify(mechanism, public, SAMPLE, signature);
    token.destroy(public)?;
    said.map(Some)
}

/// The public key of a private key that shows its public value, as a session object.
fn public_half(
    token: &mut Token<'_>,
    private: ObjectHandle,
    attributes: &Attributes,
) -> Result<Option<ObjectHandle>, CallError> {
    let key_type = attributes.integer(ck::CKA_KEY_TYPE).unwrap_or(u64::MAX);
    let kinds: &[u64] = match key_type {
        ck::CKK_RSA => &[ck::CKA_MODULUS, ck::CKA_PUBLIC_EXPONENT],
        ck::CKK_EC | ck::CKK_EC_EDWARDS => &[ck::CKA_EC_PARAMS, ck::CKA_EC_POINT],
        _ => return Ok(None),
    };
    let values = token.attributes(private, kinds)?;
    let mut template = Attributes::new()
        .number(ck::CKA_CLASS, ck::CKO_PUBLIC_KEY)
        .number(ck::CKA_KEY_TYPE, key_type)
        .flags(&[ck::CKA_VERIFY], true)
        .flags(&[ck::CKA_TOKEN, ck::CKA_PRIVATE], false);
    for kind in kinds {
        match values.get(*kind).filter(|value| !value.is_empty()) {
            Some(value) => template.set(*kind, value),
            None => return Ok(None),
        }
    }
    token.create(&template).map(Some)
}

const fn signature_mechanism(key_type: u64) -> Option<u64> {
    match key_type {
        ck::CKK_RSA => Some(ck::CKM_SHA256_RSA_PKCS),
        ck::CKK_EC => Some(ck::CKM_ECDSA),
        ck::CKK_EC_EDWARDS => Some(ck::CKM_EDDSA),
        _ => None,
    }
}
