//! Destroying an object: at each holder, after its tombstone.

use super::{Change, ChangeAnswer, ChangeInput, ChangeNext, Phase};
use crate::{MemberId, MemberSet};

impl Change {
    /// Destroys it at the next holder. It is destroyed when one has done so, or may have, or none has it any more: the tombstone sees to
    /// the others (S9). It is not taken back where nobody knows: others may have the object as it was before it was last changed (S8).
    pub(super) fn destroy_next(&mut self) -> ChangeNext {
        match self.left.first() {
            Some(member) => self.transition(Phase::Destroying(member)),
            None if !self.done.is_empty() || !self.away.is_empty() => self.commit(),
            None if self.resumed => self.answer(ChangeAnswer::Unavailable),
            None if self.unclear.is_empty() => {
                self.retract(MemberSet::EMPTY, ChangeAnswer::Unavailable)
            }
            None => self.commit(),
        }
    }

    pub(super) fn destroying_handles(
        &mut self,
        member: MemberId,
        input: ChangeInput,
    ) -> ChangeNext {
        match input {
            ChangeInput::Done => self.done.insert(member),
            // It is not there, but nothing has been destroyed that could not be had again.
            ChangeInput::Gone => self.away.insert(member),
            ChangeInput::Refused if self.done.is_empty() => {
                return self.retract(self.unclear, ChangeAnswer::Refused);
            }
            ChangeInput::Refused | ChangeInput::NotSent => self.owed.insert(member),
            ChangeInput::Unknown => {
                self.unclear.insert(member);
                self.owed.insert(member);
            }
            ChangeInput::Start
            | ChangeInput::Lost(_)
            | ChangeInput::NotCarryable
            | ChangeInput::SourceLost => {
                return self.void();
            }
        }
        self.destroy_next()
    }
}
