//! Timelines of one change: the way of each kind, and each way that it can leave it.

mod check;
mod create;
mod destroy;
mod sequences;
mod update;

use super::ChangeInput::*;
use super::{Change, ChangeAnswer, ChangeInput, ChangeKind, ChangeNext, Intent, Plant};
use crate::{Copies, MemberId, MemberSet};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);
const NOBODY: MemberSet = MemberSet::EMPTY;
const MARK: u64 = 77;

fn set(members: &[MemberId]) -> MemberSet {
    members.iter().copied().collect()
}

const fn plant(attempt: u8) -> Plant {
    let mark = MARK;
    Plant { mark, attempt }
}

/// Feeds inputs, and asks that each is followed by what stands beside it.
#[track_caller]
fn goes(change: &mut Change, steps: &[(ChangeInput, ChangeNext)]) {
    for (number, (input, next)) in steps.iter().enumerate() {
        assert_eq!(
            change.handle(*input),
            *next,
            "after step {number}, {input:?}"
        );
        assert_eq!(change.check(), Ok(()));
    }
}

fn record(kind: ChangeKind, attempt: u8, members: &[MemberId]) -> ChangeNext {
    ChangeNext::RecordIntent(Intent {
        plant: plant(attempt),
        kind,
        members: set(members),
    })
}

fn commit(attempt: u8, done: &[MemberId], unclear: &[MemberId]) -> ChangeNext {
    ChangeNext::Commit {
        plant: plant(attempt),
        done: set(done),
        unclear: set(unclear),
    }
}

fn retract(attempt: u8, left: &[MemberId]) -> ChangeNext {
    ChangeNext::Retract {
        plant: plant(attempt),
        left: set(left),
    }
}

const fn answer(answer: ChangeAnswer) -> ChangeNext {
    ChangeNext::Answer(answer)
}
