use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn any_change() -> impl Strategy<Value = Change> {
    let members = || (0..8u32).prop_map(MemberSet::from_bits);
    let copies = prop_oneof![Just(Copies::All), (0..4u8).prop_map(Copies::Number)];
    let kind = || {
        proptest::sample::select(&[ChangeKind::Create, ChangeKind::Update, ChangeKind::Destroy][..])
    };
    let created = (copies, members(), members()).prop_map(|(copies, makers, keepers)| {
        Change::create(MARK, copies, makers, keepers, Some(B))
    });
    let resumed = (kind(), members(), members(), members()).prop_map(
        |(kind, members, reachable, current)| {
            let plant = plant(0);
            let intent = Intent {
                plant,
                kind,
                members,
            };
            Change::resume(intent, reachable, current)
        },
    );
    prop_oneof![
        created,
        members().prop_map(|holders| Change::update(MARK, holders)),
        members().prop_map(|holders| Change::destroy(MARK, holders)),
        resumed,
    ]
}

fn any_input() -> impl Strategy<Value = ChangeInput> {
    proptest::sample::select(
        &[
            Done,
            Done,
            Done,
            Refused,
            NotCarryable,
            SourceLost,
            Gone,
            NotSent,
            Unknown,
            Lost(A),
            Lost(B),
        ][..],
    )
}

proptest! {
    /// Whatever the members and the journal do: the invariants hold, it ends in one answer within a bound, no member is asked twice to make
    /// the object, and nothing is made, changed or destroyed before it is on record (S1, S4, S9).
    #[test]
    fn each_change_ends(mut change in any_change(), inputs in proptest::collection::vec(any_input(), 300)) {
        let mut makers = Vec::new();
        let mut steps = 0;
        let resumed = change.resumed;
        let mut recorded = resumed;
        let mut next = change.handle(Start);
        for input in inputs {
            match next {
                ChangeNext::Answer(_) => break,
                ChangeNext::RecordIntent(_) => {}
                ChangeNext::Make { member, .. } => {
                    prop_assert!(!makers.contains(&member), "{:?} is asked twice", member);
                    makers.push(member);
                }
                _ => prop_assert!(recorded, "{:?} without a record", next),
            }
            let before = change;
            next = change.handle(input);
            prop_assert_eq!(change.check(), Ok(()));
            if change != before {
                steps += 1;
                recorded |= matches!((before.phase, input), (super::super::Phase::Recording, Done | Unknown));
            } else if let ChangeNext::Make { .. } = next {
                makers.pop();
            }
            prop_assert!(steps <= 60, "{:?}", change);
        }
        let answered = change;
        if let ChangeNext::Answer(_) = next {
            prop_assert_eq!(change.handle(Done), next);
            prop_assert_eq!(change, answered);
        }
    }
}
