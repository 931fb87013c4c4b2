//! What can happen next, and what comes of it.

use everslot_core::{
    Change, ChangeInput, ChangeNext, MemberId, MemberSet, Plant, Reconcile, ReconcileInput,
    ReconcileNext,
};
use serde::{Deserialize, Serialize};
use stateright::{Model, Property};

use super::{Answered, Changing, Plan, Recovering, State, Target, Wish, properties};
use crate::graph::Fairness;
use crate::scenario::Fair;

/// A step of the world.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Action {
    /// The application of a process begins its next wish.
    Wish(u8),
    /// It does not: it leaves off this wish.
    Skip(u8),
    /// A process takes over an intent that nobody carries out.
    Resume(u8, Plant),
    /// A process begins to reconcile a member.
    Reconcile(u8, MemberId),
    /// A process does what a machine asks for next.
    Step(u8, Thread),
    /// It does so, and the member that is asked dies in the call.
    Lost {
        /// The process.
        process: u8,
        /// The thread.
        thread: Thread,
        /// Whether it did what it was asked first.
        done: bool,
    },
    /// A token dies.
    Dies(MemberId),
    /// A token is back.
    Returns(MemberId),
    /// A token is back, and empty.
    ReturnsEmpty(MemberId),
    /// A process dies, and begins anew.
    Crash(u8),
}

/// What a process does at the same time.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Thread {
    /// The change that its application waits for, or an intent.
    Change,
    /// A reconcile.
    Recovery,
}

/// Processes go on with what they do.
pub(super) const STEPS: Fairness = Fairness::kind(0);
/// Tokens come back.
pub(super) const RETURNS: Fairness = Fairness::kind(1);
/// Processes begin what is to be done: reconciles and intents.
pub(super) const BEGINS: Fairness = Fairness::kind(2);

impl Model for Plan {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for process in 0..state.processes.len() as u8 {
            self.of_process(state, process, actions);
        }
        for member in state.members() {
            match (state.token(member).up, state.deaths_left) {
                (true, 1..) => actions.push(Action::Dies(member)),
                (true, 0) => {}
                (false, _) => {
                    actions.push(Action::Returns(member));
                    if state.wipes_left > 0 {
                        actions.push(Action::ReturnsEmpty(member));
                    }
                }
            }
        }
        if self.as_shipped {
            actions.retain(|action| state.can_be_forced(*action));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Wish(process) => self.begin_wish(&mut state, process),
            Action::Skip(process) => state.processes[usize::from(process)].begun += 1,
            Action::Resume(process, plant) => state.resume(process, plant),
            Action::Reconcile(process, member) => self.begin_reconcile(&mut state, process, member),
            Action::Step(process, thread) => state.step(process, thread, None),
            Action::Lost {
                process,
                thread,
                done,
            } => state.step(process, thread, Some(done)),
            Action::Dies(member) => state.dies(member),
            Action::Returns(member) => state.token_mut(member).up = true,
            Action::ReturnsEmpty(member) => state.returns_empty(member),
            Action::Crash(process) => state.crash(process),
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(self)
    }
}

impl Fair for Plan {
    fn serves(&self, _state: &State, action: &Action) -> Fairness {
        match action {
            Action::Step(..) => STEPS,
            Action::Returns(_) => RETURNS,
            Action::Resume(..) | Action::Reconcile(..) => BEGINS,
            Action::Wish(_)
            | Action::Skip(_)
            | Action::Lost { .. }
            | Action::Dies(_)
            | Action::ReturnsEmpty(_)
            | Action::Crash(_) => Fairness::NONE,
        }
    }
}

