use std::fmt::Write as _;
use std::string::String;
use std::vec;
use std::vec::Vec;

use super::{A, B, BUSY, FINE, GONE, GONE_PERHAPS_EXECUTED, NOBODY, PINNED, SESSION_GONE, START};
use super::{UNKNOWN, chosen};
use crate::{Binding, Call, CallInput, CallOutput, QuarantineReason, Repeat, Verdict};

/// All inputs that differ to the machine, with their names in the snapshot.
pub(super) fn inputs() -> Vec<(String, CallInput)> {
    let quarantine = |why| CallInput::Verdict(Verdict::Quarantine(why));
    let all = vec![
        START,
        chosen(A),
        chosen(B),
        NOBODY,
        FINE,
        CallInput::Verdict(Verdict::CallersFault),
        GONE,
        GONE_PERHAPS_EXECUTED,
        SESSION_GONE,
        CallInput::Verdict(Verdict::SessionLost { executed: true }),
        BUSY,
        UNKNOWN,
        quarantine(QuarantineReason::PinRefused),
        quarantine(QuarantineReason::SelfTestFailed),
        CallInput::Unanswered { delivered: false },
        CallInput::Unanswered { delivered: true },
        CallInput::Reopened(true),
        CallInput::Reopened(false),
        CallInput::Probed(true),
        CallInput::Probed(false),
    ];
    all.into_iter()
        .map(|input| (short(&input), input))
        .collect()
}

fn short(value: &impl std::fmt::Debug) -> String {
    std::format!("{value:?}")
        .replace("Some((MemberId(0), Incarnation(1)))", "A")
        .replace("Some((MemberId(1), Incarnation(1)))", "B")
        .replace("MemberId(0)", "A")
        .replace("MemberId(1)", "B")
        .replace(", incarnation: Incarnation(1)", "")
}

/// What each phase does with each input, to be reviewed like code. Void inputs, after which the call is
/// as before, are left out.
#[test]
fn the_transition_table() {
    let free: &[&[CallInput]] = &[
        &[],
        &[START],
        &[START, chosen(A)],
        &[START, chosen(A), SESSION_GONE, CallInput::Reopened(true)],
        &[START, chosen(A), SESSION_GONE],
        &[START, chosen(A), UNKNOWN],
        &[
            START,
            chosen(A),
            UNKNOWN,
            CallInput::Probed(true),
            chosen(B),
            UNKNOWN,
        ],
        &[START, chosen(A), BUSY],
        &[START, chosen(A), FINE],
    ];
    let pinned: &[&[CallInput]] = &[
        &[],
        &[START],
        &[START, SESSION_GONE],
        &[START, UNKNOWN],
        &[START, FINE],
    ];
    let mut table = String::new();
    for repeat in [Repeat::Safe, Repeat::OnlyIfUndelivered] {
        for (binding, ways) in [(Binding::Free, free), (PINNED, pinned)] {
            writeln!(table, "{repeat:?}, {}", short(&binding)).unwrap();
            for way in ways {
                rows(&mut table, repeat, binding, way);
            }
        }
    }
    insta::assert_snapshot!(table);
}

fn rows(table: &mut String, repeat: Repeat, binding: Binding, way: &[CallInput]) {
    let mut before = Call::new(repeat, binding);
    for input in way {
        let _ = before.handle(*input);
    }
    let way: Vec<String> = way.iter().map(short).collect();
    writeln!(
        table,
        "  {} after [{}]",
        short(&before.phase),
        way.join(", ")
    )
    .unwrap();
    for (name, input) in inputs() {
        let mut call = before;
        let CallOutput {
            next,
            lost,
            set_aside,
        } = call.handle(input);
        if call == before {
            continue;
        }
        let lost = if lost.is_some() { ", lost" } else { "" };
        let set_aside = if set_aside.is_some() {
            ", set aside"
        } else {
            ""
        };
        writeln!(table, "    {name} -> {}{lost}{set_aside}", short(&next)).unwrap();
    }
}
