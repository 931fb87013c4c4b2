//! The core's terms for what the adapter knows, and back.

use everslot_core::{ObjectKey, Revision};

use crate::domain::Fingerprint;

pub(super) const fn fingerprint(key: ObjectKey) -> Fingerprint {
    Fingerprint(key.0)
}

pub(super) const fn key(fingerprint: Fingerprint) -> ObjectKey {
    ObjectKey(fingerprint.0)
}

pub(super) const fn core_revision(revision: crate::domain::Revision) -> Revision {
    Revision(u64::from_le_bytes(revision.0))
}

pub(super) const fn own_revision(revision: Revision) -> crate::domain::Revision {
    crate::domain::Revision(revision.0.to_le_bytes())
}
