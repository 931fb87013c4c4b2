//! The world of the objects: tokens that keep them, a journal, and processes that change and reconcile them.
//!
//! A process runs two threads, as the adapter does: one makes a change for the application, one brings back members. Each
//! step of a machine is a step of the world; between any two of them, and in each call, a token may die, or the process.

mod actions;
mod changing;
mod journal;
mod properties;
mod reconciling;
mod script;
mod shipped;
mod story;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use everslot_core::{
    Change, ChangeNext, Copies, MemberId, MemberSet, ObjectKey, Plant, Reconcile, ReconcileNext,
    Revision,
};

pub use actions::{Action, Thread};
use journal::Journal;
pub use script::{Setting, Step};
use serde::{Deserialize, Serialize};

/// The letters by which members are told apart.
const NAMES: [&str; 4] = ["A", "B", "C", "D"];

/// A world: who is in it, what is wished for, and how often things go wrong.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many tokens there are, all of them members of one group.
    pub members: usize,
    /// What each process wishes for, in order; it may leave off at any point.
    pub wishes: Vec<Vec<Wish>>,
    /// How many members an object is to live on.
    pub copies: Copies,
    /// How it begins.
    pub start: Start,
    /// How often a token may die.
    pub deaths: u8,
    /// How often a process may die.
    pub crashes: u8,
    /// How often a token may come back empty.
    pub wipes: u8,
    /// Only what the real adapter can be put through happens.
    pub as_shipped: bool,
}

/// How a world begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Start {
    /// All members serve, and hold an object of each of so many bases.
    Equal(u8),
    /// The last member is back and not reconciled: of base 0 it has nothing, 1 was destroyed, 2 was changed in the group, 3 at
    /// the member, and 4 is unknown to the group.
    Behind,
}

/// What an application asks for. Each base is wished for once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Wish {
    /// An object of this base.
    Create(u8),
    /// Other attributes for it.
    Update(u8),
    /// That it be gone.
    Destroy(u8),
}

impl Wish {
    const fn base(self) -> u8 {
        match self {
            Self::Create(base) | Self::Update(base) | Self::Destroy(base) => base,
        }
    }
}

/// How things stand.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    tokens: Vec<Token>,
    journal: Journal,
    processes: Vec<Process>,
    /// Who has closed the gate.
    gate: Option<u8>,
    ledger: BTreeMap<u8, Told>,
    deaths_left: u8,
    crashes_left: u8,
    wipes_left: u8,
    /// An invariant of a machine is broken, or it has taken an outcome for void.
    fault: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Token {
    up: bool,
    objects: Vec<Object>,
}

/// An object on a token.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Object {
    base: u8,
    /// What is generated anew is another object: the try of the creation.
    attempt: u8,
    revision: u64,
    /// Never taken off, which is the worst that a caller may do.
    plant: Option<Plant>,
}

/// A process of the application.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Process {
    serving: MemberSet,
    /// To be reconciled although they serve.
    owed: MemberSet,
    /// How many of its wishes it has begun.
    begun: u8,
    change: Option<Changing>,
    recovery: Option<Recovering>,
}

/// A change that is under way.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Changing {
    change: Change,
    next: ChangeNext,
    target: Target,
    /// The wish, unless it is an intent that is resumed.
    wish: Option<Wish>,
}

/// A reconcile that is under way.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Recovering {
    reconcile: Reconcile,
    next: ReconcileNext,
    cleaning: Option<Changing>,
    /// Whether the member has died since it began.
    is_cut: bool,
    /// The first tombstone that was passed over since its destruction was under way, and as it was when the pass began.
    passed_over: Option<u64>,
    bound: Option<u64>,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Target {
    New { base: u8 },
    Revised { key: ObjectKey, revision: u64 },
    Gone { key: ObjectKey },
}

impl Target {
    fn is_of(self, object: ObjectKey) -> bool {
        match self {
            Self::New { .. } => false,
            Self::Revised { key, .. } | Self::Gone { key } => key == object,
        }
    }
}

/// What the application has been told of an object.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Told {
    made: Answered,
    destroyed: Answered,
    /// Whether a process has died while it destroyed it.
    is_open: bool,
    /// Whether a token came back empty that had the last of it.
    was_lost: bool,
}

/// What the application knows of a wish.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Answered {
    No,
    Unclear,
    Yes,
}

const fn key(base: u8, attempt: u8) -> ObjectKey {
    let mut key = [0; 16];
    key[0] = base;
    key[1] = attempt;
    ObjectKey(key)
}

impl Object {
    const fn key(self) -> ObjectKey {
        key(self.base, self.attempt)
    }
}

impl State {
    fn up(&self) -> MemberSet {
        let up = self.members().filter(|member| self.token(*member).up);
        up.collect()
    }

    fn members(&self) -> impl Iterator<Item = MemberId> + use<> {
        (0..self.tokens.len() as u8).map(MemberId)
    }

    fn token(&self, member: MemberId) -> &Token {
        &self.tokens[member.index()]
    }

    fn token_mut(&mut self, member: MemberId) -> &mut Token {
        &mut self.tokens[member.index()]
    }

