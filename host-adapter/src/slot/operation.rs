//! Operations: what a `C_*Init` begins and a final call ends, on a bench that outlives the member it stands on as long as nothing but
//! the beginning has to be done again.

use std::sync::Arc;

use everslot_core::{Incarnation, MemberId, Repeat, Rv, ckr};
use everslot_protocol::{
    Body, Bytes, Dual, Mechanism, ObjectHandle, Operation, Reply, Request, Room, SessionHandle,
    wire,
};
use zeroize::Zeroizing;

use super::session::State;
use super::{Output, Refusal, Session, VirtualSlot};
use crate::group::{Done, Errand, Lease, Stop};
use crate::module::Scratch;

/// The operations that share one real session: usually one; two that a dual function is to feed.
pub(super) struct Bench {
    lease: Option<Lease>,
    operations: Vec<Active>,
}

/// An active operation.
struct Active {
    operation: Operation,
    begun: Begun,
    /// The real session that it was last begun on.
    on: Option<Place>,
    /// Data went in: it cannot be begun anew elsewhere.
    progressed: bool,
}

/// A real session of a member, not to be taken for another of the same handle in another incarnation.
type Place = (MemberId, Incarnation, SessionHandle);

/// How an operation was begun, so that it can be begun again: its `Request::Begin` with virtual handles, in its wire form.
struct Begun(Zeroizing<Vec<u8>>);

impl Begun {
    fn new(operation: Operation, mechanism: Mechanism<'_>, key: Option<u64>) -> Self {
        let request = Request::Begin {
            session: SessionHandle(0),
            operation,
            mechanism,
            key: key.map(ObjectHandle),
        };
        let mut bytes = Zeroizing::new(vec![0; wire::request_size(&request)]);
        // The size was asked for, so it fits.
        let _ = wire::encode_request(&request, &mut bytes);
        Self(bytes)
    }

    /// Sends it to the member of `lease`.
    fn send(&self, slot: &VirtualSlot, lease: &mut Lease) -> Result<Reply, Stop> {
        match wire::decode_request(&self.0) {
            Ok(Request::Begin {
                operation,
                mechanism,
                key,
                ..
            }) => begin_on(slot, lease, operation, mechanism, key.map(|key| key.0)),
            _ => Ok(code(ckr::GENERAL_ERROR)),
        }
    }
}

