//! The invariants of an operation.

use super::{Phase, Seat, Work};

/// A broken invariant of an operation: a fault of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WorkViolation {
    /// It is brought to a session while another has all parts (S4).
    TwoPlaces,
    /// It is brought to another session and cannot be.
    CannotMove,
    /// It is about to send a part that it does not have.
    NoSuchPart,
    /// It compares, and has given nothing.
    NothingToCompare,
    /// A call is sent over a session that does not have all parts (S4).
    PartsMissing,
}

impl Work {
    /// Whether the operation's invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), WorkViolation> {
        match self.phase {
            Phase::Resting | Phase::GivenUp | Phase::Over => Ok(()),
            Phase::Beginning(_) => self.check_move(),
            Phase::Resending { part, .. } if part < self.parts => self.check_move(),
            Phase::Resending { .. } => Err(WorkViolation::NoSuchPart),
            Phase::Comparing(_) if self.given => self.check_move(),
            Phase::Comparing(_) => Err(WorkViolation::NothingToCompare),
            Phase::Sent(seat) => self.check_seat(seat),
        }
    }

    fn check_move(&self) -> Result<(), WorkViolation> {
        if self.at.is_some() {
            Err(WorkViolation::TwoPlaces)
        } else if self.may_move() {
            Ok(())
        } else {
            Err(WorkViolation::CannotMove)
        }
    }

    fn check_seat(&self, seat: Seat) -> Result<(), WorkViolation> {
        if self.at == Some(seat) {
            Ok(())
        } else {
            Err(WorkViolation::PartsMissing)
        }
    }
}
