//! Worlds small enough for any test run, and controls: what must fail does fail.

use everslot_core::MemberId;

use super::Rule::{C1, L1, O1, O2, S1, S3, S6, S10, S11};
use super::{Budget, Kind, Plan, Recovery, TIME, WORK, calls};
use crate::graph::{Fairness, Graph};
use crate::scenario::{Case, Failure, Fair, Liveness, Scenario, Size};

const A: MemberId = MemberId(0);

fn one_death() -> Plan {
    Plan {
        budget: Budget {
            failures: 1,
            ..Budget::QUIET
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, S3, S6, S11, L1])
    }
}

fn one_death_in_call() -> Plan {
    Plan {
        recovery: Recovery::InCall,
        callers: 1,
        kinds: &[Kind::Sign],
        notices: false,
        rules: &[C1, O1, O2, S1, S3, S6, S10, S11],
        ..one_death()
    }
}

fn case(model: Plan, liveness: Vec<Liveness<Plan>>, size: Size) -> Case<Plan> {
    Case {
        name: "small",
        about: "a test",
        model,
        size,
        liveness,
    }
}

const fn size(unique: usize, generated: usize, depth: usize) -> Size {
    Size {
        unique,
        generated,
        depth,
    }
}

#[test]
fn one_death_and_recovery_in_the_background() {
    let plan = one_death();
    let liveness = plan.comes_back();
    let outcome = case(plan, liveness, size(358, 554, 16)).check(false);
    assert!(outcome.holds(), "{:?}", outcome.failures);
}

#[test]
fn one_death_and_recovery_within_calls() {
    let plan = one_death_in_call();
    let liveness = plan
        .comes_back()
        .into_iter()
        .chain(plan.calls_end())
        .collect();
    let outcome = case(plan, liveness, size(1_312, 3_189, 38)).check(false);
    assert!(outcome.holds(), "{:?}", outcome.failures);
}

/// Whether A comes back under these assumptions.
fn comes_back(plan: &Plan, assumed: Fairness) -> bool {
    let graph = Graph::explore(plan, |world, act| plan.serves(world, act));
    let live = plan.comes_back_if(A, assumed);
    graph
        .fair_cycle(live.assumed, |world| (live.waiting)(plan, world))
        .is_none()
}

#[test]
fn nobody_comes_back_if_time_stands_still_or_the_adapter_does() {
    let plan = one_death();
    assert!(comes_back(&plan, TIME.union(WORK)));
    assert!(!comes_back(&plan, TIME));
    assert!(!comes_back(&plan, WORK));
}

#[test]
fn within_calls_nobody_comes_back_without_calls() {
    let plan = one_death_in_call();
    assert!(comes_back(&plan, TIME.union(WORK).union(calls(0))));
    assert!(!comes_back(&plan, TIME.union(WORK)));
}

#[test]
fn from_everywhere_all_members_can_be_brought_back_unless_they_were_given_up() {
    let plan = one_death();
    let graph = Graph::explore(&plan, |world, act| plan.serves(world, act));
    let all_serve = |world: &super::World| super::places().all(|id| world.serves(id));
    let given_up = |world: &super::World| {
        world
            .group
            .members()
            .any(|(_, member)| matches!(member.state, everslot_core::MemberState::GivenUp { .. }))
    };
    assert!(
        graph
            .trap(|world| all_serve(world) || given_up(world))
            .is_none()
    );
    let trap = graph
        .trap(all_serve)
        .expect("a member that is given up stays so");
    assert!(given_up(graph.state(trap)));
}

#[test]
fn the_bound_is_reached_with_another_interval_too() {
    let plan = Plan {
        policy: (3, everslot_core::Attempts::AtMost(2)),
        ..one_death()
    };
    let bound = plan.bound();
    let graph = Graph::explore(&plan, |world, act| plan.serves(world, act));
    let longest = graph
        .states()
        .flat_map(|world| world.watch.members)
        .map(|seen| seen.waited)
        .max();
    assert_eq!(longest, Some(bound));
}

#[test]
fn another_size_is_told_with_the_size_found() {
    let outcome = case(one_death(), Vec::new(), size(357, 554, 16)).check(false);
    let [Failure::OtherSize { found, .. }] = &outcome.failures[..] else {
        panic!("{:?}", outcome.failures);
    };
    assert!(
        outcome.failures[0]
            .to_string()
            .contains(&found.unique.to_string())
    );
}
