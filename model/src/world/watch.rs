//! What is watched beside the core, to know whether it keeps its rules.

use std::time::Duration;

use everslot_core::{
    Action, Attempts, Event, Evidence, Group, Input, LoginOutcome, Member, MemberId, MemberState,
    Output, Role, Rv, StepOutcome, ckr,
};

use super::caller::Target;
use super::plan::{Plan, Recovery};
use super::properties::Rule;
use super::{MEMBERS, World, places};

/// What is watched.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Watch {
    pub(super) members: [Seen; MEMBERS],
    /// The first rule that was broken in a step.
    pub(super) breach: Option<Breach>,
}

/// A rule that was broken by what the core did in one step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Breach {
    /// The core panicked.
    Panic,
    /// Of a rule.
    Of(Rule),
}

/// What has been seen of a member.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Seen {
    /// Attempts begun in this outage.
    pub(super) attempts: u8,
    /// Ticks before which no attempt may begin by itself.
    pub(super) rest: u8,
    /// Whether a status read has shown that it is out of service.
    pub(super) told: bool,
    /// Ticks for which it has been reachable, out of service, and not without attempts.
    pub(super) waited: u8,
    /// How often it has refused a PIN that another member has accepted, up to 2.
    pub(super) refusals: u8,
}

impl Watch {
    pub(super) const NOTHING: Self = Self {
        members: [Seen::NOTHING; MEMBERS],
        breach: None,
    };

    /// Whether a status read would tell nothing new.
    pub(super) fn all_told(&self, group: &Group<MEMBERS>) -> bool {
        group
            .members()
            .all(|(id, member)| !has_failed(&member) || self.members[id.index()].told)
    }

    pub(super) fn breaks(&mut self, rule: Rule) {
        self.breach = self.breach.or(Some(Breach::Of(rule)));
    }
}

impl Seen {
    const NOTHING: Self = Self {
        attempts: 0,
        rest: 0,
        told: false,
        waited: 0,
        refusals: 0,
    };
}

/// Whether the seed's status shows a member as failed.
pub(super) const fn has_failed(member: &Member) -> bool {
    match member.state {
        MemberState::Active | MemberState::Standby | MemberState::Parked => false,
        MemberState::Lost { .. }
        | MemberState::Recovering { .. }
        | MemberState::GivenUp { .. }
        | MemberState::Quarantined { .. } => true,
    }
}

impl World {
    /// What the seed shows for a member (S5).
    pub(super) fn expected_status(&self, id: MemberId) -> Option<Rv> {
        let member = self.group.member(id)?;
        Some(
            match (member.state.serves(), self.watch.members[id.index()].told) {
                (true, _) => ckr::OK,
                (false, false) if has_failed(&member) => ckr::DEVICE_ERROR,
                (false, _) => ckr::TOKEN_NOT_PRESENT,
            },
        )
    }

    /// Whether the member waits for nothing but the group: it can be reached and may still be tried.
    pub(super) fn waits(&self, id: MemberId) -> bool {
        let may_be_tried = self
            .group
            .member(id)
            .is_some_and(|member| match member.state {
                MemberState::Lost { .. } | MemberState::GivenUp { .. } => self.attempts_left(id),
                MemberState::Recovering { .. } => true,
                MemberState::Active
                | MemberState::Standby
                | MemberState::Quarantined { .. }
                | MemberState::Parked => false,
            });
        may_be_tried && self.tokens[id.index()].reachable
    }

    /// Whether, by our own count, the outage of a member may have a further attempt.
    fn attempts_left(&self, id: MemberId) -> bool {
        let begun = self.watch.members[id.index()].attempts;
        match self.group.policy().attempts {
            Attempts::AtMost(limit) => u16::from(begun) < limit,
            Attempts::Unlimited => true,
        }
    }

    pub(super) fn watch_tick(&mut self, plan: &Plan) {
        for id in places() {
            let waits = plan.recovery == Recovery::Background && self.waits(id);
            let seen = &mut self.watch.members[id.index()];
            seen.rest = seen.rest.saturating_sub(1);
            seen.waited = if waits {
                (seen.waited + 1).min(plan.bound() + 1)
            } else {
                0
            };
        }
    }

