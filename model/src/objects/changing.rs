//! A change, step by step.

use everslot_core::{ChangeAnswer, ChangeInput, ChangeNext, MemberId, MemberSet, Plant, Revision};

use super::actions::asked_by;
use super::journal::Owner;
use super::{Answered, Changing, Object, State, Target, Thread, Wish, key};

impl State {
    /// Does what a change asks for. With `lost` the member that is asked dies in the call, after it has done so or before.
    pub(super) fn change_step(
        &mut self,
        owner: Owner,
        mut changing: Changing,
        lost: Option<bool>,
    ) -> Changing {
        let (next, target) = (changing.next, changing.target);
        let outcome = match next {
            ChangeNext::Make { member, .. }
            | ChangeNext::Find { member, .. }
            | ChangeNext::Update { member }
            | ChangeNext::Restore { member, .. }
            | ChangeNext::Destroy { member }
            | ChangeNext::Clean { member, .. }
            | ChangeNext::Copy { to: member, .. } => self.ask(target, next, member, lost),
            ChangeNext::RecordIntent(intent) => self.journal.record(intent, target, owner),
            ChangeNext::Commit {
                plant,
                done,
                unclear,
            } => self.commit(&changing, plant, done, unclear),
            ChangeNext::Retract { plant, left } => self.retract(target, plant, left),
            ChangeNext::Answer(_) => unreachable!("an answer ends a change"),
        };
        // The one that is being carried out is not where those are that hear of a death.
        if let (Some(_), Some(member)) = (lost, asked_by(next)) {
            changing.hear_of_loss(member);
        }
        let before = changing.change;
        changing.next = changing.change.handle(outcome);
        self.fault |= changing.change == before || changing.change.check().is_err();
        changing
    }

    fn ask(
        &mut self,
        target: Target,
        next: ChangeNext,
        member: MemberId,
        lost: Option<bool>,
    ) -> ChangeInput {
        if !self.token(member).up {
            return ChangeInput::NotSent;
        }
        let outcome = if lost == Some(false) {
            ChangeInput::Unknown
        } else {
            self.effect(target, next)
        };
        match lost {
            None => outcome,
            Some(_) => {
                self.dies(member);
                ChangeInput::Unknown
            }
        }
    }

    fn effect(&mut self, target: Target, next: ChangeNext) -> ChangeInput {
        match (next, target) {
            (ChangeNext::Make { member, plant }, Target::New { base }) => {
                let (attempt, plant) = (plant.attempt, Some(plant));
                self.put(
                    member,
                    Object {
                        base,
                        attempt,
                        revision: 0,
                        plant,
                    },
                );
                ChangeInput::Done
            }
            (ChangeNext::Find { member, plant }, _) => {
                done_if(self.planted(member, plant).is_some())
            }
            (ChangeNext::Copy { from, to, plant }, _) => match self.planted(from, plant) {
                _ if !self.token(from).up => ChangeInput::SourceLost,
                Some(object) => {
                    self.put(to, object);
                    ChangeInput::Done
                }
                None => ChangeInput::Gone,
            },
            (ChangeNext::Update { member }, Target::Revised { key, revision }) => {
                done_if(self.revise(member, key, revision))
            }
            (ChangeNext::Restore { member, from }, Target::Revised { key, .. }) => {
                match self.find(from, key) {
                    Some(pattern) if self.token(from).up => {
                        done_if(self.revise(member, key, pattern.revision))
                    }
                    Some(_) | None => ChangeInput::SourceLost,
                }
            }
            (ChangeNext::Destroy { member }, Target::Gone { key }) => {
                done_if(self.remove(member, |object| object.key() == key))
            }
            (ChangeNext::Clean { member, plant }, _) => {
                done_if(self.remove(member, |object| object.plant == Some(plant)))
            }
            (next, target) => unreachable!("{next:?} for {target:?}"),
        }
    }

