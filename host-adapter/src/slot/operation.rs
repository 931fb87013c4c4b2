//! Operations as the application calls them; where they stand is the [bench](super::bench)'s.

use everslot_core::{Rv, ckr};
use everslot_protocol::{Bytes, Dual, Mechanism, Operation, Request, Room, SessionHandle};

use super::active::digest_key;
use super::bench::After;
use super::session::State;
use super::transcript::Part;
use super::{Output, Refusal, Session};
use crate::group::Lease;

/// Some members call a key that is not there an object that is not there; `C_*Init` has a code for it (PKCS#11 v3.1 §5.8.1).
const fn of_key(rv: Rv) -> Rv {
    match rv {
        ckr::OBJECT_HANDLE_INVALID => ckr::KEY_HANDLE_INVALID,
        rv => rv,
    }
}

impl Session {
    /// `C_SignInit` and its kin; no mechanism ends the active operation (PKCS#11 v3.1 §5.9).
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, `CKR_ARGUMENTS_BAD` when there is nothing to end (what PKCS#11 2.40 has for a null mechanism), what the
    /// member says of mechanism and key, `CKR_DEVICE_ERROR` when no member could serve.
    pub fn begin(
        &self,
        operation: Operation,
        mechanism: Option<Mechanism<'_>>,
        key: Option<u64>,
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        match mechanism {
            Some(mechanism) => {
                let State {
                    benches, recent, ..
                } = &mut *state;
                let began = benches.begin(&self.slot, (operation, mechanism, key), recent);
                benches.hold(self.handle);
                began.map_err(of_key)
            }
            None if state.benches.cancel(operation) => Ok(()),
            None => Err(ckr::ARGUMENTS_BAD),
        }
    }

    /// The single-part call: `C_Sign`, `C_Encrypt`, `C_Digest`, `C_SignRecover`, …; the bytes written or, for a query, needed.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, what the member says, `CKR_BUFFER_TOO_SMALL` with the length, `CKR_DEVICE_ERROR` when no
    /// member could serve. The operation is over but for the last but one.
    pub fn whole(
        &self,
        operation: Operation,
        data: &[u8],
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        self.with_output(operation, After::Ends, output, |session, room| {
            Request::Whole {
                session,
                operation,
                data: Bytes(data),
                room,
            }
        })
    }

    /// `C_Verify`
    ///
    /// # Errors
    /// As in [`whole`](Self::whole); `CKR_SIGNATURE_INVALID`.
    pub fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), Rv> {
        self.without_output(Operation::Verify, After::Ends, |session| Request::Verify {
            session,
            data: Bytes(data),
            signature: Bytes(signature),
        })
    }

    /// `C_DigestUpdate`, `C_SignUpdate`, `C_VerifyUpdate`
    ///
    /// # Errors
    /// As in [`whole`](Self::whole); `CKR_DEVICE_ERROR` when the member that has the earlier parts was lost and they cannot be replayed on another. The operation
    /// is then over.
    pub fn update(&self, operation: Operation, data: &[u8]) -> Result<(), Rv> {
        let part = After::GoesOn(Part::Data(data));
        self.without_output(operation, part, |session| Request::Update {
            session,
            operation,
            data: Bytes(data),
            room: None,
        })
    }

    /// `C_EncryptUpdate`, `C_DecryptUpdate`
    ///
    /// # Errors
    /// As in [`update`](Self::update); `CKR_BUFFER_TOO_SMALL` with the length, and the operation goes on.
    pub fn update_output(
        &self,
        operation: Operation,
        data: &[u8],
        output: Output<'_>,
    ) -> Result<u64, Refusal> {
        self.with_output(
            operation,
            After::GoesOn(Part::Data(data)),
            output,
            |session, room| Request::Update {
                session,
                operation,
                data: Bytes(data),
                room,
            },
        )
    }

    /// `C_DigestKey`
    ///
    /// # Errors
    /// As in [`update`](Self::update); `CKR_KEY_HANDLE_INVALID`.
    pub fn digest_key(&self, key: u64) -> Result<(), Rv> {
        let mut state = self.state()?;
        let slot = &self.slot;
        let after = After::GoesOn(Part::Key(key));
        let send = |lease: &mut Lease, _: &mut [u8]| digest_key(slot, lease, key);
        let reply = state
            .benches
            .go_on(slot, Operation::Digest, after, &mut [], send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)
    }

    /// `C_SignFinal` and its kin.
    ///
    /// # Errors
    /// As in [`whole`](Self::whole).
    pub fn finish(&self, operation: Operation, output: Output<'_>) -> Result<u64, Refusal> {
        self.with_output(operation, After::Ends, output, |session, room| {
            Request::Finish {
                session,
                operation,
                room,
            }
        })
    }

    /// `C_VerifyFinal`
    ///
    /// # Errors
    /// As in [`verify`](Self::verify).
    pub fn verify_finish(&self, signature: &[u8]) -> Result<(), Rv> {
        self.without_output(Operation::Verify, After::Ends, |session| {
            Request::VerifyFinish {
                session,
                signature: Bytes(signature),
            }
        })
    }

    /// `C_DigestEncryptUpdate` and its kin.
    ///
    /// # Errors
    /// As in [`update_output`](Self::update_output); `CKR_DEVICE_ERROR` when the two operations have come to stand on different members and neither
    /// can be replayed.
    pub fn dual_update(&self, dual: Dual, data: &[u8], output: Output<'_>) -> Result<u64, Refusal> {
        let mut state = self.state()?;
        let (room, buffer) = output.parts();
        let send = |lease: &mut Lease, output: &mut [u8]| {
            let request = Request::DualUpdate {
                session: lease.handle(),
                dual,
                data: Bytes(data),
                room,
            };
            Ok(lease.call(&request, output)?)
        };
        let reply = state
            .benches
            .go_on_both(&self.slot, dual, data, buffer, send)?;
        Refusal::of_length(reply)
    }

    fn with_output<'r>(
        &self,
        operation: Operation,
        after: After<'_>,
        output: Output<'_>,
        request: impl Fn(SessionHandle, Room) -> Request<'r>,
    ) -> Result<u64, Refusal> {
        let mut state = self.state()?;
        let (room, buffer) = output.parts();
        let send = |lease: &mut Lease, output: &mut [u8]| {
            Ok(lease.call(&request(lease.handle(), room), output)?)
        };
        let reply = state
            .benches
            .go_on(&self.slot, operation, after, buffer, send)?;
        Refusal::of_length(reply)
    }

    fn without_output<'r>(
        &self,
        operation: Operation,
        after: After<'_>,
        request: impl Fn(SessionHandle) -> Request<'r>,
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        let send =
            |lease: &mut Lease, _: &mut [u8]| Ok(lease.call(&request(lease.handle()), &mut [])?);
        let reply = state
            .benches
            .go_on(&self.slot, operation, after, &mut [], send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)
    }
}
