//! The invariants see what they are there for: changes that no sequence of inputs leads to.

use super::*;
use crate::change::{ChangeViolation, Phase};

fn good() -> Change {
    let all = set(&[A, B, C]);
    let mut change = Change::create(MARK, Copies::All, all, all, None);
    for input in [Start, Done, Done] {
        let _ = change.handle(input);
    }
    assert_eq!(change.check(), Ok(()));
    change
}

#[test]
fn nobody_has_it_both_ways() {
    for (away, unclear) in [(NOBODY, set(&[A])), (set(&[A]), NOBODY)] {
        let both = Change {
            away,
            unclear,
            ..good()
        };
        assert_eq!(both.check(), Err(ChangeViolation::BothWays));
    }
}

#[test]
fn it_is_made_once_and_copied_from_where_it_is() {
    let with = |phase| Change { phase, ..good() };
    let wrong = [
        (Phase::Making(B), ChangeViolation::MadeTwice),
        (Phase::Finding(B), ChangeViolation::MadeTwice),
        (Phase::Copying { from: B, to: C }, ChangeViolation::Copy),
        (Phase::Copying { from: A, to: A }, ChangeViolation::Copy),
        (Phase::Updating(B), ChangeViolation::AskedAgain),
        (Phase::Destroying(A), ChangeViolation::AskedAgain),
        (
            Phase::Settling { member: A, from: A },
            ChangeViolation::Pattern,
        ),
        (
            Phase::Settling { member: B, from: C },
            ChangeViolation::Pattern,
        ),
    ];
    for (phase, violation) in wrong {
        assert_eq!(with(phase).check(), Err(violation), "{phase:?}");
    }
    for (member, from, sound) in [(B, C, &[C][..]), (A, B, &[C]), (A, A, &[A])] {
        let sound = set(sound);
        let phase = Phase::Restoring {
            member,
            from,
            sound,
        };
        assert_eq!(with(phase).check(), Err(ChangeViolation::Pattern));
    }
    let unasked = Change {
        done: NOBODY,
        phase: Phase::Making(B),
        ..good()
    };
    assert_eq!(unasked.check(), Err(ChangeViolation::AskedAgain));
}

#[test]
fn what_is_committed_is_made_somewhere() {
    let nowhere = Change {
        done: NOBODY,
        phase: Phase::Committing { again: false },
        ..good()
    };
    assert_eq!(nowhere.check(), Err(ChangeViolation::NothingMade));
    let unclear = set(&[C]);
    let nobody_knows = Change { unclear, ..nowhere };
    assert_eq!(nobody_knows.check(), Err(ChangeViolation::NothingMade));
    let kind = ChangeKind::Destroy;
    let destroyed_nowhere = Change { kind, ..nowhere };
    assert_eq!(destroyed_nowhere.check(), Err(ChangeViolation::NothingMade));
    let perhaps_destroyed = Change {
        kind,
        ..nobody_knows
    };
    assert_eq!(perhaps_destroyed.check(), Ok(()));
}
