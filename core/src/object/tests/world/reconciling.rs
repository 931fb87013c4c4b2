//! What a step of a reconcile does to the world.

use super::*;

impl World {
    /// Performs a step of a reconcile; `None` if the application dies of it.
    pub(in crate::object::tests) fn perform_reconcile(
        &mut self,
        member: MemberId,
        next: ReconcileNext,
        fault: Fault,
    ) -> Option<ReconcileInput> {
        match fault {
            Fault::Crash(When::Before | When::During) => return None,
            Fault::Crash(When::After) => {
                self.reconcile_step(member, next, Fault::None);
                return None;
            }
            Fault::Dies(who, When::Before) => self.dies(who),
            Fault::Dies(..) | Fault::None | Fault::Refuses | Fault::NotCarryable => {}
        }
        let input = if self.is_up(member) {
            self.reconcile_step(member, next, fault)
        } else {
            ReconcileInput::MemberLost
        };
        if let Fault::Dies(who, when) = fault {
            self.dies(who);
            if who == member && when != When::Before {
                return Some(ReconcileInput::MemberLost);
            }
        }
        Some(input)
    }

    fn reconcile_step(
        &mut self,
        member: MemberId,
        next: ReconcileNext,
        fault: Fault,
    ) -> ReconcileInput {
        match next {
            ReconcileNext::Clean => ReconcileInput::Cleaned,
            ReconcileNext::BeginPass => ReconcileInput::PassBegan(Sequence(self.sequence)),
            ReconcileNext::ReadGroup { after, since, upto } => {
                let entry = self.entries.iter().find(|(key, entry)| {
                    after.is_none_or(|after| **key > after)
                        && (entry.changed <= upto
                            && since.is_none_or(|since| entry.changed > since))
                });
                ReconcileInput::Group(entry.map(|(key, entry)| (*key, entry.seen_by(member))))
            }
            ReconcileNext::ReadMember { after } => {
                let keys = self.objects(member).map(|object| object.key);
                let key = keys
                    .filter(|key| after.is_none_or(|after| *key > after))
                    .min();
                ReconcileInput::Member(key.and_then(|key| self.member_entry(member, key)))
            }
            ReconcileNext::LookUp { key } => ReconcileInput::Member(self.member_entry(member, key)),
            ReconcileNext::CloseGate => {
                self.gate_closed = fault != Fault::Refuses;
                ReconcileInput::Gate {
                    closed: self.gate_closed,
                }
            }
            ReconcileNext::Do { key, deed } => match (fault, deed) {
                (Fault::Dies(who, When::During), _) if who == member => ReconcileInput::MemberLost,
                (Fault::Refuses, _) => ReconcileInput::Deed(DeedOutcome::Refused),
                (Fault::NotCarryable, Deed::Copy { .. }) => {
                    ReconcileInput::Deed(DeedOutcome::NotCarryable)
                }
                _ => ReconcileInput::Deed(self.deed(member, key, deed)),
            },
            ReconcileNext::Over(ended) => panic!("{ended:?} is not to be performed"),
        }
    }

    fn member_entry(&self, member: MemberId, key: ObjectKey) -> Option<(ObjectKey, MemberEntry)> {
        let of_key = || self.objects(member).filter(move |object| object.key == key);
        let whole = || of_key().filter(|object| !self.is_pending(member, *object));
        let object = whole().next().or_else(|| of_key().next())?;
        let entry = MemberEntry {
            revision: object.revision,
            twins: whole().count() > 1,
            pending: self.is_pending(member, object),
            carryable: true,
        };
        Some((key, entry))
    }

    fn deed(&mut self, member: MemberId, key: ObjectKey, deed: Deed) -> DeedOutcome {
        match deed {
            Deed::Copy { from } | Deed::Update { from } if !self.is_up(from) => {
                DeedOutcome::SourceLost
            }
            Deed::Copy { from } => {
                let Some(object) = self.find(from, key) else {
                    return DeedOutcome::Gone;
                };
                let copy = Object {
                    plant: None,
                    ..object
                };
                self.tokens[member.index()].objects.push(copy);
                self.note(member, key)
            }
            Deed::Update { from } => {
                let Some(object) = self.find(from, key) else {
                    return DeedOutcome::Gone;
                };
                self.revise(member, key, object.revision);
                self.note(member, key)
            }
            Deed::Destroy => {
                self.remove(member, |object| object.key == key);
                self.note(member, key)
            }
            Deed::Record { .. } | Deed::RecordAbsent => self.note(member, key),
            Deed::Adopt { revision, .. } => {
                if self.entries.contains_key(&key) {
                    return DeedOutcome::Gone;
                }
                let entry = Entry {
                    changed: self.bump(),
                    revision,
                    rows: BTreeMap::new(),
                    destroyed: false,
                };
                self.entries.insert(key, entry);
                self.note(member, key)
            }
            Deed::AdoptChange {
                revision,
                instead_of,
            } => {
                let changed = self.bump();
                let entry = self.entries.get_mut(&key);
                let Some(entry) =
                    entry.filter(|entry| !entry.destroyed && entry.revision == instead_of)
                else {
                    return DeedOutcome::Gone;
                };
                entry.revision = revision;
                entry.changed = changed;
                self.note(member, key)
            }
        }
    }

    /// Notes what the member holds as it is read there.
    fn note(&mut self, member: MemberId, key: ObjectKey) -> DeedOutcome {
        let has = self.find(member, key);
        if let Some(entry) = self.entries.get_mut(&key) {
            match has {
                Some(object) => entry.rows.insert(member, Some(object.revision)),
                None => entry.rows.remove(&member),
            };
        }
        DeedOutcome::Done
    }
}
