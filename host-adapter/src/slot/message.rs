//! Message-based operations: each message may go to another member, as long as no member's own counter makes the IVs.

use cryptoki_sys as ck;
use everslot_core::{Effect, Repeat, Rv, ckr, repeat};
use everslot_protocol::{
    Body, Bytes, Mechanism, MessageCall, MessageOperation, MessageParameter, ObjectHandle, Reply,
    Request, Sealed, SessionHandle,
};

use super::standing::Standing;
use super::{Output, Refusal, Session};
use crate::group::Lease;

/// The message-based operations of a virtual session, at most one of each kind.
#[derive(Default)]
pub(super) struct Messages(Vec<Active>);

/// An active operation.
struct Active {
    operation: MessageOperation,
    mechanism: u64,
    standing: Standing,
    /// A message of several parts is under way.
    in_message: bool,
    /// The real session counts the IVs: begun anew on another, it would begin to count anew and use an IV twice.
    counts: bool,
}

impl Messages {
    fn find(&mut self, operation: MessageOperation) -> Result<&mut Active, Rv> {
        self.0
            .iter_mut()
            .find(|active| active.operation == operation)
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)
    }

    /// Ends an operation. Whether there was one.
    pub(super) fn cancel(&mut self, operation: MessageOperation) -> bool {
        let at = self
            .0
            .iter()
            .position(|active| active.operation == operation);
        if let Some(at) = at {
            self.0.swap_remove(at).standing.leave();
        }
        at.is_some()
    }

    /// Ends all operations.
    pub(super) fn clear(&mut self) {
        for mut active in self.0.drain(..) {
            active.standing.leave();
        }
    }

    /// The real session of the operation that was begun last.
    pub(super) fn last_lease(&mut self) -> Option<&mut Lease> {
        self.0.last_mut()?.standing.lease()
    }
}

/// What of a message a call is.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Whole,
    First,
    Next,
    Last,
}

impl Session {
    /// The mechanism of the message-based operation, which says what its messages' parameters are.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`
    pub fn message_mechanism(&self, operation: MessageOperation) -> Result<u64, Rv> {
        Ok(self.state()?.messages.find(operation)?.mechanism)
    }

    /// `C_MessageEncryptInit` and its kin; no mechanism ends the active operation (PKCS#11 v3.1 §5.9.1).
    ///
    /// # Errors
    /// `CKR_OPERATION_ACTIVE`, `CKR_OPERATION_NOT_INITIALIZED` when there is nothing to end, what the member says of mechanism and key,
    /// `CKR_FUNCTION_NOT_SUPPORTED` when no member has message-based functions, `CKR_DEVICE_ERROR` when none could serve.
    pub fn message_init(
        &self,
        operation: MessageOperation,
        mechanism: Option<Mechanism<'_>>,
        key: u64,
    ) -> Result<(), Rv> {
        let mut state = self.state()?;
        let Some(mechanism) = mechanism else {
            let ended = state.messages.cancel(operation);
            return ended.then_some(()).ok_or(ckr::OPERATION_NOT_INITIALIZED);
        };
        if state.messages.find(operation).is_ok() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let init = Request::Message {
            session: SessionHandle(0),
            operation,
            call: MessageCall::Init {
                mechanism,
                key: ObjectHandle(key),
            },
        };
        let standing = Standing::begin(&self.slot, &init)?;
        state.messages.0.push(Active {
            operation,
            mechanism: mechanism.kind,
            standing,
            in_message: false,
            counts: false,
        });
        Ok(())
    }

    /// `C_EncryptMessage`, `C_DecryptMessage`, `C_SignMessage`; what was written or, for a query, the length that is needed.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, `CKR_OPERATION_ACTIVE` within a message of several parts, what the member says,
    /// `CKR_BUFFER_TOO_SMALL` with the length, `CKR_DEVICE_ERROR` when no member could serve or the outcome is unknown and the member
    /// was to make the IV. The operation goes on in any case.
    pub fn message(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        associated: &[u8],
        data: &[u8],
        output: Output<'_>,
    ) -> Result<Sealed, Refusal> {
        let (room, buffer) = output.parts();
        let call = MessageCall::Whole {
            parameter,
            associated: Bytes(associated),
            data: Bytes(data),
            room,
        };
        self.one_message_call(operation, Part::Whole, call, buffer)
    }

