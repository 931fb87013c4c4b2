//! Setting an object's attributes: at each holder; taking it back, and settling what was interrupted.

use super::{Change, ChangeAnswer, ChangeInput, ChangeNext, Phase};
use crate::{MemberId, MemberSet};

impl Change {
    pub(super) fn update_next(&mut self) -> ChangeNext {
        match self.left.first() {
            Some(member) => self.transition(Phase::Updating(member)),
            None if !self.done.is_empty() => self.commit_update(),
            // What may have been set where nobody can look is set back when that member returns.
            None if !self.unclear.is_empty() => self.retract(self.unclear, ChangeAnswer::Unknown),
            None if self.owed.is_empty() => self.retract(MemberSet::EMPTY, ChangeAnswer::Gone),
            None => self.retract(MemberSet::EMPTY, ChangeAnswer::Unavailable),
        }
    }

    /// Who was lost since it was asked is on record as one of whom nobody knows.
    pub(super) fn commit_update(&mut self) -> ChangeNext {
        self.unclear = self.unclear.union(self.done.intersection(self.lost));
        self.done = self.done.difference(self.lost);
        if self.done.is_empty() {
            self.retract(self.unclear, ChangeAnswer::Unknown)
        } else {
            self.commit()
        }
    }

    pub(super) fn updating_handles(&mut self, member: MemberId, input: ChangeInput) -> ChangeNext {
        match input {
            ChangeInput::Done => {
                self.done.insert(member);
                self.update_next()
            }
            ChangeInput::Gone => self.update_next(),
            ChangeInput::NotSent => {
                self.owed.insert(member);
                self.update_next()
            }
            ChangeInput::Unknown => {
                self.unclear.insert(member);
                self.owed.insert(member);
                self.update_next()
            }
            ChangeInput::Refused => {
                let sound = self.left.with(member);
                self.restore_next(sound)
            }
            ChangeInput::Start
            | ChangeInput::Lost(_)
            | ChangeInput::NotCarryable
            | ChangeInput::SourceLost => self.void(),
        }
    }

    /// One holder refuses: those that have followed are set back as one has it that has not.
    fn restore_next(&mut self, sound: MemberSet) -> ChangeNext {
        match (self.done.first(), sound.first()) {
            (Some(member), Some(from)) => self.transition(Phase::Restoring {
                member,
                from,
                sound,
            }),
            (Some(_), None) => {
                self.unclear = self.unclear.union(self.done);
                self.done = MemberSet::EMPTY;
                self.retract(self.unclear, ChangeAnswer::Refused)
            }
            (None, _) => self.retract(self.unclear, ChangeAnswer::Refused),
        }
    }

    pub(super) fn restoring_handles(
        &mut self,
        member: MemberId,
        from: MemberId,
        sound: MemberSet,
        input: ChangeInput,
    ) -> ChangeNext {
        match input {
            ChangeInput::SourceLost => return self.restore_next(sound.without(from)),
            ChangeInput::Done | ChangeInput::Gone => {}
            ChangeInput::Refused
            | ChangeInput::NotCarryable
            | ChangeInput::NotSent
            | ChangeInput::Unknown => self.unclear.insert(member),
            ChangeInput::Start | ChangeInput::Lost(_) => return self.void(),
        }
        self.done.remove(member);
        self.restore_next(sound)
    }

    /// A holder that can be reached is the one that the others follow, one that was current if there is one: whatever it has, nobody was told
    /// otherwise.
    pub(super) fn begin_settling(&mut self) -> ChangeNext {
        if self.done.is_empty()
            && let Some(first) = self.preferred().or(self.left.first())
        {
            self.done.insert(first);
            self.left.remove(first);
        }
        match (self.left.first(), self.done.first()) {
            (Some(member), Some(from)) => self.transition(Phase::Settling { member, from }),
            (None, Some(_)) => self.commit_update(),
            (_, None) => self.answer(ChangeAnswer::Unavailable),
        }
    }

    fn preferred(&self) -> Option<MemberId> {
        self.prefer.filter(|member| self.left.contains(*member))
    }

    pub(super) fn settling_handles(
        &mut self,
        member: MemberId,
        from: MemberId,
        input: ChangeInput,
    ) -> ChangeNext {
        match input {
            ChangeInput::Done => {
                self.left.remove(member);
                self.done.insert(member);
            }
            ChangeInput::SourceLost => {
                self.done.remove(from);
                self.unclear.insert(from);
            }
            ChangeInput::Gone => self.left.remove(member),
            ChangeInput::Refused
            | ChangeInput::NotCarryable
            | ChangeInput::NotSent
            | ChangeInput::Unknown => {
                self.left.remove(member);
                self.unclear.insert(member);
            }
            ChangeInput::Start | ChangeInput::Lost(_) => return self.void(),
        }
        self.begin_settling()
    }
}
