//! How much may happen in a world.

use std::time::Duration;

use everslot_core::{Attempts, Group, Input, MemberId, Policy, Repeat, Replayable, Role, User};

use serde::{Deserialize, Serialize};

use super::act::Kind;
use super::caller::Caller;
use super::job::Job;
use super::properties::Rule;
use super::token::Token;
use super::watch::Watch;
use super::{CALLERS, MEMBERS, World, places};

/// A finite world: who is in it, what may happen how often, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The roles of the members.
    pub roles: [Role; MEMBERS],
    /// X in ticks and N.
    pub policy: (u8, Attempts),
    /// What an operator may change it to.
    pub other_policy: (u8, Attempts),
    /// Who feeds the timer.
    pub recovery: Recovery,
    /// Whether anything can happen between two steps of an attempt.
    pub pace: Pace,
    /// How the world begins.
    pub start: Start,
    /// How many callers there are, at most [`CALLERS`].
    pub callers: usize,
    /// What they call.
    pub kinds: &'static [Kind],
    /// What is true of operations of many calls.
    pub job: Job,
    /// How often things may happen.
    pub budget: Budget,
    /// Whether the adapter sees by itself that a process has ended; otherwise only a call finds a loss.
    pub notices: bool,
    /// Whether somebody reads the status.
    pub status_reads: bool,
    /// Whether the application logs out.
    pub logs_out: bool,
    /// A member that has another PIN than the others.
    pub other_pin: Option<MemberId>,
    /// The orders that the operator gives.
    pub orders: &'static [Orders],
    /// What is asked.
    pub rules: &'static [Rule],
    /// Whether only that happens which the adapter can be put through as it ships: the other orders of things it does not have.
    pub as_shipped: bool,
}

/// How often things may happen.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Budget {
    /// Deaths of tokens.
    pub failures: u8,
    /// Orders of the operator.
    pub orders: u8,
    /// Answers of a healthy member other than the one that the call deserves.
    pub odd_answers: u8,
    /// Calls of `C_Login`.
    pub logins: u8,
    /// Other calls, of all callers together; without a number they never end.
    pub calls: Option<u8>,
    /// Ticks; without a number time never ends.
    pub ticks: Option<u8>,
}

impl Budget {
    /// A world in which nothing happens but calls and time.
    pub const QUIET: Self = Self {
        failures: 0,
        orders: 0,
        odd_answers: 0,
        logins: 0,
        calls: None,
        ticks: None,
    };
}

/// Who feeds the timer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Recovery {
    /// A thread of the adapter, as soon as it is due.
    Background,
    /// Each call at its beginning, as in the seed.
    InCall,
}

/// How an attempt is carried out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Pace {
    /// Each step takes a while, in which anything can happen.
    StepByStep,
    /// All steps at once, after a while: a smaller world, for what is not about recovery.
    AtOnce,
}

/// How a world begins.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Start {
    /// The members have just been added.
    Cold,
    /// All members serve, and have for long.
    Warm,
    /// And the group is logged in.
    LoggedIn,
}

/// A kind of order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Orders {
    /// Add and remove.
    Membership,
    /// Park and unpark.
    Parking,
    /// Recover.
    Recovering,
    /// Change a role.
    Roles,
    /// Change the policy.
    Policies,
}

impl Plan {
    /// All members, the last of them standby, recovered in the background at most twice and a minute apart; nothing
    /// happens to them.
    #[must_use]
    pub const fn quiet(rules: &'static [Rule]) -> Self {
        Self {
            roles: ROLES,
            policy: (2, Attempts::AtMost(2)),
            other_policy: (2, Attempts::AtMost(2)),
            recovery: Recovery::Background,
            pace: Pace::StepByStep,
            start: Start::Warm,
            callers: 0,
            kinds: &[],
            job: Job {
                replayable: Replayable::Alike,
                bound: 2,
                output: false,
                parts: 2,
                unlike: false,
            },
            budget: Budget::QUIET,
            notices: false,
            status_reads: false,
            logs_out: false,
            other_pin: None,
            orders: &[],
            rules,
            as_shipped: false,
        }
    }

