//! The machine of an operation of many calls: what each session has of it is kept here.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use everslot_core::{Incarnation, MemberId, Replayable, Seat, Work, WorkInput, WorkNext};

use crate::next;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Deed {
    Reached {
        member: u8,
        incarnation: bool,
        session: bool,
    },
    Done,
    Compared(bool),
    Failed,
    Unchanged,
    Taken {
        output: bool,
        recorded: bool,
    },
    Ended,
}

/// Each session is one of few, so that a call comes to it again.
fn seat(member: u8, incarnation: bool, session: bool) -> Seat {
    Seat {
        member: MemberId(member % 3),
        incarnation: Incarnation(u32::from(incarnation)),
        session: u64::from(session),
    }
}

fn input(deed: Deed) -> WorkInput {
    match deed {
        Deed::Reached {
            member,
            incarnation,
            session,
        } => WorkInput::Reached(seat(member, incarnation, session)),
        Deed::Done => WorkInput::Done,
        Deed::Compared(alike) => WorkInput::Compared(alike),
        Deed::Failed => WorkInput::Failed,
        Deed::Unchanged => WorkInput::Unchanged,
        Deed::Taken { output, recorded } => WorkInput::Taken { output, recorded },
        Deed::Ended => WorkInput::Ended,
    }
}

/// The parts that a session has; none before the operation was begun there.
type Had = Option<Vec<u32>>;

/// The first byte is what may be replayed of it, the others are deeds.
///
/// # Panics
/// The machine is wrong.
pub fn work(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let replayable = match bytes.arbitrary::<u8>().unwrap_or_default() % 3 {
        0 => Replayable::Never,
        1 => Replayable::UntilOutput,
        _ => Replayable::Alike,
    };
    let start = seat(0, false, false);
    let mut work = Work::begun(replayable, Some(start));
    let mut had = BTreeMap::from([(key(start), Some(Vec::new()))]);
    let (mut at, mut asked) = (start, WorkNext::Rest);
    while let Some(deed) = next(&mut bytes) {
        let before = work;
        let input = input(deed);
        let told = work.handle(input);
        assert_eq!(work.check(), Ok(()), "after {input:?}");
        if work != before {
            if let WorkInput::Reached(seat) = input {
                at = seat;
            }
            note(
                had.entry(key(at)).or_default(),
                (asked, input),
                before.parts(),
            );
            // S4: a call goes where exactly the acknowledged parts are.
            if told == WorkNext::Send {
                let all: Vec<u32> = (0..work.parts()).collect();
                assert_eq!(had.get(&key(at)), Some(&Some(all)), "{work:?}");
            }
        }
        asked = told;
    }
}

fn key(seat: Seat) -> (u8, u32, u64) {
    (seat.member.0, seat.incarnation.0, seat.session)
}

fn note(had: &mut Had, step: (WorkNext, WorkInput), parts: u32) {
    match step {
        // A session that is begun anew was a fresh one, or what it had is gone.
        (WorkNext::Begin, WorkInput::Done) => *had = Some(Vec::new()),
        (WorkNext::Resend { part }, WorkInput::Done) => had.get_or_insert_default().push(part),
        (WorkNext::Send, WorkInput::Taken { .. }) => had.get_or_insert_default().push(parts),
        // It may have taken the part, or not.
        (WorkNext::Send, WorkInput::Failed) => had.get_or_insert_default().push(u32::MAX),
        _ => {}
    }
}
