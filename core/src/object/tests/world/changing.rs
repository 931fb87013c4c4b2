//! What a step of a change does to the world.

use super::*;

impl World {
    /// Performs a step of a change; `None` if the application dies of it.
    pub(in crate::object::tests) fn perform(
        &mut self,
        target: Target,
        next: ChangeNext,
        fault: Fault,
    ) -> Option<ChangeInput> {
        match fault {
            Fault::Crash(When::Before | When::During) => return None,
            Fault::Crash(When::After) => {
                self.outcome(target, next, Fault::None);
                return None;
            }
            Fault::Dies(member, When::Before) => self.dies(member),
            Fault::Dies(..) | Fault::None | Fault::Refuses | Fault::NotCarryable => {}
        }
        let outcome = self.outcome(target, next, fault);
        if let Fault::Dies(member, _) = fault {
            self.dies(member);
        }
        Some(outcome)
    }

    fn outcome(&mut self, target: Target, next: ChangeNext, fault: Fault) -> ChangeInput {
        match next {
            ChangeNext::RecordIntent(_)
            | ChangeNext::Commit { .. }
            | ChangeNext::Retract { .. } => {
                match fault {
                    Fault::Refuses => ChangeInput::Refused,
                    // The journal is what falls silent then.
                    Fault::Dies(_, When::During) => ChangeInput::Unknown,
                    Fault::Dies(_, When::After) => {
                        self.journal(target, next);
                        ChangeInput::Unknown
                    }
                    Fault::Dies(_, When::Before)
                    | Fault::None
                    | Fault::NotCarryable
                    | Fault::Crash(_) => self.journal(target, next),
                }
            }
            ChangeNext::Make { member, .. }
            | ChangeNext::Find { member, .. }
            | ChangeNext::Update { member }
            | ChangeNext::Restore { member, .. }
            | ChangeNext::Destroy { member }
            | ChangeNext::Clean { member, .. }
            | ChangeNext::Copy { to: member, .. } => self.at_member(target, next, member, fault),
            ChangeNext::Answer(answer) => panic!("{answer:?} is not to be performed"),
        }
    }

    fn at_member(
        &mut self,
        target: Target,
        next: ChangeNext,
        member: MemberId,
        fault: Fault,
    ) -> ChangeInput {
        if !self.is_up(member) {
            return ChangeInput::NotSent;
        }
        if fault == Fault::Dies(member, When::During) {
            return ChangeInput::Unknown;
        }
        let copies = matches!(next, ChangeNext::Copy { .. });
        let finds = matches!(next, ChangeNext::Find { .. });
        if fault == Fault::Refuses && !finds {
            return ChangeInput::Refused;
        }
        if fault == Fault::NotCarryable && copies {
            return ChangeInput::NotCarryable;
        }
        let outcome = self.effect(target, next);
        if fault == Fault::Dies(member, When::After) {
            ChangeInput::Unknown
        } else {
            outcome
        }
    }

    fn effect(&mut self, target: Target, next: ChangeNext) -> ChangeInput {
        match (next, target) {
            (ChangeNext::Make { member, plant }, Target::New { base }) => {
                let object = Object {
                    key: new_key(base, plant.attempt),
                    revision: Revision(0),
                    plant: Some(plant),
                };
                self.tokens[member.index()].objects.push(object);
                ChangeInput::Done
            }
            (ChangeNext::Find { member, plant }, _) => done_if(
                self.objects(member)
                    .any(|object| object.plant == Some(plant)),
            ),
            (ChangeNext::Copy { from, to, plant }, _) => {
                if !self.is_up(from) {
                    return ChangeInput::SourceLost;
                }
                let Some(object) = self
                    .objects(from)
                    .find(|object| object.plant == Some(plant))
                else {
                    return ChangeInput::Gone;
                };
                self.tokens[to.index()].objects.push(object);
                ChangeInput::Done
            }
            (ChangeNext::Update { member }, Target::Revised { key, revision }) => {
                done_if(self.revise(member, key, Revision(revision)))
            }
            (
                ChangeNext::Restore { member, from },
                Target::Revised { key, .. } | Target::Settled { key },
            ) => match self.find(from, key) {
                Some(pattern) if self.is_up(from) => {
                    done_if(self.revise(member, key, pattern.revision))
                }
                _ => ChangeInput::SourceLost,
            },
            (ChangeNext::Destroy { member }, Target::Gone { key }) => {
                done_if(self.remove(member, |object| object.key == key))
            }
            (ChangeNext::Clean { member, plant }, _) => {
                done_if(self.remove(member, |object| object.plant == Some(plant)))
            }
            (next, target) => panic!("{next:?} for {target:?}"),
        }
    }

