//! What a call that makes objects asks for.

use cryptoki_sys as ck;
use everslot_core::MemberSet;
use everslot_protocol::{List, Template, Value};

use super::object::VirtualObject;
use crate::domain::policy::Making;
use crate::group::{EVERY_MEMBER, Home};

/// The templates of a call: of the one object, or of the public and the private key of a pair.
#[derive(Clone, Copy)]
pub(super) struct Given<'t> {
    pub(super) one: Template<'t>,
    pub(super) other: Template<'t>,
}

impl<'t> Given<'t> {
    pub(super) const fn one(one: Template<'t>) -> Self {
        Self {
            one,
            other: List::EMPTY,
        }
    }
}

/// How the objects come to be.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// So; of a copy, from an original of which is remembered what the application asked for.
    Made(Making),
    /// A copy of what the group has not made: it is as the member makes it.
    CopyOfUnknown,
}

/// What is to be made.
pub(super) struct Order<'t> {
    /// The members that can make it.
    pub(super) eligible: MemberSet,
    pub(super) templates: Given<'t>,
    /// `CKO_…` of the first object.
    pub(super) class: u64,
    /// Of the second one of a pair.
    pub(super) second_class: Option<u64>,
    pub(super) origin: Origin,
    /// The label that it has if the template says none.
    pub(super) label: Option<Vec<u8>>,
    /// `CKA_TOKEN` if the template says nothing of it.
    pub(super) token_by_default: bool,
    /// Only the length of something is asked for: nothing is made.
    pub(super) is_query: bool,
}

impl<'t> Order<'t> {
    /// One object, of the class that its template says; a secret key if it says none.
    pub(super) fn one(eligible: MemberSet, template: Template<'t>, making: Making) -> Self {
        Self {
            eligible,
            templates: Given::one(template),
            class: class_of(template).unwrap_or(ck::CKO_SECRET_KEY),
            second_class: None,
            origin: Origin::Made(making),
            label: None,
            token_by_default: false,
            is_query: false,
        }
    }

    /// A copy of `original`.
    pub(super) fn copy(template: Template<'t>, original: &VirtualObject) -> Self {
        let identity = original.identity();
        let remembered = original.known().and_then(|known| known.remembered);
        Self {
            class: identity.class,
            origin: remembered.map_or(Origin::CopyOfUnknown, |remembered| {
                Origin::Made(Making::Copy(remembered))
            }),
            label: Some(identity.label.clone()),
            token_by_default: original.token,
            ..Self::one(EVERY_MEMBER, template, Making::Import)
        }
    }

    /// A key pair, by this mechanism.
    pub(super) fn pair(
        eligible: MemberSet,
        (public, private): (Template<'t>, Template<'t>),
        mechanism: u64,
    ) -> Self {
        Self {
            templates: Given {
                one: public,
                other: private,
            },
            class: ck::CKO_PUBLIC_KEY,
            second_class: Some(ck::CKO_PRIVATE_KEY),
            ..Self::one(eligible, public, Making::Generate(mechanism))
        }
    }

    /// Where the objects live; those of a pair both in the token or in one anchor.
    pub(super) fn home(&self) -> Home {
        let one = is_token(self.templates.one).unwrap_or(self.token_by_default);
        let other = self.second_class.is_none() || is_token(self.templates.other).unwrap_or(false);
        Home::of(one && other)
    }

    /// Whether it is a copy of a key of which is remembered what the application was promised.
    pub(super) const fn is_copy_of_guarded(&self) -> bool {
        let is_key = matches!(self.class, ck::CKO_PRIVATE_KEY | ck::CKO_SECRET_KEY);
        is_key && matches!(self.origin, Origin::Made(Making::Copy(_)))
    }

    /// Whether some of it is to live on several members.
    pub(super) fn is_replicated(&self) -> bool {
        let one = is_token(self.templates.one).unwrap_or(self.token_by_default);
        let other = self.second_class.is_some() && is_token(self.templates.other).unwrap_or(false);
        (one || other) && !self.is_query && travels(self.class)
    }
}

/// Whether objects of the class go from member to member; others are each token's own.
const fn travels(class: u64) -> bool {
    matches!(
        class,
        ck::CKO_PRIVATE_KEY
            | ck::CKO_SECRET_KEY
            | ck::CKO_PUBLIC_KEY
            | ck::CKO_CERTIFICATE
            | ck::CKO_DATA
    )
}

/// What `C_GenerateKey` makes by this mechanism.
pub(super) const fn generated_class(mechanism: u64) -> u64 {
    match mechanism {
        ck::CKM_DSA_PARAMETER_GEN
        | ck::CKM_DSA_PROBABILISTIC_PARAMETER_GEN
        | ck::CKM_DSA_SHAWE_TAYLOR_PARAMETER_GEN
        | ck::CKM_DH_PKCS_PARAMETER_GEN
        | ck::CKM_X9_42_DH_PARAMETER_GEN => ck::CKO_DOMAIN_PARAMETERS,
        _ => ck::CKO_SECRET_KEY,
    }
}

/// `CKA_CLASS` of a template.
fn class_of(template: Template<'_>) -> Option<u64> {
    let said = template
        .iter()
        .find(|attribute| attribute.kind == ck::CKA_CLASS)?;
    match said.value {
        Value::Bytes(value) => (*value).try_into().ok().map(u64::from_ne_bytes),
        Value::Template(_) => None,
    }
}

/// `CKA_TOKEN` of a template; `None` when it says nothing of it. A template that says it twice asks for a token object, lest a
/// member that takes the other word makes one for a read-only session.
pub(super) fn is_token(template: Template<'_>) -> Option<bool> {
    template
        .iter()
        .filter(|attribute| attribute.kind == ck::CKA_TOKEN)
        .map(|attribute| match attribute.value {
            Value::Bytes(value) => value.iter().any(|byte| *byte != 0),
            Value::Template(_) => false,
        })
        .reduce(|one, other| one || other)
}
