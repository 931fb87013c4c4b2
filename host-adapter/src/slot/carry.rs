//! One call of an operation, or of two, over the members.

use std::sync::Arc;

use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{Body, Reply};

use super::VirtualSlot;
use super::active::{Active, is_logged_in};
use crate::group::{Done, EVERY_MEMBER, Errand, Lease, Stop};

/// Carries one call of these operations through, bringing each to the session that it comes to. `send` sends it over that session, with the
/// buffer for its output.
#[inline]
pub(super) fn carry(
    slot: &Arc<VirtualSlot>,
    repeat: Repeat,
    lease: Option<Lease>,
    operations: &mut [&mut Active],
    output: &mut [u8],
    mut send: impl FnMut(&mut Lease, &mut [u8]) -> Result<Reply, Stop>,
) -> Result<Done, Rv> {
    let mut pinned = false;
    let mut eligible = EVERY_MEMBER;
    for active in operations.iter() {
        eligible = eligible.intersection(active.eligible);
        pinned |= active.is_pinned(lease.as_ref())?;
    }
    let errand = Errand {
        pinned,
        lease,
        ..Errand::among(eligible, repeat)
    };
    let mut send = |lease: &mut Lease| {
        for active in operations.iter_mut() {
            active.bring(slot, lease)?;
        }
        let reply = send(lease, output)?;
        if Rv(reply.rv.0) == ckr::USER_NOT_LOGGED_IN && is_logged_in(lease) {
            return Err(Stop::Final(ckr::USER_NOT_LOGGED_IN));
        }
        Ok(reply)
    };
    slot.driver.perform(errand, &mut send)
}

pub(super) fn goes_on(reply: Reply) -> bool {
    reply.rv == everslot_protocol::Rv::OK
}

/// Whether only a length was told.
pub(super) const fn leaves_all(reply: Reply) -> bool {
    matches!(reply.body, Body::Length(_))
}

/// Of a call that is there only to bring an operation to a member.
pub(super) const LENGTH_OF_NOTHING: Reply = Reply {
    rv: everslot_protocol::Rv::OK,
    body: Body::Length(0),
};

/// A wrong signature ends its operation in good order.
pub(super) fn is_verification(reply: Reply) -> bool {
    matches!(
        Rv(reply.rv.0),
        ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE
    )
}

pub(super) fn code(rv: Rv) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}
