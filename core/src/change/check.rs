//! The invariants of a change.

use super::{Change, ChangeKind, Phase};
use crate::MemberSet;

/// A broken invariant of a change: a fault of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ChangeViolation {
    /// A member both has the change and may have it.
    BothWays,
    /// It is made at a member while another has it already (S4).
    MadeTwice,
    /// A member could be asked a second time.
    AskedAgain,
    /// It is copied from a member that does not have it, or to one that does (S4).
    Copy,
    /// It takes its pattern from a member that does not have it.
    Pattern,
    /// It commits what is made nowhere (S8).
    NothingMade,
}

impl Change {
    /// Whether the change's invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), ChangeViolation> {
        let made = self.done.union(self.away);
        let apart = self.done.intersection(self.away).is_empty()
            && made.intersection(self.unclear).is_empty();
        ensure(apart, ChangeViolation::BothWays)?;
        match self.phase {
            Phase::Making(member) | Phase::Finding(member) => {
                ensure(made.is_empty(), ChangeViolation::MadeTwice)?;
                self.check_asked(member)
            }
            Phase::Copying { from, to } => {
                let fits = self.done.contains(from) && !made.contains(to);
                ensure(fits, ChangeViolation::Copy)
            }
            Phase::Updating(member) | Phase::Destroying(member) => self.check_asked(member),
            Phase::Restoring {
                member,
                from,
                sound,
            } => {
                let fits = self.done.contains(member)
                    && sound.contains(from)
                    && sound.intersection(self.done).is_empty();
                ensure(fits, ChangeViolation::Pattern)
            }
            Phase::Settling { member, from } => {
                let fits = self.done.contains(from) && self.left.contains(member);
                ensure(fits, ChangeViolation::Pattern)
            }
            Phase::Committing { .. } => {
                // A destruction has its tombstone, and only it counts as made where nobody knows.
                let may_be = self.kind == ChangeKind::Destroy && !self.unclear.is_empty();
                ensure(!made.is_empty() || may_be, ChangeViolation::NothingMade)
            }
            Phase::New
            | Phase::Recording
            | Phase::Cleaning(..)
            | Phase::Retracting(..)
            | Phase::Over(_) => Ok(()),
        }
    }

    const fn check_asked(&self, member: crate::MemberId) -> Result<(), ChangeViolation> {
        let asked: MemberSet = self.done.union(self.left);
        ensure(!asked.contains(member), ChangeViolation::AskedAgain)
    }
}

const fn ensure(holds: bool, violation: ChangeViolation) -> Result<(), ChangeViolation> {
    if holds { Ok(()) } else { Err(violation) }
}
