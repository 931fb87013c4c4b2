//! The reconcile machine: makes the objects of a member that returns equal to the group's.

mod check;
mod decide;
mod deeds;
mod entry;
mod input;
mod meet;
mod output;
mod walk;

pub use check::ReconcileViolation;
pub use decide::{Decision, decide};
pub use entry::{GroupEntry, Live, MemberEntry};
pub use input::{DeedOutcome, ReconcileInput};
pub use output::{Deed, Ended, Progress, ReconcileEvent, ReconcileNext, ReconcileOutput, Stream};

use deeds::Task;
use entry::Pair;
use walk::{Pass, Round, Taken, Walk, Want};

use crate::{Copies, MemberId, MemberSet, ObjectKey, Sequence};

/// Passes over what has changed since, before the gate is closed whatever goes on.
const CATCH_UPS: u8 = 4;

/// Makes the objects of one member equal to the group's by merging two streams in fixed memory: [`decide()`] says what becomes of each.
///
/// The first pass goes over all objects of both sides. What is created, changed or destroyed meanwhile is caught by further passes over
/// what has changed since; the last one runs with the group's write gate closed, so that nothing is missed. The gate is closed for what
/// has changed during one pass, not for the whole: that bounds the wait. The member is admitted only after it (S8, S9).
///
/// It may be interrupted at any point by dropping it, and begun again with a new one: each deed brings the two sides nearer, and none
/// depends on one before. One reconcile of a member runs at a time, in one process: the caller holds a claim on the member.
///
/// **It ends (L3).** Each stream is read in strictly ascending order, so that no key comes twice in a pass. A pair takes at most one deed
/// for each other member, and one note. There are at most six passes (all, four to catch up, the last), and a pass leaves out what
/// was made or changed after its beginning. So with G entries of the group and M objects of the member at the beginning of a pass, it
/// takes at most 2 (G + M) reads and (members + 1) (G + M) deeds. Each input that is not void is one of these, or ends it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Reconcile {
    member: MemberId,
    copies: Copies,
    /// The other members that serve, as far as is known.
    sources: MemberSet,
    /// Who is to be reconciled next because of this one.
    owed: MemberSet,
    /// Whether the gate has been closed for it.
    gated: bool,
    progress: Progress,
    phase: Phase,
}

/// What a reconcile is waiting for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Phase {
    /// Its start.
    New,
    /// What intents have left at the member is cleaned, before the pass.
    Cleaning(Round, Sequence),
    Opening(Round, Sequence),
    Reading(Pass, Walk),
    Doing(Pass, Walk, Task),
    /// The gate is being closed; all up to here has been looked at.
    Closing(Sequence),
    Over(Ended),
}

impl Reconcile {
    /// A reconcile of this member that has not begun.
    #[must_use]
    pub const fn new(member: MemberId, copies: Copies) -> Self {
        Self {
            member,
            copies,
            sources: MemberSet::EMPTY,
            owed: MemberSet::EMPTY,
            gated: false,
            progress: Progress::NOTHING,
            phase: Phase::New,
        }
    }

    /// Takes an input and says what to do next.
    ///
    /// An input that is not the outcome of what it waits for is void, and what it waits for is said again.
    pub fn handle(&mut self, input: ReconcileInput) -> ReconcileOutput {
        let output = match self.phase {
            Phase::New => self.new_handles(input),
            Phase::Over(_) => self.void(),
            Phase::Cleaning(..)
            | Phase::Opening(..)
            | Phase::Reading(..)
            | Phase::Doing(..)
            | Phase::Closing(_) => self.running_handles(input),
        };
        debug_assert_eq!(self.check(), Ok(()));
        output
    }

    /// The member that is reconciled.
    #[must_use]
    pub const fn member(&self) -> MemberId {
        self.member
    }

    /// What has been done so far.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// Members that are to be reconciled next, since they may lack what this one has brought, or do not have what they are on record
    /// to have; the member itself if a change was under way at an object that it lacks.
    ///
    /// Going on with these ends as well: a reconcile owes others only what is new to the group, or what nobody who serves had before.
    #[must_use]
    pub const fn owed(&self) -> MemberSet {
        self.owed
    }

    /// The one place where a reconcile's phase is written.
    fn transition(&mut self, to: Phase) -> ReconcileOutput {
        self.phase = to;
        ReconcileOutput {
            next: self.next(),
            event: None,
        }
    }

    fn end(&mut self, ended: Ended) -> ReconcileOutput {
        self.transition(Phase::Over(ended))
    }

    /// What it waits for is said again.
    fn void(&mut self) -> ReconcileOutput {
        self.transition(self.phase)
    }

