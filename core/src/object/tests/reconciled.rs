//! A reconcile that is cut off at each step, and begun again.

use std::vec::Vec;

use super::world::{Fault, When, World};
use super::*;

/// A comes back: it holds what was destroyed, lacks what was made, has what nobody knows and what has changed on either side.
fn returning() -> World {
    let mut world = World::new();
    let copies = Copies::All;
    let good = |_: usize, _: &ChangeNext| Fault::None;
    for base in 1..=4 {
        wish(&mut world, Wish::Create { base, copies }, good);
    }
    world.dies(A);
    wish(&mut world, Wish::Destroy { base: 1 }, good);
    wish(&mut world, Wish::Create { base: 5, copies }, good);
    wish(
        &mut world,
        Wish::Update {
            base: 2,
            revision: 9,
        },
        good,
    );
    wish(
        &mut world,
        Wish::Update {
            base: 4,
            revision: 9,
        },
        good,
    );
    world.revise_foreign(A, 3, 8);
    world.revise_foreign(A, 4, 8);
    world.plant_foreign(A, 6, 0);
    world.returns(A);
    world
}

/// Where it all has to come to: 1 is gone, 4 is as the group had it.
fn assert_right(world: &World, story: &str) {
    let expected = [
        (1, None),
        (2, Some(9)),
        (3, Some(8)),
        (4, Some(9)),
        (5, Some(0)),
        (6, Some(0)),
    ];
    for (base, revision) in expected {
        let found = found(world, base);
        let expected: Vec<_> = revision
            .into_iter()
            .flat_map(|revision| ALL.map(|member| (member, 0, revision)))
            .collect();
        assert_eq!(found, expected, "{story}: object {base}");
    }
}

#[test]
fn a_member_that_returns_is_made_equal() {
    let mut world = returning();
    let (ended, reconciled) =
        reconcile(&mut world, A, Copies::All, |_, _| Fault::None).expect("no crash");
    assert!(matches!(ended, Ended::Equal { .. }));
    assert!(world.gate_closed);
    let progress = reconciled.progress();
    assert_eq!(
        (progress.copied, progress.updated, progress.destroyed),
        (1, 2, 1)
    );
    assert_eq!(
        (
            progress.adopted,
            progress.changes_adopted,
            progress.conflicts
        ),
        (1, 1, 1)
    );
    // B and C lack what A has brought.
    assert_eq!(reconciled.owed(), MemberSet::of(B).with(C));
    settle(&mut world, Copies::All);
    assert_right(&world, "undisturbed");
}

#[test]
fn it_may_be_cut_off_anywhere() {
    let mut faults: Vec<Fault> = Vec::new();
    for when in [When::Before, When::During, When::After] {
        faults.push(Fault::Crash(when));
        faults.extend(ALL.map(|member| Fault::Dies(member, when)));
    }
    let mut cut = 0;
    for first in 0..60 {
        for fault in &faults {
            for second in (0..60).step_by(13) {
                let mut world = returning();
                let at = |wanted: usize| {
                    move |step: usize, _: &ReconcileNext| {
                        if step == wanted { *fault } else { Fault::None }
                    }
                };
                let ended = reconcile(&mut world, A, Copies::All, at(first));
                cut += u32::from(ended.is_none_or(|(ended, _)| ended == Ended::MemberLost));
                world.all_return();
                let _ = reconcile(&mut world, A, Copies::All, at(second));
                settle(&mut world, Copies::All);
                assert_right(
                    &world,
                    &std::format!("{fault:?} at {first}, then at {second}"),
                );
            }
        }
    }
    assert!(cut > 500, "{cut}");
}

#[test]
fn reconciled_twice_it_changes_nothing() {
    let mut world = returning();
    settle(&mut world, Copies::All);
    for member in ALL {
        let before = world.clone();
        let (_, again) =
            reconcile(&mut world, member, Copies::All, |_, _| Fault::None).expect("no crash");
        world.gate_closed = before.gate_closed;
        assert_eq!(world, before);
        assert_eq!(again.owed(), MemberSet::EMPTY);
    }
}

/// S8: a token that returns empty gets everything back, also what it was known to hold.
#[test]
fn an_empty_token_is_filled() {
    let mut world = returning();
    settle(&mut world, Copies::All);
    world.empty(B);
    settle(&mut world, Copies::All);
    assert_right(&world, "B emptied");
}