    fn planted(&self, member: MemberId, plant: Plant) -> Option<Object> {
        let mut objects = self.token(member).objects.iter().copied();
        objects.find(|object| object.plant == Some(plant))
    }

    fn commit(
        &mut self,
        changing: &Changing,
        plant: Plant,
        done: MemberSet,
        unclear: MemberSet,
    ) -> ChangeInput {
        let (target, is_resumed) = (changing.target, changing.wish.is_none());
        match target {
            Target::New { base } => {
                self.journal
                    .add(key(base, plant.attempt), Revision(0), done);
                self.journal.narrow(plant, unclear);
            }
            Target::Revised { key, .. } => {
                let pattern = done.first().and_then(|member| self.find(member, key));
                let live = self.journal.live(key).is_some();
                if !live && !is_resumed && pattern.is_some() {
                    self.journal.narrow(plant, MemberSet::EMPTY);
                }
                let Some(pattern) = pattern.filter(|_| live) else {
                    return ChangeInput::Gone;
                };
                let revision = Revision(pattern.revision);
                if is_resumed && self.journal.are_behind(key, revision, done) {
                    return self.retract(target, plant, MemberSet::EMPTY);
                }
                self.journal.revise(key, revision, done);
                self.journal.forget_rows(key, unclear);
                self.journal.narrow(plant, MemberSet::EMPTY);
                self.journal.supersede(key, done);
            }
            Target::Gone { key } => {
                self.journal.remove_rows(key, done);
                self.journal.narrow(plant, MemberSet::EMPTY);
            }
        }
        ChangeInput::Done
    }

    fn retract(&mut self, target: Target, plant: Plant, left: MemberSet) -> ChangeInput {
        match target {
            Target::New { .. } => self.journal.narrow(plant, left),
            Target::Revised { key, .. } => {
                let stands = self.journal.doubted(target, left);
                self.journal.forget_rows(key, left.difference(stands));
                self.journal.narrow(plant, stands);
            }
            Target::Gone { key } => {
                self.journal.narrow(plant, MemberSet::EMPTY);
                self.journal.mark(key, false);
            }
        }
        ChangeInput::Done
    }

    /// Puts a change back, or tells the application that it is over.
    pub(super) fn settle_change(&mut self, number: u8, changing: Changing) {
        let process = &mut self.processes[usize::from(number)];
        let ChangeNext::Answer(answer) = changing.next else {
            process.change = Some(changing);
            return;
        };
        process.change = None;
        process.owed = process
            .owed
            .union(changing.change.owed().intersection(process.serving));
        // An intent that stands is anybody's now.
        self.journal.abandon(number, Some(Thread::Change));
        if let Some(wish) = changing.wish {
            self.tell(wish, answer);
        }
    }

    fn tell(&mut self, wish: Wish, answer: ChangeAnswer) {
        let answered = match answer {
            ChangeAnswer::Done => Answered::Yes,
            ChangeAnswer::Unknown => Answered::Unclear,
            ChangeAnswer::Refused
            | ChangeAnswer::NotCarryable
            | ChangeAnswer::TooFew
            | ChangeAnswer::Gone
            | ChangeAnswer::Unavailable
            | ChangeAnswer::JournalFailed => Answered::No,
        };
        let destroys_too = self.processes.iter().any(|process| {
            let wish_of = |changing: &Changing| changing.wish == Some(wish);
            process.change.as_ref().is_some_and(wish_of)
        });
        let told = self.told(wish.base());
        match wish {
            Wish::Create(_) => told.made = answered,
            Wish::Destroy(_) => {
                told.is_open |= answered == Answered::Unclear;
                told.destroyed = match (told.destroyed, answered) {
                    (Answered::Yes, _) | (_, Answered::Yes) => Answered::Yes,
                    _ if told.is_open || destroys_too => Answered::Unclear,
                    _ => answered,
                };
            }
            Wish::Update(_) => {}
        }
    }
}

fn done_if(done: bool) -> ChangeInput {
    if done {
        ChangeInput::Done
    } else {
        ChangeInput::Gone
    }
}
