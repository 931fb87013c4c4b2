//! The change machine: one change of the group's objects, from the intent to the answer.

mod check;
mod create;
mod destroy;
mod input;
mod intent;
mod journal;
mod output;
mod update;

pub use check::ChangeViolation;
pub use input::ChangeInput;
pub use intent::{ChangeKind, Intent, Plant};
pub use output::{ChangeAnswer, ChangeNext};

use crate::{Copies, MemberId, MemberSet};

/// One change of the group's objects: create, update or destroy one object, or the pair that one call makes.
///
/// The intent is in the journal before anything is done, and the catalogue has the change before it is answered. So whatever is lost in
/// the middle, a member, the application or both, what is left can be told from the journal and the members, and
/// [`resume`](Self::resume) undoes or finishes it.
///
/// - **S4** A creation that was lost in the call is not simply repeated: it bears a [`Plant`], by which it is found and adopted, or else
///   destroyed when its member is back; made anew, it bears another one. It is acknowledged once, and there are never two after that.
/// - **S8** It is acknowledged after the catalogue has it, and the catalogue has it after all members that the policy asks for.
/// - **S9** The tombstone stands before the first member destroys. Only a refusal, or that no member could be asked, takes it back, and
///   then the application is told so.
///
/// The caller passes the group's write gate before the first thing that a change asks for and leaves it after the answer, so that none is
/// under way while the gate is closed. An intent is resumed by one process at a time.
///
/// It is bounded: a member is asked to make the object once, to take a copy at most once a source, to undo once. What a member that was
/// lost lacks is the business of its [`Reconcile`](crate::Reconcile).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Change {
    kind: ChangeKind,
    resumed: bool,
    copies: Copies,
    plant: Plant,
    /// Who is to be asked: to make the object; of an update or a destruction, each holder.
    left: MemberSet,
    /// Who is asked first to make the object; of an update that was interrupted, whom the others follow.
    prefer: Option<MemberId>,
    /// Who is to get copies, as far as they are not known to be lost.
    keepers: MemberSet,
    /// Who has declined a copy.
    declined: MemberSet,
    /// Where the change is made.
    done: MemberSet,
    /// Where it is made, but the member has been lost since; of a destruction, where the object is not to be found.
    away: MemberSet,
    /// Where it may be made.
    unclear: MemberSet,
    /// Who has been lost since it was asked.
    lost: MemberSet,
    /// Where it is not known to be made.
    owed: MemberSet,
    phase: Phase,
}

/// What a change is waiting for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Phase {
    New,
    Recording,
    Making(MemberId),
    Finding(MemberId),
    Copying {
        from: MemberId,
        to: MemberId,
    },
    /// What bears the plant is destroyed, at each member in `done`.
    Cleaning(MemberId, ChangeAnswer),
    Updating(MemberId),
    /// An update is taken back where it was made; `sound` have it as it was.
    Restoring {
        member: MemberId,
        from: MemberId,
        sound: MemberSet,
    },
    /// An update that was interrupted is made equal everywhere; those in `done` have it so.
    Settling {
        member: MemberId,
        from: MemberId,
    },
    Destroying(MemberId),
    Committing {
        again: bool,
    },
    Retracting(MemberSet, Then),
    Over(ChangeAnswer),
}

/// What follows when a try has been taken back.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Then {
    Answer(ChangeAnswer),
    /// The object is made anew elsewhere, under another plant.
    MakeAnew,
}

impl Change {
    const fn new(kind: ChangeKind, plant: Plant) -> Self {
        Self {
            kind,
            resumed: false,
            copies: Copies::All,
            plant,
            left: MemberSet::EMPTY,
            prefer: None,
            keepers: MemberSet::EMPTY,
            declined: MemberSet::EMPTY,
            done: MemberSet::EMPTY,
            away: MemberSet::EMPTY,
            unclear: MemberSet::EMPTY,
            lost: MemberSet::EMPTY,
            owed: MemberSet::EMPTY,
            phase: Phase::New,
        }
    }

