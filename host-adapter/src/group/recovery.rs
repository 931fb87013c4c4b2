//! Recovery: the steps that the core asks for, carried out on real members.

mod token;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use everslot_core::{
    Action, Evidence, Input, Login, LoginGeneration, MemberId, Output, QuarantineReason, Rv, Step,
    StepOutcome,
};
use everslot_protocol::Request;

use super::GroupDriver;
use super::lease::LeaseFailure;
use super::member::{Anchor, Member, Token};
use crate::config::same_token;
use crate::module::{Instance, LinkFailure};
use token::{ask, find_token};

/// A module may take longer to load than its token takes to answer.
const SHORTEST_START: Duration = Duration::from_secs(5);

/// How long a call that waits for a slot's event leaves an attempt to other threads.
const BREATH: Duration = Duration::from_millis(10);

impl GroupDriver {
    /// Feeds an input and carries out all that follows from it, on this thread.
    pub(super) fn drive(self: &Arc<Self>, input: Input) {
        let output = self.feed(input);
        self.carry_out(&output);
    }

    /// Feeds an input and carries out recovery attempts that follow from it on a thread of their own, so that members are
    /// brought up side by side.
    pub(super) fn drive_aside(self: &Arc<Self>, input: Input) {
        let output = self.feed(input);
        if output.actions.is_empty() {
            return;
        }
        let driver = Arc::clone(self);
        let aside = output.clone();
        let started = self
            .threads
            .spawn("everslot-attempt", move || driver.carry_out(&aside));
        if started.is_err() {
            self.carry_out(&output);
        }
    }

    /// The seed's way: before a call proceeds, see whether a recovery attempt is due, and make it.
    pub(crate) fn recover_in_call(self: &Arc<Self>) {
        if self.background.is_none() && self.core.view.due().is_some() {
            self.attempt_if_due();
        }
    }

    /// When the next call is to make an attempt, for one that has nothing else to do; `None` when there is none to make.
    pub(crate) fn next_attempt_in_call(&self) -> Option<Duration> {
        let due = self.core.view.due().filter(|_| self.background.is_none())?;
        // It may be due already while another thread makes one.
        Some(self.clock.until(due).max(BREATH))
    }

    /// Makes the attempt that is longest due, if one is due and no other thread makes one. Whether it did.
    pub(super) fn attempt_if_due(self: &Arc<Self>) -> bool {
        let Ok(_turn) = self.in_call_turn.try_lock() else {
            return false;
        };
        let due = self
            .core
            .view
            .due()
            .is_some_and(|due| self.clock.until(due).is_zero());
        if due {
            self.drive(Input::Timer);
        }
        due
    }

    pub(super) fn carry_out(self: &Arc<Self>, output: &Output) {
        let mut actions: VecDeque<Action> = output.actions.iter().copied().collect();
        while let Some(action) = actions.pop_front() {
            let (Action::Close { member: of, .. }
            | Action::Perform { member: of, .. }
            | Action::LogIn { member: of, .. }
            | Action::LogOut { member: of, .. }) = action;
            #[cfg(test)]
            self.pause(super::witnesses::Point::Action(action));
            let input = match action {
                Action::Close { member, .. } => {
                    if let Some(member) = self.member(member) {
                        member.close();
                    }
                    continue;
                }
                Action::Perform {
                    member,
                    serial,
                    step,
                    login,
                } => {
                    let outcome = self.step(member, step, login);
                    Input::Step {
                        member,
                        serial,
                        step,
                        outcome,
                    }
                }
                Action::LogIn {
                    member,
                    incarnation,
                    generation,
                    user,
                } => {
                    let outcome = self.log_in_member(member, incarnation, user);
                    Input::LoginChanged {
                        member,
                        incarnation,
                        generation,
                        outcome,
                    }
                }
                Action::LogOut {
                    member,
                    incarnation,
                    generation,
                } => {
                    let outcome = self.log_out_member(member, incarnation);
                    Input::LoginChanged {
                        member,
                        incarnation,
                        generation,
                        outcome,
                    }
                }
            };
            actions.extend(self.feed(input).actions.iter().copied());
            self.admitted(of);
        }
    }

