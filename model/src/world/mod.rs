//! The world around the core: tokens that come and go, callers, an application that logs in and out, an operator, time.
//!
//! [`World`] holds the real [`Group`] and the real [`Call`](everslot_core::Call)s and carries out what they ask for as
//! the adapter would. All else in it is either the truth that the core cannot see (is the token there, is it logged in),
//! or what is watched for the properties. A [`Plan`] says how much may happen, so that the world is finite.
//!
//! Time is a tick at a time. It always is `NOW`: what is planned for later comes nearer instead, which keeps the world
//! finite. A tick is a millisecond to the core, so that an interval that is off by one is off by a tick.

mod act;
mod adapter;
mod caller;
mod calling;
mod enabled;
mod fate;
mod job;
mod liveness;
mod losses;
mod obeyed;
mod operator;
mod plan;
mod properties;
mod script;
mod shipped;
mod story;
mod token;
mod voids;
mod watch;

#[cfg(test)]
mod tests;

pub use act::{Act, Fate, Kind, Order};
pub use job::Job;
pub use liveness::{TIME, WORK, calls};
pub use plan::{Budget, Orders, Pace, Plan, Recovery, Start};
pub use properties::Rule;
pub use script::{Setting, Step};

use std::panic::{AssertUnwindSafe, catch_unwind};

use everslot_core::{Group, MemberId};
use stateright::{Model, Property};

use crate::graph::Fairness;
use crate::scenario::Fair;

use caller::Caller;
use token::Token;
use watch::{Breach, Watch};

/// Members in the world: two active ones and a standby; with the feature `large` one more active one.
pub const MEMBERS: usize = if cfg!(feature = "large") { 4 } else { 3 };

/// Callers at most: with the feature `large` one more.
pub const CALLERS: usize = if cfg!(feature = "large") { 3 } else { 2 };

/// How things stand.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct World {
    /// What time it always is: as far from the start of time as anything may be overdue.
    now: u8,
    group: Group<MEMBERS>,
    tokens: [Token; MEMBERS],
    callers: [Caller; CALLERS],
    left: Budget,
    watch: Watch,
}

impl Model for Plan {
    type State = World;
    type Action = Act;

    fn init_states(&self) -> Vec<World> {
        vec![World::start(self)]
    }

    fn actions(&self, world: &World, acts: &mut Vec<Act>) {
        // A rule is broken: what comes after it is of no interest.
        if world.watch.breach.is_none() {
            enabled::enabled(self, world, acts);
        }
    }

    /// A panic of the core is a breach like any other, so that it comes with a run that leads to it.
    fn next_state(&self, before: &World, act: Act) -> Option<World> {
        let step = || {
            let mut world = before.clone();
            world.step(self, act);
            world
        };
        let after = catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
            let mut world = before.clone();
            world.watch.breach = Some(Breach::Panic);
            world
        });
        Some(after)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.rules
            .iter()
            .flat_map(|rule| rule.properties(self))
            .collect()
    }
}

impl Fair for Plan {
    fn serves(&self, _world: &World, act: &Act) -> Fairness {
        match act {
            Act::Tick => TIME,
            Act::Timer | Act::TaskEnds(_) => WORK,
            Act::Start(caller, _)
            | Act::Choose(caller, _)
            | Act::Issue(caller)
            | Act::Resolve(caller, _)
            | Act::Reopen(caller)
            | Act::Probe(caller)
            | Act::Return(caller) => calls(*caller),
            Act::Fails(_)
            | Act::Comes(_)
            | Act::Noticed(_)
            | Act::TaskRefused(_)
            | Act::Obey(_)
            | Act::StatusRead
            | Act::LogOut => Fairness::NONE,
        }
    }
}

impl World {
    fn step(&mut self, plan: &Plan, act: Act) {
        match act {
            Act::Tick => self.tick(plan),
            Act::Timer => self.timer(),
            Act::Fails(member) => self.fails(member),
            Act::Comes(member) => self.tokens[member.index()].reachable = true,
            Act::Noticed(member) => self.noticed(member),
            Act::TaskEnds(member) => self.task_ends(plan, member),
            Act::TaskRefused(member) => self.task_refused(member),
            Act::Obey(order) => self.obey(plan, order),
            Act::StatusRead => self.read_status(),
            Act::LogOut => self.log_out(),
            Act::Start(caller, kind) => self.start_call(plan, caller, kind),
            Act::Choose(caller, member) => self.choose(caller, member),
            Act::Issue(caller) => self.issue(plan, caller),
            Act::Resolve(caller, fate) => self.resolve(plan, caller, fate),
            Act::Reopen(caller) => self.reopen(plan, caller),
            Act::Probe(caller) => self.probe(caller),
            Act::Return(caller) => self.callers[caller].returns(plan.job),
        }
        self.watch_all();
    }

    /// A token dies: its sessions and its login are gone, whatever it answers later.
    fn fails(&mut self, member: MemberId) {
        self.left.failures -= 1;
        let token = &mut self.tokens[member.index()];
        token.reachable = false;
        token.forget();
    }
}

/// The ids of all places.
fn places() -> impl Iterator<Item = MemberId> {
    (0..MEMBERS as u8).map(MemberId)
}
