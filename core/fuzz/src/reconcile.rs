//! The reconcile machine over two streams that ascend, as those of a journal and a token do, or do not.

use arbitrary::{Arbitrary, Unstructured};
use everslot_core::{
    Copies, Deed, DeedOutcome, Ended, GroupEntry, Live, MemberEntry, MemberId, MemberSet,
    ObjectKey, Reconcile, ReconcileInput, ReconcileNext, Revision, Sequence,
};

use crate::next;

const MEMBER: MemberId = MemberId(0);
const OTHERS: u32 = 0b110;
/// Keys that there are; those that the bytes tell of beyond are none.
const KEYS: u8 = 24;
/// L3, with room: six passes, in each of them two reads and a deed for each member of each key.
const STEPS: u32 = 6 * KEYS as u32 * (2 + 2 + 4) + 64;

/// What the journal or the token says next; `skip` keys further on, or a key that was there before.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Entry {
    skip: u8,
    backwards: bool,
    ends: bool,
    tombstone: bool,
    revision: u8,
    known: Option<u8>,
    holders: u8,
    behind: u8,
    flags: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Happens {
    /// The outcome of what it asks for.
    Outcome,
    OddDeed(u8),
    GateStaysOpen,
    MemberLost,
    JournalFailed,
    /// An outcome of something else.
    Void,
}

/// The first bytes are the number of copies, the others are what is read and what becomes of the deeds.
///
/// # Panics
/// The reconcile machine is wrong.
pub fn reconcile(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let copies = match next::<Option<u8>>(&mut bytes).flatten() {
        Some(number) => Copies::Number(number % 4),
        None => Copies::All,
    };
    let mut machine = Reconcile::new(MEMBER, copies);
    let sources = MemberSet::from_bits(OTHERS);
    let mut asked = machine.handle(ReconcileInput::Start { sources }).next;
    let (mut steps, mut gated) = (0, false);
    while let Some(happens) = next::<Happens>(&mut bytes) {
        if let ReconcileNext::Over(_) = asked {
            break;
        }
        let before = machine;
        let Some(input) = input(asked, happens, &mut bytes) else {
            break;
        };
        let output = machine.handle(input);
        assert_eq!(machine.check(), Ok(()), "after {input:?}");
        if machine != before {
            steps += 1;
            assert!(steps <= STEPS, "it does not end: {machine:?}");
            gated |= input == (ReconcileInput::Gate { closed: true });
        }
        if let ReconcileNext::Do {
            deed: Deed::Copy { from } | Deed::Update { from },
            ..
        } = output.next
        {
            assert!(sources.contains(from), "nothing comes from {from:?}");
        }
        asked = output.next;
    }
    if let ReconcileNext::Over(ended) = asked {
        // S8, S9: nobody is admitted while something may change behind its back.
        assert!(gated || !matches!(ended, Ended::Equal { .. }));
        let over = machine;
        assert_eq!(machine.handle(ReconcileInput::Cleaned).next, asked);
        assert_eq!(machine, over);
    }
}

fn input(
    asked: ReconcileNext,
    happens: Happens,
    bytes: &mut Unstructured<'_>,
) -> Option<ReconcileInput> {
    Some(match (happens, asked) {
        (Happens::MemberLost, _) => ReconcileInput::MemberLost,
        (Happens::JournalFailed, _) => ReconcileInput::JournalFailed,
        (Happens::Void, ReconcileNext::Clean) => ReconcileInput::Deed(DeedOutcome::Done),
        (Happens::Void, _) | (_, ReconcileNext::Clean) => ReconcileInput::Cleaned,
        (_, ReconcileNext::BeginPass) => {
            ReconcileInput::PassBegan(Sequence(next::<u8>(bytes)?.into()))
        }
        (_, ReconcileNext::ReadGroup { after, .. }) => {
            let entry = next::<Entry>(bytes)?;
            ReconcileInput::Group(key(after, entry).map(|key| (key, group_entry(entry))))
        }
        (_, ReconcileNext::ReadMember { after }) => {
            let entry = next::<Entry>(bytes)?;
            ReconcileInput::Member(key(after, entry).map(|key| (key, member_entry(entry))))
        }
        (_, ReconcileNext::LookUp { key }) => {
            let entry = next::<Entry>(bytes)?;
            ReconcileInput::Member((!entry.ends).then(|| (key, member_entry(entry))))
        }
        (Happens::OddDeed(how), ReconcileNext::Do { .. }) => ReconcileInput::Deed(match how % 4 {
            0 => DeedOutcome::NotCarryable,
            1 => DeedOutcome::SourceLost,
            2 => DeedOutcome::Gone,
            _ => DeedOutcome::Refused,
        }),
        (_, ReconcileNext::Do { .. }) => ReconcileInput::Deed(DeedOutcome::Done),
        (happens, ReconcileNext::CloseGate) => ReconcileInput::Gate {
            closed: !matches!(happens, Happens::GateStaysOpen),
        },
        (_, ReconcileNext::Over(_)) => return None,
    })
}

/// A key after that one; none when the stream has ended.
fn key(after: Option<ObjectKey>, entry: Entry) -> Option<ObjectKey> {
    let after = after.map_or(0, |ObjectKey(key)| key[0]);
    let number = if entry.backwards && entry.skip == 0 {
        after
    } else {
        after.saturating_add(1).saturating_add(entry.skip % 4)
    };
    (!entry.ends && number <= KEYS).then_some(ObjectKey([number; 16]))
}

fn group_entry(entry: Entry) -> GroupEntry {
    if entry.tombstone {
        return GroupEntry::Tombstone;
    }
    let set = |bits: u8| MemberSet::from_bits(u32::from(bits) & (OTHERS | 1));
    GroupEntry::Live(Live {
        revision: Revision(u64::from(entry.revision % 4)),
        known: entry.known.map(|known| Revision(u64::from(known % 4))),
        holders: set(entry.holders),
        behind: set(entry.behind),
        carryable: entry.flags & 1 == 0,
    })
}

fn member_entry(entry: Entry) -> MemberEntry {
    MemberEntry {
        revision: Revision(u64::from(entry.revision % 4)),
        twins: entry.flags & 6 == 6,
        pending: entry.flags & 24 == 24,
        carryable: entry.flags & 1 == 0,
    }
}