    /// The greatest number of ticks for which a member that can be reached and has attempts left stays out of service:
    /// X until the next attempt, then a tick for each of the four steps of an attempt.
    #[must_use]
    pub const fn bound(&self) -> u8 {
        self.longest_interval() + STEPS
    }

    /// How many members can be out of service at once, as far as it is counted here.
    pub(super) fn losses(&self) -> u8 {
        let takes_away = |orders: &Orders| matches!(orders, Orders::Membership | Orders::Parking);
        let orders = if self.orders.iter().any(takes_away) {
            self.budget.orders
        } else {
            0
        };
        let cold = if self.start == Start::Cold {
            MEMBERS as u8
        } else {
            0
        };
        self.budget.failures + self.budget.odd_answers + orders + cold
    }

    /// Whether a member can be lost without its call saying so.
    pub(super) const fn is_lost_by_others(&self) -> bool {
        self.notices || self.callers > 1
    }

    /// Whether there are calls that may not be repeated, and that may go to any member.
    pub(super) fn sends_again_what_was_not_delivered(&self) -> bool {
        self.kinds
            .iter()
            .any(|kind| kind.repeat() == Repeat::OnlyIfUndelivered)
    }

    /// In the background nothing is ever overdue, and only a change of policy looks back at all. Within calls an attempt
    /// is overdue until a call comes; which of two is so longer is forgotten after that many ticks.
    const fn now(&self) -> u8 {
        match self.recovery {
            Recovery::Background if self.has_one_policy() => 0,
            Recovery::Background => self.longest_interval(),
            Recovery::InCall => 2 * self.longest_interval(),
        }
    }

    const fn has_one_policy(&self) -> bool {
        let mut at = 0;
        while at < self.orders.len() {
            if matches!(self.orders[at], Orders::Policies) {
                return false;
            }
            at += 1;
        }
        true
    }

    pub(super) const fn longest_interval(&self) -> u8 {
        if self.policy.0 > self.other_policy.0 {
            self.policy.0
        } else {
            self.other_policy.0
        }
    }
}

const STEPS: u8 = 4;

const ROLES: [Role; MEMBERS] = {
    let mut roles = [Role::Active; MEMBERS];
    roles[MEMBERS - 1] = Role::Standby;
    roles
};

/// A policy as the core has it.
pub(super) fn policy((interval, attempts): (u8, Attempts)) -> Policy {
    Policy {
        interval: ticks(interval),
        attempts,
    }
}

/// A tick is a millisecond to the core.
pub(super) fn ticks(count: u8) -> Duration {
    Duration::from_millis(u64::from(count))
}

impl World {
    pub(super) fn start(plan: &Plan) -> Self {
        let mut world = Self {
            now: plan.now(),
            group: Group::new(policy(plan.policy)),
            tokens: [Token::NEW; MEMBERS],
            callers: [Caller::IDLE; CALLERS],
            left: plan.budget,
            watch: Watch::NOTHING,
        };
        for (member, role) in places().zip(plan.roles) {
            let _ = world.feed(Input::Add { member, role });
        }
        match plan.start {
            Start::Cold => {}
            Start::Warm => world.warm_up(plan),
            Start::LoggedIn => {
                world.warm_up(plan);
                world.log_in_all(plan);
            }
        }
        world.watch = Watch::NOTHING;
        world
    }

    /// Brings everybody into service, and lets the time go by until nothing of it matters any more.
    fn warm_up(&mut self, plan: &Plan) {
        for _ in places() {
            self.timer();
        }
        self.finish_tasks(plan);
        for _ in 0..self.now + plan.longest_interval() {
            self.group.rebase(ticks(1));
        }
    }

    fn log_in_all(&mut self, plan: &Plan) {
        let member = MemberId(0);
        let incarnation = self.group.view().incarnations[member.index()];
        let user = User::User;
        self.tokens[member.index()].logged_in = true;
        let accepted = Input::LoginAccepted {
            member,
            incarnation,
            user,
        };
        let _ = self.feed(accepted);
        self.finish_tasks(plan);
    }

    fn finish_tasks(&mut self, plan: &Plan) {
        for member in places() {
            while self.tokens[member.index()].task.is_some() {
                self.task_ends(plan, member);
            }
        }
    }
}
