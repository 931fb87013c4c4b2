//! Carries an object from one member to another: packed on the one, unpacked on the other, proven on both.

use cryptoki_sys as ck;
use everslot_core::ckr;
use everslot_protocol::ObjectHandle;
use zeroize::Zeroizing;

use super::attributes::{Attributes, Content};
use super::call::CallError;
use super::identity::{agrees, public_key_of, public_value};
use super::kinds::{self, NSS_DB};
use super::profile::Profile;
use super::prove::{Evidence, Proof, confirm, evidence, length, same_length};
use super::token::{Token, plain};

/// A member as one that keys are carried from or to.
pub struct End<'e, 'l> {
    /// The member's name, by which the profiles know it.
    pub name: &'e str,
    /// Its token; whoever carries private objects has logged in.
    pub token: &'e mut Token<'l>,
    /// The domain key there.
    pub domain_key: ObjectHandle,
    /// How it wraps.
    pub profile: Profile,
}

/// An object that has arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Carried {
    /// The copy.
    pub object: ObjectHandle,
    /// How it was seen to be right.
    pub proof: Proof,
    /// Attributes (`CKA_…`) that the copy has otherwise than the original, or not at all; never one that restricts its use.
    pub differs: Vec<u64>,
}

/// Why an object was not carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CarryError {
    /// The original may not be wrapped.
    #[error(
        "the key cannot leave its token: it is unextractable, or the domain key may not wrap it"
    )]
    NotExtractable,
    /// Objects of this class are the token's own.
    #[error("objects of class {0:#x} cannot be carried")]
    Class(u64),
    /// The target keeps no objects of this class.
    #[error("the other token keeps no objects of class {0:#x}")]
    NotKept(u64),
    /// The members have no way of wrapping in common.
    #[error("the two tokens have no way of wrapping keys in common")]
    NoCommonWrap,
    /// The target has not taken over something that restricts the original.
    #[error("the other token does not keep attribute {0:#x}, which restricts the object")]
    Unrestricted(u64),
    /// What the copy makes is not right by the original.
    #[error("the copy does not do what the original does")]
    Wrong,
    /// The member that has the original.
    #[error("on the token that has it: {0}")]
    Source(CallError),
    /// The member that is to have the copy.
    #[error("on the token that is to have it: {0}")]
    Target(CallError),
}

/// A carry that failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct CarryFailure {
    /// Why.
    pub error: CarryError,
    /// Whether something of the copy may be left on the target: it gave no answer, or would not destroy the copy again.
    pub may_remain: bool,
}

impl From<CarryError> for CarryFailure {
    fn from(error: CarryError) -> Self {
        Self {
            error,
            may_remain: false,
        }
    }
}

/// An object on its way.
pub struct Parcel {
    /// What the original is: its class, type and all that travels.
    attributes: Attributes,
    cargo: Cargo,
}

enum Cargo {
    /// Nothing but the attributes.
    Open,
    /// A key under the domain key, by the format of this wrap mechanism; and, of an EC key, the public point if it is known.
    Wrapped {
        bytes: Zeroizing<Vec<u8>>,
        point: Option<Vec<u8>>,
    },
}

/// Carries `object` from one member to another; `overlay` are attributes that the copy is to have otherwise than the original.
///
/// # Errors
/// Why not, see [`CarryError`]. A copy that was half made is destroyed again, unless the failure says that it may remain.
pub fn carry(
    object: ObjectHandle,
    from: &mut End<'_, '_>,
    to: &mut End<'_, '_>,
    overlay: &Attributes,
) -> Result<Carried, CarryFailure> {
    let named = Parcel::named(object, from)?;
    to.profile.may_receive(from.name, &named)?;
    let parcel = Parcel::pack_named(object, named, from)?;
    let unpacked = parcel.unpack(to, overlay)?;
    match unpacked.prove(object, from.token, &parcel) {
        Ok(carried) => Ok(carried),
        Err(error) => Err(undo(to.token, unpacked.object, error)),
    }
}

