//! How an operation was begun, so that it can be begun again.

use everslot_core::{Nonce, Replayable, Usage, ckr, replayable};
use everslot_protocol::{
    Field, Mechanism, ObjectHandle, Operation, Parameter, Reply, Request, SessionHandle, wire,
};
use zeroize::{Zeroize, Zeroizing};

use super::VirtualSlot;
use super::carry::code;
use crate::group::{Lease, Stop};
use crate::module::Scratch;
use crate::module::parameter::crosses_process_border;

/// A `C_*Init` with virtual handles.
pub(super) enum Begun {
    /// Of a mechanism without parameter: nothing to keep but its numbers.
    Plain {
        operation: Operation,
        mechanism: u64,
        key: Option<u64>,
    },
    /// Its `Request::Begin` in its wire form.
    Wire(Zeroizing<Vec<u8>>),
}

/// A buffer of more than this is not kept for the next operation.
const KEPT_BYTES: usize = 4096;

impl Begun {
    /// What begins `operation`; `spare` is used for a parameter, if there is one.
    pub(super) fn new(
        operation: Operation,
        mechanism: Mechanism<'_>,
        key: Option<u64>,
        spare: &mut Zeroizing<Vec<u8>>,
    ) -> Self {
        if mechanism.parameter == Parameter::None {
            return Self::Plain {
                operation,
                mechanism: mechanism.kind,
                key,
            };
        }
        let request = Request::Begin {
            session: SessionHandle(0),
            operation,
            mechanism,
            key: key.map(ObjectHandle),
        };
        let mut bytes = std::mem::take(spare);
        let room = bytes.capacity();
        bytes.resize(room, 0);
        // Asking for the size first would cost as much as encoding.
        let used = wire::encode_request(&request, &mut bytes).or_else(|wire::TooSmall| {
            bytes = Zeroizing::new(vec![0; wire::request_size(&request)]);
            wire::encode_request(&request, &mut bytes)
        });
        // The size was asked for, so it fits.
        bytes.truncate(used.unwrap_or(0));
        Self::Wire(bytes)
    }

    /// Gives its buffer to the next operation; this one is over.
    pub(super) fn give_back(&mut self, spare: &mut Zeroizing<Vec<u8>>) {
        if let Self::Wire(bytes) = self
            && bytes.capacity() <= KEPT_BYTES
        {
            bytes.zeroize();
            std::mem::swap(spare, bytes);
        }
    }

    /// Operation, mechanism and virtual key; `None` never happens to what [`new`](Self::new) has made.
    pub(super) fn parts(&self) -> Option<(Operation, Mechanism<'_>, Option<u64>)> {
        match self {
            Self::Plain {
                operation,
                mechanism,
                key,
            } => {
                let mechanism = Mechanism {
                    kind: *mechanism,
                    parameter: Parameter::None,
                };
                Some((*operation, mechanism, *key))
            }
            Self::Wire(bytes) => match wire::decode_request(bytes) {
                Ok(Request::Begin {
                    operation,
                    mechanism,
                    key,
                    ..
                }) => Some((operation, mechanism, key.map(|key| key.0))),
                _ => None,
            },
        }
    }

    /// Sends it to the member of `lease`.
    pub(super) fn send(&self, slot: &VirtualSlot, lease: &mut Lease) -> Result<Reply, Stop> {
        match self.parts() {
            Some((operation, mechanism, key)) => {
                let invalid = ckr::KEY_HANDLE_INVALID;
                let key = key.map(|key| slot.locate_key(lease, key, invalid));
                begin_on(slot, lease, (operation, mechanism), key.transpose()?)
            }
            None => Ok(code(ckr::GENERAL_ERROR)),
        }
    }
}

/// Sends a `C_*Init` with the member's own handles, of which the key's has been looked up.
pub(super) fn begin_on(
    slot: &VirtualSlot,
    lease: &mut Lease,
    (operation, mechanism): (Operation, Mechanism<'_>),
    key: Option<ObjectHandle>,
) -> Result<Reply, Stop> {
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

/// Whether an operation can be done again on another member. What a hidden address in a parameter points at is the application's, and
/// may be gone by then.
pub(super) fn may_be_replayed(operation: Operation, mechanism: &Mechanism<'_>) -> Replayable {
    if !crosses_process_border(mechanism) {
        return Replayable::Never;
    }
    let usage = match operation {
        Operation::Digest
        | Operation::Sign
        | Operation::SignRecover
        | Operation::Verify
        | Operation::VerifyRecover => Usage::OutputAtTheEnd,
        Operation::Encrypt => Usage::Encrypts,
        Operation::Decrypt => Usage::Decrypts,
    };
    replayable(usage, mechanism.kind, nonce(mechanism))
}

/// Whose the nonce is: a structure's first pointer is to it, in those that have one (`CK_GCM_PARAMS`, `CK_CCM_PARAMS`,
/// `CK_SALSA20_CHACHA20_POLY1305_PARAMS`).
fn nonce(mechanism: &Mechanism<'_>) -> Nonce {
    let Parameter::Fields(fields) = mechanism.parameter else {
        return Nonce::Callers;
    };
    let pointed_at = fields.iter().find_map(|field| match field {
        Field::Pointer(bytes) => Some(bytes),
        Field::Integer(_) | Field::Object(_) | Field::Inline(_) | Field::Nested(_) => None,
    });
    match pointed_at {
        Some(None) => Nonce::Members,
        Some(Some(bytes)) if bytes.0.is_empty() => Nonce::Members,
        Some(Some(_)) | None => Nonce::Callers,
    }
}

#[cfg(test)]
mod tests;