    fn journal(&mut self, target: Target, next: ChangeNext) -> ChangeInput {
        match (next, target) {
            (ChangeNext::RecordIntent(intent), _) => self.record(intent, target),
            (
                ChangeNext::Commit {
                    plant,
                    done,
                    unclear,
                },
                Target::New { base },
            ) => self.commit_new(base, plant, done, unclear),
            (
                ChangeNext::Commit {
                    plant,
                    done,
                    unclear,
                },
                Target::Revised { key, .. },
            ) => self.commit_revised(key, plant, done, unclear),
            (
                ChangeNext::Commit {
                    plant,
                    done,
                    unclear,
                },
                Target::Settled { key },
            ) => self.commit_settled(key, plant, done, unclear),
            (ChangeNext::Commit { plant, .. }, Target::Gone { .. }) => {
                self.intents.remove(&plant);
                ChangeInput::Done
            }
            (ChangeNext::Retract { plant, left }, _) => self.retract(target, plant, left),
            (next, _) => panic!("{next:?} is not the journal's"),
        }
    }

    fn record(&mut self, intent: Intent, target: Target) -> ChangeInput {
        if let Target::Revised { key, .. } | Target::Settled { key } | Target::Gone { key } = target
        {
            let live = self.entries.get(&key).is_some_and(|entry| !entry.destroyed);
            if !live {
                return ChangeInput::Gone;
            }
        }
        if let Target::Gone { key } = target {
            self.mark(key, true);
        }
        self.intents.insert(intent.plant, (intent, target));
        ChangeInput::Done
    }

