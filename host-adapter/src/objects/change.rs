//! Carries a change through: the core's machine says what is next, the deeds are done at the members and in the journal.

use std::collections::BTreeMap;

use everslot_core::{
    Change, ChangeAnswer, ChangeInput, ChangeKind, ChangeNext, Incarnation, Intent, MemberId,
    MemberSet, Plant,
};

use super::keeper::Keeper;
use super::reach::Reach;
use crate::domain::Fingerprint;
#[cfg(test)]
use crate::group::witnesses::objects as witnesses;
use crate::journal::{self, JournalError};
use crate::trace::Noted;

/// What a change may ask for, each with its outcome. What a kind of change never asks for is refused.
pub(crate) trait Deeds {
    /// A member that was lost since the change began, each told once.
    fn lost(&mut self) -> Option<MemberId>;

    fn record(&mut self, intent: Intent) -> ChangeInput {
        let _ = intent;
        ChangeInput::Refused
    }

    fn make(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let _ = (member, plant);
        ChangeInput::Refused
    }

    fn find(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let _ = (member, plant);
        ChangeInput::Refused
    }

    fn copy(&mut self, from: MemberId, to: MemberId, plant: Plant) -> ChangeInput {
        let _ = (from, to, plant);
        ChangeInput::Refused
    }

    fn update(&mut self, member: MemberId) -> ChangeInput {
        let _ = member;
        ChangeInput::Refused
    }

    fn restore(&mut self, member: MemberId, from: MemberId) -> ChangeInput {
        let _ = (member, from);
        ChangeInput::Refused
    }

    fn destroy(&mut self, member: MemberId) -> ChangeInput {
        let _ = member;
        ChangeInput::Refused
    }

    fn clean(&mut self, member: MemberId, plant: Plant) -> ChangeInput {
        let _ = (member, plant);
        ChangeInput::Refused
    }

    fn commit(&mut self, plant: Plant, done: MemberSet, unclear: MemberSet) -> ChangeInput;

    fn retract(&mut self, plant: Plant, left: MemberSet) -> ChangeInput;
}

/// Carries the change through to its answer. Whoever serves and was not brought what the others have is owed it.
pub(crate) fn carry_through(
    change: Change,
    keeper: &Keeper,
    deeds: &mut dyn Deeds,
) -> ChangeAnswer {
    let mut change = Noted::new(change, keeper.trace());
    let mut next = change.handle(ChangeInput::Start);
    let (mut without, mut last) = (MemberSet::EMPTY, None);
    loop {
        if let ChangeNext::RecordIntent(intent) = next {
            last = Some(intent.plant);
        }
        if let ChangeNext::Answer(answer) = next {
            keeper.owe(change.owed().difference(without));
            keeper.leave(answer, last);
            return answer;
        }
        #[cfg(test)]
        witnesses::hold(witnesses::Asked::Change(next));
        let input = match deeds.lost() {
            Some(member) => ChangeInput::Lost(member),
            None => outcome(next, deeds),
        };
        // Who does not have what is destroyed lacks nothing.
        if let (ChangeNext::Destroy { member }, ChangeInput::Gone) = (next, input) {
            without.insert(member);
        }
        next = change.handle(input);
    }
}

fn outcome(next: ChangeNext, deeds: &mut dyn Deeds) -> ChangeInput {
    #[cfg(test)]
    witnesses::notice(witnesses::Asked::Change(next));
    match next {
        ChangeNext::RecordIntent(intent) => deeds.record(intent),
        ChangeNext::Make { member, plant } => deeds.make(member, plant),
        ChangeNext::Find { member, plant } => deeds.find(member, plant),
        ChangeNext::Copy { from, to, plant } => deeds.copy(from, to, plant),
        ChangeNext::Update { member } => deeds.update(member),
        ChangeNext::Restore { member, from } => deeds.restore(member, from),
        ChangeNext::Destroy { member } => deeds.destroy(member),
        ChangeNext::Clean { member, plant } => deeds.clean(member, plant),
        ChangeNext::Commit {
            plant,
            done,
            unclear,
        } => deeds.commit(plant, done, unclear),
        ChangeNext::Retract { plant, left } => deeds.retract(plant, left),
        // It is over: there is nothing to do.
        ChangeNext::Answer(_) => ChangeInput::Start,
    }
}

