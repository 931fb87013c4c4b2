//! What most tests do: sign a hash with the lab's EC key.

use std::time::Duration;

use cryptoki_sys::{CKM_ECDSA, CKO_PRIVATE_KEY, CKO_PUBLIC_KEY};

use crate::EC_LABEL;
use crate::client::{Mechanism, Object, Session, Template};

/// Longer than anything takes that is waited for, whatever else runs on the machine.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// ECDSA of a hash that is made elsewhere.
pub const ECDSA: Mechanism = Mechanism::Plain(CKM_ECDSA);
/// As long as a SHA-256 hash.
pub const HASH: [u8; 32] = [7; 32];

/// The lab's EC private key.
#[must_use]
#[track_caller]
pub fn ec_key(session: Session) -> Object {
    session.only(&Template::new().class(CKO_PRIVATE_KEY).label(EC_LABEL))
}

/// The lab's EC public key.
#[must_use]
#[track_caller]
pub fn ec_public_key(session: Session) -> Object {
    session.only(&Template::new().class(CKO_PUBLIC_KEY).label(EC_LABEL))
}
