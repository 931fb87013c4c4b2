//! What the application asks of a key, and what the members are given so that the key can be carried.
//!
//! A key that must not leave its token cannot be carried. So a member gets an extractable one that, where the domain key is trusted, leaves only
//! under that; what the application has asked for is remembered, answered, and kept: wrapping such a key by any other is refused.

use cryptoki_sys as ck;
use everslot_core::{Rv, ckr};
use serde::{Deserialize, Serialize};

use super::attributes::Attributes;

/// How a key comes to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Making {
    /// `C_GenerateKey`, `C_GenerateKeyPair`, by this mechanism (`CKM_…`).
    Generate(u64),
    /// `C_CreateObject`, `C_UnwrapKey`: its value was known outside.
    Import,
    /// `C_DeriveKey` from a key with these answers; `None` when nothing is remembered of it, and nothing promised.
    Derive(Option<Remembered>),
    /// `C_CopyObject` of a key with these answers.
    Copy(Remembered),
}

/// How the members can protect a key that can be carried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Protection {
    /// Every member has the domain key as `CKA_TRUSTED`, so that `CKA_WRAP_WITH_TRUSTED` closes every other way.
    pub trusted: bool,
}

/// What the application is answered whatever a member would say: kept in the catalogue, since a member's own key was unwrapped there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Remembered {
    /// `CKA_EXTRACTABLE`
    pub extractable: bool,
    /// `CKA_NEVER_EXTRACTABLE`
    pub never_extractable: bool,
    /// `CKA_SENSITIVE`
    pub sensitive: bool,
    /// `CKA_ALWAYS_SENSITIVE`
    pub always_sensitive: bool,
    /// `CKA_WRAP_WITH_TRUSTED`
    pub wrap_with_trusted: bool,
    /// `CKA_LOCAL`
    pub local: bool,
    /// `CKA_KEY_GEN_MECHANISM`; `None` is `CK_UNAVAILABLE_INFORMATION`.
    pub generated_by: Option<u64>,
    /// `CKA_MODIFIABLE`. The members have it modifiable: what it bears while it is made is taken off afterwards.
    #[serde(default = "usual")]
    pub modifiable: bool,
    /// `CKA_DESTROYABLE`. The members have it destroyable: what is made in vain has to go.
    #[serde(default = "usual")]
    pub destroyable: bool,
}

/// The template for the members, and what is remembered, of a private or secret key that the application makes by `template`.
///
/// What the template does not say of extracting is as on a token that gives nothing away: sensitive and not extractable.
#[must_use]
pub fn as_made(
    template: &Attributes,
    making: Making,
    protection: Protection,
) -> (Attributes, Remembered) {
    let remembered = remembered(template, making);
    let mut given = template.clone();
    protect(&mut given, remembered, protection);
    (given, remembered)
}

/// What the application is answered for an attribute; `None`: the member knows.
#[must_use]
pub fn answer(attribute: u64, remembered: &Remembered) -> Option<Vec<u8>> {
    let flag = match attribute {
        ck::CKA_EXTRACTABLE => remembered.extractable,
        ck::CKA_NEVER_EXTRACTABLE => remembered.never_extractable,
        ck::CKA_SENSITIVE => remembered.sensitive,
        ck::CKA_ALWAYS_SENSITIVE => remembered.always_sensitive,
        ck::CKA_WRAP_WITH_TRUSTED => remembered.wrap_with_trusted,
        ck::CKA_LOCAL => remembered.local,
        ck::CKA_KEY_GEN_MECHANISM => {
            let mechanism = remembered
                .generated_by
                .unwrap_or(ck::CK_UNAVAILABLE_INFORMATION);
            return Some(mechanism.to_ne_bytes().to_vec());
        }
        _ => return None,
    };
    Some(vec![u8::from(flag)])
}

/// What is so unless the application says otherwise.
const fn usual() -> bool {
    true
}

/// The change for the members, and what is remembered after it, when the application sets `changes`.
///
/// # Errors
/// `CKR_ATTRIBUTE_READ_ONLY`: these flags go one way only (PKCS#11 v3.1 §4.9, §4.10), and some never change.
pub fn as_changed(
    changes: &Attributes,
    remembered: Remembered,
    protection: Protection,
) -> Result<(Attributes, Remembered), Rv> {
    let fixed = [
        ck::CKA_NEVER_EXTRACTABLE,
        ck::CKA_ALWAYS_SENSITIVE,
        ck::CKA_LOCAL,
        ck::CKA_KEY_GEN_MECHANISM,
    ];
    let mut after = remembered;
    if let Some(extractable) = changes.flag(ck::CKA_EXTRACTABLE) {
        after.extractable = extractable;
    }
    if let Some(sensitive) = changes.flag(ck::CKA_SENSITIVE) {
        after.sensitive = sensitive;
    }
    if let Some(with_trusted) = changes.flag(ck::CKA_WRAP_WITH_TRUSTED) {
        after.wrap_with_trusted = with_trusted;
    }
    let backwards = (after.extractable && !remembered.extractable)
        || (!after.sensitive && remembered.sensitive)
        || (!after.wrap_with_trusted && remembered.wrap_with_trusted);
    if backwards || fixed.iter().any(|kind| changes.content(*kind).is_some()) {
        return Err(ckr::ATTRIBUTE_READ_ONLY);
    }
    let mut given = changes.clone();
    given.remove(ck::CKA_EXTRACTABLE);
    given.remove(ck::CKA_SENSITIVE);
    given.remove(ck::CKA_WRAP_WITH_TRUSTED);
    let (mut before_given, mut after_given) = (Attributes::new(), Attributes::new());
    protect(&mut before_given, remembered, protection);
    protect(&mut after_given, after, protection);
    for kind in [ck::CKA_SENSITIVE, ck::CKA_WRAP_WITH_TRUSTED] {
        if let Some(value) = after_given.get(kind)
            && before_given.get(kind) != Some(value)
        {
            given.set(kind, value);
        }
    }
    Ok((given, after))
}

