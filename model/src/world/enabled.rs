//! What can happen next.

use everslot_core::{Login, MemberId, MemberSet, MemberState, Role, Step, candidates};

use super::act::{Act, Kind, Order};
use super::caller::{Busy, Caller, Stage};
use super::job::Ongoing;
use super::plan::{Orders, Plan, Recovery};
use super::token::{Task, Work};
use super::{World, places};

/// All that can happen next.
pub(super) fn enabled(plan: &Plan, world: &World, acts: &mut Vec<Act>) {
    world.time_acts(plan, acts);
    for member in places() {
        world.token_acts(plan, member, acts);
    }
    if world.left.orders > 0 {
        world.order_acts(plan, acts);
    }
    if plan.status_reads && !world.watch.all_told(&world.group) {
        acts.push(Act::StatusRead);
    }
    if plan.logs_out && world.is_logged_in() && !world.is_logging_in() {
        acts.push(Act::LogOut);
    }
    for caller in 0..plan.callers {
        world.call_acts(plan, caller, acts);
    }
    if plan.as_shipped {
        acts.retain(|act| world.is_shipped(plan, *act));
    }
}

impl World {
    /// Time passes only when everything is done that is due by then: deadlines hold, and so does the timer.
    fn time_acts(&self, plan: &Plan, acts: &mut Vec<Act>) {
        let timer_is_due = plan.recovery == Recovery::Background && self.timer_is_due();
        if timer_is_due {
            acts.push(Act::Timer);
        }
        let is_late = |task: Task| task.late;
        let overdue = self
            .tokens
            .iter()
            .any(|token| token.task.is_some_and(is_late));
        if self.left.ticks != Some(0) && !timer_is_due && !overdue {
            acts.push(Act::Tick);
        }
    }

    fn token_acts(&self, plan: &Plan, member: MemberId, acts: &mut Vec<Act>) {
        let token = &self.tokens[member.index()];
        if !token.reachable {
            acts.push(Act::Comes(member));
        } else if self.left.failures > 0 {
            acts.push(Act::Fails(member));
        }
        if plan.notices && self.serves(member) && !token.is_well() {
            acts.push(Act::Noticed(member));
        }
        if let Some(task) = token.task {
            acts.push(Act::TaskEnds(member));
            let finds_token = matches!(
                task.work,
                Work::Step {
                    step: Step::Open,
                    ..
                }
            );
            if finds_token && token.reachable && self.left.odd_answers > 0 {
                acts.push(Act::TaskRefused(member));
            }
        }
    }

    fn order_acts(&self, plan: &Plan, acts: &mut Vec<Act>) {
        for orders in plan.orders {
            match orders {
                Orders::Policies => acts.push(Act::Obey(Order::SetPolicy)),
                Orders::Membership | Orders::Parking | Orders::Recovering | Orders::Roles => {
                    acts.extend(
                        places()
                            .filter_map(|member| self.order_for(*orders, member))
                            .map(Act::Obey),
                    );
                }
            }
        }
    }

    /// The order of this kind that makes sense for a member.
    fn order_for(&self, orders: Orders, id: MemberId) -> Option<Order> {
        let Some(member) = self.group.member(id) else {
            return (orders == Orders::Membership).then_some(Order::Add(id));
        };
        match orders {
            Orders::Membership => Some(Order::Remove(id)),
            Orders::Parking if member.state == MemberState::Parked => Some(Order::Unpark(id)),
            Orders::Parking => Some(Order::Park(id)),
            Orders::Recovering => match member.state {
                MemberState::Lost { .. }
                | MemberState::GivenUp { .. }
                | MemberState::Quarantined { .. } => Some(Order::Recover(id)),
                MemberState::Active
                | MemberState::Standby
                | MemberState::Recovering { .. }
                | MemberState::Parked => None,
            },
            Orders::Roles => Some(Order::SetRole(
                id,
                match member.role {
                    Role::Active => Role::Standby,
                    Role::Standby => Role::Active,
                },
            )),
            Orders::Policies => None,
        }
    }

    fn call_acts(&self, plan: &Plan, caller: usize, acts: &mut Vec<Act>) {
        match &self.callers[caller] {
            Caller::Idle { work } => {
                let may_start = |kind: &&Kind| self.may_start(plan, **kind, work.as_ref());
                let starts = plan.kinds.iter().filter(may_start);
                acts.extend(starts.map(|&kind| Act::Start(caller, kind)));
            }
            Caller::Busy(busy) => self.busy_acts(plan, caller, busy, acts),
        }
    }

    fn may_start(&self, plan: &Plan, kind: Kind, work: Option<&Ongoing>) -> bool {
        let has_work = work.is_some();
        let parts = work.map_or(0, |work| work.work.parts());
        match kind {
            Kind::LogIn { .. } => {
                self.left.logins > 0
                    && self.group.login() == Login::Out
                    && !self.is_logging_in()
                    && !has_work
            }
            Kind::Part => {
                has_work && parts < u32::from(plan.job.parts) && self.left.calls != Some(0)
            }
            Kind::Finish => has_work && self.left.calls != Some(0),
            Kind::Sign | Kind::Generate | Kind::Begin => !has_work && self.left.calls != Some(0),
        }
    }

    fn busy_acts(&self, plan: &Plan, caller: usize, busy: &Busy, acts: &mut Vec<Act>) {
        match busy.stage {
            Stage::Choosing { tried } => self.choices(caller, busy, tried, acts),
            Stage::Chosen(_) => acts.push(Act::Issue(caller)),
            Stage::Sent(_) => {
                let fates = self.fates(plan, busy);
                acts.extend(fates.into_iter().map(|fate| Act::Resolve(caller, fate)));
            }
            Stage::Reopening(_) => acts.push(Act::Reopen(caller)),
            Stage::Probing(_) => acts.push(Act::Probe(caller)),
            Stage::Answered(_) => acts.push(Act::Return(caller)),
        }
    }

    /// Any candidate may be chosen, whatever the loads: `choose` picks one of them. With none, a call waits as long as
    /// somebody that it has not tried is about to log in or out.
    fn choices(&self, caller: usize, busy: &Busy, tried: MemberSet, acts: &mut Vec<Act>) {
        if let Some(target) = busy.at_hand(tried) {
            acts.push(Act::Choose(caller, Some(target.member)));
            return;
        }
        let everybody = MemberSet::from_bits(u32::MAX);
        let serving = self.group.view().serving();
        let candidates = candidates(serving, everybody, tried);
        if candidates.is_empty() && serving.awaited(everybody, tried).is_empty() {
            acts.push(Act::Choose(caller, None));
        }
        acts.extend(
            candidates
                .iter()
                .map(|member| Act::Choose(caller, Some(member))),
        );
    }

    pub(super) fn serves(&self, member: MemberId) -> bool {
        self.group
            .member(member)
            .is_some_and(|member| member.state.serves())
    }

    /// The adapter lets one login at a time through to the members.
    fn is_logging_in(&self) -> bool {
        self.callers.iter().any(Caller::is_logging_in)
    }
}
