//! A reconcile, step by step.

use everslot_core::{
    Change, ChangeNext, Deed, DeedOutcome, Ended, GroupEntry, MemberEntry, MemberId, ObjectKey,
    ReconcileInput, ReconcileNext, Revision, Sequence,
};

use super::{Changing, Object, Recovering, State, Thread};

impl Recovering {
    /// The member that it asks next; none if it asks the journal.
    pub(super) fn asks(&self) -> Option<MemberId> {
        match self.next {
            ReconcileNext::ReadMember { .. }
            | ReconcileNext::LookUp { .. }
            | ReconcileNext::Do { .. } => Some(self.reconcile.member()),
            ReconcileNext::Clean
            | ReconcileNext::BeginPass
            | ReconcileNext::ReadGroup { .. }
            | ReconcileNext::CloseGate
            | ReconcileNext::Over(_) => None,
        }
    }
}

impl State {
    /// Does what a reconcile asks for. With `lost` the member dies in the call, after it has done so or before.
    pub(super) fn recovery_step(&mut self, number: u8, lost: Option<bool>) {
        let recovering = self.processes[usize::from(number)].recovery.take();
        let mut recovering = recovering.expect("a reconcile that is under way");
        let member = recovering.reconcile.member();
        if let Some(cleaning) = recovering.cleaning.take() {
            let cleaning = self.change_step((number, Thread::Recovery), cleaning, lost);
            recovering.cleaning = self.still_cleaning(number, cleaning);
            recovering.is_cut |= !self.token(member).up;
            self.processes[usize::from(number)].recovery = Some(recovering);
            return;
        }
        if recovering.next == ReconcileNext::Clean
            && !recovering.is_cut
            && let Some(cleaning) = self.clean(number, member)
        {
            recovering.cleaning = self.still_cleaning(number, cleaning);
            self.processes[usize::from(number)].recovery = Some(recovering);
            return;
        }
        let input = self.recovery_outcome(number, &mut recovering, lost);
        if lost.is_some() {
            self.dies(member);
        }
        let before = recovering.reconcile;
        recovering.next = recovering.reconcile.handle(input).next;
        self.fault |= recovering.reconcile == before || recovering.reconcile.check().is_err();
        self.settle_recovery(number, recovering);
    }

    /// Takes over an intent that names the member, as far as nobody is about it.
    fn clean(&mut self, number: u8, member: MemberId) -> Option<Changing> {
        let mut open = self.journal.intents.values_mut();
        let open =
            open.find(|open| open.owner.is_none() && open.intent.members.contains(member))?;
        open.owner = Some((number, Thread::Recovery));
        let (intent, target) = (open.intent, open.target);
        let reachable = self.processes[usize::from(number)].serving.with(member);
        Some(Changing::begin(
            Change::resume(intent, reachable, self.journal.current(target)),
            target,
            None,
        ))
    }

    fn still_cleaning(&mut self, number: u8, cleaning: Changing) -> Option<Changing> {
        let ChangeNext::Answer(_) = cleaning.next else {
            return Some(cleaning);
        };
        self.journal.abandon(number, Some(Thread::Recovery));
        let process = &mut self.processes[usize::from(number)];
        process.owed = process
            .owed
            .union(cleaning.change.owed().intersection(process.serving));
        None
    }

    fn recovery_outcome(
        &mut self,
        number: u8,
        recovering: &mut Recovering,
        lost: Option<bool>,
    ) -> ReconcileInput {
        let member = recovering.reconcile.member();
        if recovering.is_cut {
            return ReconcileInput::MemberLost;
        }
        let input = match recovering.next {
            ReconcileNext::Do { .. } if lost == Some(false) => ReconcileInput::MemberLost,
            ReconcileNext::Clean => ReconcileInput::Cleaned,
            ReconcileNext::BeginPass => {
                recovering.bound = recovering.passed_over;
                ReconcileInput::PassBegan(Sequence(self.journal.sequence))
            }
            ReconcileNext::ReadGroup { after, since, upto } => {
                ReconcileInput::Group(self.read_group(number, recovering, after, (since, upto)))
            }
            ReconcileNext::ReadMember { after } => {
                let keys = self.token(member).objects.iter().map(|object| object.key());
                let key = keys
                    .filter(|key| after.is_none_or(|after| *key > after))
                    .min();
                ReconcileInput::Member(key.and_then(|key| self.member_entry(member, key)))
            }
            ReconcileNext::LookUp { key } => ReconcileInput::Member(self.member_entry(member, key)),
            ReconcileNext::Do { key, deed } => ReconcileInput::Deed(self.deed(member, key, deed)),
            ReconcileNext::CloseGate => {
                self.gate = Some(number);
                ReconcileInput::Gate { closed: true }
            }
            ReconcileNext::Over(_) => unreachable!("it is over"),
        };
        if lost.is_some() {
            ReconcileInput::MemberLost
        } else {
            input
        }
    }

