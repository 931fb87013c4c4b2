//! The state of a session's operations as `C_GetOperationState` gives it to the application (PKCS#11 v3.1 §5.6.6).
//!
//! It is of our own making, so that any member can go on with it: how each operation was begun and its transcript. All of that is what
//! the application has given or been given itself; no key is in it, nor a handle of one: whoever restores it has to have the keys. So it
//! is not sealed; a hash tells whether it is whole. Restoring it begins the operations anew as calls of the application would.

use everslot_core::{Rv, ckr};
use everslot_protocol::{Mechanism, ObjectHandle, Operation, Request, SessionHandle, wire};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::active::Active;
use super::begun::Begun;
use super::info::usage;
use super::transcript::{Part, Transcript};
use super::{Output, Refusal, Session, VirtualSlot};
use crate::module::Scratch;
use crate::module::parameter::{crosses_process_border, map_objects};

/// What a state begins with; the last byte counts its form.
const MARK: [u8; 8] = *b"evrslot\x01";

type Hash = [u8; 32];

#[derive(Deserialize, Serialize)]
struct Saved<'a> {
    /// The serial of the virtual token.
    serial: &'a str,
    #[serde(borrow)]
    operations: Vec<SavedOperation<'a>>,
}

#[derive(Deserialize, Serialize)]
struct SavedOperation<'a> {
    /// Its `Request::Begin` without a key.
    begun: &'a [u8],
    /// What its key is known by.
    key: Option<Hash>,
    #[serde(borrow)]
    parts: Vec<&'a [u8]>,
    output: (u64, Hash),
}

/// The two keys that `C_SetOperationState` takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum KeyPlace {
    Encryption,
    Authentication,
}

impl Session {
    /// `C_GetOperationState`; the bytes written or, for a query, needed.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`; `CKR_STATE_UNSAVEABLE` for a search, for what cannot be replayed or has outgrown its transcript,
    /// and where a `C_DigestKey` or a login for the operation went before; `CKR_BUFFER_TOO_SMALL` with the length.
    pub fn operation_state(&self, output: Output<'_>) -> Result<u64, Refusal> {
        let state = self.state()?;
        if state.search.is_some() {
            return Err(ckr::STATE_UNSAVEABLE.into());
        }
        if state.benches.is_empty() {
            return Err(ckr::OPERATION_NOT_INITIALIZED.into());
        }
        let saved = self.slot.save(state.benches.operations())?;
        let length = saved.len() as u64;
        match output {
            Output::Query => Ok(length),
            Output::Buffer(buffer) => match buffer.get_mut(..saved.len()) {
                Some(place) => {
                    place.copy_from_slice(&saved);
                    Ok(length)
                }
                None => Err(Refusal {
                    rv: ckr::BUFFER_TOO_SMALL,
                    length: Some(length),
                }),
            },
        }
    }

    /// `C_SetOperationState`; a handle of 0 stands for no key. What is active in the session ends.
    ///
    /// # Errors
    /// `CKR_SAVED_STATE_INVALID` for what no group of this serial has given out, `CKR_KEY_NEEDED`, `CKR_KEY_NOT_NEEDED`,
    /// `CKR_KEY_HANDLE_INVALID`, `CKR_KEY_CHANGED`, what a member says that the operation is begun on, `CKR_DEVICE_ERROR`.
    pub fn set_operation_state(
        &self,
        state: &[u8],
        encryption_key: u64,
        authentication_key: u64,
    ) -> Result<(), Rv> {
        let mut session = self.state()?;
        let restored = self.slot.restore(state, |place| match place {
            KeyPlace::Encryption => encryption_key,
            KeyPlace::Authentication => authentication_key,
        })?;
        session.search = None;
        session.benches.restore(&self.slot, restored)
    }
}

