//! Where operations stand: on a real session, their bench. They outlive it as far as their transcripts can be replayed on another.

mod dual;

use std::sync::Arc;

use everslot_core::{MemberId, MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{Mechanism, Operation, Reply};
use zeroize::Zeroizing;

use super::active::{Active, seat};
use super::begun::{Begun, begin_on};
use super::carry::{LENGTH_OF_NOTHING, carry, goes_on, is_verification, leaves_all};
use super::info::usage;
use super::recent::Recent;
use super::transcript::Part;
use super::{Refusal, VirtualSlot, written};
use crate::group::{Done, Errand, Lease, Stop};

/// All operations of a virtual session, and their benches: usually one of each; a bench has two that a dual function is to feed.
///
/// What it holds for one operation serves the next, so that only a session's first costs memory.
#[derive(Default)]
pub(super) struct Benches {
    /// In the order in which they were begun.
    operations: Vec<Active>,
    /// A bench without an operation has no lease.
    leases: Vec<Option<Lease>>,
    spare: Zeroizing<Vec<u8>>,
}

/// What a call that succeeds does to its operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After<'a> {
    Ends,
    /// It goes on, with this part more.
    GoesOn(Part<'a>),
}

impl Benches {
    /// Begins an operation, beside another of this session if there is one, else on whichever member the balance says.
    pub(super) fn begin(
        &mut self,
        slot: &Arc<VirtualSlot>,
        (operation, mechanism, key): (Operation, Mechanism<'_>, Option<u64>),
        recent: &mut Recent,
    ) -> Result<(), Rv> {
        if self.position(operation).is_some() {
            return Err(ckr::OPERATION_ACTIVE);
        }
        let eligible = recent.members_with(slot, mechanism.kind, usage(operation))?;
        let mut send = |lease: &mut Lease| {
            let key = key.map(|key| recent.locate_key(slot, lease, key));
            begin_on(slot, lease, (operation, mechanism), key.transpose()?)
        };
        let (bench, done) = match self.begin_beside(slot, eligible, &mut send) {
            Some(beside) => beside,
            None => {
                let errand = Errand::among(eligible, Repeat::Safe);
                (self.free_bench(), slot.driver.perform(errand, &mut send)?)
            }
        };
        let Done { reply, lease } = done;
        let at = lease.as_ref().map(seat);
        self.put(bench, lease);
        if let Err(refusal) = Refusal::of(reply) {
            self.sweep();
            return Err(refusal.rv);
        }
        let begun = Begun::new(operation, mechanism, key, &mut self.spare);
        self.operations.reserve_exact(1);
        self.operations.push(Active::new(
            (operation, &mechanism),
            begun,
            (bench, at),
            eligible,
            slot.driver.trace(),
        ));
        Ok(())
    }

    /// Begins an operation on the real session that another one of this session stands on, since a dual function can feed only two
    /// that share one. `None` when there is none, or when that member cannot serve it.
    fn begin_beside(
        &mut self,
        slot: &Arc<VirtualSlot>,
        eligible: MemberSet,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Option<(usize, Done)> {
        let bench = self.operations.first()?.bench;
        let stands = |lease: &mut Lease| eligible.contains(lease.place().0);
        let lease = Some(self.leases.get_mut(bench)?.take_if(stands)?);
        let mut not_here = false;
        let mut send = |lease: &mut Lease| {
            let sent = send(lease);
            not_here = matches!(sent, Err(Stop::NotHere(_)));
            sent
        };
        let errand = Errand {
            lease,
            pinned: true,
            ..Errand::anywhere(Repeat::Safe)
        };
        let done = slot.driver.perform(errand, &mut send).ok()?;
        if not_here {
            self.put(bench, done.lease);
            return None;
        }
        Some((bench, done))
    }

    /// Whether no operation is active.
    pub(super) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The active operations, in the order in which they were begun.
    pub(super) fn operations(&self) -> &[Active] {
        &self.operations
    }

    /// Ends all operations without their results.
    pub(super) fn clear(&mut self) {
        while let Some(active) = self.operations.last() {
            self.cancel(active.operation);
        }
    }

    /// Notes that the real sessions are kept for the work of this virtual one.
    pub(super) fn hold(&self, virtual_session: u64) {
        for lease in self.leases.iter().flatten() {
            lease.hold(virtual_session);
        }
    }

    /// Gives back a real session of `member` on which nothing stands but what can be brought to another. Whether there was one.
    pub(super) fn give_way(&mut self, member: MemberId) -> bool {
        let gives = |(bench, lease): &(usize, &mut Option<Lease>)| {
            let mut here = self.operations.iter().filter(|one| one.bench == *bench);
            lease
                .as_ref()
                .is_some_and(|lease| lease.place().0 == member)
                && here.all(Active::is_saveable)
        };
        let mut leases = self.leases.iter_mut().enumerate();
        let Some((bench, lease)) = leases.find(gives) else {
            return false;
        };
        lease.iter_mut().for_each(Lease::spoil);
        *lease = None;
        let left = self.operations.iter_mut().filter(|one| one.bench == bench);
        left.for_each(Active::leave);
        true
    }

    /// The place of an active operation.
    pub(super) fn position(&self, operation: Operation) -> Option<usize> {
        self.operations
            .iter()
            .position(|active| active.operation == operation)
    }

    /// Ends an operation without its result. Whether there was one.
    pub(super) fn cancel(&mut self, operation: Operation) -> bool {
        let Some(which) = self.position(operation) else {
            return false;
        };
        if let Some(active) = self.operations.get(which) {
            self.spoil(active.bench);
        }
        self.remove(which);
        true
    }

    /// Takes in operations that were saved, in the place of those that are active, and brings each to a member.
    ///
    /// # Errors
    /// The `CK_RV` for the application when one cannot be brought anywhere; then none is active.
    pub(super) fn restore(
        &mut self,
        slot: &Arc<VirtualSlot>,
        restored: Vec<Active>,
    ) -> Result<(), Rv> {
        self.clear();
        for mut active in restored {
            let operation = active.operation;
            // Side by side, as those that a dual function is to feed have to be.
            active.bench = match self.operations.first() {
                Some(first) => first.bench,
                None => self.free_bench(),
            };
            self.operations.push(active);
            let nothing_more = |_: &mut Lease, _: &mut [u8]| Ok(LENGTH_OF_NOTHING);
            let brought = self.go_on(slot, operation, After::Ends, &mut [], nothing_more);
            let brought =
                brought.and_then(|reply| Refusal::of(reply).map_err(|refusal| refusal.rv));
            if let Err(rv) = brought {
                self.clear();
                return Err(rv);
            }
        }
        Ok(())
    }

    /// One call of an active operation, which is brought to another member where that is needed and can be.
    pub(super) fn go_on(
        &mut self,
        slot: &Arc<VirtualSlot>,
        operation: Operation,
        after: After<'_>,
        output: &mut [u8],
        send: impl FnMut(&mut Lease, &mut [u8]) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let which = self
            .position(operation)
            .ok_or(ckr::OPERATION_NOT_INITIALIZED)?;
        let bench = self.operations.get(which).ok_or(ckr::GENERAL_ERROR)?.bench;
        let lease = self.take(bench);
        let active = self.operations.get_mut(which).ok_or(ckr::GENERAL_ERROR)?;
        let repeat = active.repeat(after == After::Ends);
        let done = carry(slot, repeat, lease, &mut [active], output, send);
        let outcome = self.put_back(bench, done);
        let Some(active) = self.operations.get_mut(which) else {
            return outcome;
        };
        match (outcome, after) {
            // A query and too small a buffer leave everything as it was (PKCS#11 v3.1 §5.2).
            (Ok(reply), _) if leaves_all(reply) => active.unchanged(),
            (Ok(reply), After::GoesOn(part)) if goes_on(reply) => {
                active.taken(slot, part, written(reply, output));
            }
            (Ok(reply), _) => {
                if !goes_on(reply) && !is_verification(reply) {
                    self.spoil(bench);
                }
                self.remove(which);
            }
            (Err(_), _) => self.remove(which),
        }
        outcome
    }

    /// The login that the key of the operation that was begun last wants, sent to the member that holds the operation.
    ///
    /// # Errors
    /// `CKR_OPERATION_NOT_INITIALIZED`, `CKR_DEVICE_ERROR` when the member gave no answer; the operation goes on elsewhere if it can.
    pub(super) fn log_in(
        &mut self,
        slot: &Arc<VirtualSlot>,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Reply, Rv> {
        let last = self.operations.last();
        let bench = last.ok_or(ckr::OPERATION_NOT_INITIALIZED)?.bench;
        let lease = self.take(bench);
        let active = self.operations.last_mut().ok_or(ckr::GENERAL_ERROR)?;
        let errand = Errand {
            pinned: active.is_pinned(lease.as_ref())?,
            lease,
            login: true,
            ..Errand::among(active.eligible, Repeat::OnlyIfUndelivered)
        };
        let mut send = |lease: &mut Lease| {
            active.bring(slot, lease)?;
            send(lease)
        };
        let done = slot.driver.perform(errand, &mut send);
        match &done {
            Ok(Done { reply, .. }) if goes_on(*reply) => active.authenticated(),
            Ok(_) => active.unchanged(),
            Err(_) => active.failed(),
        }
        self.put_back(bench, done)
    }

    /// Takes a bench's lease for a call, unless its member has been lost since: then it would only stand in the way of the member's
    /// present incarnation (S10).
    fn take(&mut self, bench: usize) -> Option<Lease> {
        let place = self.leases.get_mut(bench)?;
        let is_over = |lease: &Lease| lease.place().1 != lease.member().incarnation();
        // Looked at in place: a lease is not small.
        if place.as_ref().is_some_and(is_over) {
            *place = None;
        }
        place.take()
    }

    /// Brings a bench its lease back after a call.
    fn put_back(&mut self, bench: usize, done: Result<Done, Rv>) -> Result<Reply, Rv> {
        let Done { reply, lease } = done?;
        self.put(bench, lease);
        Ok(reply)
    }

    fn put(&mut self, bench: usize, lease: Option<Lease>) {
        if let Some(place) = self.leases.get_mut(bench) {
            *place = lease;
        }
    }

    fn spoil(&mut self, bench: usize) {
        if let Some(Some(lease)) = self.leases.get_mut(bench) {
            lease.spoil();
        }
    }

    /// A bench that no operation stands on.
    fn free_bench(&mut self) -> usize {
        let used = |bench| self.operations.iter().any(|active| active.bench == bench);
        let free = (0..self.leases.len()).find(|bench| !used(*bench));
        free.unwrap_or_else(|| {
            self.leases.reserve_exact(1);
            self.leases.push(None);
            self.leases.len() - 1
        })
    }

    fn remove(&mut self, which: usize) {
        if let Some(active) = self.operations.get_mut(which) {
            active.begun.give_back(&mut self.spare);
        }
        if which + 1 == self.operations.len() {
            // The usual case, without a copy.
            self.operations.truncate(which);
        } else {
            self.operations.remove(which);
        }
        self.sweep();
    }

    /// Gives back the leases of benches without an operation.
    fn sweep(&mut self) {
        for (bench, lease) in self.leases.iter_mut().enumerate() {
            if !self.operations.iter().any(|active| active.bench == bench) {
                *lease = None;
            }
        }
    }
}