/// Gives the copy the attributes of the original that may change: the same object had changed on one member only.
///
/// # Errors
/// As for [`carry`], but that a failure leaves the copy as it was, or with some of the changes when the target gave no answer.
pub fn update(
    object: ObjectHandle,
    from: &mut Token<'_>,
    copy: ObjectHandle,
    to: &mut Token<'_>,
) -> Result<(), CarryError> {
    let class = from
        .attributes(object, &[ck::CKA_CLASS])
        .map_err(CarryError::Source)?;
    let class = class.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
    let changing = kinds::changing(class);
    let wanted = from
        .attributes(object, changing)
        .map_err(CarryError::Source)?;
    let present = to.attributes(copy, changing).map_err(CarryError::Target)?;
    let mut changes = Attributes::new();
    for (kind, value) in wanted.iter() {
        // What a token does not know is as if nobody had set it there.
        let is_unset = matches!(value, Content::Bytes(value) if value.is_empty() || **value == [0]);
        let is_same = match present.content(kind) {
            None => is_unset,
            there => agrees(Some(value), there),
        };
        if !is_same {
            changes.set_content(kind, value.clone());
        }
    }
    if changes == Attributes::new() {
        return Ok(());
    }
    to.set(copy, &changes).map_err(CarryError::Target)
}

impl Parcel {
    /// Reads the object, and wraps it if it is a key that must not be read.
    ///
    /// # Errors
    /// See [`CarryError`]; nothing has been made anywhere.
    pub fn pack(object: ObjectHandle, from: &mut End<'_, '_>) -> Result<Self, CarryError> {
        let named = Self::named(object, from)?;
        Self::pack_named(object, named, from)
    }

    /// What decides whether and how the object travels.
    fn named(object: ObjectHandle, from: &mut End<'_, '_>) -> Result<Attributes, CarryError> {
        from.token
            .attributes(object, &[ck::CKA_CLASS, ck::CKA_KEY_TYPE, ck::CKA_TOKEN])
            .map_err(CarryError::Source)
    }

    fn pack_named(
        object: ObjectHandle,
        mut attributes: Attributes,
        from: &mut End<'_, '_>,
    ) -> Result<Self, CarryError> {
        let class = attributes.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
        let traveling = kinds::traveling(class).ok_or(CarryError::Class(class))?;
        let read = from.token.attributes(object, &traveling);
        for (kind, value) in read.map_err(CarryError::Source)?.iter() {
            let default = matches!(value, Content::Bytes(value) if kinds::is_default(kind, value));
            if !default {
                attributes.set_content(kind, value.clone());
            }
        }
        let cargo = if kinds::is_wrapped(class) {
            wrap(object, from, &attributes)?
        } else {
            Cargo::Open
        };
        Ok(Self { attributes, cargo })
    }

    /// Makes the copy, and has it make what proves it.
    ///
    /// # Errors
    /// See [`CarryFailure`].
    pub(super) fn unpack(
        &self,
        to: &mut End<'_, '_>,
        overlay: &Attributes,
    ) -> Result<Unpacked, CarryFailure> {
        let mut template = self.attributes.clone();
        for (kind, value) in overlay.iter() {
            template.set_content(kind, value.clone());
        }
        let object = self.make(to, &template).map_err(|error| CarryFailure {
            may_remain: !error.is_refusal(),
            error: CarryError::Target(error),
        })?;
        self.look(to.token, object, &template)
            .map_err(|error| undo(to.token, object, error))
    }

    fn make(&self, to: &mut End<'_, '_>, template: &Attributes) -> Result<ObjectHandle, CallError> {
        match &self.cargo {
            Cargo::Open => to.token.create(template),
            Cargo::Wrapped { bytes, point } => {
                let mut template = template.clone();
                let is_curve = template.integer(ck::CKA_KEY_TYPE) == Some(ck::CKK_EC)
                    && template.integer(ck::CKA_CLASS) == Some(ck::CKO_PRIVATE_KEY);
                if to.profile.wants_nss_db && is_curve {
                    template.set(NSS_DB, point.as_deref().unwrap_or_default());
                }
                let mechanism = plain(to.profile.wrap);
                to.token.unwrap(mechanism, to.domain_key, bytes, &template)
            }
        }
    }

