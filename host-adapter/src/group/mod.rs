//! The group as the adapter drives it: the core's decisions under one lock, the members that they are about, and the threads
//! and clocks that carry them out.
//!
//! A call on a healthy group reads [`PublishedView`](view::PublishedView) and takes a lease; it never takes the lock. Only a verdict other than "fine"
//! or "caller's fault", a login, the timer and an operator do.

mod apart;
mod background;
mod clock;
mod core_state;
mod eras;
mod errand;
mod events;
mod lease;
mod load;
mod login;
mod member;
mod membership;
mod offers;
mod perform;
mod pins;
mod pool;
#[cfg(test)]
#[path = "pool/tests.rs"]
mod pool_tests;
mod recovery;
mod room;
mod roster;
mod start;
mod status;
mod synchronise;
mod tally;
mod view;
#[cfg(test)]
pub(crate) mod witnesses;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use everslot_core::{
    Action, Event, Evidence, Group, Incarnation, Input, Login, MemberId, Output, QuarantineReason,
    Serving, WakeUp,
};

use crate::config::GroupConfig;
use crate::live::Live;
use crate::module::Instance;
use crate::objects::Keeper;
use crate::slot_events::EventFlag;
use background::Background;
use clock::Clock;
use core_state::CoreState;
pub(crate) use errand::{Done, EVERY_MEMBER, Errand, Stop};
pub(crate) use lease::{Home, Lease};
use load::Loads;
use login::Secret;
pub(crate) use member::Member;
use offers::Offering;
pub(crate) use offers::OffersVersion;
use pins::Pins;
pub(crate) use recovery::longest_start;
pub(crate) use room::Relief;
use roster::Roster;

use crate::sync;
use crate::threads::Threads;
use crate::trace::{Recorder, Step};

/// The core's group at the capacity that the adapter ships.
type Core = Group<32>;

/// A group of members and what drives it.
pub(crate) struct GroupDriver {
    pub(crate) config: Live<GroupConfig>,
    core: CoreState<Core>,
    roster: Live<Roster>,
    loads: Mutex<Loads>,
    /// One change of the configuration at a time.
    operator: Mutex<()>,
    offers: Offering,
    clock: Clock,
    secret: Mutex<Option<Arc<Secret>>>,
    pins: Pins,
    /// One recovery attempt at a time where recovery runs inside calls.
    in_call_turn: Mutex<()>,
    background: Option<Background>,
    relief: OnceLock<Relief>,
    threads: Threads,
    /// Of the group's objects.
    pub(crate) keeper: Keeper,
    synchronised: synchronise::Synchronised,
    /// Set when the group comes or goes.
    event: EventFlag,
    /// Where what the machines are told and answer is written down, if anywhere.
    trace: Option<Recorder>,
    /// Where its threads wait until a script says that they go on.
    #[cfg(test)]
    stops: Option<Arc<witnesses::Stops>>,
}

impl GroupDriver {
    /// Who has this id, or had it last.
    pub(crate) fn member(&self, member: MemberId) -> Option<&Arc<Member>> {
        self.roster.at(member)
    }

    pub(crate) fn members(&self) -> &[Arc<Member>] {
        self.roster.members()
    }

    /// The members that calls may be sent to at the moment.
    pub(crate) fn serving(&self) -> everslot_core::MemberSet {
        let serving = self.core.view.serving();
        serving.active.union(serving.standby)
    }

    /// The members that serve once none is logging in or out: for work that is about all of them.
    pub(crate) fn settled(&self) -> everslot_core::MemberSet {
        loop {
            let serving = self.core.view.serving();
            if serving.changing.is_empty() || !self.wait_for_view(serving) {
                return serving.active.union(serving.standby);
            }
        }
    }

    /// Whether a member serves, or is about to when it has followed the group's login.
    pub(crate) fn is_present(&self) -> bool {
        self.core.view.serving() != Serving::default()
    }

    /// Who is logged in to the virtual token.
    pub(crate) fn login(&self) -> Login {
        self.lock().login()
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.login() != Login::Out
    }

