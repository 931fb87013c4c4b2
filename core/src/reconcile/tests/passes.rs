//! The order of things: cleaning, passes, the gate, and what ends it.

use std::vec::Vec;

use proptest::prelude::*;

use super::*;

fn at(sequence: u64) -> ReconcileInput {
    ReconcileInput::PassBegan(Sequence(sequence))
}

/// What it asks for with nothing to do, in order.
#[test]
fn an_empty_one_passes_the_gate_all_the_same() {
    let mut reconcile = Reconcile::new(A, Copies::All);
    let group = |since| ReconcileNext::ReadGroup {
        after: None,
        since,
        upto: Sequence(5),
    };
    let sources = MemberSet::EMPTY;
    let steps = [
        (ReconcileInput::Start { sources }, ReconcileNext::Clean),
        (ReconcileInput::Cleaned, ReconcileNext::BeginPass),
        (at(5), group(None)),
        (NO_GROUP, ReconcileNext::ReadMember { after: None }),
        (NO_OBJECT, ReconcileNext::BeginPass),
        (at(5), group(Some(Sequence(5)))),
        (NO_GROUP, ReconcileNext::CloseGate),
        (GATE, ReconcileNext::Clean),
        (ReconcileInput::Cleaned, ReconcileNext::BeginPass),
        (at(5), group(Some(Sequence(5)))),
        (
            NO_GROUP,
            ReconcileNext::Over(Ended::Equal { upto: Sequence(5) }),
        ),
    ];
    for (input, next) in steps {
        assert_eq!(reconcile.handle(input).next, next, "after {input:?}");
    }
}

/// Keys 1 and 3 are the group's, 2 and 3 the member's: each is met once, in order.
#[test]
fn two_streams_are_merged() {
    let keep = Live {
        known: Some(NEW),
        ..live()
    };
    let mut reconcile = begun();
    let output = feed(
        &mut reconcile,
        &[group(1, GroupEntry::Live(live())), object(2, has(OLD))],
    );
    assert_eq!(deed(output), (key(1), Deed::Copy { from: B }));
    let output = feed(&mut reconcile, &[DONE]);
    let after = Some(key(1));
    assert!(matches!(output.next, ReconcileNext::ReadGroup { after: read, .. } if read == after));
    let output = feed(&mut reconcile, &[group(3, GroupEntry::Live(keep))]);
    assert!(matches!(deed(output), (two, Deed::Adopt { .. }) if two == key(2)));
    let output = feed(&mut reconcile, &[DONE]);
    let after = Some(key(2));
    assert_eq!(output.next, ReconcileNext::ReadMember { after });
    feed(&mut reconcile, &[object(3, has(NEW)), NO_GROUP, NO_OBJECT]);
    assert_eq!(reconcile.progress().looked_at, 3);
}

#[test]
fn a_stream_that_does_not_ascend_ends_it() {
    let over = |stream| ReconcileNext::Over(Ended::NotAscending(stream));
    let keep = |number| [group(number, GroupEntry::Tombstone), NO_OBJECT];
    for lower in [1, 2] {
        let (_, output) = first(&[keep(2)[0], keep(2)[1], keep(lower)[0]]);
        assert_eq!(output.next, over(Stream::Group));
        let (_, output) = first(&[NO_GROUP, object(2, has(OLD)), DONE, object(lower, has(OLD))]);
        assert_eq!(output.next, over(Stream::Member));
    }
    // What was looked up is something else.
    let mut reconcile = begun();
    let to_changes = [NO_GROUP, NO_OBJECT, at(12), group(1, GroupEntry::Tombstone)];
    let output = feed(&mut reconcile, &to_changes);
    assert_eq!(output.next, ReconcileNext::LookUp { key: key(1) });
    let output = feed(&mut reconcile, &[object(2, has(OLD))]);
    assert_eq!(output.next, over(Stream::Member));
}

/// S9: what is destroyed while the first pass runs is caught; L3: the gate is closed although there is always something.
#[test]
fn changes_are_caught_up_with_but_not_for_ever() {
    let mut reconcile = begun();
    let mut output = feed(&mut reconcile, &[NO_GROUP, NO_OBJECT]);
    let mut passes = 0;
    while output.next == ReconcileNext::BeginPass {
        passes += 1;
        let tombstone = group(1, GroupEntry::Tombstone);
        feed(&mut reconcile, &[at(10 + passes), tombstone]);
        let output_of_deed = feed(&mut reconcile, &[object(1, has(OLD))]);
        assert_eq!(deed(output_of_deed), (key(1), Deed::Destroy));
        output = feed(&mut reconcile, &[DONE, NO_GROUP]);
    }
    assert_eq!((passes, output.next), (4, ReconcileNext::CloseGate));
    let output = feed(&mut reconcile, &[GATE, ReconcileInput::Cleaned, at(20)]);
    let since = Some(Sequence(14));
    assert!(matches!(output.next, ReconcileNext::ReadGroup { since: read, .. } if read == since));
    let output = feed(
        &mut reconcile,
        &[group(7, GroupEntry::Live(live())), NO_OBJECT],
    );
    assert_eq!(deed(output), (key(7), Deed::Copy { from: B }));
    let output = feed(&mut reconcile, &[DONE, NO_GROUP]);
    let upto = Sequence(20);
    assert_eq!(output.next, ReconcileNext::Over(Ended::Equal { upto }));
}