    fn step(
        &self,
        member: MemberId,
        step: Step,
        (login, generation): (Login, LoginGeneration),
    ) -> StepOutcome {
        let Some(member) = self.member(member) else {
            return StepOutcome::Failed(Evidence::NotReached);
        };
        let outcome = match step {
            Step::Connect => connect(member),
            Step::Open => self.open(member),
            Step::LogIn => return self.log_in_returning(member, login, generation),
            // A PIN may have been changed since it has logged in.
            Step::Synchronise => synchronise(member)
                .and_then(|()| self.settle_pins(member))
                .and_then(|()| self.bring_in_step(member, login)),
        };
        match outcome {
            Ok(()) => StepOutcome::Done { login: generation },
            Err(Obstacle::Evidence(evidence)) => StepOutcome::Failed(evidence),
            Err(Obstacle::Refused(why)) => StepOutcome::Refused(why),
        }
    }

    /// Re-opens the session, then the slot; the module is initialised anew only as the last resort, since that takes down the
    /// members that share it.
    fn open(&self, member: &Arc<Member>) -> Result<(), Obstacle> {
        let instance = member
            .load
            .start(start_deadline(member))
            .map_err(Obstacle::from)?;
        let first = self.open_on(member, &instance);
        let Err(Obstacle::Evidence(_)) = first else {
            return first;
        };
        if self.has_serving_sibling(member) {
            return first;
        }
        drop(instance);
        let instance = member
            .load
            .restart(start_deadline(member))
            .map_err(Obstacle::from)?;
        self.open_on(member, &instance)
    }

    fn open_on(&self, member: &Arc<Member>, instance: &Arc<dyn Instance>) -> Result<(), Obstacle> {
        let era = member.era();
        let token = find_token(member, instance)?;
        if let Some(twin) = self.twin(member, &token) {
            tracing::error!(
                member = member.config.name,
                twin = twin.config.name,
                "two members are the same token"
            );
            return Err(Obstacle::Refused(QuarantineReason::TokenChanged));
        }
        ask(
            member,
            instance,
            &Request::CloseAllSessions { slot: token.slot },
            &mut [],
        )?;
        let session = member
            .open_on(instance, token.slot, member.incarnation())
            .map_err(|failure| match failure {
                LeaseFailure::Exhausted => Obstacle::Evidence(Evidence::NotReached),
                LeaseFailure::Refused(rv) => Obstacle::Evidence(Evidence::Code(Rv(rv))),
                LeaseFailure::Lost(failure, _) => Obstacle::from(failure),
            })?;
        if !member.set_anchor(session, era) {
            return Err(Obstacle::Evidence(Evidence::NotReached));
        }
        member.set_token(token);
        Ok(())
    }

    fn has_serving_sibling(&self, member: &Arc<Member>) -> bool {
        let sibling = |id| {
            self.member(id).is_some_and(|other| {
                other.id != member.id && Arc::ptr_eq(&other.load, &member.load)
            })
        };
        self.serving().iter().any(sibling)
    }

    /// Another member that turned out to be the same token.
    fn twin(&self, member: &Arc<Member>, token: &Token) -> Option<&Arc<Member>> {
        self.members()
            .iter()
            .filter(|other| {
                other.id != member.id && (other.id < member.id || self.serving().contains(other.id))
            })
            .find(|other| {
                let same_module = other.config.settings() == member.config.settings();
                same_module
                    && other
                        .token()
                        .is_some_and(|known| same_token(&known.info, &token.info))
            })
    }
}

/// Why a step of recovery did not succeed.
pub(super) enum Obstacle {
    Evidence(Evidence),
    Refused(QuarantineReason),
}

impl From<LinkFailure> for Obstacle {
    fn from(failure: LinkFailure) -> Self {
        Self::Evidence(failure.cause.evidence())
    }
}

fn start_deadline(member: &Member) -> Duration {
    longest_start(member.config.deadline)
}

/// How long a request of an attempt may take at a member whose calls may take this long.
pub(crate) fn longest_start(deadline: Duration) -> Duration {
    deadline.max(SHORTEST_START)
}

fn connect(member: &Arc<Member>) -> Result<(), Obstacle> {
    member
        .load
        .start(start_deadline(member))
        .map(drop)
        .map_err(Obstacle::from)
}

/// The last look before a member is admitted: its session answers.
fn synchronise(member: &Arc<Member>) -> Result<(), Obstacle> {
    let mut anchor = member.anchor();
    let Some(Anchor { session, .. }) = anchor.as_mut() else {
        return Err(Obstacle::Evidence(Evidence::NotReached));
    };
    let request = Request::SessionInfo {
        session: session.handle,
    };
    let reply = member.ask(session, &request, &mut [])?;
    match Rv(reply.rv.0) {
        everslot_core::ckr::OK => Ok(()),
        rv => Err(Obstacle::Evidence(Evidence::Code(rv))),
    }
}
