//! Both machines of the objects in a small world: three tokens, a journal, and everything that can fail.

mod crashes;
mod reconciled;
mod sequences;
mod world;

use std::vec::Vec;

use world::{Fault, Target, World};

use crate::{
    Change, ChangeAnswer, ChangeInput, ChangeNext, Copies, Ended, MemberId, MemberSet, Reconcile,
    ReconcileInput, ReconcileNext,
};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);
const ALL: [MemberId; 3] = [A, B, C];

/// More steps than any change or reconcile of this world takes (L3).
const STEPS: usize = 200;

/// What an application asks for.
#[derive(Clone, Copy, Debug)]
enum Wish {
    Create { base: u8, copies: Copies },
    Update { base: u8, revision: u64 },
    Destroy { base: u8 },
}

/// Carries a wish out; `fault` says what fails at which step. `None` if the application dies in the middle.
fn wish(
    world: &mut World,
    wish: Wish,
    fault: impl FnMut(usize, &ChangeNext) -> Fault,
) -> Option<ChangeAnswer> {
    let mark = world.random();
    let up = world.up();
    let (change, target) = match wish {
        Wish::Create { base, copies } => (
            Change::create(mark, copies, up, up, None),
            Target::New { base },
        ),
        Wish::Update { base, revision } => {
            let key = world.key_of(base)?;
            let change = Change::update(mark, world.holders(key).intersection(up));
            (change, Target::Revised { key, revision })
        }
        Wish::Destroy { base } => {
            let key = world.key_of(base)?;
            let change = Change::destroy(mark, world.holders(key).intersection(up));
            (change, Target::Gone { key })
        }
    };
    run_change(world, change, target, fault)
}

fn run_change(
    world: &mut World,
    mut change: Change,
    target: Target,
    mut fault: impl FnMut(usize, &ChangeNext) -> Fault,
) -> Option<ChangeAnswer> {
    let mut next = change.handle(ChangeInput::Start);
    for step in 0..STEPS {
        if let ChangeNext::Answer(answer) = next {
            return Some(answer);
        }
        let outcome = world.perform(target, next, fault(step, &next))?;
        let before = change;
        next = change.handle(outcome);
        assert!(change != before, "{outcome:?} is void: {change:?}");
        assert_eq!(change.check(), Ok(()));
    }
    panic!("a change without an end: {change:?}");
}

/// Resumes all intents that name one of these members; `fault` as for [`wish`]. `None` if the application dies.
fn resume(world: &mut World, members: MemberSet, fault: &mut impl FnMut() -> Fault) -> Option<()> {
    for (intent, target) in world.intents(members) {
        let target = target.resumed();
        let reachable = world.up().intersection(members);
        run_change(
            world,
            Change::resume(intent, reachable, world.current(target)),
            target,
            |_, _| fault(),
        )?;
    }
    Some(())
}

/// Reconciles a member; `fault` says what fails at which step. `None` if the application dies in the middle.
fn reconcile(
    world: &mut World,
    member: MemberId,
    copies: Copies,
    mut fault: impl FnMut(usize, &ReconcileNext) -> Fault,
) -> Option<(Ended, Reconcile)> {
    let mut reconcile = Reconcile::new(member, copies);
    let sources = world.up();
    let mut next = reconcile.handle(ReconcileInput::Start { sources }).next;
    for step in 0..STEPS {
        if let ReconcileNext::Over(ended) = next {
            return Some((ended, reconcile));
        }
        let fault = fault(step, &next);
        if next == ReconcileNext::Clean {
            let mut once = Some(fault);
            let mut fault = || once.take().unwrap_or(Fault::None);
            resume(world, MemberSet::of(member), &mut fault)?;
        }
        let input = world.perform_reconcile(member, next, fault)?;
        let before = reconcile;
        next = reconcile.handle(input).next;
        assert!(reconcile != before, "{input:?} is void: {reconcile:?}");
        assert_eq!(reconcile.check(), Ok(()));
    }
    panic!("a reconcile without an end: {reconcile:?}");
}

/// Everybody is back, nothing fails any more: what is left is resumed, and all are reconciled until nobody is owed it.
fn settle(world: &mut World, copies: Copies) {
    world.all_return();
    let all: MemberSet = ALL.into_iter().collect();
    resume(world, all, &mut || Fault::None).expect("nothing fails");
    let mut owed = all;
    for _ in 0..10 {
        let Some(member) = owed.first() else {
            break;
        };
        owed.remove(member);
        let (ended, reconcile) =
            reconcile(world, member, copies, |_, _| Fault::None).expect("nothing fails");
        assert!(matches!(ended, Ended::Equal { .. }), "{ended:?}");
        owed = owed.union(reconcile.owed());
    }
    assert!(owed.is_empty(), "reconciles without end");
}

/// On how many members the objects of a base are, and how: `(member, attempt, revision)`.
fn found(world: &World, base: u8) -> Vec<(MemberId, u8, u64)> {
    ALL.into_iter()
        .flat_map(|member| {
            world
                .objects(member)
                .filter(move |object| object.key.0[0] == base)
                .map(move |object| (member, object.key.0[1], object.revision.0))
        })
        .collect()
}