    /// After each step.
    pub(super) fn watch_all(&mut self) {
        for id in places() {
            if !self.waits(id) {
                self.watch.members[id.index()].waited = 0;
            }
        }
        let well = self.well();
        for caller in &mut self.callers {
            if let Some(busy) = caller.busy_mut() {
                busy.steady = busy.steady.intersection(well);
            }
        }
    }

    /// After each input of the group.
    pub(super) fn watch_group(
        &mut self,
        before: &Group<MEMBERS>,
        input: Input,
        output: &Output<MEMBERS>,
    ) {
        for id in places() {
            let (was, is) = (before.member(id), self.group.member(id));
            self.watch_outage(id, was, is);
            self.watch_attempt(id, was, is, input);
        }
        match input {
            Input::StatusRead => self.told(),
            Input::LoginAccepted { .. } | Input::LogOut => self.login_changes(),
            Input::Recover { member } => self.watch.members[member.index()].refusals = 0,
            Input::SetPolicy(policy) => {
                self.interval_changes(
                    as_ticks(before.policy().interval),
                    as_ticks(policy.interval),
                );
            }
            _ => {}
        }
        if !self.is_obeyed(before, input) {
            self.watch.breaks(Rule::O1);
        }
        if !self.is_told(before, output) {
            self.watch.breaks(Rule::O2);
        }
        if !self.closes_rightly(output) {
            self.watch.breaks(Rule::S11);
        }
    }

    /// S11: nobody's sessions are dropped who serves or is being brought back.
    fn closes_rightly(&self, output: &Output<MEMBERS>) -> bool {
        output.actions.iter().all(|action| match action {
            Action::Close { member, .. } => self.group.member(*member).is_none_or(|member| {
                !member.state.serves() && !matches!(member.state, MemberState::Recovering { .. })
            }),
            Action::Perform { .. } | Action::LogIn { .. } | Action::LogOut { .. } => true,
        })
    }

    fn told(&mut self) {
        for (id, member) in self.group.members() {
            self.watch.members[id.index()].told |= has_failed(&member);
        }
    }

    /// A member on its way back has to follow, which is not its fault; and there is a PIN to be refused anew.
    fn login_changes(&mut self) {
        for seen in &mut self.watch.members {
            seen.waited = 0;
            seen.refusals = 0;
        }
    }

    /// Who rests does so for the new interval; who has rested has.
    fn interval_changes(&mut self, from: u8, to: u8) {
        for seen in &mut self.watch.members {
            if seen.rest > 0 {
                seen.rest = (seen.rest + to).saturating_sub(from);
            }
        }
    }

    fn watch_outage(&mut self, id: MemberId, was: Option<Member>, is: Option<Member>) {
        let seen = &mut self.watch.members[id.index()];
        let Some(is) = is else {
            *seen = Seen::NOTHING;
            return;
        };
        let had_failed = was.is_some_and(|was| has_failed(&was));
        if !has_failed(&is) || !had_failed {
            seen.attempts = 0;
            // A parked member is known not to be there, and stays so until it is back.
            seen.told = has_failed(&is) && was.is_some_and(|was| was.state == MemberState::Parked);
        }
        if matches!(is.state, MemberState::Quarantined { .. }) {
            seen.attempts = 0;
        }
    }

    /// S3: attempts are at most N, and at least X apart unless an operator wants one at once.
    fn watch_attempt(
        &mut self,
        id: MemberId,
        was: Option<Member>,
        is: Option<Member>,
        input: Input,
    ) {
        let Some((was, is)) = was
            .zip(is)
            .filter(|(was, is)| has_begun(&was.state, &is.state))
        else {
            return;
        };
        let policy = self.group.policy();
        let joins = was
            .state
            .outage()
            .is_some_and(|outage| outage.evidence == Evidence::Joining);
        let seen = &mut self.watch.members[id.index()];
        let mut allowed = true;
        if input == (Input::Recover { member: id }) {
            seen.attempts = 1;
        } else {
            seen.attempts += 1;
            allowed = seen.rest == 0
                && match policy.attempts {
                    Attempts::AtMost(0) => joins,
                    Attempts::AtMost(limit) => u16::from(seen.attempts) <= limit,
                    Attempts::Unlimited => {
                        seen.attempts = 1;
                        true
                    }
                };
        }
        seen.rest = as_ticks(policy.interval);
        let counted = is.state.outage().map(|outage| outage.attempts);
        let right =
            policy.attempts == Attempts::Unlimited || counted == Some(u16::from(seen.attempts));
        if !allowed || !right {
            self.watch.breaks(Rule::S3);
        }
    }

