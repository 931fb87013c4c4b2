//! The invariants see what they are there for: reconciles that no sequence of inputs leads to.

use super::*;
use crate::reconcile::walk::{Pass, Round, Walk};
use crate::reconcile::{Phase, ReconcileViolation};

fn pass(round: Round) -> Phase {
    let pass = Pass {
        round,
        since: Sequence(0),
        upto: Sequence(0),
    };
    Phase::Reading(pass, Walk::new(round))
}

#[test]
fn the_gate_is_closed_for_the_last_pass() {
    let good = begun();
    let upto = Sequence(0);
    for phase in [pass(Round::Final), Phase::Over(Ended::Equal { upto })] {
        let open = Reconcile { phase, ..good };
        assert_eq!(open.check(), Err(ReconcileViolation::GateOpen));
        let closed = Reconcile {
            gated: true,
            ..open
        };
        assert_eq!(closed.check(), Ok(()));
    }
}

#[test]
fn catching_up_ends() {
    let on_and_on = Reconcile {
        phase: pass(Round::CatchUp {
            number: 5,
            found: true,
        }),
        ..begun()
    };
    assert_eq!(on_and_on.check(), Err(ReconcileViolation::TooManyPasses));
}

#[test]
fn a_source_serves_and_is_another_member() {
    let (good, _) = first(&[group(1, GroupEntry::Live(live())), NO_OBJECT]);
    let gone = Reconcile {
        sources: set(&[C]),
        ..good
    };
    assert_eq!(gone.check(), Err(ReconcileViolation::SourceGone));
    let own = Reconcile {
        sources: set(&[A, B, C]),
        ..good
    };
    assert_eq!(own.check(), Err(ReconcileViolation::OwnSource));
}