impl Session {
    /// `C_SignInit` and its kin; no mechanism ends the active operation (PKCS#11 v3.1 §5.9).
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, `CKR_OPERATION_NOT_INITIALIZED` when there is nothing to end, what the member says of mechanism and
    /// key, `CKR_DEVICE_ERROR` when no member could serve.
    pub fn begin(
        &self,
        operation: Operation,
        mechanism: Option<Mechanism<'_>>,
        key: Option<u64>,
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        let Some(mechanism) = mechanism else {
            return if state.cancel(operation) {
                Ok(())
            } else {
                Err(ckr::OPERATION_NOT_INITIALIZED)
            };
        };
        if state.position(operation).is_some() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let begun = Begun::new(operation, mechanism, key);
        let mut send = |lease: &mut Lease| begin_on(&self.slot, lease, operation, mechanism, key);
        if let Some(began) = state.begin_beside(&self.slot, operation, &begun) {
            return began;
        }
        let Done { reply, lease } = self
            .slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)?;
        let active = Active {
            operation,
            begun,
            on: lease.as_ref().map(place),
            progressed: false,
        };
        state.benches.push(Bench {
            lease,
            operations: vec![active],
        });
        Ok(())
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
        self.with_output(operation, After::Ends, output, &|session, room| {
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
        self.without_output(Operation::Verify, After::Ends, &|session| Request::Verify {
            session,
            data: Bytes(data),
            signature: Bytes(signature),
        })
    }

    /// `C_DigestUpdate`, `C_SignUpdate`, `C_VerifyUpdate`
    ///
    /// # Errors
    /// As in [`whole`](Self::whole); `CKR_DEVICE_ERROR` when the member that has the earlier parts was lost. The operation is then over.
    pub fn update(&self, operation: Operation, data: &[u8]) -> Result<(), Rv> {
        self.without_output(operation, After::GoesOn, &|session| Request::Update {
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
        self.with_output(operation, After::GoesOn, output, &|session, room| {
            Request::Update {
                session,
                operation,
                data: Bytes(data),
                room,
            }
        })
    }

    /// `C_DigestKey`
    ///
    /// # Errors
    /// As in [`update`](Self::update); `CKR_KEY_HANDLE_INVALID`.
    pub fn digest_key(&self, key: u64) -> Result<(), Rv> {
        let mut state = self.state()?;
        let slot = &self.slot;
        let mut send = |lease: &mut Lease| {
            let key = slot.locate(lease, key, ckr::KEY_HANDLE_INVALID)?;
            Ok(lease.call(
                &Request::DigestKey {
                    session: lease.handle(),
                    key,
                },
                &mut [],
            )?)
        };
        let reply = state.go_on(slot, Operation::Digest, After::GoesOn, &mut send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)
    }

    /// `C_SignFinal` and its kin.
    ///
    /// # Errors
    /// As in [`whole`](Self::whole).
    pub fn finish(&self, operation: Operation, output: Output<'_>) -> Result<u64, Refusal> {
        self.with_output(operation, After::Ends, output, &|session, room| {
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
        self.without_output(Operation::Verify, After::Ends, &|session| {
            Request::VerifyFinish {
                session,
                signature: Bytes(signature),
            }
        })
    }

    /// `C_DigestEncryptUpdate` and its kin.
    ///
    /// # Errors
    /// As in [`update_output`](Self::update_output); `CKR_DEVICE_ERROR` when the two operations have come to stand on different members.
    pub fn dual_update(&self, dual: Dual, data: &[u8], output: Output<'_>) -> Result<u64, Refusal> {
        let mut state = self.state()?;
        let (cipher, witness) = (
            state.position(dual.cipher()),
            state.position(dual.witness()),
        );
        let (Some((bench, _)), Some((other, _))) = (cipher, witness) else {
            return Err(ckr::OPERATION_NOT_INITIALIZED.into());
        };
        if bench != other {
            state.cancel(dual.cipher());
            state.cancel(dual.witness());
            return Err(ckr::DEVICE_ERROR.into());
        }
        let (room, buffer) = output.parts();
        let mut send = |lease: &mut Lease| {
            let request = Request::DualUpdate {
                session: lease.handle(),
                dual,
                data: Bytes(data),
                room,
            };
            Ok(lease.call(&request, buffer)?)
        };
        let reply = state.go_on_both(&self.slot, dual, &mut send)?;
        Refusal::of_length(reply)
    }

    fn with_output<'r>(
        &self,
        operation: Operation,
        after: After,
        output: Output<'_>,
        request: &dyn Fn(SessionHandle, Room) -> Request<'r>,
    ) -> Result<u64, Refusal> {
        let mut state = self.state()?;
        let (room, buffer) = output.parts();
        let mut send = |lease: &mut Lease| Ok(lease.call(&request(lease.handle(), room), buffer)?);
        let reply = state.go_on(&self.slot, operation, after, &mut send)?;
        Refusal::of_length(reply)
    }

    fn without_output<'r>(
        &self,
        operation: Operation,
        after: After,
        request: &dyn Fn(SessionHandle) -> Request<'r>,
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        let mut send = |lease: &mut Lease| Ok(lease.call(&request(lease.handle()), &mut [])?);
        let reply = state.go_on(&self.slot, operation, after, &mut send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)
    }
}

/// What a call that succeeds does to its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum After {
    Ends,
    GoesOn,
}

impl State {
    /// Which bench an operation is on, and its place there.
    fn position(&self, operation: Operation) -> Option<(usize, usize)> {
        self.benches.iter().enumerate().find_map(|(at, bench)| {
            let place = bench
                .operations
                .iter()
                .position(|active| active.operation == operation)?;
            Some((at, place))
        })
    }

    /// Ends an operation without its result. Whether there was one.
    pub(super) fn cancel(&mut self, operation: Operation) -> bool {
        let Some((bench, at)) = self.position(operation) else {
            return false;
        };
        if let Some(bench) = self.benches.get_mut(bench) {
            bench.operations.swap_remove(at);
            if let Some(lease) = &mut bench.lease {
                lease.spoil();
            }
        }
        self.sweep();
        true
    }

    /// Takes the lease on which the operation that was begun last stands, for a context-specific login.
    pub(super) fn take_last_lease(&mut self) -> Option<Lease> {
        self.benches.last_mut()?.lease.take()
    }

    /// Brings it back.
    pub(super) fn put_last_lease(&mut self, lease: Option<Lease>) {
        if let Some(bench) = self.benches.last_mut() {
            bench.lease = lease;
        }
    }

    /// Begins an operation on the real session that another one of this session stands on, since a dual function can feed only two
    /// that share one. `None` when there is none, or when that member cannot serve it.
    fn begin_beside(
        &mut self,
        slot: &Arc<VirtualSlot>,
        operation: Operation,
        begun: &Begun,
    ) -> Option<Result<(), Rv>> {
        let bench = self.benches.first_mut()?;
        let lease = Some(bench.lease.take()?);
        let mut not_here = false;
        let mut send = |lease: &mut Lease| {
            let sent = begun.send(slot, lease);
            not_here = matches!(sent, Err(Stop::NotHere(_)));
            sent
        };
        let errand = Errand {
            lease,
            pinned: true,
            ..Errand::anywhere(Repeat::Safe)
        };
        let Done { reply, lease } = slot.driver.perform(errand, &mut send).ok()?;
        let on = lease.as_ref().map(place);
        bench.lease = lease;
        if not_here {
            return None;
        }
        let began = Refusal::of(reply).map_err(|refusal| refusal.rv);
        if began.is_ok() {
            let begun = Begun(begun.0.clone());
            bench.operations.push(Active {
                operation,
                begun,
                on,
                progressed: false,
            });
        }
        Some(began)
    }

    /// One call of an active operation, begun anew on another member where that is needed and can be.
    fn go_on(
        &mut self,
        slot: &Arc<VirtualSlot>,
        operation: Operation,
        after: After,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let (at, which) = self
            .position(operation)
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)?;
        let bench = self.benches.get_mut(at).ok_or(ckr::GENERAL_ERROR)?;
        let lease = bench.lease.take();
        let active = bench.operations.get_mut(which).ok_or(ckr::GENERAL_ERROR)?;
        if active.progressed && active.on != lease.as_ref().map(place) {
            // The session that has its earlier parts is gone.
            bench.lease = lease;
            return self.settle(at, which, after, Err(ckr::DEVICE_ERROR));
        }
        let errand = Errand {
            pinned: active.progressed,
            lease,
            ..Errand::anywhere(Repeat::Safe)
        };
        let mut resend = |lease: &mut Lease| {
            if active.on != Some(place(lease)) {
                let reply = active.begun.send(slot, lease)?;
                if reply.rv != everslot_protocol::Rv::OK {
                    return Ok(reply);
                }
                active.on = Some(place(lease));
            }
            send(lease)
        };
        let done = slot.driver.perform(errand, &mut resend);
        self.settle(at, which, after, done)
    }

    /// One call that feeds two operations of one bench.
    fn go_on_both(
        &mut self,
        slot: &Arc<VirtualSlot>,
        dual: Dual,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let Some((at, which)) = self.position(dual.cipher()) else {
            return Err(ckr::OPERATION_NOT_INITIALIZED);
        };
        let lease = self
            .benches
            .get_mut(at)
            .and_then(|bench| bench.lease.take());
        let errand = Errand {
            pinned: true,
            lease,
            ..Errand::anywhere(Repeat::Safe)
        };
        let done = slot.driver.perform(errand, send);
        let reply = self.settle(at, which, After::GoesOn, done);
        match self.position(dual.witness()) {
            Some((at, which)) if reply.is_ok_and(goes_on) => {
                if let Some(active) = self
                    .benches
                    .get_mut(at)
                    .and_then(|bench| bench.operations.get_mut(which))
                {
                    active.progressed = true;
                }
            }
            _ => drop(self.cancel(dual.witness())),
        }
        reply
    }

    /// Brings the bench to what a call's end means for it.
    fn settle(
        &mut self,
        at: usize,
        which: usize,
        after: After,
        done: Result<Done, Rv>,
    ) -> Result<Reply, Rv> {
        let bench = self.benches.get_mut(at).ok_or(ckr::GENERAL_ERROR)?;
        let outcome = done.map(|Done { reply, lease }| {
            bench.lease = lease;
            reply
        });
        let stays = match outcome {
            // A query and too small a buffer leave everything as it was (PKCS#11 v3.1 §5.2).
            Ok(reply) if matches!(reply.body, Body::Length(_)) => true,
            Ok(reply) if goes_on(reply) && after == After::GoesOn => {
                if let Some(active) = bench.operations.get_mut(which) {
                    active.progressed = true;
                }
                true
            }
            Ok(reply) => {
                if !goes_on(reply) && !is_verification(reply) {
                    bench.lease.iter_mut().for_each(Lease::spoil);
                }
                false
            }
            Err(_) => false,
        };
        if !stays {
            bench.operations.swap_remove(which);
        }
        self.sweep();
        outcome
    }

    /// Gives back the leases of benches without an operation.
    fn sweep(&mut self) {
        self.benches.retain(|bench| !bench.operations.is_empty());
    }
}

/// Sends a `C_*Init` with the member's own handles.
fn begin_on(
    slot: &VirtualSlot,
    lease: &mut Lease,
    operation: Operation,
    mechanism: Mechanism<'_>,
    key: Option<u64>,
) -> Result<Reply, Stop> {
    let key = key
        .map(|key| slot.locate(lease, key, ckr::KEY_HANDLE_INVALID))
        .transpose()?;
    let scratch = Scratch::default();
    let mechanism = slot.localise(lease, mechanism, &scratch)?;
    Ok(lease.call(
        &Request::Begin {
            session: lease.handle(),
            operation,
            mechanism,
            key,
        },
        &mut [],
    )?)
}

fn place(lease: &Lease) -> Place {
    let (member, incarnation) = lease.place();
    (member, incarnation, lease.handle())
}

fn goes_on(reply: Reply) -> bool {
    reply.rv == everslot_protocol::Rv::OK
}

/// A wrong signature ends its operation in good order.
fn is_verification(reply: Reply) -> bool {
    matches!(
        Rv(reply.rv.0),
        ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE
    )
}

fn code(rv: Rv) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}
