//! Work of PKCS#11 3.0 and later that stands on a real session: how it is begun, and begun anew where that session is gone.

use std::sync::Arc;

use cryptoki_sys as ck;
use everslot_core::{Incarnation, MemberId, MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{
    MessageCall, MessageOperation, Reply, Request, SessionHandle, SignatureCall, wire,
};
use zeroize::Zeroizing;

use super::{Refusal, VirtualSlot};
use crate::group::{Done, Errand, Lease, Stop};
use crate::module::Scratch;

/// A real session of a member, not to be taken for another of the same handle in another incarnation.
type Place = (MemberId, Incarnation, SessionHandle);

/// Work that was begun, the session that it stands on, and how to begin it again.
pub(super) struct Standing {
    /// The request that begins it, with virtual handles, in its wire form.
    init: Zeroizing<Vec<u8>>,
    /// The members that have its mechanism.
    eligible: MemberSet,
    lease: Option<Lease>,
    /// The real session that it was last begun on.
    on: Option<Place>,
    /// It cannot be begun anew: something that only this real session knows belongs to it.
    pub(super) bound: bool,
}

impl Standing {
    /// Begins it on whichever member can.
    ///
    /// # Errors
    /// What the member says of mechanism and key, `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function, `CKR_DEVICE_ERROR` when
    /// none could serve.
    pub(super) fn begin(slot: &Arc<VirtualSlot>, init: &Request<'_>) -> Result<Self, Rv> {
        let mut kept = Zeroizing::new(vec![0; wire::request_size(init)]);
        // The size was asked for, so it fits.
        let _ = wire::encode_request(init, &mut kept);
        let mut send = |lease: &mut Lease| begin_on(slot, lease, init);
        let eligible = eligible(slot, init)?;
        let errand = Errand::among(eligible, Repeat::Safe);
        let Done { reply, lease } = slot.driver.perform(errand, &mut send)?;
        Refusal::of(reply).map_err(|refusal| refusal.rv)?;
        Ok(Self {
            init: kept,
            eligible,
            on: lease.as_ref().map(place),
            lease,
            bound: false,
        })
    }

    /// One call of it, after it was begun anew where that is needed and can be.
    ///
    /// # Errors
    /// `CKR_DEVICE_ERROR` when no member could serve, or the session that it is bound to is gone.
    pub(super) fn call(
        &mut self,
        slot: &Arc<VirtualSlot>,
        repeat: Repeat,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let lease = self.lease.take();
        if self.bound && (lease.is_none() || lease.as_ref().map(place) != self.on) {
            return Err(ckr::DEVICE_ERROR);
        }
        let errand = Errand {
            pinned: self.bound,
            lease,
            ..Errand::among(self.eligible, repeat)
        };
        let (on, bound, init) = (&mut self.on, self.bound, &self.init);
        let mut resend = |lease: &mut Lease| {
            let begun_before = *on == Some(place(lease));
            if !begun_before {
                let reply = begin_again(slot, lease, init)?;
                if reply.rv != everslot_protocol::Rv::OK {
                    return Ok(reply);
                }
                *on = Some(place(lease));
            }
            let reply = send(lease)?;
            let ended = Rv(reply.rv.0) == ckr::OPERATION_NOT_INITIALIZED;
            if !(ended && begun_before) || bound {
                return Ok(reply);
            }
            // Some tokens end the whole operation with a message that they refuse.
            match begin_again(slot, lease, init)? {
                begun if begun.rv == everslot_protocol::Rv::OK => send(lease),
                refused => Ok(refused),
            }
        };
        let Done { reply, lease } = slot.driver.perform(errand, &mut resend)?;
        self.lease = lease;
        Ok(reply)
    }

    /// The real session that it stands on, which nobody else uses meanwhile.
    pub(super) const fn lease(&mut self) -> Option<&mut Lease> {
        self.lease.as_mut()
    }

    /// Leaves the real session as it is: it cannot be used again.
    pub(super) fn leave(&mut self) {
        self.on = None;
        if let Some(mut lease) = self.lease.take() {
            lease.spoil();
        }
    }
}

/// The members that the work may stand on.
fn eligible(slot: &VirtualSlot, init: &Request<'_>) -> Result<MemberSet, Rv> {
    match init {
        Request::Message {
            operation,
            call: MessageCall::Init { mechanism, .. },
            ..
        } => {
            let usage = match operation {
                MessageOperation::Encrypt => ck::CKF_MESSAGE_ENCRYPT,
                MessageOperation::Decrypt => ck::CKF_MESSAGE_DECRYPT,
                MessageOperation::Sign => ck::CKF_MESSAGE_SIGN,
                MessageOperation::Verify => ck::CKF_MESSAGE_VERIFY,
            };
            slot.members_with_later(mechanism.kind, usage)
        }
        Request::VerifySignature {
            call: SignatureCall::Init { mechanism, .. },
            ..
        } => slot.members_with_later(mechanism.kind, ck::CKF_VERIFY),
        _ => Err(ckr::GENERAL_ERROR),
    }
}

fn begin_again(slot: &VirtualSlot, lease: &mut Lease, init: &[u8]) -> Result<Reply, Stop> {
    match wire::decode_request(init) {
        Ok(init) => begin_on(slot, lease, &init),
        Err(wire::Malformed) => Err(Stop::NotHere(ckr::GENERAL_ERROR)),
    }
}

/// Sends the request that begins the work, with the member's own handles.
fn begin_on(slot: &VirtualSlot, lease: &mut Lease, init: &Request<'_>) -> Result<Reply, Stop> {
    let (Request::Message {
        call: MessageCall::Init { mechanism, key },
        ..
    }
    | Request::VerifySignature {
        call: SignatureCall::Init { mechanism, key, .. },
        ..
    }) = *init
    else {
        return Err(Stop::NotHere(ckr::GENERAL_ERROR));
    };
    let scratch = Scratch::default();
    let key = slot.locate_key(lease, key.0, ckr::KEY_HANDLE_INVALID)?;
    let mechanism = slot.localise(lease, mechanism, &scratch)?;
    let session = lease.handle();
    let request = match *init {
        Request::Message { operation, .. } => Request::Message {
            session,
            operation,
            call: MessageCall::Init { mechanism, key },
        },
        Request::VerifySignature {
            call: SignatureCall::Init { signature, .. },
            ..
        } => Request::VerifySignature {
            session,
            call: SignatureCall::Init {
                mechanism,
                key,
                signature,
            },
        },
        _ => return Err(Stop::NotHere(ckr::GENERAL_ERROR)),
    };
    slot.ask_later(lease, &request, &mut [])
}

fn place(lease: &Lease) -> Place {
    let (member, incarnation) = lease.place();
    (member, incarnation, lease.handle())
}
