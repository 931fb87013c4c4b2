//! What the journal has on record of an object, as far as calls on it need it.

use cryptoki_sys as ck;

use crate::domain::Fingerprint;
use crate::domain::policy::{self, Remembered};
use crate::journal::ObjectId;

/// An object of the group's catalogue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Known {
    /// The group's own name of it.
    pub(crate) id: ObjectId,
    /// What it is known by at the members.
    pub(crate) fingerprint: Fingerprint,
    /// `CKO_…`
    pub(crate) class: u64,
    /// What the application asked for, of a key, or of what it wants kept as it is.
    pub(crate) remembered: Option<Remembered>,
}

impl Known {
    /// What the application is answered for an attribute (`CKA_…`), whatever the member says that is asked; `None`: the member knows.
    pub(crate) fn answer(&self, attribute: u64) -> Option<Vec<u8>> {
        if attribute == ck::CKA_UNIQUE_ID {
            return Some(unique_id(self.id).into_bytes());
        }
        let bound = match attribute {
            ck::CKA_MODIFIABLE => self.is_modifiable(),
            ck::CKA_DESTROYABLE => self.is_destroyable(),
            _ => true,
        };
        if !bound {
            return Some(vec![0]);
        }
        is_answered(self.class, attribute)
            .then(|| policy::answer(attribute, self.remembered.as_ref()?))
            .flatten()
    }

    /// Whether the application may set its attributes.
    pub(crate) fn is_modifiable(&self) -> bool {
        self.remembered
            .is_none_or(|remembered| remembered.modifiable)
    }

    /// Whether the application may destroy it.
    pub(crate) fn is_destroyable(&self) -> bool {
        self.remembered
            .is_none_or(|remembered| remembered.destroyable)
    }

    /// What is remembered of a key whose wrapping is the policy's business.
    pub(crate) fn guarded(&self) -> Option<&Remembered> {
        let is_guarded = matches!(self.class, ck::CKO_PRIVATE_KEY | ck::CKO_SECRET_KEY);
        self.remembered.as_ref().filter(|_| is_guarded)
    }
}

/// Whether an object of `class` has the attribute at all: of what is remembered, a public key has only how it came to be (PKCS#11 v3.1 §4.7, §4.8).
const fn is_answered(class: u64, attribute: u64) -> bool {
    match class {
        ck::CKO_PRIVATE_KEY | ck::CKO_SECRET_KEY => true,
        ck::CKO_PUBLIC_KEY => matches!(attribute, ck::CKA_LOCAL | ck::CKA_KEY_GEN_MECHANISM),
        _ => false,
    }
}

/// `CKA_UNIQUE_ID` (PKCS#11 v3.1 §4.4): the group's own, the same on all members and for as long as the object lives.
fn unique_id(id: ObjectId) -> String {
    id.0.iter().map(|byte| format!("{byte:02x}")).collect()
}