/// What the members are given for a copy of a key, and what is remembered of it. What it has from its original it is not given again: SoftHSM
/// takes that for a change that it does not allow.
///
/// # Errors
/// `CKR_TEMPLATE_INCONSISTENT`: a copy may be kept more closely than its original, never less (PKCS#11 v3.1 §5.7.2).
pub fn as_copied(
    template: &Attributes,
    original: Remembered,
    protection: Protection,
) -> Result<(Attributes, Remembered), Rv> {
    let (mut given, _) =
        as_changed(template, original, protection).map_err(|_| ckr::TEMPLATE_INCONSISTENT)?;
    free(&mut given);
    Ok((given, remembered(template, Making::Copy(original))))
}

/// What wrapping a key for the application is refused with, by the rules of the key that the application believes to have; `trusted` is whether
/// the wrapping key is.
///
/// # Errors
/// `CKR_KEY_UNEXTRACTABLE`, `CKR_KEY_NOT_WRAPPABLE`.
pub const fn may_wrap(remembered: &Remembered, trusted: bool) -> Result<(), Rv> {
    if !remembered.extractable {
        Err(ckr::KEY_UNEXTRACTABLE)
    } else if remembered.wrap_with_trusted && !trusted {
        Err(ckr::KEY_NOT_WRAPPABLE)
    } else {
        Ok(())
    }
}

/// The rules of PKCS#11 v3.1 §4.9 and §4.10 (tables of common private and secret key attributes).
fn remembered(template: &Attributes, making: Making) -> Remembered {
    let asked = |kind, default| template.flag(kind).unwrap_or(default);
    let (extractable, sensitive, with_trusted) = match making {
        Making::Copy(original) => (
            original.extractable,
            original.sensitive,
            original.wrap_with_trusted,
        ),
        Making::Generate(_) | Making::Import | Making::Derive(_) => (false, true, false),
    };
    let (modifiable, destroyable) = match making {
        Making::Copy(original) => (original.modifiable, original.destroyable),
        Making::Generate(_) | Making::Import | Making::Derive(_) => (usual(), usual()),
    };
    let extractable = asked(ck::CKA_EXTRACTABLE, extractable);
    let sensitive = asked(ck::CKA_SENSITIVE, sensitive);
    let (always, never, local, generated_by) = match making {
        Making::Generate(mechanism) => (true, true, true, Some(mechanism)),
        Making::Import | Making::Derive(None) => (false, false, false, None),
        Making::Derive(Some(base)) => (base.always_sensitive, base.never_extractable, false, None),
        Making::Copy(original) => (
            original.always_sensitive,
            original.never_extractable,
            original.local,
            original.generated_by,
        ),
    };
    Remembered {
        extractable,
        never_extractable: never && !extractable,
        sensitive,
        always_sensitive: always && sensitive,
        wrap_with_trusted: asked(ck::CKA_WRAP_WITH_TRUSTED, with_trusted),
        local,
        generated_by,
        modifiable: asked(ck::CKA_MODIFIABLE, modifiable),
        destroyable: asked(ck::CKA_DESTROYABLE, destroyable),
    }
}

/// What is no key, and is to be kept from being changed or destroyed, as the members are given it; none of anything else.
#[must_use]
pub fn as_bound(template: &Attributes, making: Making) -> Option<(Attributes, Remembered)> {
    let remembered = remembered(template, making);
    if remembered.modifiable && remembered.destroyable {
        return None;
    }
    let mut given = template.clone();
    free(&mut given);
    Some((given, remembered))
}

fn free(given: &mut Attributes) {
    given.remove(ck::CKA_MODIFIABLE);
    given.remove(ck::CKA_DESTROYABLE);
}

/// The value of a key that must not leave is not shown either, so such a key is sensitive on the members, whatever was asked.
fn protect(given: &mut Attributes, remembered: Remembered, protection: Protection) {
    let sensitive = remembered.sensitive || !remembered.extractable;
    let with_trusted =
        remembered.wrap_with_trusted || (!remembered.extractable && protection.trusted);
    free(given);
    given.set(ck::CKA_EXTRACTABLE, &[1]);
    given.set(ck::CKA_SENSITIVE, &[u8::from(sensitive)]);
    if with_trusted {
        given.set(ck::CKA_WRAP_WITH_TRUSTED, &[1]);
    } else {
        given.remove(ck::CKA_WRAP_WITH_TRUSTED);
    }
}

#[cfg(test)]
mod tests;
