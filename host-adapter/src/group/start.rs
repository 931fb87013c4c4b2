//! A group's beginning: its members, what they need, and how long the application waits for them.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use everslot_core::{Incarnation, MemberId, MemberState};

use super::background::Background;
use super::clock::Clock;
use super::core_state::CoreState;
use super::load::Loads;
use super::offers::{Offering, Offers};
use super::pins::Pins;
use super::roster::Roster;
use super::{Core, GroupDriver, Member, synchronise};
use crate::config::{GroupConfig, MemberConfig, RecoveryMode};
use crate::live::Live;
use crate::objects::Keeper;
use crate::slot_events::EventFlag;
use crate::threads::Threads;
use crate::trace::Recorder;

/// How much longer `C_Initialize` waits for the other members when one serves: what an application looks for may live on one of
/// them only.
const GRACE: Duration = Duration::from_millis(500);

impl GroupDriver {
    /// Makes the group and begins to bring its members up; [`wait_until_serving`](Self::wait_until_serving) waits for the first.
    pub(crate) fn start(
        config: GroupConfig,
        host_program: Option<PathBuf>,
        threads_forbidden: bool,
        event: EventFlag,
    ) -> Arc<Self> {
        let in_call = threads_forbidden || config.recovery.mode == RecoveryMode::InCall;
        let threads = Threads::new();
        let trace = trace(&config, &threads, threads_forbidden);
        let loads = Loads::new(host_program, threads_forbidden);
        let background = if in_call { None } else { Background::new() };
        let driver = Arc::new(Self::of_parts(
            config,
            loads,
            background,
            (threads, trace),
            event,
        ));
        for member in driver.members() {
            driver.seat(member);
        }
        if let Some(background) = &driver.background {
            background.start(&driver);
        }
        driver
    }

    /// A group of which nothing has begun.
    pub(super) fn of_parts(
        config: GroupConfig,
        mut loads: Loads,
        background: Option<Background>,
        (threads, trace): (Threads, Option<Recorder>),
        event: EventFlag,
    ) -> Self {
        Self {
            core: CoreState::new(Core::new(config.recovery.policy)),
            roster: Live::new(Roster::new(members(&config, &mut loads))),
            loads: Mutex::new(loads),
            operator: Mutex::default(),
            offers: Offering::new(Offers::unseen(config.mechanisms)),
            clock: Clock::start(),
            secret: Mutex::new(None),
            pins: Pins::new(),
            in_call_turn: Mutex::new(()),
            background,
            threads,
            keeper: Keeper::new(&config).traced(trace.clone()),
            trace,
            relief: OnceLock::new(),
            event,
            synchronised: synchronise::Synchronised::default(),
            config: Live::new(config),
            #[cfg(test)]
            stops: None,
        }
    }

    /// Waits until every member has been tried, at most [`GRACE`] longer than it takes until one serves, and at most `deadline`.
    pub(crate) fn wait_until_serving(self: &Arc<Self>, deadline: Duration) {
        let mut end = std::time::Instant::now() + deadline;
        if self.background.is_none() {
            while std::time::Instant::now() < end && self.attempt_if_due() {}
            return;
        }
        let mut waited_for_first = false;
        let mut core = self.lock();
        while !all_tried(&core) {
            if !self.serving().is_empty() && !waited_for_first {
                waited_for_first = true;
                end = end.min(std::time::Instant::now() + GRACE);
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return;
            }
            core = self.core.wait(core, left);
        }
    }
}

/// A trace is no reason to fail: what cannot be written is said.
fn trace(config: &GroupConfig, threads: &Threads, threads_forbidden: bool) -> Option<Recorder> {
    let path = config.trace.as_ref()?;
    if threads_forbidden {
        tracing::warn!(
            group = config.label,
            "the application forbids threads: no trace is written"
        );
        return None;
    }
    let begun = Recorder::begin(path, threads);
    begun
        .inspect_err(|error| {
            tracing::error!(group = config.label, trace = %path.display(), %error, "no trace is written");
        })
        .ok()
}

/// Whether an attempt at the member has ended, well or not.
pub(super) fn was_tried(state: &MemberState) -> bool {
    match state {
        MemberState::Lost { outage } => outage.attempts > 0,
        MemberState::Recovering { outage, .. } => outage.attempts > 1,
        MemberState::Active
        | MemberState::Standby
        | MemberState::GivenUp { .. }
        | MemberState::Quarantined { .. }
        | MemberState::Parked => true,
    }
}

/// Every member has had its first attempt, and none is being tried.
fn all_tried(core: &Core) -> bool {
    core.members().all(|(_, member)| was_tried(&member.state))
}

fn members(config: &GroupConfig, loads: &mut Loads) -> Vec<Arc<Member>> {
    let channels = |settings: &crate::module::ModuleSettings| {
        let sharers = config
            .members
            .iter()
            .filter(|member| member.settings() == *settings);
        sharers.map(channels).sum()
    };
    let of_config = |(id, member): (MemberId, &MemberConfig)| {
        let settings = member.settings();
        let load = loads.share(&settings, channels(&settings));
        Arc::new(Member::new(id, member.clone(), load, Incarnation(0)))
    };
    let ids = (0..).map(MemberId);
    ids.zip(&config.members).map(of_config).collect()
}

/// The links that a member needs.
pub(super) fn channels(member: &MemberConfig) -> u32 {
    // One more for its anchor.
    member.sessions.get().saturating_add(1)
}