    /// `C_VerifyMessage`
    ///
    /// # Errors
    /// As in [`message`](Self::message); `CKR_SIGNATURE_INVALID`.
    pub fn verify_message(
        &self,
        parameter: MessageParameter<'_>,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Rv> {
        let call = MessageCall::Verify {
            parameter,
            data: Bytes(data),
            signature: Bytes(signature),
        };
        self.one_message_call(MessageOperation::Verify, Part::Whole, call, &mut [])
            .map(drop)
            .map_err(|refusal| refusal.rv)
    }

    /// `C_EncryptMessageBegin` and its kin.
    ///
    /// # Errors
    /// As in [`message`](Self::message).
    pub fn message_begin(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        associated: &[u8],
    ) -> Result<Sealed, Rv> {
        let call = MessageCall::Begin {
            parameter,
            associated: Bytes(associated),
        };
        self.one_message_call(operation, Part::First, call, &mut [])
            .map_err(|refusal| refusal.rv)
    }

    /// `C_EncryptMessageNext`, `C_DecryptMessageNext`, `C_SignMessageNext`.
    ///
    /// # Errors
    /// As in [`message`](Self::message), but `CKR_OPERATION_NOT_INITIALIZED` outside of a message and `CKR_DEVICE_ERROR` when the member
    /// that has its earlier parts was lost. The message is then over, the operation goes on.
    pub fn message_next(
        &self,
        operation: MessageOperation,
        parameter: MessageParameter<'_>,
        data: &[u8],
        output: Output<'_>,
        last: bool,
    ) -> Result<Sealed, Refusal> {
        let (room, buffer) = output.parts();
        let call = MessageCall::Next {
            parameter,
            data: Bytes(data),
            room,
            last,
        };
        self.one_message_call(operation, Part::of(last), call, buffer)
    }

    /// `C_VerifyMessageNext`; the part with the signature is the last.
    ///
    /// # Errors
    /// As in [`message_next`](Self::message_next); `CKR_SIGNATURE_INVALID`.
    pub fn verify_message_next(
        &self,
        parameter: MessageParameter<'_>,
        data: &[u8],
        signature: Option<&[u8]>,
    ) -> Result<(), Rv> {
        let call = MessageCall::VerifyNext {
            parameter,
            data: Bytes(data),
            signature: signature.map(Bytes),
        };
        let part = Part::of(signature.is_some());
        self.one_message_call(MessageOperation::Verify, part, call, &mut [])
            .map(drop)
            .map_err(|refusal| refusal.rv)
    }

    /// `C_MessageEncryptFinal` and its kin.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`
    pub fn message_final(&self, operation: MessageOperation) -> Result<(), Rv> {
        let mut state = self.state()?;
        let active = state.messages.find(operation)?;
        let whole = !active.in_message;
        if let Some(lease) = active.standing.lease().filter(|_| whole) {
            let request = Request::Message {
                session: lease.handle(),
                operation,
                call: MessageCall::Final,
            };
            let ended = lease.call(&request, &mut []);
            if ended.is_ok_and(|reply| reply.rv == everslot_protocol::Rv::OK) {
                // It can be used again.
                state
                    .messages
                    .0
                    .retain(|active| active.operation != operation);
                return Ok(());
            }
        }
        // Whatever became of the member, nothing of the operation is needed any more.
        state.messages.cancel(operation);
        Ok(())
    }