    /// The next entry for the reconcile. A tombstone whose destruction is under way is passed over, and looked at in a later pass; none is under way
    /// once the gate is closed.
    fn read_group(
        &self,
        number: u8,
        recovering: &mut Recovering,
        mut after: Option<ObjectKey>,
        (since, upto): (Option<Sequence>, Sequence),
    ) -> Option<(ObjectKey, GroupEntry)> {
        let member = recovering.reconcile.member();
        let bound = recovering.bound.map_or(u64::MAX, |first| first - 1);
        let since = since.map(|since| Sequence(since.0.min(bound)));
        loop {
            let (key, entry) = self.journal.read(member, after, since, upto)?;
            let under_way = self.journal.being_destroyed(key);
            let Some(first) = under_way.filter(|_| self.gate != Some(number)) else {
                return Some((key, entry));
            };
            recovering.passed_over = recovering.passed_over.into_iter().chain([first]).min();
            after = Some(key);
        }
    }

    fn member_entry(&self, member: MemberId, key: ObjectKey) -> Option<(ObjectKey, MemberEntry)> {
        let of_key = || {
            self.token(member)
                .objects
                .iter()
                .filter(move |object| object.key() == key)
        };
        let whole = || of_key().filter(|object| !self.is_pending(member, **object));
        let object = whole().next().or_else(|| of_key().next())?;
        let entry = MemberEntry {
            revision: Revision(object.revision),
            twins: whole().count() > 1,
            pending: self.is_pending(member, *object),
            carryable: true,
        };
        Some((key, entry))
    }

    fn deed(&mut self, member: MemberId, key: ObjectKey, deed: Deed) -> DeedOutcome {
        match deed {
            Deed::Copy { from } | Deed::Update { from } if !self.token(from).up => {
                return DeedOutcome::SourceLost;
            }
            Deed::Copy { from } => {
                let Some(object) = self.find(from, key) else {
                    return DeedOutcome::Gone;
                };
                self.put(
                    member,
                    Object {
                        plant: None,
                        ..object
                    },
                );
            }
            Deed::Update { from } => {
                let Some(object) = self.find(from, key) else {
                    return DeedOutcome::Gone;
                };
                self.revise(member, key, object.revision);
            }
            Deed::Destroy => {
                self.remove(member, |object| object.key() == key);
            }
            Deed::Record { .. } | Deed::RecordAbsent => {}
            Deed::Adopt { revision, .. } => {
                if self.journal.entries.contains_key(&key) {
                    return DeedOutcome::Gone;
                }
                self.journal.add(key, revision, Default::default());
            }
            Deed::AdoptChange {
                revision,
                instead_of,
            } => {
                let same = self
                    .journal
                    .live(key)
                    .is_some_and(|entry| entry.revision == instead_of);
                if !same {
                    return DeedOutcome::Gone;
                }
                self.journal.revise(key, revision, Default::default());
            }
        }
        let has = self
            .find(member, key)
            .map(|object| Revision(object.revision));
        self.journal.note(member, key, has);
        DeedOutcome::Done
    }

    /// Puts a reconcile back; one that is over admits its member, if it is equal, and opens the gate.
    fn settle_recovery(&mut self, number: u8, recovering: Recovering) {
        let all = self.members().collect();
        let process = &mut self.processes[usize::from(number)];
        let ReconcileNext::Over(ended) = recovering.next else {
            process.recovery = Some(recovering);
            return;
        };
        let member = recovering.reconcile.member();
        match ended {
            Ended::Equal { upto } => {
                self.journal.set_equal(member, upto.0, all);
                if !recovering.is_cut {
                    process.serving.insert(member);
                }
                let owed = recovering.reconcile.owed().intersection(process.serving);
                process.owed = process.owed.union(owed);
            }
            Ended::MemberLost => {}
            Ended::JournalFailed
            | Ended::KeepsDestroyed(_)
            | Ended::GateNotClosed
            | Ended::NotAscending(_) => {
                self.fault = true;
            }
        }
        self.gate = self.gate.filter(|by| *by != number);
    }
}
