//! The call machine: any outcomes of what it asks for, and of what it does not.

use arbitrary::{Arbitrary, Unstructured};
use everslot_core::{
    Binding, Call, CallInput, Context, Incarnation, MemberId, Next, Overrides, Repeat, Rv, verdict,
};

use crate::next;

const MEMBERS: u8 = 4;
/// Its start, a choice, a sending and a probe for each member, one session made anew, and that nobody is left.
const STEPS: u32 = 1 + 3 * (MEMBERS as u32 + 1) + 2 + 1;

#[derive(Arbitrary, Debug)]
enum Deed {
    Start,
    Chosen(Option<u8>),
    /// What a member answers goes through the table of verdicts.
    Replies {
        rv: u16,
        is_logged_in: bool,
    },
    Unanswered {
        delivered: bool,
    },
    Reopened(bool),
    Probed(bool),
}

fn input(deed: &Deed) -> CallInput {
    match deed {
        Deed::Start => CallInput::Start,
        Deed::Chosen(member) => {
            CallInput::Chosen(member.map(|id| (MemberId(id % (MEMBERS + 1)), Incarnation(1))))
        }
        Deed::Replies { rv, is_logged_in } => {
            let context = Context {
                logged_in: *is_logged_in,
                ..Context::default()
            };
            let overrides = Overrides::<4>::new();
            CallInput::Verdict(verdict(Rv(u64::from(*rv)), context, &overrides))
        }
        Deed::Unanswered { delivered } => CallInput::Unanswered {
            delivered: *delivered,
        },
        Deed::Reopened(is) => CallInput::Reopened(*is),
        Deed::Probed(is) => CallInput::Probed(*is),
    }
}

/// The first byte is which call it is, the others are deeds.
///
/// # Panics
/// The call machine is wrong.
pub fn call(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let kind: u8 = bytes.arbitrary().unwrap_or_default();
    let repeat = if kind & 1 == 0 {
        Repeat::Safe
    } else {
        Repeat::OnlyIfUndelivered
    };
    let binding = if kind & 2 == 0 {
        Binding::Free
    } else {
        Binding::Pinned {
            member: MemberId(0),
            incarnation: Incarnation(1),
        }
    };
    let mut call = Call::new(repeat, binding);
    let (mut steps, mut answer, mut unclear) = (0, None, false);
    let mut is_sent = false;
    while let Some(deed) = next(&mut bytes) {
        let before = call;
        let input = input(&deed);
        let output = call.handle(input);
        assert_eq!(call.check(), Ok(()), "after {input:?}");
        if let Some(given) = answer {
            // S1: the answer is said again and nothing else.
            assert_eq!((output.next, output.lost), (given, None));
        }
        if call != before {
            steps += 1;
            // L2
            assert!(steps <= STEPS, "{call:?}");
            // S4: what may have taken effect is not sent again.
            let sends = matches!(output.next, Next::Send { .. });
            // No answer to a probe, or to a session made anew, says nothing of the call.
            unclear |= is_sent && matches!(input, CallInput::Unanswered { delivered: true });
            assert!(!(sends && unclear && repeat == Repeat::OnlyIfUndelivered));
        }
        is_sent = matches!(output.next, Next::Send { .. });
        if let Next::Answer(_) = output.next {
            answer = Some(output.next);
        }
    }
}
