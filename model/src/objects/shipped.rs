//! Which steps of this world the real adapter can be put through, one thread at a time.

use everslot_core::{Deed, MemberId, ReconcileNext};

use super::{Action, Recovering, State, Thread};

impl State {
    /// Whether a step can be forced on the adapter. A process that has died is gone for good there: what becomes of its intents is asked with real
    /// processes. A member that is reconciled is found to be dead when it is asked, which the adapter does less often than the world: what it has
    /// seen once it remembers.
    pub(super) fn can_be_forced(&self, action: Action) -> bool {
        match action {
            Action::Crash(_) | Action::Resume(..) => false,
            Action::Dies(member) => self.recoveries().all(|recovering| {
                recovering.reconcile.member() != member && recovering.cleaning.is_none()
            }),
            Action::Lost {
                process,
                thread: Thread::Recovery,
                ..
            } => {
                let recovery = &self.processes[usize::from(process)].recovery;
                recovery.as_ref().is_some_and(Recovering::alters)
            }
            Action::Lost {
                process,
                thread: Thread::Change,
                ..
            } => {
                let mut recoveries = self.recoveries();
                let is_cleaning = recoveries.any(|recovering| recovering.cleaning.is_some());
                self.asks_one_in_service(process) && !is_cleaning
            }
            Action::Step(process, Thread::Change) => self.asks_one_in_service(process),
            Action::Step(process, Thread::Recovery) => !self.meets_a_leftover(process),
            Action::Reconcile(process, member) => self.is_next(process, member),
            Action::Wish(_) | Action::Skip(_) | Action::Returns(_) | Action::ReturnsEmpty(_) => {
                true
            }
        }
    }

    pub(super) fn recoveries(&self) -> impl Iterator<Item = &Recovering> {
        let recoveries = self.processes.iter();
        recoveries.filter_map(|process| process.recovery.as_ref())
    }

    /// Whether a change asks a member that is away or serves, and that nobody reconciles. The adapter asks none that has returned and is not back in
    /// service; and what has become of the objects of one that is reconciled, the reconcile sees in the next pass.
    fn asks_one_in_service(&self, process: u8) -> bool {
        let serving = self.processes[usize::from(process)].serving;
        let asked = self.asked(process, Thread::Change);
        asked.is_none_or(|asked| {
            !self.token(asked).up || serving.contains(asked) && !self.is_claimed(asked)
        })
    }

    /// Whether a reconcile looks at an object while the member has one that is left of an earlier try of its creation: to the adapter both are the same
    /// object where the application says what it is.
    fn meets_a_leftover(&self, process: u8) -> bool {
        let recovery = &self.processes[usize::from(process)].recovery;
        recovery.as_ref().is_some_and(|recovering| {
            let member = recovering.reconcile.member();
            let objects = self.token(member).objects.iter();
            let mut left = objects.filter(|object| self.is_pending(member, **object));
            left.any(|left| self.journal.key_of(left.base).is_some())
        })
    }

    /// Members that serve and lack something are reconciled before others, one after the other, and by nobody else.
    fn is_next(&self, number: u8, member: MemberId) -> bool {
        let mut processes = (0..).zip(&self.processes);
        processes.all(|(other, process)| match process.owed.first() {
            Some(first) if other == number => first == member,
            Some(_) => !process.owed.contains(member),
            None => true,
        })
    }
}

impl Recovering {
    /// Whether the next step does something to the member.
    fn alters(&self) -> bool {
        match (&self.cleaning, self.next) {
            (None, ReconcileNext::Do { deed, .. }) => matches!(
                deed,
                Deed::Copy { .. } | Deed::Update { .. } | Deed::Destroy
            ),
            _ => false,
        }
    }
}
