//! Recovery: the steps that the core asks for, carried out on real members.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use everslot_core::{
    Action, Context, Evidence, Input, Login, LoginGeneration, MemberId, Output, QuarantineReason,
    Rv, Step, StepOutcome, Verdict, verdict,
};
use everslot_protocol::wire::{INFO_SIZE_MAX, decode_info};
use everslot_protocol::{Body, MechanismInfo, Reply, Request, SlotId, TokenInfo};

use super::GroupDriver;
use super::lease::LeaseFailure;
use super::member::{Anchor, Member, Token};
use super::offers::Ability;
use crate::config::same_token;
use crate::module::{Instance, LinkFailure};

/// A module may take longer to load than its token takes to answer.
const SHORTEST_START: Duration = Duration::from_secs(5);

/// How long a call that waits for a slot's event leaves an attempt to other threads.
const BREATH: Duration = Duration::from_millis(10);

/// Most slots that a module is asked for.
const SLOTS: usize = 256;
/// Most mechanisms that a token is asked for.
const MECHANISMS: usize = 1024;

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

/// Finds the member's token among the module's slots: ids may change from one load to the next.
fn find_token(member: &Member, instance: &Arc<dyn Instance>) -> Result<Token, Obstacle> {
    let mut slots = vec![0; SLOTS * 8];
    let count = ask(
        member,
        instance,
        &Request::Slots {
            token_present: true,
        },
        &mut slots,
    )?
    .written() as usize;
    for slot in slots.get(..count).unwrap_or_default().as_chunks::<8>().0 {
        let slot = SlotId(u64::from_ne_bytes(*slot));
        let mut described = [0; INFO_SIZE_MAX];
        let Ok(reply) = ask(
            member,
            instance,
            &Request::TokenInfo { slot },
            &mut described,
        ) else {
            continue;
        };
        let Ok(info) = decode_info(reply.body.output(&described)) else {
            continue;
        };
        if member.config.token.matches(slot, &info) {
            let abilities = abilities(member, instance, slot, &info)?;
            return Ok(Token {
                slot,
                info,
                abilities,
            });
        }
    }
    Err(Obstacle::Evidence(Evidence::TokenAbsent))
}

/// What the token can do. A token that lists the same mechanisms as when it was last seen, in the same firmware, describes them as
/// it did then and is not asked again, since there may be hundreds.
fn abilities(
    member: &Member,
    instance: &Arc<dyn Instance>,
    slot: SlotId,
    info: &TokenInfo,
) -> Result<Arc<[Ability]>, Obstacle> {
    let mut buffer = vec![0; MECHANISMS * 8];
    let count =
        ask(member, instance, &Request::Mechanisms { slot }, &mut buffer)?.written() as usize;
    let (listed, _) = buffer.get(..count).unwrap_or_default().as_chunks::<8>();
    let listed: Vec<u64> = listed
        .iter()
        .map(|kind| u64::from_ne_bytes(*kind))
        .collect();
    if let Some(known) = member.token() {
        let kinds = known.abilities.iter().map(|ability| ability.mechanism);
        if same_token(&known.info, info)
            && known.info.firmware == info.firmware
            && kinds.eq(listed.iter().copied())
        {
            return Ok(known.abilities);
        }
    }
    let describe = |mechanism| {
        let info = mechanism_info(member, instance, slot, mechanism)?;
        Ok(Ability { mechanism, info })
    };
    listed.into_iter().map(describe).collect()
}

/// How the token describes a mechanism; `None` when it does not, though nothing is wrong with it.
fn mechanism_info(
    member: &Member,
    instance: &Arc<dyn Instance>,
    slot: SlotId,
    mechanism: u64,
) -> Result<Option<MechanismInfo>, Obstacle> {
    let reply = answer(
        member,
        instance,
        &Request::MechanismInfo { slot, mechanism },
        &mut [],
    )?;
    let rv = Rv(reply.rv.0);
    match (
        reply.body,
        verdict(rv, Context::default(), &member.config.overrides),
    ) {
        (Body::Mechanism(info), _) => Ok(Some(info)),
        (_, Verdict::MemberLost { .. }) => Err(Obstacle::Evidence(Evidence::Code(rv))),
        (
            _,
            Verdict::Fine
            | Verdict::CallersFault
            | Verdict::SessionLost { .. }
            | Verdict::MemberBusy
            | Verdict::Unknown
            | Verdict::Quarantine(_),
        ) => Ok(None),
    }
}

/// Asks a module that has no session open yet for what it must be able to give.
fn ask(
    member: &Member,
    instance: &Arc<dyn Instance>,
    request: &Request<'_>,
    output: &mut [u8],
) -> Result<Reply, Obstacle> {
    let reply = answer(member, instance, request, output)?;
    match Rv(reply.rv.0) {
        everslot_core::ckr::OK => Ok(reply),
        rv => Err(Obstacle::Evidence(Evidence::Code(rv))),
    }
}

/// What a module that has no session open yet says.
fn answer(
    member: &Member,
    instance: &Arc<dyn Instance>,
    request: &Request<'_>,
    output: &mut [u8],
) -> Result<Reply, LinkFailure> {
    instance
        .link()
        .and_then(|mut link| link.call(request, output, Some(member.deadline(request))))
        .inspect_err(|_| instance.stop(Duration::ZERO))
}