    /// Tells the core that a member was lost. `instance` is the load on which a call got no answer: it is ended, since nothing
    /// that hangs or has died in it can be saved.
    pub(crate) fn report_loss(
        self: &Arc<Self>,
        member: MemberId,
        incarnation: Incarnation,
        evidence: Evidence,
        instance: Option<Arc<dyn Instance>>,
    ) {
        let lost = Input::Lost {
            member,
            incarnation,
            evidence,
        };
        let output = match (instance, self.member(member)) {
            (Some(instance), Some(found))
                if matches!(evidence, Evidence::DeadlinePassed | Evidence::HostEnded) =>
            {
                found.load.give_up(&instance, || self.feed(lost))
            }
            _ => self.feed(lost),
        };
        self.carry_out(&output);
    }

    pub(crate) fn quarantine(
        self: &Arc<Self>,
        (member, incarnation): (MemberId, Incarnation),
        why: QuarantineReason,
    ) {
        self.drive(Input::Quarantine {
            member,
            incarnation,
            why,
        });
    }

    /// Begins the end: no attempt and no call is begun any more, and the hosts are asked to finish. [`stop`](Self::stop) is to follow.
    pub(crate) fn begin_to_stop(&self) {
        self.core.begin_to_stop();
        if let Some(background) = &self.background {
            background.stop();
        }
        for member in self.members() {
            member.load.begin_to_close(load::GRACE);
        }
        self.core.dismiss();
    }

    /// Ends the loads and the threads, by force what has not ended by then; calls that are under way get their error at once.
    pub(crate) fn stop(&self, until: std::time::Instant) {
        if let Some(trace) = &self.trace {
            trace.end();
        }
        for member in self.members() {
            member.load.close(until);
        }
        for member in self.members() {
            member.let_go();
        }
        if !self.threads.end(until + load::GRACE) {
            tracing::warn!(
                "a module in this process does not end its call: a thread of ours stays with it"
            );
        }
    }

    /// When [`stop`](Self::stop) is to use force.
    pub(crate) fn grace() -> std::time::Instant {
        std::time::Instant::now() + load::GRACE
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.core.is_stopping()
    }

    /// Where what the machines are told and answer is written down, if anywhere.
    #[inline]
    pub(crate) const fn trace(&self) -> Option<&Recorder> {
        self.trace.as_ref()
    }

    /// Gives the core an input and publishes what follows; the actions are the caller's to carry out.
    fn feed(&self, input: Input) -> Output {
        let mut core = self.lock();
        self.advance(&mut core, input)
    }

    /// Gives the core an input, with the lock held.
    fn advance(&self, core: &mut Core, input: Input) -> Output {
        let at = self.clock.now();
        let before = self
            .trace
            .as_ref()
            .and_then(|trace| trace.state_before(core));
        let output = core.handle(input, at);
        if let Some(trace) = &self.trace {
            let step = Step {
                at,
                input,
                output: output.clone(),
                wake_up: core.poll_timeout(),
            };
            trace.note_step(before, step);
        }
        self.settle(core, &output);
        output
    }

    /// Publishes the core's state after a step; called with the lock held, so that views are published in their order.
    fn settle(&self, core: &Core, output: &Output) {
        for (id, state) in core.members() {
            if let Some(member) = self.member(id) {
                member.set_incarnation(state.incarnation);
            }
        }
        for action in &output.actions {
            if let Action::Close {
                member,
                incarnation,
            } = action
                && let Some(member) = self.member(*member)
            {
                member.end_era(*incarnation);
            }
        }
        for event in &output.events {
            // Before the view that lets calls go to it.
            if let Event::Returned { member, .. } = event {
                self.admit_offer(*member);
            }
        }
        let due = match core.poll_timeout() {
            WakeUp::Idle => None,
            WakeUp::At(instant, _) => Some(instant),
        };
        let was_present = self.is_present();
        self.core.publish(&core.view(), due);
        if self.is_present() != was_present {
            self.event.set();
        }
        if !self.is_stopping() {
            output
                .events
                .iter()
                .for_each(|event| events::note(self, event));
        }
        match &self.background {
            Some(background) => background.wake(),
            None => self.event.stir(),
        }
    }

    /// Waits until others serve than those that were seen to, at most a deadline's time. `false` when there was no change, or will be none.
    fn wait_for_view(&self, seen: Serving) -> bool {
        let patience = self
            .members()
            .iter()
            .map(|member| member.config.deadline)
            .max()
            .unwrap_or_default();
        #[cfg(test)]
        let _idle = self.stops.as_ref().map(|stops| stops.idle());
        self.core.wait_for_view(seen, patience)
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock()
    }
}