    /// S2, S7: whoever is chosen serves with the group's login, and a standby only when no active member is left.
    pub(super) fn watch_choice(&mut self, caller: usize, chosen: MemberId) {
        let Some(busy) = self.callers[caller].busy() else {
            return;
        };
        let asked = busy.asked;
        let usable = |id: MemberId| self.group.member(id).filter(Member::is_usable);
        let active_left = places().any(|id| {
            usable(id).is_some_and(|member| member.role == Role::Active) && !asked.contains(id)
        });
        let right = match usable(chosen).map(|member| member.role) {
            Some(Role::Active) => true,
            Some(Role::Standby) => !active_left,
            None => false,
        };
        if !right {
            self.watch.breaks(Rule::S2);
        }
    }

    /// S2, S6: what is sent over a lease goes to a member that serves, in the incarnation of the lease.
    pub(super) fn watch_send(&mut self, target: Target) {
        let member = self.group.member(target.member);
        let incarnation = member.map(|member| member.incarnation);
        if incarnation != Some(target.incarnation) {
            self.watch.breaks(Rule::S6);
        } else if !self.serves(target.member) {
            self.watch.breaks(Rule::S2);
        }
    }

    /// S12: a member that refuses the group's PIN is not asked again.
    pub(super) fn watch_pin(&mut self, id: MemberId, input: &Input) {
        let refused = matches!(
            input,
            Input::Step {
                outcome: StepOutcome::Refused(_),
                ..
            } | Input::LoginChanged {
                outcome: LoginOutcome::Refused(_),
                ..
            }
        );
        let seen = &mut self.watch.members[id.index()];
        seen.refusals = (seen.refusals + u8::from(refused)).min(2);
    }

    /// O2: the events tell what happened to the members.
    fn is_told(&self, before: &Group<MEMBERS>, output: &Output<MEMBERS>) -> bool {
        let told = |wanted: &dyn Fn(&Event) -> bool| {
            output.events.iter().filter(|event| wanted(event)).count()
        };
        places().all(|id| {
            let (was, is) = (before.member(id), self.group.member(id));
            let served = was.is_some_and(|was| was.state.serves());
            let serves = is.is_some_and(|is| is.state.serves());
            let begun = was.zip(is).is_some_and(|(was, is)| has_begun(&was.state, &is.state));
            let lost = served && is.is_some_and(|is| matches!(is.state, MemberState::Lost { .. }));
            let returned = |event: &Event| matches!(event, Event::Returned { member, incarnation, .. }
                if *member == id && is.is_some_and(|is| is.incarnation == *incarnation));
            let lost_told = |event: &Event| matches!(event, Event::Lost { member, incarnation, .. }
                if *member == id && was.is_some_and(|was| was.incarnation == *incarnation));
            let begun_told = |event: &Event| matches!(event, Event::AttemptBegan { member, .. } if *member == id);
            told(&returned) == usize::from(serves && !served)
                && told(&lost_told) == usize::from(lost)
                && told(&begun_told) == usize::from(begun)
        })
    }
}

/// An interval of a policy; a tick is a millisecond.
fn as_ticks(interval: Duration) -> u8 {
    u8::try_from(interval.as_millis()).expect("intervals of a few ticks")
}

/// Whether an attempt begins between two states.
fn has_begun(was: &MemberState, is: &MemberState) -> bool {
    match (was, is) {
        (MemberState::Recovering { serial: was, .. }, MemberState::Recovering { serial, .. }) => {
            was != serial
        }
        (_, MemberState::Recovering { .. }) => true,
        _ => false,
    }
}