    /// What has become of the attributes, and what the copy can do.
    fn look(
        &self,
        token: &mut Token<'_>,
        object: ObjectHandle,
        template: &Attributes,
    ) -> Result<Unpacked, CarryError> {
        let kinds: Vec<u64> = template.iter().map(|(kind, _)| kind).collect();
        let present = token
            .attributes(object, &kinds)
            .map_err(CarryError::Target)?;
        let differs: Vec<u64> = template
            .iter()
            .filter(|(kind, value)| !agrees(Some(value), present.content(*kind)))
            .map(|(kind, _)| kind)
            .collect();
        if let Some(kind) = differs
            .iter()
            .find(|kind| kinds::RESTRICTIONS.contains(kind))
        {
            return Err(CarryError::Unrestricted(*kind));
        }
        let evidence = match self.cargo {
            Cargo::Open => None,
            Cargo::Wrapped { .. } => {
                Some(evidence(token, object, template).map_err(CarryError::Target)?)
            }
        };
        Ok(Unpacked {
            object,
            differs,
            evidence,
            length: length(token, object).map_err(CarryError::Target)?,
        })
    }
}

/// A copy that is yet to be proven.
pub(super) struct Unpacked {
    pub(super) object: ObjectHandle,
    differs: Vec<u64>,
    evidence: Option<Evidence>,
    length: Option<u64>,
}

impl Unpacked {
    /// Has the original confirm what the copy has made.
    pub(super) fn prove(
        &self,
        original: ObjectHandle,
        from: &mut Token<'_>,
        parcel: &Parcel,
    ) -> Result<Carried, CarryError> {
        if !same_length(from, original, self.length).map_err(CarryError::Source)? {
            return Err(CarryError::Wrong);
        }
        let proof = match &self.evidence {
            None => Proof::Value,
            Some(evidence) => confirm(from, original, &parcel.attributes, evidence)
                .map_err(CarryError::Source)?
                .ok_or(CarryError::Wrong)?,
        };
        Ok(Carried {
            object: self.object,
            proof,
            differs: self.differs.clone(),
        })
    }
}

/// Destroys a copy that must not stay.
pub(super) fn undo(token: &mut Token<'_>, copy: ObjectHandle, error: CarryError) -> CarryFailure {
    CarryFailure {
        error,
        may_remain: token.destroy(copy).is_err(),
    }
}

fn wrap(
    object: ObjectHandle,
    from: &mut End<'_, '_>,
    attributes: &Attributes,
) -> Result<Cargo, CarryError> {
    if attributes.flag(ck::CKA_EXTRACTABLE) == Some(false) {
        return Err(CarryError::NotExtractable);
    }
    let mechanism = plain(from.profile.wrap);
    let wrapped = from.token.wrap(mechanism, from.domain_key, object);
    let bytes = wrapped.map_err(|error| match error.code() {
        ckr::KEY_UNEXTRACTABLE | ckr::KEY_NOT_WRAPPABLE => CarryError::NotExtractable,
        _ => CarryError::Source(error),
    })?;
    let is_curve = attributes.integer(ck::CKA_KEY_TYPE) == Some(ck::CKK_EC);
    let point = if is_curve && attributes.integer(ck::CKA_CLASS) == Some(ck::CKO_PRIVATE_KEY) {
        point(object, from.token, attributes).map_err(CarryError::Source)?
    } else {
        None
    };
    Ok(Cargo::Wrapped {
        bytes: Zeroizing::new(bytes),
        point,
    })
}

/// The public point of an EC private key, if the token shows it there or on the public key beside it.
fn point(
    object: ObjectHandle,
    token: &mut Token<'_>,
    attributes: &Attributes,
) -> Result<Option<Vec<u8>>, CallError> {
    if let Some(value) = public_value(token, object)? {
        return Ok(Some(value));
    }
    match public_key_of(token, attributes)? {
        Some(public) => public_value(token, public),
        None => Ok(None),
    }
}