    /// One call about a message, on the member that has the operation or, where nothing binds it there, on another.
    fn one_message_call(
        &self,
        operation: MessageOperation,
        part: Part,
        call: MessageCall<'_>,
        buffer: &mut [u8],
    ) -> Result<Sealed, Refusal> {
        let mut state = self.state()?;
        let active = state.messages.find(operation)?;
        match (active.in_message, part) {
            (true, Part::Whole | Part::First) => return Err(ckr::OPERATION_ACTIVE.into()),
            (false, Part::Next | Part::Last) => return Err(ckr::OPERATION_NOT_INITIALIZED.into()),
            (true, Part::Next | Part::Last) | (false, Part::Whole | Part::First) => {}
        }
        let (slot, may_repeat) = (&self.slot, active.may_repeat(call.parameter()));
        let mut send = |lease: &mut Lease| {
            let request = Request::Message {
                session: lease.handle(),
                operation,
                call,
            };
            slot.ask_later(lease, &request, buffer)
        };
        let answered = active.standing.call(slot, may_repeat, &mut send);
        active.settle(part, call.parameter(), answered);
        let reply = answered?;
        Refusal::of(reply)?;
        Ok(match reply.body {
            Body::Sealed(sealed) => sealed,
            Body::Written(length) | Body::Length(length) => Sealed::new(length, &[], &[]),
            _ => Sealed::default(),
        })
    }
}

impl Part {
    const fn of(last: bool) -> Self {
        if last { Self::Last } else { Self::Next }
    }
}

impl Active {
    /// A message may be sent twice unless the member makes its IV, or signing uses up a part of the key.
    fn may_repeat(&self, parameter: Option<&MessageParameter<'_>>) -> Repeat {
        let signs = self.operation == MessageOperation::Sign;
        repeat(if signs && consumes_key(self.mechanism) {
            Effect::ConsumesKey
        } else if self.operation == MessageOperation::Encrypt && generator(parameter).is_some() {
            Effect::Creates
        } else {
            Effect::Computes
        })
    }

    /// Brings the operation to what a call's end means for it.
    fn settle(
        &mut self,
        part: Part,
        parameter: Option<&MessageParameter<'_>>,
        answered: Result<Reply, Rv>,
    ) {
        let went_well = answered.is_ok_and(|reply| reply.rv == everslot_protocol::Rv::OK);
        let told_length = answered.is_ok_and(|reply| matches!(reply.body, Body::Length(_)));
        if told_length {
            // A query and too small a buffer leave everything as it was (PKCS#11 v3.1 §5.2).
            return;
        }
        let counter = generator(parameter).is_some_and(|kind| kind != ck::CKG_GENERATE_RANDOM);
        self.counts |= went_well && self.operation == MessageOperation::Encrypt && counter;
        let had_parts = self.in_message;
        self.in_message = went_well && matches!(part, Part::First | Part::Next);
        self.standing.bound = self.in_message || self.counts;
        let is_verdict = answered.is_ok_and(|reply| {
            matches!(
                Rv(reply.rv.0),
                ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE | ckr::AEAD_DECRYPT_FAILED
            )
        });
        let broke_off = had_parts && !went_well;
        let ended = is_verdict && part == Part::Last;
        if broke_off && !(ended || self.counts) {
            // Nobody knows what the member makes of the message's earlier parts.
            self.standing.leave();
        }
    }
}

/// Who makes the IV, if not the caller.
fn generator(parameter: Option<&MessageParameter<'_>>) -> Option<u64> {
    match parameter {
        Some(MessageParameter::Aead(aead)) if aead.makes_iv() => Some(aead.generator),
        // What a flat parameter has in it is the mechanism's own.
        Some(MessageParameter::Aead(_) | MessageParameter::Flat(_) | MessageParameter::None)
        | None => None,
    }
}

/// Hash-based signatures with a state: each uses up a part of the key (PKCS#11 v3.2 §6.14, §6.66).
pub(super) const fn consumes_key(mechanism: u64) -> bool {
    matches!(mechanism, ck::CKM_HSS | ck::CKM_XMSS | ck::CKM_XMSSMT)
}
