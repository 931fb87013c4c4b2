//! An object of the member's is destroyed, and what is known by it.

use everslot_core::DeedOutcome;
use everslot_protocol::ObjectHandle;

use super::deeds::is_lost;
use super::look::is_gone;
use super::{Driver, Halt, Peer};
use crate::domain::Fingerprint;
use crate::journal::{Entry, Note, Object};

impl Driver<'_, '_, '_> {
    pub(super) fn destroy(&mut self, of: Fingerprint) -> Result<DeedOutcome, Halt> {
        let all = self.tools.journal.with_fingerprint(of)?;
        if all.iter().any(|entry| !entry.gone) {
            return Ok(DeedOutcome::Gone);
        }
        let name = self.peers[self.at].name.clone();
        if let Some(found) = self.locate(self.at, of)? {
            // A private key that is known by this public key is found no more without it: it goes first.
            let index = self.peers[self.at].index.as_ref();
            let leaning = index.map_or(Ok(Vec::new()), |index| index.that_lean_on(found.handle))?;
            for private in leaning {
                let entries = self.tools.journal.with_fingerprint(private.fingerprint)?;
                match entries.iter().find(|entry| !entry.gone) {
                    Some(entry) => self.rename_bare(private.handle, entry)?,
                    None if entries.is_empty() => {}
                    None if self.remove(private.handle)? => {}
                    None => return Ok(DeedOutcome::Refused),
                }
            }
            if !self.remove(found.handle)? {
                return Ok(DeedOutcome::Refused);
            }
        }
        for entry in all {
            self.note(Note::Lacks(entry.object.id, name.clone()))?;
        }
        Ok(DeedOutcome::Done)
    }

    /// Notes what a private key of the group is known by from now on, whose public key has gone while no member served that has both.
    fn rename_bare(&mut self, private: ObjectHandle, entry: &Entry) -> Result<(), Halt> {
        if self.tools.is_trial {
            return Ok(());
        }
        let key_name = self.tools.key_name;
        let (peer, journal) = self.target();
        let (index, token) = peer.indexed(key_name, journal)?;
        let Some(bare) = index
            .look(private, token, journal)?
            .and_then(|look| look.bare)
        else {
            return Ok(());
        };
        // It may have been known by that before it had a public key.
        if journal
            .with_fingerprint(bare)?
            .iter()
            .all(|entry| entry.gone)
        {
            let object = Object {
                fingerprint: bare,
                ..entry.object.clone()
            };
            journal.adopt(&object, &[])?;
            index.look(private, token, journal)?;
        }
        Ok(())
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