impl Plan {
    fn of_process(&self, state: &State, number: u8, actions: &mut Vec<Action>) {
        let process = &state.processes[usize::from(number)];
        let is_open = state.gate.is_none();
        if process.change.is_none() && is_open {
            if let Some(wish) = self.wish(state, number) {
                let can = match wish {
                    Wish::Create(_) => true,
                    Wish::Update(base) | Wish::Destroy(base) => {
                        state.journal.key_of(base).is_some()
                    }
                };
                actions.push(if can {
                    Action::Wish(number)
                } else {
                    Action::Skip(number)
                });
            }
            let to_resume = state.journal.intents.iter().filter(|(_, open)| {
                open.owner.is_none()
                    && !open.intent.members.intersection(process.serving).is_empty()
            });
            actions.extend(to_resume.map(|(plant, _)| Action::Resume(number, *plant)));
        }
        if process.recovery.is_none() {
            let waiting = state
                .up()
                .difference(process.serving)
                .union(process.owed.intersection(state.up()));
            let free = waiting.iter().filter(|member| !state.is_claimed(*member));
            actions.extend(free.map(|member| Action::Reconcile(number, member)));
        }
        for thread in [Thread::Change, Thread::Recovery] {
            if !state.can_step(number, thread) {
                continue;
            }
            actions.push(Action::Step(number, thread));
            let asked = state
                .asked(number, thread)
                .filter(|member| state.token(*member).up);
            if state.deaths_left > 0 && asked.is_some() {
                let process = number;
                actions.extend([false, true].map(|done| Action::Lost {
                    process,
                    thread,
                    done,
                }));
            }
        }
        let busy = process.change.is_some() || process.recovery.is_some();
        if state.crashes_left > 0 && busy {
            actions.push(Action::Crash(number));
        }
    }

    fn wish(&self, state: &State, number: u8) -> Option<Wish> {
        let begun = usize::from(state.processes[usize::from(number)].begun);
        self.wishes[usize::from(number)].get(begun).copied()
    }

    fn begin_wish(&self, state: &mut State, number: u8) {
        let wish = self.wish(state, number).expect("a wish that is left");
        let process = &mut state.processes[usize::from(number)];
        process.begun += 1;
        let mark = u64::from(number * 16 + process.begun);
        let serving = process.serving;
        let reached = |key| {
            let entry = state.journal.live(key).expect("an object of the group");
            let holders: MemberSet = entry.rows.keys().copied().collect();
            holders.intersection(serving)
        };
        let (change, target) = match wish {
            Wish::Create(base) => (
                Change::create(mark, self.copies, serving, serving, None),
                Target::New { base },
            ),
            Wish::Update(base) => {
                let key = state.journal.key_of(base).expect("an object to change");
                let revision = mark;
                let target = Target::Revised { key, revision };
                // Who is behind is not asked: what was acknowledged would be taken back.
                let current = state.journal.current(target);
                let asked = if current.is_empty() {
                    reached(key)
                } else {
                    current.intersection(serving)
                };
                (Change::update(mark, asked), target)
            }
            Wish::Destroy(base) => {
                let key = state.journal.key_of(base).expect("an object to destroy");
                (Change::destroy(mark, reached(key)), Target::Gone { key })
            }
        };
        let told = state.told(wish.base());
        match wish {
            Wish::Create(_) => told.made = told.made.max(Answered::Unclear),
            Wish::Destroy(_) => told.destroyed = told.destroyed.max(Answered::Unclear),
            Wish::Update(_) => {}
        }
        let changing = Changing::begin(change, target, Some(wish));
        state.settle_change(number, changing);
    }

    fn begin_reconcile(&self, state: &mut State, number: u8, member: MemberId) {
        let process = &mut state.processes[usize::from(number)];
        process.owed.remove(member);
        let mut reconcile = Reconcile::new(member, self.copies);
        let sources = process.serving;
        let next = reconcile.handle(ReconcileInput::Start { sources }).next;
        process.recovery = Some(Recovering {
            reconcile,
            next,
            cleaning: None,
            is_cut: false,
            passed_over: None,
            bound: None,
        });
    }
}

impl Changing {
    pub(super) fn hear_of_loss(&mut self, member: MemberId) {
        self.next = self.change.handle(ChangeInput::Lost(member));
    }

    pub(super) fn begin(mut change: Change, target: Target, wish: Option<Wish>) -> Self {
        let next = change.handle(ChangeInput::Start);
        Self {
            change,
            next,
            target,
            wish,
        }
    }
}

impl State {
    pub(super) fn is_claimed(&self, member: MemberId) -> bool {
        let claims = |recovering: &Recovering| recovering.reconcile.member() == member;
        let recoveries = self
            .processes
            .iter()
            .filter_map(|process| process.recovery.as_ref());
        recoveries.filter(|recovering| claims(recovering)).count() > 0
    }

