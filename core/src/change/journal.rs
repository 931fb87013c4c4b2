//! What the journal's answers mean to a change: to the intent, the commit, the retreat.

use super::{Change, ChangeAnswer, ChangeInput, ChangeKind, ChangeNext, Phase, Then};
use crate::MemberSet;

impl Change {
    /// Without a record nothing is done. One that may stand although nobody has heard so is taken back.
    pub(super) fn recording_handles(&mut self, input: ChangeInput) -> ChangeNext {
        match (input, self.kind) {
            (ChangeInput::Done, ChangeKind::Create) => self.make(),
            (ChangeInput::Done, ChangeKind::Update) => self.update_next(),
            (ChangeInput::Done, ChangeKind::Destroy) => self.destroy_next(),
            (ChangeInput::Refused | ChangeInput::NotSent, _) => {
                self.answer(ChangeAnswer::JournalFailed)
            }
            (ChangeInput::Unknown, _) => {
                self.retract(MemberSet::EMPTY, ChangeAnswer::JournalFailed)
            }
            (ChangeInput::Gone, ChangeKind::Update | ChangeKind::Destroy) => {
                self.answer(ChangeAnswer::Gone)
            }
            (
                ChangeInput::Gone
                | ChangeInput::Start
                | ChangeInput::Lost(_)
                | ChangeInput::NotCarryable
                | ChangeInput::SourceLost,
                _,
            ) => self.void(),
        }
    }

    /// A commit without an answer is sent once more: twice is the same as once.
    pub(super) fn committing_handles(&mut self, again: bool, input: ChangeInput) -> ChangeNext {
        match (input, self.kind) {
            (ChangeInput::Done, _) => self.answer(ChangeAnswer::Done),
            (ChangeInput::Unknown, _) if !again => {
                self.transition(Phase::Committing { again: true })
            }
            (ChangeInput::Gone, ChangeKind::Update) => {
                self.retract(MemberSet::EMPTY, ChangeAnswer::Gone)
            }
            (ChangeInput::Refused | ChangeInput::NotSent, ChangeKind::Create) if !again => {
                self.undo(ChangeAnswer::JournalFailed)
            }
            // If it has taken effect the object is there, else the intent stands and it is undone when that is resumed: on all or none.
            (
                ChangeInput::Unknown | ChangeInput::Refused | ChangeInput::NotSent,
                ChangeKind::Create,
            ) => self.answer(ChangeAnswer::Unknown),
            // The members have it, the intent stands: it is settled when it is resumed.
            (
                ChangeInput::Unknown | ChangeInput::Refused | ChangeInput::NotSent,
                ChangeKind::Update,
            ) => self.answer(ChangeAnswer::Unknown),
            // The tombstone stands, and the intent: what is left of the object goes when it is resumed.
            (
                ChangeInput::Unknown | ChangeInput::Refused | ChangeInput::NotSent,
                ChangeKind::Destroy,
            ) => self.answer(ChangeAnswer::Done),
            (
                ChangeInput::Gone
                | ChangeInput::Start
                | ChangeInput::Lost(_)
                | ChangeInput::NotCarryable
                | ChangeInput::SourceLost,
                _,
            ) => self.void(),
        }
    }

    /// An intent that the journal has not let go is resumed. For a creation that comes to the same, as it is undone then as well; an update
    /// may be settled either way, and a destruction is finished, so of these nobody can tell.
    pub(super) fn retracting_handles(&mut self, then: Then, input: ChangeInput) -> ChangeNext {
        match (input, then, self.kind) {
            (
                ChangeInput::Start
                | ChangeInput::Lost(_)
                | ChangeInput::NotCarryable
                | ChangeInput::SourceLost,
                Then::Answer(_) | Then::MakeAnew,
                _,
            ) => self.void(),
            (
                ChangeInput::Done
                | ChangeInput::Gone
                | ChangeInput::Refused
                | ChangeInput::NotSent
                | ChangeInput::Unknown,
                Then::MakeAnew,
                _,
            ) => self.make_anew(),
            (
                ChangeInput::Refused | ChangeInput::NotSent | ChangeInput::Unknown,
                Then::Answer(_),
                ChangeKind::Update | ChangeKind::Destroy,
            ) => self.answer(ChangeAnswer::Unknown),
            (
                ChangeInput::Done
                | ChangeInput::Gone
                | ChangeInput::Refused
                | ChangeInput::NotSent
                | ChangeInput::Unknown,
                Then::Answer(answer),
                _,
            ) => self.answer(answer),
        }
    }
}