    /// A creation that has not begun. One of `makers` makes the object, `prefer` if it is one of them; then it is copied to the
    /// `keepers`, as many as `copies` says. All of these are members that can be reached. `mark` is a random number of its own.
    #[must_use]
    pub const fn create(
        mark: u64,
        copies: Copies,
        makers: MemberSet,
        keepers: MemberSet,
        prefer: Option<MemberId>,
    ) -> Self {
        let mut change = Self::new(ChangeKind::Create, Plant { mark, attempt: 0 });
        change.copies = copies;
        change.left = makers;
        change.keepers = keepers;
        change.prefer = prefer;
        change
    }

    /// A change of an object's attributes that has not begun, for those of its holders that can be reached.
    #[must_use]
    pub const fn update(mark: u64, holders: MemberSet) -> Self {
        let mut change = Self::new(ChangeKind::Update, Plant { mark, attempt: 0 });
        change.left = holders;
        change
    }

    /// The destruction of an object that has not begun, for those of its holders that can be reached.
    #[must_use]
    pub const fn destroy(mark: u64, holders: MemberSet) -> Self {
        let mut change = Self::new(ChangeKind::Destroy, Plant { mark, attempt: 0 });
        change.left = holders;
        change
    }

    /// A change that was interrupted, from its intent, for those of its members that can be reached: it is undone or finished there.
    ///
    /// A creation is undone: it was not committed, so it was not acknowledged; the intent stands for the members that cannot be reached.
    /// An update is settled on what one holder has, if it can be one of the `current`, which are on record to have had the object as the
    /// group had it: others have it as it was before (S8). A destruction is finished. Neither was answered, and what is left to be done at
    /// members that cannot be reached is their reconcile's.
    #[must_use]
    pub const fn resume(intent: Intent, reachable: MemberSet, current: MemberSet) -> Self {
        let mut change = Self::new(intent.kind, intent.plant);
        change.resumed = true;
        change.left = intent.members.intersection(reachable);
        change.prefer = change.left.intersection(current).first();
        change.unclear = intent.members.difference(reachable);
        change
    }

    /// Takes an input and says what to do next.
    ///
    /// An input that is not an outcome of what it waits for is void, and what it waits for is said again; after the answer, that is the
    /// answer (S1).
    pub fn handle(&mut self, input: ChangeInput) -> ChangeNext {
        if let ChangeInput::Lost(member) = input {
            return self.note_lost(member);
        }
        let next = match self.phase {
            Phase::New => self.new_handles(input),
            Phase::Recording => self.recording_handles(input),
            Phase::Making(member) => self.making_handles(member, input),
            Phase::Finding(member) => self.finding_handles(member, input),
            Phase::Copying { from, to } => self.copying_handles(from, to, input),
            Phase::Cleaning(member, answer) => self.cleaning_handles(member, answer, input),
            Phase::Updating(member) => self.updating_handles(member, input),
            Phase::Restoring {
                member,
                from,
                sound,
            } => self.restoring_handles(member, from, sound, input),
            Phase::Settling { member, from } => self.settling_handles(member, from, input),
            Phase::Destroying(member) => self.destroying_handles(member, input),
            Phase::Committing { again } => self.committing_handles(again, input),
            Phase::Retracting(_, then) => self.retracting_handles(then, input),
            Phase::Over(_) => self.void(),
        };
        debug_assert_eq!(self.check(), Ok(()));
        next
    }

    /// Members that are to be reconciled next, as far as they can be reached: of these it is not known that the change is made there.
    #[must_use]
    pub const fn owed(&self) -> MemberSet {
        self.owed
    }

    /// The one place where a change's phase is written.
    const fn transition(&mut self, to: Phase) -> ChangeNext {
        match to {
            Phase::Making(member) | Phase::Updating(member) | Phase::Destroying(member) => {
                self.left.remove(member);
            }
            Phase::New
            | Phase::Recording
            | Phase::Finding(_)
            | Phase::Copying { .. }
            | Phase::Cleaning(..)
            | Phase::Restoring { .. }
            | Phase::Settling { .. }
            | Phase::Committing { .. }
            | Phase::Retracting(..)
            | Phase::Over(_) => {}
        }
        self.phase = to;
        self.next()
    }

