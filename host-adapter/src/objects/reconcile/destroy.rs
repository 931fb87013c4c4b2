//! An object of the member's is destroyed, and what is known by it.

use cryptoki_sys as ck;
use everslot_core::DeedOutcome;
use everslot_protocol::ObjectHandle;

use super::deeds::is_lost;
use super::look::is_gone;
use super::{Driver, Halt, Peer};
use crate::domain::Fingerprint;
use crate::journal::{Entry, Note};

impl Driver<'_, '_, '_> {
    pub(super) fn destroy(&mut self, of: Fingerprint) -> Result<DeedOutcome, Halt> {
        let all = self.tools.journal.with_fingerprint(of)?;
        if all.iter().any(|entry| !entry.gone) {
            return Ok(DeedOutcome::Gone);
        }
        let name = self.peers[self.at].name.clone();
        if let Some(found) = self.locate(self.at, of)?
            && !self.remove(found.handle)?
        {
            return Ok(DeedOutcome::Refused);
        }
        let is_private = |entry: &Entry| entry.object.class == ck::CKO_PRIVATE_KEY;
        let has_a_say = all.iter().any(is_private);
        for entry in all {
            self.note(Note::Lacks(entry.object.id, name.clone()))?;
        }
        if has_a_say {
            self.flush()?;
        }
        Ok(DeedOutcome::Done)
    }

    /// Destroys an object of the member's; whether it is gone.
    pub(super) fn remove(&mut self, handle: ObjectHandle) -> Result<bool, Halt> {
        let is_trial = self.tools.is_trial;
        let Peer { token, index, .. } = &mut self.peers[self.at];
        if !is_trial {
            match token.destroy(handle) {
                Err(error) if is_lost(error) => return Err(error.into()),
                Err(error) if !is_gone(error) => {
                    self.why = Some(error.to_string());
                    return Ok(false);
                }
                _ => {}
            }
        }
        index
            .as_ref()
            .map_or(Ok(()), |index| index.remove(handle))?;
        Ok(true)
    }
}
