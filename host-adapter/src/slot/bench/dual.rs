//! The dual functions, which feed two operations on one bench (PKCS#11 v3.1 §5.14).

use std::sync::Arc;

use everslot_core::{Repeat, Rv, ckr};
use everslot_protocol::{Dual, Reply};

use super::Benches;
use crate::group::{Done, Lease, Stop};
use crate::slot::VirtualSlot;
use crate::slot::carry::{carry, goes_on, leaves_all};
use crate::slot::transcript::Part;
use crate::slot::written;

impl Benches {
    /// One call that feeds two operations with `data`, the second of them brought to the bench of the first if need be.
    pub(in crate::slot) fn go_on_both(
        &mut self,
        slot: &Arc<VirtualSlot>,
        dual: Dual,
        data: &[u8],
        output: &mut [u8],
        send: impl FnMut(&mut Lease, &mut [u8]) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let (Some(cipher), Some(witness)) =
            (self.position(dual.cipher()), self.position(dual.witness()))
        else {
            return Err(ckr::OPERATION_NOT_INITIALIZED);
        };
        let bench = self.bring_together(cipher, witness)?;
        let lease = self.take(bench);
        let Ok([first, second]) = self.operations.get_disjoint_mut([cipher, witness]) else {
            return Err(ckr::GENERAL_ERROR);
        };
        let both = &mut [&mut *first, &mut *second];
        let done = carry(slot, Repeat::Safe, lease, both, output, send);
        match &done {
            Ok(Done { reply, .. }) if leaves_all(*reply) => {
                first.unchanged();
                second.unchanged();
            }
            Ok(Done { reply, .. }) if goes_on(*reply) => {
                let output = written(*reply, output);
                let plain = match dual {
                    Dual::DigestEncrypt | Dual::SignEncrypt => data,
                    Dual::DecryptDigest | Dual::DecryptVerify => output,
                };
                first.taken(slot, Part::Data(data), output);
                second.taken(slot, Part::Data(plain), &[]);
            }
            Ok(_) | Err(_) => {}
        }
        let outcome = self.put_back(bench, done);
        if !outcome.is_ok_and(|reply| goes_on(reply) || leaves_all(reply)) {
            self.cancel(dual.cipher());
            self.cancel(dual.witness());
        }
        outcome
    }

    /// Puts two operations on one bench: that of the one that cannot be brought elsewhere, if there is one.
    fn bring_together(&mut self, cipher: usize, witness: usize) -> Result<usize, Rv> {
        let Ok([cipher, witness]) = self.operations.get_disjoint_mut([cipher, witness]) else {
            return Err(ckr::GENERAL_ERROR);
        };
        let (stays, moves) = if witness.may_move() {
            (cipher, witness)
        } else {
            (witness, cipher)
        };
        let (bench, left) = (stays.bench, moves.bench);
        if bench != left {
            if !moves.may_move() {
                for operation in [stays.operation, moves.operation] {
                    self.cancel(operation);
                }
                return Err(ckr::DEVICE_ERROR);
            }
            moves.bench = bench;
            // It is still active on the session that it leaves.
            self.spoil(left);
            self.sweep();
        }
        Ok(bench)
    }
}