    /// What it waits for.
    const fn next(&self) -> ChangeNext {
        let plant = self.plant;
        match self.phase {
            Phase::New | Phase::Recording => ChangeNext::RecordIntent(Intent {
                plant,
                kind: self.kind,
                members: self.left.union(self.keepers),
            }),
            Phase::Making(member) => ChangeNext::Make { member, plant },
            Phase::Finding(member) => ChangeNext::Find { member, plant },
            Phase::Copying { from, to } => ChangeNext::Copy { from, to, plant },
            Phase::Cleaning(member, _) => ChangeNext::Clean { member, plant },
            Phase::Updating(member) => ChangeNext::Update { member },
            Phase::Restoring { member, from, .. } | Phase::Settling { member, from } => {
                ChangeNext::Restore { member, from }
            }
            Phase::Destroying(member) => ChangeNext::Destroy { member },
            Phase::Committing { .. } => ChangeNext::Commit {
                plant,
                done: self.done.union(self.away),
                unclear: self.unclear,
            },
            Phase::Retracting(left, _) => ChangeNext::Retract { plant, left },
            Phase::Over(answer) => ChangeNext::Answer(answer),
        }
    }

    const fn void(&mut self) -> ChangeNext {
        self.transition(self.phase)
    }

    const fn answer(&mut self, answer: ChangeAnswer) -> ChangeNext {
        self.transition(Phase::Over(answer))
    }

    const fn retract(&mut self, left: MemberSet, answer: ChangeAnswer) -> ChangeNext {
        self.owed = self.owed.union(left);
        self.transition(Phase::Retracting(left, Then::Answer(answer)))
    }

    /// Whoever was asked before it was lost may have the change or not. That of a creation is seen when it is reconciled, and a
    /// destruction has its tombstone; an update is not to be taken for a change of the member's own then.
    fn note_lost(&mut self, member: MemberId) -> ChangeNext {
        let asked = match self.phase {
            Phase::Updating(asked) | Phase::Settling { member: asked, .. } => asked == member,
            Phase::New
            | Phase::Recording
            | Phase::Making(_)
            | Phase::Finding(_)
            | Phase::Copying { .. }
            | Phase::Cleaning(..)
            | Phase::Restoring { .. }
            | Phase::Destroying(_)
            | Phase::Committing { .. }
            | Phase::Retracting(..)
            | Phase::Over(_) => false,
        };
        if asked || self.done.contains(member) {
            self.lost.insert(member);
        }
        let commits = match self.phase {
            Phase::Committing { again } => !again && self.done.contains(member),
            Phase::New
            | Phase::Recording
            | Phase::Making(_)
            | Phase::Finding(_)
            | Phase::Copying { .. }
            | Phase::Cleaning(..)
            | Phase::Updating(_)
            | Phase::Restoring { .. }
            | Phase::Settling { .. }
            | Phase::Destroying(_)
            | Phase::Retracting(..)
            | Phase::Over(_) => false,
        };
        if commits && self.kind == ChangeKind::Update {
            return self.commit_update();
        }
        self.void()
    }

    const fn commit(&mut self) -> ChangeNext {
        self.owed = self.owed.union(self.unclear).union(self.away);
        self.transition(Phase::Committing { again: false })
    }

    fn new_handles(&mut self, input: ChangeInput) -> ChangeNext {
        match (input, self.kind) {
            (ChangeInput::Start, ChangeKind::Create) if self.resumed => self.begin_cleaning(),
            (ChangeInput::Start, _) if self.left.is_empty() => {
                self.answer(ChangeAnswer::Unavailable)
            }
            (ChangeInput::Start, ChangeKind::Create) if !self.enough_are_left() => {
                self.answer(ChangeAnswer::TooFew)
            }
            (ChangeInput::Start, ChangeKind::Update) if self.resumed => self.begin_settling(),
            (ChangeInput::Start, ChangeKind::Destroy) if self.resumed => self.destroy_next(),
            (ChangeInput::Start, ChangeKind::Create | ChangeKind::Update | ChangeKind::Destroy) => {
                self.transition(Phase::Recording)
            }
            (
                ChangeInput::Done
                | ChangeInput::Refused
                | ChangeInput::NotCarryable
                | ChangeInput::SourceLost
                | ChangeInput::Gone
                | ChangeInput::NotSent
                | ChangeInput::Unknown
                | ChangeInput::Lost(_),
                _,
            ) => self.void(),
        }
    }
}

#[cfg(test)]
mod tests;
