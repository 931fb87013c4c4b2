use std::vec::Vec;

use proptest::prelude::*;

use super::{A, B, seat};
use crate::{Replayable, Seat, Work, WorkInput, WorkNext};

fn any_seat() -> impl Strategy<Value = Seat> {
    proptest::sample::select(std::vec![A, B, seat(0, 2, 7), seat(0, 1, 8)])
}

fn any_input() -> impl Strategy<Value = WorkInput> {
    prop_oneof![
        4 => any_seat().prop_map(WorkInput::Reached),
        6 => Just(WorkInput::Done),
        2 => any::<bool>().prop_map(WorkInput::Compared),
        1 => Just(WorkInput::Failed),
        1 => Just(WorkInput::Unchanged),
        3 => (any::<bool>(), prop::bool::weighted(0.9))
            .prop_map(|(output, recorded)| WorkInput::Taken { output, recorded }),
        1 => Just(WorkInput::Ended),
    ]
}

fn any_work() -> impl Strategy<Value = Work> {
    let replayable = proptest::sample::select(std::vec![
        Replayable::Alike,
        Replayable::UntilOutput,
        Replayable::Never
    ]);
    replayable.prop_map(|replayable| Work::begun(replayable, Some(A)))
}

/// What a member's session has of the operation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Had {
    begun: bool,
    parts: Vec<u32>,
}

proptest! {
    /// Whatever comes, in whatever order: the invariants hold, and a call goes only over a session that has been begun once and given
    /// exactly the acknowledged parts, once each and in their order (S4).
    #[test]
    fn a_call_is_sent_where_exactly_the_acknowledged_parts_are(
        mut work in any_work(),
        inputs in proptest::collection::vec(any_input(), 0..80),
    ) {
        let mut had = std::vec![(A, Had { begun: true, parts: Vec::new() })];
        let mut at = A;
        let mut asked = WorkNext::Rest;
        for input in inputs {
            let before = work;
            let next = work.handle(input);
            prop_assert_eq!(work.check(), Ok(()));
            if work == before {
                prop_assert_eq!(next, work.next());
                asked = next;
                continue;
            }
            if let WorkInput::Reached(seat) = input {
                at = seat;
            }
            let here = match had.iter().position(|(seat, _)| *seat == at) {
                Some(known) => known,
                None => {
                    had.push((at, Had::default()));
                    had.len() - 1
                }
            };
            match (asked, input) {
                // A session that is begun anew was a fresh one, or is refused; what it had is gone.
                (WorkNext::Begin, WorkInput::Done) => had[here].1 = Had { begun: true, parts: Vec::new() },
                (WorkNext::Resend { part }, WorkInput::Done) => had[here].1.parts.push(part),
                (WorkNext::Send, WorkInput::Taken { .. }) => had[here].1.parts.push(before.parts()),
                // It may have taken the part, or not.
                (WorkNext::Send, WorkInput::Failed) => had[here].1.parts.push(u32::MAX),
                _ => {}
            }
            if next == WorkNext::Send {
                let all: Vec<u32> = (0..work.parts()).collect();
                prop_assert!(had[here].1.begun);
                prop_assert_eq!(&had[here].1.parts, &all);
            }
            asked = next;
        }
    }

    /// L2: bringing it to a session takes a bounded number of steps: beginning, each part, comparing.
    #[test]
    fn each_way_ends(mut work in any_work(), parts in 0u32..20, output in any::<bool>()) {
        for _ in 0..parts {
            let _ = work.handle(WorkInput::Reached(A));
            let _ = work.handle(WorkInput::Taken { output, recorded: true });
        }
        let mut next = work.handle(WorkInput::Reached(B));
        let mut steps = 0;
        while let WorkNext::Begin | WorkNext::Resend { .. } | WorkNext::Compare = next {
            next = work.handle(if next == WorkNext::Compare { WorkInput::Compared(true) } else { WorkInput::Done });
            steps += 1;
            prop_assert!(steps <= parts + 2);
        }
        prop_assert!(matches!(next, WorkNext::Send | WorkNext::GiveUp));
    }
}