/// Notices members that are lost while a change is under way.
pub(crate) struct Watch(BTreeMap<MemberId, Incarnation>);

impl Watch {
    pub(crate) fn over(reach: &dyn Reach, members: MemberSet) -> Self {
        let seen = |member| Some((member, reach.incarnation(member)?));
        Self(members.iter().filter_map(seen).collect())
    }

    /// One that was lost since it was last asked for; each once.
    pub(crate) fn lost(&mut self, reach: &dyn Reach) -> Option<MemberId> {
        let seen = |(member, seen): (&MemberId, &Incarnation)| {
            (reach.incarnation(*member) != Some(*seen)).then_some(*member)
        };
        let lost = self.0.iter().find_map(seen)?;
        self.0.remove(&lost);
        Some(lost)
    }
}

/// A random number for a new change; none where the system has no randomness.
pub(crate) fn new_mark() -> Option<u64> {
    let mut mark = [0; 8];
    getrandom::fill(&mut mark)
        .ok()
        .map(|()| u64::from_ne_bytes(mark))
}

/// The journal's word for a plant.
pub(crate) const fn plant(plant: Plant) -> journal::Plant {
    journal::Plant {
        mark: plant.mark,
        attempt: plant.attempt,
    }
}

impl Keeper {
    /// Records an intent of this process, for an object that there is or for one that is to be made.
    pub(crate) fn record(
        &self,
        intent: Intent,
        object: Option<journal::ObjectId>,
        becomes: Option<Fingerprint>,
    ) -> ChangeInput {
        let intent = journal::Intent {
            plant: plant(intent.plant),
            kind: kind(intent.kind),
            members: self.names(intent.members),
            object,
            fingerprint: becomes,
            owner: self.owner().as_str().to_owned(),
        };
        match self.with_journal(|journal| journal.record(&intent)) {
            Ok(true) => ChangeInput::Done,
            Ok(false) => ChangeInput::Gone,
            Err(error) => failed(&error),
        }
    }

    /// An intent that stands although its change is over is whoever's that comes to resume it. A journal that cannot be told so now is no reason for
    /// another answer.
    fn leave(&self, answer: ChangeAnswer, intent: Option<Plant>) {
        let may_stand = match answer {
            ChangeAnswer::Unknown | ChangeAnswer::JournalFailed => true,
            ChangeAnswer::Done
            | ChangeAnswer::Refused
            | ChangeAnswer::NotCarryable
            | ChangeAnswer::TooFew
            | ChangeAnswer::Gone
            | ChangeAnswer::Unavailable => false,
        };
        if let Some(intent) = intent.filter(|_| may_stand) {
            let _ = self.with_journal(|journal| journal.disown(plant(intent)));
        }
    }

    /// Takes a change back.
    pub(crate) fn retract(&self, of: Plant, left: MemberSet) -> ChangeInput {
        let left = self.names(left);
        written(&self.with_journal(|journal| journal.retract(plant(of), &left)))
    }
}

/// What a change is told of something that was to be written.
pub(crate) fn written(result: &Result<(), JournalError>) -> ChangeInput {
    match result {
        Ok(()) => ChangeInput::Done,
        Err(error) => failed(error),
    }
}

fn failed(error: &JournalError) -> ChangeInput {
    if error.may_be_done() {
        ChangeInput::Unknown
    } else {
        ChangeInput::Refused
    }
}

const fn kind(kind: ChangeKind) -> journal::IntentKind {
    match kind {
        ChangeKind::Create => journal::IntentKind::Create,
        ChangeKind::Update => journal::IntentKind::Update,
        ChangeKind::Destroy => journal::IntentKind::Destroy,
    }
}
