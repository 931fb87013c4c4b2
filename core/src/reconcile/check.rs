//! The invariants of a reconcile.

use super::walk::Round;
use super::{CATCH_UPS, Ended, Phase, Reconcile};

/// A broken invariant of a reconcile: a fault of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ReconcileViolation {
    /// The member is its own source.
    OwnSource,
    /// Something comes from a member that does not serve.
    SourceGone,
    /// It makes the last pass, or is equal, and the gate is open (S8, S9).
    GateOpen,
    /// It goes on catching up (L3).
    TooManyPasses,
}

impl Reconcile {
    /// Whether the reconcile's invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), ReconcileViolation> {
        if self.sources.contains(self.member) {
            return Err(ReconcileViolation::OwnSource);
        }
        match self.phase {
            Phase::New | Phase::Closing(_) => Ok(()),
            Phase::Cleaning(round, _) | Phase::Opening(round, _) => self.check_round(round),
            Phase::Reading(pass, _) => self.check_round(pass.round),
            Phase::Doing(pass, _, task) => {
                let serves = task.source().is_none_or(|from| self.sources.contains(from));
                ensure(serves, ReconcileViolation::SourceGone)?;
                self.check_round(pass.round)
            }
            Phase::Over(Ended::Equal { .. }) => ensure(self.gated, ReconcileViolation::GateOpen),
            Phase::Over(
                Ended::MemberLost
                | Ended::JournalFailed
                | Ended::KeepsDestroyed(_)
                | Ended::GateNotClosed
                | Ended::NotAscending(_),
            ) => Ok(()),
        }
    }

    fn check_round(&self, round: Round) -> Result<(), ReconcileViolation> {
        match round {
            Round::All => Ok(()),
            Round::CatchUp { number, .. } => {
                ensure(number <= CATCH_UPS, ReconcileViolation::TooManyPasses)
            }
            Round::Final => ensure(self.gated, ReconcileViolation::GateOpen),
        }
    }
}

fn ensure(holds: bool, violation: ReconcileViolation) -> Result<(), ReconcileViolation> {
    if holds { Ok(()) } else { Err(violation) }
}
