//! The change machine: one change, and whatever the members and the journal make of it.

use arbitrary::{Arbitrary, Unstructured};
use everslot_core::{
    Change, ChangeInput, ChangeKind, ChangeNext, Copies, Intent, MemberId, MemberSet, Plant,
};

use crate::next;

const MARK: u64 = 7;
const MEMBERS: u32 = 4;
/// Steps to the answer: each member is asked a bounded number of times, in each of a bounded number of tries.
const STEPS: u32 = 120;

#[derive(Arbitrary, Debug)]
enum Begins {
    Create {
        copies: Option<u8>,
        makers: u8,
        keepers: u8,
        prefer: Option<u8>,
    },
    Update {
        holders: u8,
    },
    Destroy {
        holders: u8,
    },
    Resume {
        kind: u8,
        members: u8,
        reachable: u8,
        current: u8,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Deed {
    Done,
    Refused,
    NotCarryable,
    SourceLost,
    Gone,
    NotSent,
    Unknown,
    Start,
    Lost(u8),
}

fn set(bits: u8) -> MemberSet {
    MemberSet::from_bits(u32::from(bits) & ((1 << MEMBERS) - 1))
}

fn begins(how: &Begins) -> Change {
    match *how {
        Begins::Create {
            copies,
            makers,
            keepers,
            prefer,
        } => Change::create(
            MARK,
            copies.map_or(Copies::All, |copies| Copies::Number(copies % 6)),
            set(makers),
            set(keepers),
            prefer.map(|id| MemberId(id % MEMBERS as u8)),
        ),
        Begins::Update { holders } => Change::update(MARK, set(holders)),
        Begins::Destroy { holders } => Change::destroy(MARK, set(holders)),
        Begins::Resume {
            kind,
            members,
            reachable,
            current,
        } => {
            let kind = match kind % 3 {
                0 => ChangeKind::Create,
                1 => ChangeKind::Update,
                _ => ChangeKind::Destroy,
            };
            let intent = Intent {
                plant: Plant {
                    mark: MARK,
                    attempt: 0,
                },
                kind,
                members: set(members),
            };
            Change::resume(intent, set(reachable), set(current))
        }
    }
}

fn input(deed: Deed) -> ChangeInput {
    match deed {
        Deed::Done => ChangeInput::Done,
        Deed::Refused => ChangeInput::Refused,
        Deed::NotCarryable => ChangeInput::NotCarryable,
        Deed::SourceLost => ChangeInput::SourceLost,
        Deed::Gone => ChangeInput::Gone,
        Deed::NotSent => ChangeInput::NotSent,
        Deed::Unknown => ChangeInput::Unknown,
        Deed::Start => ChangeInput::Start,
        Deed::Lost(id) => ChangeInput::Lost(MemberId(id % MEMBERS as u8)),
    }
}

/// The first bytes are the change, the others are what becomes of what it asks for.
///
/// # Panics
/// The change machine is wrong.
pub fn change(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let Some(how) = next::<Begins>(&mut bytes) else {
        return;
    };
    let mut change = begins(&how);
    let mut recorded = matches!(how, Begins::Resume { .. });
    let (mut steps, mut makers) = (0, MemberSet::EMPTY);
    let mut asked = change.handle(ChangeInput::Start);
    while let Some(deed) = next(&mut bytes) {
        if let ChangeNext::Answer(_) = asked {
            break;
        }
        // S4, S9: on record first.
        assert!(
            recorded || matches!(asked, ChangeNext::RecordIntent(_)),
            "{asked:?}"
        );
        let (before, input) = (change, input(deed));
        let told = change.handle(input);
        assert_eq!(change.check(), Ok(()), "after {input:?}");
        if change != before && !matches!(input, ChangeInput::Lost(_)) {
            steps += 1;
            assert!(steps <= STEPS, "it does not end: {change:?}");
            recorded |= matches!(asked, ChangeNext::RecordIntent(_));
            if let ChangeNext::Make { member, .. } = asked {
                assert!(!makers.contains(member), "{member:?} is asked twice");
                makers.insert(member);
            }
        }
        asked = told;
    }
    if let ChangeNext::Answer(_) = asked {
        let answered = change;
        assert_eq!(change.handle(ChangeInput::Done), asked);
        assert_eq!(change, answered);
    }
}
