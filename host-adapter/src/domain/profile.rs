//! How a member wraps and unwraps, found by trial: the tokens' own words about it are not to be relied on.
//!
//! RFC 5649 has two numbers, and one of them means another format to some; some tokens want an attribute of their own. So each way is
//! tried: a copy counts only when what was made with it is right by the original.

use std::collections::{BTreeMap, BTreeSet};

use cryptoki_sys as ck;
use serde::{Deserialize, Serialize};

use super::attributes::Attributes;
use super::carry::CarryError;
use super::kinds;

/// The ways of wrapping that are tried, the best first: RFC 5649 by its number, by the one that SoftHSM has for it, and RFC 3394, which
/// takes only multiples of 8 bytes.
pub(super) const WRAPS: [u64; 3] = [
    ck::CKM_AES_KEY_WRAP_KWP,
    ck::CKM_AES_KEY_WRAP_PAD,
    ck::CKM_AES_KEY_WRAP,
];

/// A kind of key that the trial carries.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// An AES-256 key, as the sample of all block cipher keys.
    Aes,
    /// A generic secret, as the sample of all other secret keys.
    GenericSecret,
    /// An EC P-256 private key, as the sample of all on curves.
    Ec,
    /// An RSA-2048 private key, as the sample of all other private keys.
    Rsa,
}

impl KeyKind {
    /// In the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Aes, Self::GenericSecret, Self::Ec, Self::Rsa];

    /// The sample for a key with these attributes; none for what is no key, or is not wrapped.
    #[must_use]
    pub fn of(attributes: &Attributes) -> Option<Self> {
        let key_type = attributes.integer(ck::CKA_KEY_TYPE);
        match attributes.integer(ck::CKA_CLASS)? {
            ck::CKO_SECRET_KEY => Some(match key_type {
                Some(ck::CKK_AES) => Self::Aes,
                _ => Self::GenericSecret,
            }),
            ck::CKO_PRIVATE_KEY => Some(match key_type {
                Some(ck::CKK_EC | ck::CKK_EC_EDWARDS | ck::CKK_EC_MONTGOMERY) => Self::Ec,
                _ => Self::Rsa,
            }),
            _ => None,
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes => "AES",
            Self::GenericSecret => "generic secret",
            Self::Ec => "EC",
            Self::Rsa => "RSA",
        }
    }
}

/// How a member wraps and unwraps.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The mechanism (`CKM_…`).
    pub wrap: u64,
    /// Whether it unwraps an EC key only when the template has `CKA_NSS_DB`.
    pub wants_nss_db: bool,
    /// From which members (by name) it has received which kinds of keys, each proven by use.
    pub receives: BTreeMap<String, BTreeSet<KeyKind>>,
    /// Whether it keeps no data objects, by its own word: NSS's database has no place for them.
    #[serde(default)]
    pub lacks_data: bool,
}

impl Profile {
    pub(super) const fn of_wrap(wrap: u64) -> Self {
        Self {
            wrap,
            wants_nss_db: false,
            receives: BTreeMap::new(),
            lacks_data: false,
        }
    }

    /// Whether the member keeps objects of `class` (`CKO_…`) at all.
    #[must_use]
    pub const fn keeps(&self, class: u64) -> bool {
        class != ck::CKO_DATA || !self.lacks_data
    }

    /// Whether an object with these attributes (class and key type) can come here from the member of that name.
    ///
    /// # Errors
    /// Why not: the two have no way of wrapping such keys in common, or this one keeps no such objects.
    pub fn may_receive(&self, from: &str, attributes: &Attributes) -> Result<(), CarryError> {
        let class = attributes.integer(ck::CKA_CLASS).unwrap_or(u64::MAX);
        if !self.keeps(class) {
            return Err(CarryError::NotKept(class));
        }
        let is_proven = |kind| {
            let received = self.receives.get(from);
            received.is_some_and(|kinds| kinds.contains(&kind))
        };
        if !kinds::is_wrapped(class) || KeyKind::of(attributes).is_some_and(is_proven) {
            Ok(())
        } else {
            Err(CarryError::NoCommonWrap)
        }
    }
}
