use everslot_core::Copies;

use super::{Plan, Start, Wish};
use crate::graph::{Fairness, Graph};
use crate::scenario::Fair;

fn plan() -> Plan {
    Plan {
        members: 2,
        wishes: vec![vec![Wish::Create(0)]],
        copies: Copies::All,
        start: Start::Equal(0),
        deaths: 1,
        crashes: 0,
        wipes: 0,
        as_shipped: false,
    }
}

/// Everybody is equal some day only if the processes go on, begin what is to be done, and tokens come back: without any one of
/// these, not.
#[test]
fn each_assumption_is_needed() {
    let plan = plan();
    let graph = Graph::explore(&plan, |state, action| plan.serves(state, action));
    let all = plan.reconciles_end();
    let settles = all.last().expect("what settles");
    let put_off = |assumed| {
        let waiting = |state: &_| (settles.waiting)(&plan, state);
        graph.fair_cycle(assumed, waiting).is_some()
    };
    assert!(!put_off(settles.assumed));
    for left_out in 0..3 {
        let rest = (0..3).filter(|kind| *kind != left_out).map(Fairness::kind);
        let assumed = rest.fold(Fairness::NONE, Fairness::union);
        assert!(put_off(assumed), "without {left_out}");
    }
}

/// Nothing wished for, nothing lost: there is one state, and it is settled.
#[test]
fn a_quiet_world_is_settled() {
    let quiet = Plan {
        wishes: vec![Vec::new()],
        deaths: 0,
        ..plan()
    };
    let graph = Graph::explore(&quiet, |state, action| quiet.serves(state, action));
    assert_eq!(graph.len(), 1);
    assert!(quiet.begin().is_settled());
}
