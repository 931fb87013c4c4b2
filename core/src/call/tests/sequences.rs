use std::vec::Vec;

use proptest::prelude::*;

use super::table::inputs;
use super::{PINNED, START, chosen};
use crate::{Binding, Call, CallInput, MemberId, Next, Repeat};

fn any_input() -> impl Strategy<Value = CallInput> {
    let chosen = (0u8..5).prop_map(|id| chosen(MemberId(id)));
    let others: Vec<CallInput> = inputs().into_iter().map(|(_, input)| input).collect();
    prop_oneof![1 => chosen, 3 => proptest::sample::select(others)]
}

fn any_call() -> impl Strategy<Value = Call> {
    let repeat = prop_oneof![Just(Repeat::Safe), Just(Repeat::OnlyIfUndelivered)];
    let binding = prop_oneof![3 => Just(Binding::Free), 1 => Just(PINNED)];
    (repeat, binding).prop_map(|(repeat, binding)| Call::new(repeat, binding))
}

proptest! {
    /// Whatever the caller does, the invariants hold, no member is sent the call twice but for the one
    /// fresh session, and the answer does not change once it is given (S1, L2).
    #[test]
    fn any_inputs_keep_the_invariants(
        mut call in any_call(),
        inputs in proptest::collection::vec(any_input(), 0..60),
    ) {
        let mut sent = [0u32; 5];
        let mut answer = None;
        for input in inputs {
            let before = call;
            let output = call.handle(input);
            prop_assert_eq!(call.check(), Ok(()));
            if call != before && let Next::Send { member, .. } = output.next {
                sent[member.index()] += 1;
            }
            if let Some(given) = answer {
                prop_assert_eq!(output.next, given);
                prop_assert_eq!((output.lost, output.set_aside), (None, None));
            }
            if let Next::Answer(_) = output.next {
                answer = Some(output.next);
            }
        }
        prop_assert!(sent.iter().all(|count| *count <= 2));
        prop_assert!(sent.iter().filter(|count| **count == 2).count() <= 1);
    }

    /// L2: a caller that carries out what it is told reaches the answer in a bounded number of steps,
    /// whatever the members do: for each of the four a choice, a call, a probe; and one fresh session.
    #[test]
    fn each_call_ends(
        mut call in any_call(),
        deeds in proptest::collection::vec(any_input(), 200),
    ) {
        let mut steps = 0;
        let mut output = call.handle(START);
        for deed in deeds {
            if let Next::Answer(_) = output.next {
                break;
            }
            let before = call;
            output = call.handle(deed);
            steps += u32::from(call != before);
            prop_assert!(steps <= 5 * 3 + 3);
        }
    }
}