    fn resume(&mut self, number: u8, plant: Plant) {
        let serving = self.processes[usize::from(number)].serving;
        let open = self
            .journal
            .intents
            .get_mut(&plant)
            .expect("an intent that stands");
        open.owner = Some((number, Thread::Change));
        let (intent, target) = (open.intent, open.target);
        let current = self.journal.current(target);
        let changing = Changing::begin(Change::resume(intent, serving, current), target, None);
        self.settle_change(number, changing);
    }

    /// Whether a thread has something to do and is not kept from it by the gate.
    fn can_step(&self, number: u8, thread: Thread) -> bool {
        let process = &self.processes[usize::from(number)];
        match (thread, &process.recovery) {
            (Thread::Change, _) => process.change.is_some(),
            (Thread::Recovery, None) => false,
            (Thread::Recovery, Some(recovering)) => match recovering.next {
                ReconcileNext::CloseGate => self.gate.is_none() && !self.any_change(),
                // What cleans passes the gate as all changes do, but for the one that has closed it.
                ReconcileNext::Clean => {
                    recovering.cleaning.is_some() || self.gate.is_none_or(|by| by == number)
                }
                ReconcileNext::BeginPass
                | ReconcileNext::ReadGroup { .. }
                | ReconcileNext::ReadMember { .. }
                | ReconcileNext::LookUp { .. }
                | ReconcileNext::Do { .. }
                | ReconcileNext::Over(_) => true,
            },
        }
    }

    fn any_change(&self) -> bool {
        self.processes.iter().any(|process| {
            let cleaning = process
                .recovery
                .as_ref()
                .is_some_and(|recovering| recovering.cleaning.is_some());
            process.change.is_some() || cleaning
        })
    }

    /// The member that a thread asks next; none if it asks the journal.
    pub(super) fn asked(&self, number: u8, thread: Thread) -> Option<MemberId> {
        let process = &self.processes[usize::from(number)];
        match thread {
            Thread::Change => asked_by(process.change.as_ref()?.next),
            Thread::Recovery => {
                let recovering = process.recovery.as_ref()?;
                match &recovering.cleaning {
                    Some(cleaning) => asked_by(cleaning.next),
                    None => recovering.asks(),
                }
            }
        }
    }

    fn step(&mut self, number: u8, thread: Thread, lost: Option<bool>) {
        match thread {
            Thread::Change => {
                let changing = self.processes[usize::from(number)].change.take();
                let changing = changing.expect("a change that is under way");
                let changing = self.change_step((number, Thread::Change), changing, lost);
                self.settle_change(number, changing);
            }
            Thread::Recovery => self.recovery_step(number, lost),
        }
    }

    fn returns_empty(&mut self, member: MemberId) {
        self.wipes_left -= 1;
        let lost = std::mem::take(&mut self.token_mut(member).objects);
        self.token_mut(member).up = true;
        for object in lost {
            let last = self.holding(object.base).next().is_none();
            self.told(object.base).was_lost |= last;
        }
    }

    /// A process dies: what it was about is anybody's, and its gate is open.
    fn crash(&mut self, number: u8) {
        self.crashes_left -= 1;
        let process = &mut self.processes[usize::from(number)];
        let wish = process.change.as_ref().and_then(|changing| changing.wish);
        process.change = None;
        process.recovery = None;
        process.serving = MemberSet::EMPTY;
        process.owed = MemberSet::EMPTY;
        self.gate = self.gate.filter(|by| *by != number);
        self.journal.abandon(number, None);
        if let Some(wish) = wish {
            self.told(wish.base()).is_open = true;
        }
    }
}

/// The member that a step asks.
pub(super) fn asked_by(next: ChangeNext) -> Option<MemberId> {
    match next {
        ChangeNext::Make { member, .. }
        | ChangeNext::Find { member, .. }
        | ChangeNext::Update { member }
        | ChangeNext::Restore { member, .. }
        | ChangeNext::Destroy { member }
        | ChangeNext::Clean { member, .. }
        | ChangeNext::Copy { to: member, .. } => Some(member),
        ChangeNext::RecordIntent(_)
        | ChangeNext::Commit { .. }
        | ChangeNext::Retract { .. }
        | ChangeNext::Answer(_) => None,
    }
}
