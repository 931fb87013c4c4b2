//! Parameters that a call both reads and writes, and inputs that the output may lie over.

use std::ffi::c_void;

use cryptoki_sys::{CK_MECHANISM, CK_ULONG};
use everslot_core::Rv;
use everslot_protocol::{MessageOperation, MessageParameter, Sealed};
use zeroize::Zeroizing;

use super::{Caller, Input, OutputPlace, own};
use crate::module::Scratch;
use crate::module::parameter::{
    read_message_parameter, write_made_iv, write_message_parameter, write_returned,
};
use crate::slot::{Output, Refusal};

impl<'call> Caller<'call> {
    /// What a message has beside its data.
    pub(in crate::c_abi) fn message_parameter(
        self,
        (mechanism, operation): (u64, MessageOperation),
        (pointer, length): (*const c_void, CK_ULONG),
        scratch: &'call Scratch,
    ) -> Result<MessageParameter<'call>, Rv> {
        let what = (mechanism, operation);
        // SAFETY: the application promises the parameter and what it leads to.
        unsafe { read_message_parameter(what, (pointer, length), scratch) }.map_err(own)
    }

    /// Writes what the member has put into it.
    pub(in crate::c_abi) fn answer_message_parameter(
        self,
        mechanism: u64,
        (pointer, length): (*const c_void, CK_ULONG),
        sealed: &Sealed,
    ) -> Result<(), Rv> {
        // SAFETY: the application promises the parameter and what it leads to; nothing of it is borrowed, since it was copied.
        unsafe { write_message_parameter(mechanism, (pointer, length), sealed) }.map_err(own)
    }

    /// Writes the IV that the member has made into the mechanism's parameter.
    pub(in crate::c_abi) fn answer_made_iv(
        self,
        mechanism: *const CK_MECHANISM,
        sealed: &Sealed,
    ) -> Result<(), Rv> {
        // SAFETY: the application promises the mechanism and what it leads to; an IV to be made was copied, not borrowed.
        unsafe { write_made_iv(mechanism, sealed.iv()) }.map_err(own)
    }
}

impl Caller<'_> {
    /// Writes what the member has put into the mechanism's parameter.
    pub(in crate::c_abi) fn answer_returned(
        self,
        mechanism: *const CK_MECHANISM,
        returned: &[u8],
    ) -> Result<(), Rv> {
        // SAFETY: the application promises the mechanism and what it leads to; what is written to was not borrowed.
        unsafe { write_returned(mechanism, returned) }.map_err(own)
    }
}

impl OutputPlace<'_> {
    /// Like [`fill_from`](Self::fill_from), with two inputs.
    pub(in crate::c_abi) fn fill_from_both(
        self,
        one: Input<'_>,
        other: Input<'_>,
        produce: impl FnOnce(&[u8], &[u8], Output<'_>) -> Result<u64, Refusal>,
    ) -> Result<(), Rv> {
        let overlapping = self
            .buffer
            .as_ref()
            .is_some_and(|buffer| buffer.overlaps(&one.0));
        if overlapping {
            // SAFETY: nothing is written before the bytes have been copied.
            let copy = Zeroizing::new(unsafe { one.bytes() }.to_vec());
            return self.fill_from(other, |other, output| produce(&copy, other, output));
        }
        // SAFETY: only the output is written during the call, which is elsewhere.
        let one = unsafe { one.bytes() };
        self.fill_from(other, |other, output| produce(one, other, output))
    }
}
