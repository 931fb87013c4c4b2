//! The invariants of a call.

use super::{Answer, Binding, Call, Phase, Target};

/// A broken invariant of a call: a fault of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CallViolation {
    /// It is at a member that is not among those it was sent to, so it could be sent there again (L2).
    NotCounted,
    /// It asks for a fresh session without counting it (L2).
    ReopenNotCounted,
    /// It is pinned and at another member, or in another incarnation (S6).
    NotWhereItIsPinned,
    /// It is pinned and about to choose a member.
    PinnedButChoosing,
    /// It answers with a reply, and no member has been asked (S1).
    ReplyOfNobody,
}

impl Call {
    /// Whether the call's invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), CallViolation> {
        match self.phase {
            Phase::New => Ok(()),
            Phase::Choosing => match self.binding {
                Binding::Free => Ok(()),
                Binding::Pinned { .. } => Err(CallViolation::PinnedButChoosing),
            },
            Phase::Sent(at) | Phase::Probing(at) => self.check_target(at),
            Phase::Reopening(at) if self.reopened => self.check_target(at),
            Phase::Reopening(_) => Err(CallViolation::ReopenNotCounted),
            Phase::Over(Answer::Reply) if self.tried.is_empty() => {
                Err(CallViolation::ReplyOfNobody)
            }
            Phase::Over(Answer::Reply | Answer::Unavailable | Answer::Unknown) => Ok(()),
        }
    }

    fn check_target(&self, at: Target) -> Result<(), CallViolation> {
        let pinned_elsewhere = match self.binding {
            Binding::Free => false,
            Binding::Pinned {
                member,
                incarnation,
            } => {
                Target {
                    member,
                    incarnation,
                } != at
            }
        };
        if pinned_elsewhere {
            Err(CallViolation::NotWhereItIsPinned)
        } else if self.tried.contains(at.member) {
            Ok(())
        } else {
            Err(CallViolation::NotCounted)
        }
    }
}
