//! One object of a member, in fixed size.

use cryptoki_sys as ck;
use everslot_core::ckr;
use everslot_protocol::ObjectHandle;

use super::deeds::is_lost;
use crate::domain::key::KeyName;
use crate::domain::{CallError, NAMES, Revision, Shown, Token, changing, traveling};
use crate::journal::Plant;
use crate::objects::planted;

/// What a member shows of an object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Look {
    pub(super) shown: Shown,
    pub(super) revision: Revision,
    /// `CKO_…`
    pub(super) class: u64,
    /// Whether the member lets it go, as far as it says.
    pub(super) carryable: bool,
    /// What its label bears.
    pub(super) plant: Option<Plant>,
}

/// What there is at a handle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    /// An object that is, or may be, the group's.
    Object(Look),
    /// The token's own, the domain key, or nothing that can be read.
    NotOurs,
    /// Nothing any more.
    Gone,
}

impl Seen {
    /// Looks at an object.
    ///
    /// # Errors
    /// The token gives no answer, or does not let the object be read.
    pub(super) fn at(
        token: &mut Token<'_>,
        object: ObjectHandle,
        key_name: &KeyName,
    ) -> Result<Self, CallError> {
        match look(token, object, key_name) {
            Ok(Some(look)) => Ok(Self::Object(look)),
            Ok(None) => Ok(Self::NotOurs),
            Err(error) if is_gone(error) => Ok(Self::Gone),
            // One that the token itself cannot read (SoftHSM, of what it was killed over) is nobody's.
            Err(error) if !is_lost(error) => Ok(Self::NotOurs),
            Err(error) => Err(error),
        }
    }
}

/// None of what is not the group's.
fn look(
    token: &mut Token<'_>,
    object: ObjectHandle,
    key_name: &KeyName,
) -> Result<Option<Look>, CallError> {
    let names = token.attributes(object, NAMES)?;
    let class = names.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
    if traveling(class).is_none() || key_name.is(&names) {
        return Ok(None);
    }
    let shown = Shown::called(token, object, &names)?;
    let changing = token.attributes(object, changing(class))?;
    Ok(Some(Look {
        shown,
        revision: Revision::of_attributes(class, &changing),
        class,
        carryable: changing.flag(ck::CKA_EXTRACTABLE) != Some(false),
        plant: names.get(ck::CKA_LABEL).and_then(planted::plant_of),
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