    /// The members whose token has an object of this base, each as often as it has one.
    fn holding(&self, base: u8) -> impl Iterator<Item = (MemberId, Object)> + '_ {
        self.members().flat_map(move |member| {
            let objects = self.token(member).objects.iter().copied();
            let of_base = objects.filter(move |object| object.base == base);
            of_base.map(move |object| (member, object))
        })
    }

    /// An object that is somebody's: not one that an open intent has made.
    fn find(&self, member: MemberId, key: ObjectKey) -> Option<Object> {
        let objects = self.token(member).objects.iter().copied();
        let mut whole =
            objects.filter(|object| object.key() == key && !self.is_pending(member, *object));
        whole.next()
    }

    fn is_pending(&self, member: MemberId, object: Object) -> bool {
        object
            .plant
            .is_some_and(|plant| self.journal.is_pending(plant, member))
    }

    fn put(&mut self, member: MemberId, object: Object) {
        let objects = &mut self.token_mut(member).objects;
        objects.push(object);
        objects.sort_unstable();
    }

    fn remove(&mut self, member: MemberId, fits: impl Fn(Object) -> bool) -> bool {
        let objects = &mut self.token_mut(member).objects;
        let before = objects.len();
        objects.retain(|object| !fits(*object));
        objects.len() < before
    }

    fn revise(&mut self, member: MemberId, key: ObjectKey, revision: u64) -> bool {
        let objects = &mut self.token_mut(member).objects;
        let mut found = false;
        for object in objects.iter_mut().filter(|object| object.key() == key) {
            object.revision = revision;
            found = true;
        }
        objects.sort_unstable();
        found
    }

    /// A token dies: with its sessions it is out of service everywhere.
    fn dies(&mut self, member: MemberId) {
        self.token_mut(member).up = false;
        self.deaths_left -= 1;
        for process in &mut self.processes {
            process.serving.remove(member);
            process.owed.remove(member);
            if let Some(changing) = &mut process.change {
                changing.hear_of_loss(member);
            }
            if let Some(recovering) = &mut process.recovery {
                recovering.is_cut |= recovering.reconcile.member() == member;
                if let Some(cleaning) = &mut recovering.cleaning {
                    cleaning.hear_of_loss(member);
                }
            }
        }
    }

    /// Whether everybody is back, nothing is under way, and nothing is left to be done.
    fn is_settled(&self) -> bool {
        let all = self.tokens.iter().all(|token| token.up);
        let idle = self.processes.iter().all(|process| {
            process.change.is_none()
                && process.recovery.is_none()
                && process.owed.is_empty()
                && process.serving.len() as usize == self.tokens.len()
        });
        all && idle && self.journal.intents.is_empty()
    }

    fn told(&mut self, base: u8) -> &mut Told {
        self.ledger.entry(base).or_insert(Told {
            made: Answered::No,
            destroyed: Answered::No,
            is_open: false,
            was_lost: false,
        })
    }
}

impl Plan {
    fn all(&self) -> MemberSet {
        (0..self.members as u8).map(MemberId).collect()
    }

    fn begin(&self) -> State {
        let mut state = State {
            tokens: vec![
                Token {
                    up: true,
                    objects: Vec::new()
                };
                self.members
            ],
            journal: Journal::default(),
            processes: Vec::new(),
            gate: None,
            ledger: BTreeMap::new(),
            deaths_left: self.deaths,
            crashes_left: self.crashes,
            wipes_left: self.wipes,
            fault: false,
        };
        let mut serving = self.all();
        match self.start {
            Start::Equal(bases) => {
                for base in 0..bases {
                    state.begin_with(base, serving, Revision(0), serving);
                }
            }
            Start::Behind => {
                let last = MemberId(self.members as u8 - 1);
                serving.remove(last);
                self.begin_behind(&mut state, serving, last);
            }
        }
        state.processes = vec![
            Process {
                serving,
                owed: MemberSet::EMPTY,
                begun: 0,
                change: None,
                recovery: None,
            };
            self.wishes.len()
        ];
        state
    }

    fn begin_behind(&self, state: &mut State, others: MemberSet, last: MemberId) {
        let all = self.all();
        let strange = |base, revision| Object {
            base,
            attempt: 0,
            revision,
            plant: None,
        };
        state.begin_with(0, others, Revision(0), others);
        state.begin_with(1, all, Revision(0), all);
        state.journal.mark(key(1, 0), true);
        state.journal.remove_rows(key(1, 0), others);
        for member in others {
            state.remove(member, |object| object.base == 1);
        }
        state.told(1).destroyed = Answered::Yes;
        state.begin_with(2, all, Revision(0), all);
        state.journal.revise(key(2, 0), Revision(1), others);
        for member in others {
            state.revise(member, key(2, 0), 1);
        }
        state.begin_with(3, all, Revision(0), all);
        state.revise(last, key(3, 0), 2);
        state.put(last, strange(4, 0));
        state.told(4).made = Answered::Yes;
    }
}

impl State {
    /// An object that the group has had for long.
    fn begin_with(&mut self, base: u8, on: MemberSet, revision: Revision, rows: MemberSet) {
        for member in on {
            let revision = revision.0;
            self.put(
                member,
                Object {
                    base,
                    attempt: 0,
                    revision,
                    plant: None,
                },
            );
        }
        self.journal.add(key(base, 0), revision, rows);
        self.told(base).made = Answered::Yes;
    }
}