#[test]
fn a_gate_that_stays_open_ends_it() {
    let mut reconcile = begun();
    let open = ReconcileInput::Gate { closed: false };
    let output = feed(
        &mut reconcile,
        &[NO_GROUP, NO_OBJECT, at(10), NO_GROUP, open],
    );
    assert_eq!(output.next, ReconcileNext::Over(Ended::GateNotClosed));
}

#[test]
fn a_loss_ends_it_wherever_it_is() {
    let way = [
        ReconcileInput::Cleaned,
        at(10),
        group(1, GroupEntry::Live(live())),
        NO_OBJECT,
        DONE,
        NO_GROUP,
        at(10),
        NO_GROUP,
        GATE,
        ReconcileInput::Cleaned,
        at(10),
    ];
    for length in 0..=way.len() {
        for (loss, ended) in [
            (ReconcileInput::MemberLost, Ended::MemberLost),
            (ReconcileInput::JournalFailed, Ended::JournalFailed),
        ] {
            let mut reconcile = Reconcile::new(A, Copies::All);
            let sources = set(&[B]);
            feed(&mut reconcile, &[ReconcileInput::Start { sources }]);
            for input in &way[..length] {
                feed(&mut reconcile, &[*input]);
            }
            let output = feed(&mut reconcile, &[loss]);
            assert_eq!(output.next, ReconcileNext::Over(ended), "after {length}");
            // Void from then on.
            let before = reconcile;
            for input in way {
                assert_eq!(reconcile.handle(input).next, ReconcileNext::Over(ended));
            }
            assert_eq!(reconcile, before);
        }
    }
}

fn any_input() -> impl Strategy<Value = ReconcileInput> {
    let known = proptest::option::of((1..4u64).prop_map(Revision));
    let members = || (0..8u32).prop_map(MemberSet::from_bits);
    let live = (1..4u64, known, members(), members(), any::<bool>()).prop_map(
        |(revision, known, holders, behind, carryable)| {
            GroupEntry::Live(Live {
                revision: Revision(revision),
                known,
                holders,
                behind,
                carryable,
            })
        },
    );
    let entry = prop_oneof![1 => Just(GroupEntry::Tombstone), 4 => live];
    let flags = proptest::bool::weighted(0.1);
    let object_entry = (1..4u64, flags, proptest::bool::weighted(0.1), any::<bool>()).prop_map(
        |(revision, twins, pending, carryable)| MemberEntry {
            revision: Revision(revision),
            twins,
            pending,
            carryable,
        },
    );
    let outcome = proptest::sample::select(
        &[
            DeedOutcome::Done,
            DeedOutcome::NotCarryable,
            DeedOutcome::SourceLost,
            DeedOutcome::Gone,
            DeedOutcome::Refused,
        ][..],
    );
    prop_oneof![
        2 => Just(ReconcileInput::Cleaned),
        2 => (0..30u64).prop_map(at),
        4 => (0..40u8, entry).prop_map(|(number, entry)| group(number, entry)),
        1 => Just(NO_GROUP),
        4 => (0..40u8, object_entry).prop_map(|(number, entry)| object(number, entry)),
        1 => Just(NO_OBJECT),
        6 => outcome.prop_map(ReconcileInput::Deed),
        1 => Just(GATE),
    ]
}

proptest! {
    /// Whatever comes, the invariants hold, an input that is not waited for changes nothing, and no deed is done twice from one source.
    #[test]
    fn any_inputs_keep_the_invariants(inputs in proptest::collection::vec(any_input(), 0..80)) {
        let mut reconcile = begun();
        let mut sources: Vec<(ObjectKey, MemberId)> = Vec::new();
        for input in inputs {
            let before = reconcile;
            let next = reconcile.handle(input).next;
            prop_assert_eq!(reconcile.check(), Ok(()));
            if reconcile == before {
                continue;
            }
            match next {
                ReconcileNext::Do { key, deed: Deed::Copy { from } | Deed::Update { from } } => {
                    prop_assert!(from != A && !sources.contains(&(key, from)));
                    sources.push((key, from));
                }
                ReconcileNext::Do { .. } => {}
                _ => sources.clear(),
            }
        }
    }
}
