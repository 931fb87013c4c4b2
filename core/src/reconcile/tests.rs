//! The table, and timelines of one member's reconcile.
#![allow(
    unused_must_use,
    reason = "a timeline does not look at the output of each of its steps"
)]

mod check;
mod pairs;
mod passes;
mod table;

use super::{
    Deed, DeedOutcome, Ended, GroupEntry, Live, MemberEntry, Reconcile, ReconcileEvent,
    ReconcileInput, ReconcileNext, ReconcileOutput, Stream,
};
use crate::{Copies, MemberId, MemberSet, ObjectKey, Revision, Sequence};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);

const OLD: Revision = Revision(1);
const NEW: Revision = Revision(2);
const OTHER: Revision = Revision(3);

const DONE: ReconcileInput = ReconcileInput::Deed(DeedOutcome::Done);

fn key(number: u8) -> ObjectKey {
    ObjectKey([number; 16])
}

fn set(members: &[MemberId]) -> MemberSet {
    members.iter().copied().collect()
}

/// An object of the group in `NEW` that B and C hold.
fn live() -> Live {
    Live {
        revision: NEW,
        known: None,
        holders: set(&[B, C]),
        behind: MemberSet::EMPTY,
        carryable: true,
    }
}

fn has(revision: Revision) -> MemberEntry {
    MemberEntry {
        revision,
        twins: false,
        pending: false,
        carryable: true,
    }
}

fn group(number: u8, entry: GroupEntry) -> ReconcileInput {
    ReconcileInput::Group(Some((key(number), entry)))
}

fn object(number: u8, entry: MemberEntry) -> ReconcileInput {
    ReconcileInput::Member(Some((key(number), entry)))
}

const NO_GROUP: ReconcileInput = ReconcileInput::Group(None);
const NO_OBJECT: ReconcileInput = ReconcileInput::Member(None);
const GATE: ReconcileInput = ReconcileInput::Gate { closed: true };

/// A's reconcile, with B and C to copy from, at the beginning of its first pass.
fn begun() -> Reconcile {
    let mut reconcile = Reconcile::new(A, Copies::All);
    let sources = set(&[A, B, C]);
    let begin = [
        ReconcileInput::Start { sources },
        ReconcileInput::Cleaned,
        ReconcileInput::PassBegan(Sequence(10)),
    ];
    feed(&mut reconcile, &begin);
    reconcile
}

fn feed(reconcile: &mut Reconcile, inputs: &[ReconcileInput]) -> ReconcileOutput {
    let mut output = None;
    for input in inputs {
        output = Some(reconcile.handle(*input));
        assert_eq!(reconcile.check(), Ok(()), "after {input:?}");
    }
    output.expect("an input")
}

/// What comes of these inputs in the first pass.
fn first(inputs: &[ReconcileInput]) -> (Reconcile, ReconcileOutput) {
    let mut reconcile = begun();
    let output = feed(&mut reconcile, inputs);
    (reconcile, output)
}

/// The deed that is asked for.
#[track_caller]
fn deed(output: ReconcileOutput) -> (ObjectKey, Deed) {
    match output.next {
        ReconcileNext::Do { key, deed } => (key, deed),
        other => panic!("no deed but {other:?}"),
    }
}
