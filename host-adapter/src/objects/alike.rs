//! What a private key is known by of which the token does not show the public value: what is on record under its names has a say in it, since the
//! public key beside it comes and goes.

use crate::domain::{Candidate, Fingerprint, Shown};
use crate::journal::{Entry, Journal, JournalError};

/// What an object is known by that the member of this name shows so.
///
/// # Errors
/// The journal cannot be read.
pub(super) fn known_as(
    shown: &Shown,
    journal: &mut Journal,
    member: &str,
) -> Result<Fingerprint, JournalError> {
    let Some(bare) = shown.open_name() else {
        return Ok(shown.fingerprint());
    };
    let candidate = |entry: &Entry| Candidate {
        fingerprint: entry.object.fingerprint,
        gone: entry.gone,
        is_held: entry.holders.iter().any(|holder| holder.member == member),
    };
    let entries = journal.with_bare(bare)?;
    let candidates: Vec<_> = entries.iter().map(candidate).collect();
    Ok(shown.known_as(&candidates))
}
