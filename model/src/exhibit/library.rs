//! Three libraries: the text read literally, the text with the `else` that was probably meant, and the core.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use everslot_core::{
    Action, Attempts, Evidence, Group, Input, Instant, MemberId, Policy, Role, StepOutcome,
};

use super::{ATTEMPTS, IDLE, INTERVAL, MEMBERS};

/// The recovery logic of a library, called at the start of each PKCS#11 call.
pub trait Library: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// Tries to recover whom it wants to.
    fn recover(&mut self, reachable: [bool; MEMBERS]) -> Vec<Attempt>;

    /// A call has just failed on this member.
    fn lose(&mut self, member: usize);

    /// Time passes.
    fn tick(&mut self);

    /// How many members it believes to be disconnected.
    fn counts_disconnected(&self) -> i8;

    /// What `notes` shows.
    fn heading(&self) -> &'static str;

    /// Its variables, for a timeline.
    fn notes(&self) -> String;
}

/// One attempt at recovery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Attempt {
    /// On whom; nobody when no member is disconnected.
    pub member: Option<usize>,
    /// Whether it is connected now.
    pub succeeded: bool,
}

/// How the three statements after "increment" are read.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reading {
    /// As they stand: all three happen when recovery failed.
    Literal,
    /// With an `else` after the first: the other two happen when it succeeded.
    WithElse,
}

/// The pseudo-code with its own variables.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Pseudo {
    reading: Reading,
    disconnected_member: i8,
    recover_attempt_count: u8,
    /// `time_now - last_recover_attempt` in ticks; beyond X it makes no difference.
    age: u8,
    lost: [bool; MEMBERS],
}

impl Pseudo {
    /// A library that has just been initialised with all members connected.
    #[must_use]
    pub const fn new(reading: Reading) -> Self {
        Self {
            reading,
            disconnected_member: 0,
            recover_attempt_count: 0,
            age: INTERVAL + 1,
            lost: [false; MEMBERS],
        }
    }

    fn perform(&mut self, reachable: [bool; MEMBERS]) -> Attempt {
        let member = self.lost.iter().position(|&lost| lost);
        let succeeded = member.is_none_or(|member| reachable[member]);
        if let Some(member) = member {
            self.lost[member] = !succeeded;
        }
        Attempt { member, succeeded }
    }

    fn decrement(&mut self) {
        self.disconnected_member -= 1;
    }
}

impl Library for Pseudo {
    fn recover(&mut self, reachable: [bool; MEMBERS]) -> Vec<Attempt> {
        let due = self.disconnected_member > 0
            && self.recover_attempt_count < ATTEMPTS
            && self.age > INTERVAL;
        if !due {
            return Vec::new();
        }
        let attempt = self.perform(reachable);
        self.age = 0;
        match (self.reading, attempt.succeeded) {
            (Reading::Literal, true) => {}
            (Reading::Literal, false) => {
                self.decrement();
                self.recover_attempt_count = 0;
            }
            (Reading::WithElse, true) => {
                self.decrement();
                self.recover_attempt_count = 0;
            }
            (Reading::WithElse, false) => self.recover_attempt_count += 1,
        }
        vec![attempt]
    }

    fn lose(&mut self, member: usize) {
        self.lost[member] = true;
        // One more than there are members is as wrong as any higher count, and keeps the model finite.
        self.disconnected_member = (self.disconnected_member + 1).min(MEMBERS as i8 + 1);
    }

    fn tick(&mut self) {
        self.age = (self.age + 1).min(INTERVAL + 1);
    }

    fn counts_disconnected(&self) -> i8 {
        self.disconnected_member
    }

    fn heading(&self) -> &'static str {
        "disconnected_member, recover_attempt_count"
    }

    fn notes(&self) -> String {
        format!(
            "{}, {}",
            self.disconnected_member, self.recover_attempt_count
        )
    }
}

/// The core, fed as in the text: the timer at the start of each call, and an attempt carried out within it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Core {
    group: Group<MEMBERS>,
}

impl Core {
    /// A group that has just come up with all members.
    #[must_use]
    pub fn new() -> Self {
        let policy = Policy {
            interval: ticks(INTERVAL),
            attempts: Attempts::AtMost(u16::from(ATTEMPTS)),
        };
        let mut core = Self {
            group: Group::new(policy),
        };
        for member in core.members() {
            let role = Role::Active;
            core.handle(Input::Add { member, role });
        }
        for _ in core.members() {
            core.recover([true; MEMBERS]);
        }
        for _ in 0..INTERVAL {
            core.tick();
        }
        core
    }

    fn members(&self) -> impl Iterator<Item = MemberId> + use<> {
        (0..MEMBERS as u8).map(MemberId)
    }

    fn handle(&mut self, input: Input) -> Vec<Action> {
        self.group.handle(input, NOW).actions.into_iter().collect()
    }

    fn serves(&self, member: MemberId) -> bool {
        self.group
            .member(member)
            .is_some_and(|member| member.state.serves())
    }

    /// Carries out what the core asks for until the attempt is over.
    fn attempt(&mut self, mut actions: Vec<Action>, reachable: [bool; MEMBERS]) {
        while let Some(action) = actions.pop() {
            let Action::Perform {
                member,
                serial,
                step,
                login: (_, login),
            } = action
            else {
                continue;
            };
            let outcome = if reachable[member.index()] {
                StepOutcome::Done { login }
            } else {
                StepOutcome::Failed(Evidence::NotReached)
            };
            actions.extend(self.handle(Input::Step {
                member,
                serial,
                step,
                outcome,
            }));
        }
    }
}

impl Default for Core {
    fn default() -> Self {
        Self::new()
    }
}

impl Library for Core {
    fn recover(&mut self, reachable: [bool; MEMBERS]) -> Vec<Attempt> {
        let actions = self.handle(Input::Timer);
        let tried = actions.first().map(Action::member);
        self.attempt(actions, reachable);
        tried
            .map(|member| Attempt {
                member: Some(member.index()),
                succeeded: self.serves(member),
            })
            .into_iter()
            .collect()
    }

    fn lose(&mut self, member: usize) {
        let member = MemberId(member as u8);
        let incarnation = self.group.view().incarnations[member.index()];
        let evidence = Evidence::NotReached;
        self.handle(Input::Lost {
            member,
            incarnation,
            evidence,
        });
    }

    /// Time stands still and what is planned for later comes nearer, so that the model is finite.
    fn tick(&mut self) {
        self.group.rebase(ticks(1));
    }

    fn counts_disconnected(&self) -> i8 {
        self.members()
            .filter(|&member| !self.serves(member))
            .count() as i8
    }

    fn heading(&self) -> &'static str {
        "attempts counted for A, B"
    }

    fn notes(&self) -> String {
        let counts = self
            .group
            .members()
            .map(|(_, member)| match member.state.outage() {
                Some(outage) => outage.attempts.to_string(),
                None => "-".to_owned(),
            });
        counts.collect::<Vec<_>>().join(", ")
    }
}

/// What time it always is: far enough from the start of time that the order of what is overdue is kept, since nobody
/// has to wait for more than all the others.
const NOW: Instant = Instant::from_millis(MEMBERS as u64 * IDLE as u64);

/// A tick is a millisecond to the core.
fn ticks(count: u8) -> Duration {
    Duration::from_millis(u64::from(count))
}