    fn next(&self) -> ReconcileNext {
        match self.phase {
            Phase::New | Phase::Cleaning(..) => ReconcileNext::Clean,
            Phase::Opening(..) => ReconcileNext::BeginPass,
            Phase::Reading(pass, walk) => match walk.want() {
                Want::Group { after } => ReconcileNext::ReadGroup {
                    after,
                    since: pass.since(),
                    upto: pass.upto,
                },
                Want::Member { after } => ReconcileNext::ReadMember { after },
                Want::LookUp { key } => ReconcileNext::LookUp { key },
                // A walk that needs nothing has been gone on with before.
                Want::Nothing(_) => ReconcileNext::BeginPass,
            },
            Phase::Doing(_, _, task) => ReconcileNext::Do {
                key: task.key,
                deed: task.deed,
            },
            Phase::Closing(_) => ReconcileNext::CloseGate,
            Phase::Over(ended) => ReconcileNext::Over(ended),
        }
    }

    fn new_handles(&mut self, input: ReconcileInput) -> ReconcileOutput {
        match input {
            ReconcileInput::Start { sources } => {
                self.sources = sources.without(self.member);
                self.transition(Phase::Cleaning(Round::All, Sequence(0)))
            }
            ReconcileInput::Cleaned
            | ReconcileInput::PassBegan(_)
            | ReconcileInput::Group(_)
            | ReconcileInput::Member(_)
            | ReconcileInput::Deed(_)
            | ReconcileInput::Gate { .. }
            | ReconcileInput::MemberLost
            | ReconcileInput::JournalFailed => self.void(),
        }
    }

    fn running_handles(&mut self, input: ReconcileInput) -> ReconcileOutput {
        match (input, self.phase) {
            (ReconcileInput::MemberLost, _) => self.end(Ended::MemberLost),
            (ReconcileInput::JournalFailed, _) => self.end(Ended::JournalFailed),
            (ReconcileInput::Cleaned, Phase::Cleaning(round, since)) => {
                self.transition(Phase::Opening(round, since))
            }
            (ReconcileInput::PassBegan(upto), Phase::Opening(round, since)) => {
                let pass = Pass { round, since, upto };
                self.transition(Phase::Reading(pass, Walk::new(round)))
            }
            (ReconcileInput::Group(read), Phase::Reading(pass, walk)) => {
                let pass = pass.found(read.is_some());
                self.read(pass, walk.group_read(read))
            }
            (ReconcileInput::Member(read), Phase::Reading(pass, walk)) => {
                self.read(pass, walk.member_read(read))
            }
            (ReconcileInput::Deed(outcome), Phase::Doing(pass, walk, task)) => {
                self.deed_ended(pass, walk, task, outcome)
            }
            (ReconcileInput::Gate { closed: true }, Phase::Closing(since)) => {
                self.gated = true;
                self.transition(Phase::Cleaning(Round::Final, since))
            }
            (ReconcileInput::Gate { closed: false }, Phase::Closing(_)) => {
                self.end(Ended::GateNotClosed)
            }
            (
                ReconcileInput::Start { .. }
                | ReconcileInput::Cleaned
                | ReconcileInput::PassBegan(_)
                | ReconcileInput::Group(_)
                | ReconcileInput::Member(_)
                | ReconcileInput::Deed(_)
                | ReconcileInput::Gate { .. },
                _,
            ) => self.void(),
        }
    }

    fn read(&mut self, pass: Pass, walk: Option<Result<Walk, Stream>>) -> ReconcileOutput {
        match walk {
            Some(Ok(walk)) => self.go_on(pass, walk),
            Some(Err(stream)) => self.end(Ended::NotAscending(stream)),
            None => self.void(),
        }
    }

    /// Goes on to the next pair, or to what has to be read for it. After a pair something has to be read, so one look is enough.
    fn go_on(&mut self, pass: Pass, walk: Walk) -> ReconcileOutput {
        match walk.want() {
            Want::Group { .. } | Want::Member { .. } | Want::LookUp { .. } => {
                self.transition(Phase::Reading(pass, walk))
            }
            Want::Nothing(Taken::Pair(pair, rest)) => {
                self.progress.looked_at = self.progress.looked_at.saturating_add(1);
                self.meet(pass, rest, pair)
            }
            Want::Nothing(Taken::End) => self.pass_ended(pass),
        }
    }

    /// What has changed during a pass is caught up with while there is something, but not for ever; then the gate is closed.
    fn pass_ended(&mut self, pass: Pass) -> ReconcileOutput {
        let since = pass.upto;
        match pass.round {
            Round::All => self.catch_up(1, since),
            Round::CatchUp {
                number,
                found: true,
            } if number < CATCH_UPS => self.catch_up(number.saturating_add(1), since),
            Round::CatchUp { .. } => self.transition(Phase::Closing(since)),
            Round::Final => self.end(Ended::Equal { upto: since }),
        }
    }

    fn catch_up(&mut self, number: u8, since: Sequence) -> ReconcileOutput {
        let found = false;
        self.transition(Phase::Opening(Round::CatchUp { number, found }, since))
    }
}

impl Pass {
    /// What the group's stream is to leave out.
    const fn since(&self) -> Option<Sequence> {
        match self.round {
            Round::All => None,
            Round::CatchUp { .. } | Round::Final => Some(self.since),
        }
    }

    /// With the note that there was something in it.
    const fn found(mut self, something: bool) -> Self {
        if let Round::CatchUp { found, .. } = &mut self.round {
            *found |= something;
        }
        self
    }
}

#[cfg(test)]
mod tests;