impl VirtualSlot {
    fn save(&self, operations: &[Active]) -> Result<Zeroizing<Vec<u8>>, Rv> {
        let mut beginnings = Vec::new();
        for active in operations {
            beginnings.push(self.beginning(active, operations)?);
        }
        let saved = operations
            .iter()
            .zip(&beginnings)
            .map(|(active, (begun, key))| save_operation(active, begun, *key))
            .collect::<Result<_, _>>()?;
        let saved = Saved {
            serial: self.serial(),
            operations: saved,
        };
        let body = postcard::to_stdvec(&saved).map_err(|_| ckr::GENERAL_ERROR)?;
        let body = Zeroizing::new(body);
        let mut sealed = Zeroizing::new(Vec::with_capacity(MARK.len() + 32 + body.len()));
        sealed.extend_from_slice(&MARK);
        sealed.extend_from_slice(&Sha256::digest(&*body));
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// How an operation begins, and what its key is known by.
    fn beginning(
        &self,
        active: &Active,
        all: &[Active],
    ) -> Result<(Zeroizing<Vec<u8>>, Option<Hash>), Rv> {
        let (operation, mechanism, key) = active.begun.parts().ok_or(ckr::GENERAL_ERROR)?;
        // There is room for one key of each kind (PKCS#11 v3.1 §5.6.7).
        let shared = all
            .iter()
            .filter(|other| place_of(other.operation) == place_of(operation))
            .count();
        let alone = shared == 1 || place_of(operation).is_none();
        if !active.is_saveable() || !alone || !stands_alone(&mechanism) {
            return Err(ckr::STATE_UNSAVEABLE);
        }
        let request = Request::Begin {
            session: SessionHandle(0),
            operation,
            mechanism,
            key: None,
        };
        let mut begun = Zeroizing::new(vec![0; wire::request_size(&request)]);
        // The size was asked for, so it fits.
        let _ = wire::encode_request(&request, &mut begun);
        Ok((begun, key.map(|key| self.fingerprint(key)).transpose()?))
    }

    /// What a key is known by, also in another process; a session object is known by its handle, in this slot only.
    fn fingerprint(&self, key: u64) -> Result<Hash, Rv> {
        let object = self.catalogue.object(key).ok_or(ckr::KEY_HANDLE_INVALID)?;
        let identity = object.identity();
        let mut hash = Sha256::new();
        if identity.is_telling() {
            hash.update(identity.name());
            if let Some((kind, proof)) = &identity.proof {
                hash.update(kind.to_ne_bytes());
                hash.update(proof);
            }
        } else {
            hash.update(self.mark.ok_or(ckr::STATE_UNSAVEABLE)?);
            hash.update(key.to_ne_bytes());
        }
        Ok(hash.finalize().into())
    }

    fn restore(&self, state: &[u8], given: impl Fn(KeyPlace) -> u64) -> Result<Vec<Active>, Rv> {
        let saved = opened(state).ok_or(ckr::SAVED_STATE_INVALID)?;
        if saved.serial != self.serial() || saved.operations.is_empty() {
            return Err(ckr::SAVED_STATE_INVALID);
        }
        for place in [KeyPlace::Encryption, KeyPlace::Authentication] {
            let mut wanted = saved.operations.iter().filter_map(SavedOperation::place);
            if given(place) != 0 && wanted.all(|wanted| wanted != place) {
                return Err(ckr::KEY_NOT_NEEDED);
            }
        }
        saved
            .operations
            .iter()
            .map(|saved| self.restore_operation(saved, &given))
            .collect()
    }

    fn restore_operation(
        &self,
        saved: &SavedOperation<'_>,
        given: &impl Fn(KeyPlace) -> u64,
    ) -> Result<Active, Rv> {
        let (operation, mechanism) = saved.begun().ok_or(ckr::SAVED_STATE_INVALID)?;
        let key = match saved.place().map(given) {
            None => None,
            Some(0) => return Err(ckr::KEY_NEEDED),
            Some(key) if Some(self.fingerprint(key)?) == saved.key => Some(key),
            Some(_) => return Err(ckr::KEY_CHANGED),
        };
        let mut transcript = Transcript::restored(saved.output);
        for part in &saved.parts {
            transcript
                .record(Part::Data(part), &[], self.driver.config.transcript)
                .map_err(|_| ckr::SAVED_STATE_INVALID)?;
        }
        let begun = Begun::new(operation, mechanism, key, &mut Zeroizing::default());
        let eligible = self.members_with(mechanism.kind, usage(operation))?;
        Ok(Active::restored(
            (operation, &mechanism),
            begun,
            transcript,
            eligible,
            self.driver.trace(),
        ))
    }
}

impl<'a> SavedOperation<'a> {
    fn begun(&self) -> Option<(Operation, Mechanism<'a>)> {
        match wire::decode_request(self.begun) {
            Ok(Request::Begin {
                operation,
                mechanism,
                key: None,
                ..
            }) if stands_alone(&mechanism) => Some((operation, mechanism)),
            _ => None,
        }
    }

    fn place(&self) -> Option<KeyPlace> {
        self.begun().and_then(|(operation, _)| place_of(operation))
    }
}

fn save_operation<'a>(
    active: &'a Active,
    begun: &'a [u8],
    key: Option<Hash>,
) -> Result<SavedOperation<'a>, Rv> {
    let parts = active.transcript().map(|transcript| {
        let data = |part| match part {
            Part::Data(data) => Ok(data),
            // Its handle means nothing elsewhere, and there is no place for it in C_SetOperationState.
            Part::Key(_) => Err(ckr::STATE_UNSAVEABLE),
        };
        transcript.parts().map(data).collect()
    });
    Ok(SavedOperation {
        begun,
        key,
        parts: parts.transpose()?.unwrap_or_default(),
        output: active
            .transcript()
            .map(Transcript::given)
            .unwrap_or_default(),
    })
}

/// What a state that is whole says.
fn opened(state: &[u8]) -> Option<Saved<'_>> {
    let (hash, body) = state.strip_prefix(&MARK)?.split_first_chunk::<32>()?;
    if Sha256::digest(body)[..] != hash[..] {
        return None;
    }
    postcard::from_bytes(body).ok()
}

const fn place_of(operation: Operation) -> Option<KeyPlace> {
    match operation {
        Operation::Digest => None,
        Operation::Encrypt | Operation::Decrypt => Some(KeyPlace::Encryption),
        Operation::Sign | Operation::SignRecover | Operation::Verify | Operation::VerifyRecover => {
            Some(KeyPlace::Authentication)
        }
    }
}

/// Whether the parameter means the same later and elsewhere: no address and no object is in it.
fn stands_alone(mechanism: &Mechanism<'_>) -> bool {
    let scratch = Scratch::default();
    let refuse = |_: ObjectHandle| Err::<ObjectHandle, ()>(());
    crosses_process_border(mechanism) && map_objects(mechanism, &scratch, refuse).is_ok()
}

#[cfg(test)]
mod tests;