    fn mark(&mut self, key: ObjectKey, destroyed: bool) {
        let changed = self.bump();
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.changed = changed;
            entry.destroyed = destroyed;
        }
    }

    fn commit_new(
        &mut self,
        base: u8,
        plant: Plant,
        done: MemberSet,
        unclear: MemberSet,
    ) -> ChangeInput {
        let key = new_key(base, plant.attempt);
        if !self.entries.contains_key(&key) {
            let entry = Entry {
                changed: self.bump(),
                revision: Revision(0),
                rows: done
                    .into_iter()
                    .map(|member| (member, Some(Revision(0))))
                    .collect(),
                destroyed: false,
            };
            self.entries.insert(key, entry);
        }
        self.narrow(plant, unclear);
        ChangeInput::Done
    }

    fn narrow(&mut self, plant: Plant, members: MemberSet) {
        if members.is_empty() {
            self.intents.remove(&plant);
        } else if let Some((intent, _)) = self.intents.get_mut(&plant) {
            intent.members = members;
        }
    }

    /// Who is behind, and has the object as on record, has not changed it: others have it as the group has it.
    fn commit_settled(
        &mut self,
        key: ObjectKey,
        plant: Plant,
        done: MemberSet,
        unclear: MemberSet,
    ) -> ChangeInput {
        let as_before = |entry: &Entry| {
            done.into_iter().all(|member| {
                let has = self.find(member, key).map(|object| Some(object.revision));
                has != Some(Some(entry.revision)) && entry.rows.get(&member) == has.as_ref()
            })
        };
        if self.entries.get(&key).is_some_and(as_before) {
            return self.retract(Target::Settled { key }, plant, MemberSet::EMPTY);
        }
        self.commit_revised(key, plant, done, unclear)
    }

    fn commit_revised(
        &mut self,
        key: ObjectKey,
        plant: Plant,
        done: MemberSet,
        unclear: MemberSet,
    ) -> ChangeInput {
        let pattern = done.first().and_then(|member| self.find(member, key));
        let changed = self.bump();
        let entry = self.entries.get_mut(&key).filter(|entry| !entry.destroyed);
        let (Some(pattern), Some(entry)) = (pattern, entry) else {
            return ChangeInput::Gone;
        };
        entry.changed = changed;
        entry.revision = pattern.revision;
        for member in done {
            entry.rows.insert(member, Some(pattern.revision));
        }
        for member in unclear {
            entry.rows.insert(member, None);
        }
        self.intents.remove(&plant);
        self.supersede(key, done);
        ChangeInput::Done
    }

    /// Who is on record to have the object as the group has it.
    pub(in crate::object::tests) fn current(&self, target: Target) -> MemberSet {
        let key = match target {
            Target::New { .. } => return MemberSet::EMPTY,
            Target::Revised { key, .. } | Target::Settled { key } | Target::Gone { key } => key,
        };
        let Some(entry) = self.entries.get(&key) else {
            return MemberSet::EMPTY;
        };
        let current = |(_, known): &(&MemberId, &Option<Revision>)| **known == Some(entry.revision);
        let holders = entry.rows.iter().filter(current);
        holders.map(|(member, _)| *member).collect()
    }

    /// Which of these members alone can tell what the object is now: nobody else has it as the group has it.
    fn doubted(&self, key: ObjectKey, members: MemberSet) -> MemberSet {
        let holders = self.current(Target::Settled { key });
        if holders.difference(members).is_empty() {
            holders
        } else {
            MemberSet::EMPTY
        }
    }

    /// What was in doubt of an object is of no interest once it has changed: those who were to tell follow.
    fn supersede(&mut self, key: ObjectKey, done: MemberSet) {
        let mut doubted = MemberSet::EMPTY;
        self.intents.retain(|_, (intent, target)| {
            let stale = matches!(*target, Target::Revised { key: of, .. } if of == key);
            if stale {
                doubted = doubted.union(intent.members);
            }
            !stale
        });
        if let Some(entry) = self.entries.get_mut(&key) {
            for member in doubted.difference(done) {
                entry.rows.insert(member, None);
            }
        }
    }

    fn retract(&mut self, target: Target, plant: Plant, left: MemberSet) -> ChangeInput {
        match target {
            Target::New { .. } => self.narrow(plant, left),
            Target::Revised { key, .. } | Target::Settled { key } => {
                let stays = self.doubted(key, left);
                if let Some(entry) = self.entries.get_mut(&key) {
                    for member in left.difference(stays) {
                        entry.rows.insert(member, None);
                    }
                }
                self.narrow(plant, stays);
            }
            Target::Gone { key } => {
                if self.intents.remove(&plant).is_some() {
                    self.mark(key, false);
                }
            }
        }
        ChangeInput::Done
    }
}

fn done_if(done: bool) -> ChangeInput {
    if done {
        ChangeInput::Done
    } else {
        ChangeInput::Gone
    }
}

/// A member that is asked at a step, for faults that hit it.
pub(in crate::object::tests) fn asked(next: &ChangeNext) -> MemberId {
    match *next {
        ChangeNext::Make { member, .. }
        | ChangeNext::Find { member, .. }
        | ChangeNext::Update { member }
        | ChangeNext::Restore { member, .. }
        | ChangeNext::Destroy { member }
        | ChangeNext::Clean { member, .. }
        | ChangeNext::Copy { to: member, .. } => member,
        ChangeNext::RecordIntent(_)
        | ChangeNext::Commit { .. }
        | ChangeNext::Retract { .. }
        | ChangeNext::Answer(_) => A,
    }
}
