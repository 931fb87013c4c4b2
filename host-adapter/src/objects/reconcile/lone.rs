//! Private keys that are known by a public key beside them, which is not there.
//!
//! SoftHSM does not show the point of an EC private key. Where the public key beside it has gone on one member alone, the key looks like another
//! one there. So nothing of that kind is taken for a new object before the others were asked for the public key: once that is back, the private
//! key is known again by what it was.

use everslot_core::DeedOutcome;

use super::index::Found;
use super::{Driver, Halt};
use crate::domain::Fingerprint;

impl Driver<'_, '_, '_> {
    /// What becomes of an object that only this member seems to have, if it is not to be adopted as it looks.
    pub(super) fn hold_back(&mut self, found: &Found) -> Result<Option<DeedOutcome>, Halt> {
        let index = self.peers[self.at].index.as_ref();
        let pair = index.map_or(Ok(None), |index| index.pair_of_lone(found.handle))?;
        let Some(pair) = pair else {
            return Ok(None);
        };
        let key_name = self.tools.key_name;
        let at = self.at;
        for from in (0..self.peers.len()).filter(|from| *from != at) {
            let journal = &mut *self.tools.journal;
            let public = match self.peers[from].indexed(key_name, journal) {
                // A source that fails is none.
                Err(Halt::Member(_)) => continue,
                indexed => indexed?.0.public_with(&pair)?,
            };
            let Some(public) = public else { continue };
            // What is not the group's yet may be another's of the same id.
            let Some(entry) = self.entry_of(public.fingerprint)? else {
                continue;
            };
            return Ok(Some(match self.bring(from, &public)? {
                DeedOutcome::Done => {
                    self.note_found(public.fingerprint, entry.object.id)?;
                    // It is not there any more under what it looked like.
                    DeedOutcome::Gone
                }
                DeedOutcome::SourceLost | DeedOutcome::Gone => continue,
                DeedOutcome::NotCarryable | DeedOutcome::Refused => DeedOutcome::Refused,
            }));
        }
        if self.peers.len() >= self.tools.names.len() {
            return Ok(None);
        }
        self.why = Some("its public key may be on a member that is not there".to_owned());
        Ok(Some(DeedOutcome::Refused))
    }

    /// Looks once more at the private keys that are known by the public key of this fingerprint, which has come to the member.
    pub(super) fn look_at_leaning(&mut self, public: Fingerprint) -> Result<(), Halt> {
        let key_name = self.tools.key_name;
        let (peer, journal) = self.target();
        let (index, token) = peer.indexed(key_name, journal)?;
        let Some(public) = index.at(public)? else {
            return Ok(());
        };
        for private in index.that_lean_on(public.handle)? {
            index.look(private.handle, token, journal)?;
        }
        Ok(())
    }
}
