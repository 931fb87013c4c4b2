//! Functions that only some members have: those of PKCS#11 3.0 and later.

use std::sync::atomic::{AtomicU32, Ordering};

use everslot_core::{MemberSet, ckr};
use everslot_protocol::{Function, Reply, Request};

use super::VirtualSlot;
use crate::group::{Lease, Stop};

/// Which members were seen to have which functions, whatever became of them since.
pub(super) struct Having([AtomicU32; Function::COUNT]);

impl Default for Having {
    fn default() -> Self {
        Self([const { AtomicU32::new(0) }; Function::COUNT])
    }
}

impl VirtualSlot {
    /// Asks a member for what only some members have.
    ///
    /// # Errors
    /// [`Stop::NotHere`] when this one has not got the function: with `CKR_FUNCTION_NOT_SUPPORTED`, or with `CKR_DEVICE_ERROR` when
    /// another member has it, which may return.
    pub(super) fn ask_later(
        &self,
        lease: &mut Lease,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Reply, Stop> {
        let reply = lease.call(request, output)?;
        self.judge_later(lease, request, reply)
    }

    /// The reply, unless it says that the member has not got the function.
    ///
    /// # Errors
    /// As in [`ask_later`](Self::ask_later).
    pub(super) fn judge_later(
        &self,
        lease: &Lease,
        request: &Request<'_>,
        reply: Reply,
    ) -> Result<Reply, Stop> {
        let having = &self.having.0[request.function() as usize];
        let own = MemberSet::of(lease.place().0).bits();
        if everslot_core::Rv(reply.rv.0) != ckr::FUNCTION_NOT_SUPPORTED {
            if having.load(Ordering::Relaxed) & own == 0 {
                having.fetch_or(own, Ordering::Relaxed);
            }
            return Ok(reply);
        }
        Err(Stop::NotHere(
            if having.load(Ordering::Relaxed) & !own == 0 {
                ckr::FUNCTION_NOT_SUPPORTED
            } else {
                ckr::DEVICE_ERROR
            },
        ))
    }
}
