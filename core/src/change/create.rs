//! Making an object: at one member, then at the others; and undoing it.

use super::{Change, ChangeAnswer, ChangeInput, ChangeNext, Phase, Then};
use crate::{Copies, MemberId, MemberSet};

impl Change {
    /// Whether as many members can be reached as the object is to live on.
    pub(super) const fn enough_are_left(&self) -> bool {
        match self.copies {
            Copies::All => true,
            Copies::Number(number) => self.left.union(self.keepers).len() >= number as u32,
        }
    }

    /// Asks the next member to make it. One that was busy or lost has not made it, so the plant is still nobody's.
    pub(super) fn make(&mut self) -> ChangeNext {
        let preferred = self.prefer.filter(|member| self.left.contains(*member));
        match preferred.or_else(|| self.left.first()) {
            Some(member) => self.transition(Phase::Making(member)),
            None => self.retract(MemberSet::EMPTY, ChangeAnswer::Unavailable),
        }
    }

    pub(super) fn making_handles(&mut self, member: MemberId, input: ChangeInput) -> ChangeNext {
        match input {
            ChangeInput::Done => self.made(member),
            ChangeInput::Unknown => self.transition(Phase::Finding(member)),
            ChangeInput::NotSent => self.make(),
            ChangeInput::Refused => self.retract(MemberSet::EMPTY, ChangeAnswer::Refused),
            ChangeInput::Start
            | ChangeInput::Lost(_)
            | ChangeInput::NotCarryable
            | ChangeInput::SourceLost
            | ChangeInput::Gone => self.void(),
        }
    }

    /// What is found is adopted (S4). That nothing is found proves nothing, as the call may still be under way where it was lost: what it
    /// makes is destroyed when the intent is resumed.
    pub(super) fn finding_handles(&mut self, member: MemberId, input: ChangeInput) -> ChangeNext {
        match input {
            ChangeInput::Done => self.made(member),
            ChangeInput::Gone
            | ChangeInput::Refused
            | ChangeInput::NotSent
            | ChangeInput::Unknown => {
                self.unclear.insert(member);
                self.leave_behind(member);
                self.abandon()
            }
            ChangeInput::Start
            | ChangeInput::Lost(_)
            | ChangeInput::NotCarryable
            | ChangeInput::SourceLost => self.void(),
        }
    }

    fn made(&mut self, member: MemberId) -> ChangeNext {
        self.done.insert(member);
        self.copy_next()
    }

    /// Copies it to the next member, or commits it when there are as many as asked (S8).
    fn copy_next(&mut self) -> ChangeNext {
        let Some(from) = self.done.first() else {
            return self.abandon();
        };
        let enough = self.copies.has_enough(self.done);
        let asked = self.done.union(self.declined);
        match self.keepers.difference(asked).first() {
            Some(to) if !enough => self.transition(Phase::Copying { from, to }),
            Some(_) => self.commit(),
            None if enough || self.copies == Copies::All => self.commit(),
            None if self.declined.is_empty() => self.undo(ChangeAnswer::TooFew),
            None => self.undo(ChangeAnswer::NotCarryable),
        }
    }

    pub(super) fn copying_handles(
        &mut self,
        from: MemberId,
        to: MemberId,
        input: ChangeInput,
    ) -> ChangeNext {
        match input {
            ChangeInput::Done => {
                self.done.insert(to);
                self.copy_next()
            }
            ChangeInput::NotCarryable => self.declined_by(to, ChangeAnswer::NotCarryable),
            ChangeInput::Refused => self.declined_by(to, ChangeAnswer::Refused),
            ChangeInput::SourceLost => {
                self.done.remove(from);
                self.away.insert(from);
                self.leave_behind(from);
                self.copy_next()
            }
            ChangeInput::Gone => {
                self.done.remove(from);
                self.unclear.insert(from);
                self.leave_behind(from);
                self.copy_next()
            }
            ChangeInput::NotSent => {
                self.leave_behind(to);
                self.copy_next()
            }
            ChangeInput::Unknown => {
                self.unclear.insert(to);
                self.leave_behind(to);
                self.copy_next()
            }
            ChangeInput::Start | ChangeInput::Lost(_) => self.void(),
        }
    }

    /// A number of copies may be had from others; all means this one too.
    fn declined_by(&mut self, member: MemberId, answer: ChangeAnswer) -> ChangeNext {
        self.declined.insert(member);
        match self.copies {
            Copies::All => self.undo(answer),
            Copies::Number(_) => self.copy_next(),
        }
    }

    /// The member is lost to this change; its reconcile makes up for it.
    const fn leave_behind(&mut self, member: MemberId) {
        self.keepers.remove(member);
        self.left.remove(member);
        self.owed.insert(member);
    }

    /// Gives up a try of which nothing can be reached any more. What it may have made stays in its own intent, for the members that it
    /// may be at; the next try is under another plant, so that neither is taken for the other (S4).
    fn abandon(&mut self) -> ChangeNext {
        let left = self.unclear.union(self.away);
        if self.left.is_empty() {
            self.retract(left, ChangeAnswer::Unavailable)
        } else if !self.enough_are_left() {
            self.retract(left, ChangeAnswer::TooFew)
        } else {
            self.transition(Phase::Retracting(left, Then::MakeAnew))
        }
    }

    pub(super) const fn make_anew(&mut self) -> ChangeNext {
        self.plant = self.plant.next();
        self.done = MemberSet::EMPTY;
        self.away = MemberSet::EMPTY;
        self.unclear = MemberSet::EMPTY;
        self.declined = MemberSet::EMPTY;
        self.transition(Phase::Recording)
    }

    /// Destroys what was made: a creation that fails leaves nothing behind, but an intent for what cannot be reached.
    pub(super) fn undo(&mut self, answer: ChangeAnswer) -> ChangeNext {
        self.unclear = self.unclear.union(self.away);
        self.away = MemberSet::EMPTY;
        self.clean_next(answer)
    }

    /// Begins to remove what an interrupted creation has left.
    pub(super) fn begin_cleaning(&mut self) -> ChangeNext {
        self.done = self.left;
        self.left = MemberSet::EMPTY;
        if self.done.is_empty() {
            return self.answer(ChangeAnswer::Unavailable);
        }
        self.clean_next(ChangeAnswer::Done)
    }

    fn clean_next(&mut self, answer: ChangeAnswer) -> ChangeNext {
        match self.done.first() {
            Some(member) => self.transition(Phase::Cleaning(member, answer)),
            None if self.resumed && !self.unclear.is_empty() => {
                self.retract(self.unclear, ChangeAnswer::Unavailable)
            }
            None => self.retract(self.unclear, answer),
        }
    }

    pub(super) fn cleaning_handles(
        &mut self,
        member: MemberId,
        answer: ChangeAnswer,
        input: ChangeInput,
    ) -> ChangeNext {
        match input {
            ChangeInput::Done | ChangeInput::Gone => {}
            ChangeInput::Refused | ChangeInput::NotSent | ChangeInput::Unknown => {
                self.unclear.insert(member);
            }
            ChangeInput::Start
            | ChangeInput::Lost(_)
            | ChangeInput::NotCarryable
            | ChangeInput::SourceLost => {
                return self.void();
            }
        }
        self.done.remove(member);
        self.clean_next(answer)
    }
}
