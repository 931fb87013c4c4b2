//! Where operations stand: on a real session, their bench, which they outlive as long as nothing but the beginning has to be done again.

use std::sync::Arc;

use everslot_core::{Incarnation, MemberId, Repeat, Rv, ckr};
use everslot_protocol::{
    Body, Dual, Mechanism, ObjectHandle, Operation, Reply, Request, SessionHandle, wire,
};
use zeroize::Zeroizing;

use super::{Refusal, VirtualSlot};
use crate::group::{Done, Errand, Lease, Stop};
use crate::module::Scratch;

/// All benches of a virtual session.
#[derive(Default)]
pub(super) struct Benches(Vec<Bench>);

/// The operations that share one real session: usually one; two that a dual function is to feed.
struct Bench {
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

/// What a call that succeeds does to its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    Ends,
    GoesOn,
}

impl Benches {
    /// Begins an operation, beside another of this session if there is one, else on whichever member the balance says.
    pub(super) fn begin(
        &mut self,
        slot: &Arc<VirtualSlot>,
        operation: Operation,
        mechanism: Mechanism<'_>,
        key: Option<u64>,
    ) -> Result<(), Rv> {
        if self.position(operation).is_some() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let begun = Begun::new(operation, mechanism, key);
        if let Some(began) = self.begin_beside(slot, operation, &begun) {
            return began;
        }
        let mut send = |lease: &mut Lease| begin_on(slot, lease, operation, mechanism, key);
        let Done { reply, lease } = slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)?;
        let active = Active {
            operation,
            begun,
            on: lease.as_ref().map(place),
            progressed: false,
        };
        self.0.push(Bench {
            lease,
            operations: vec![active],
        });
        Ok(())
    }

    /// Whether no operation is active.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends all operations without their results.
    pub(super) fn clear(&mut self) {
        for bench in &mut self.0 {
            bench.lease.iter_mut().for_each(Lease::spoil);
        }
        self.0.clear();
    }

    /// Which bench an operation is on, and its place there.
    pub(super) fn position(&self, operation: Operation) -> Option<(usize, usize)> {
        self.0.iter().enumerate().find_map(|(at, bench)| {
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
        if let Some(bench) = self.0.get_mut(bench) {
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
        self.0.last_mut()?.lease.take()
    }

    /// Brings it back.
    pub(super) fn put_last_lease(&mut self, lease: Option<Lease>) {
        if let Some(bench) = self.0.last_mut() {
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
        let bench = self.0.first_mut()?;
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
    pub(super) fn go_on(
        &mut self,
        slot: &Arc<VirtualSlot>,
        operation: Operation,
        after: After,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let (at, which) = self
            .position(operation)
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)?;
        let bench = self.0.get_mut(at).ok_or(ckr::GENERAL_ERROR)?;
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
    pub(super) fn go_on_both(
        &mut self,
        slot: &Arc<VirtualSlot>,
        dual: Dual,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let Some((at, which)) = self.position(dual.cipher()) else {
            return Err(ckr::OPERATION_NOT_INITIALIZED);
        };
        let lease = self.0.get_mut(at).and_then(|bench| bench.lease.take());
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
                    .0
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
        let bench = self.0.get_mut(at).ok_or(ckr::GENERAL_ERROR)?;
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
        self.0.retain(|bench| !bench.operations.is_empty());
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
