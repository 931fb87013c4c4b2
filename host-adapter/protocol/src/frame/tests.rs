//! Lines that carry frames, and lines that carry garbage besides.

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::wire::tests::strategies::{replies, requests};
use crate::{Body, Rv, SessionHandle};

/// More than any frame of these tests.
const LINE: usize = 1 << 20;

fn framed_ask(ask: &Ask<'_>) -> Vec<u8> {
    let mut buffer = vec![0xff; ask_size(&ask.request)];
    let size = encode_ask(ask, &mut buffer).expect("ask_size is enough");
    buffer.truncate(size);
    buffer
}

fn framed_answer(answer: &Answer<'_>) -> Vec<u8> {
    let mut buffer = vec![0xff; answer_size(answer.output.len())];
    let size = encode_answer(answer, &mut buffer).expect("answer_size is enough");
    buffer.truncate(size);
    buffer
}

/// The numbers of the asks that are heard on a line, each of which must be `request`'s.
fn heard(line: &[u8], request: &Request<'_>) -> Vec<u32> {
    let mut reassembly = Reassembly::new(vec![0; LINE]);
    let mut numbers = Vec::new();
    for byte in line {
        if let Some(Ok(ask)) = reassembly.take(*byte).map(decode_ask) {
            assert_eq!(ask.request, *request);
            numbers.push(ask.id.0);
        }
    }
    numbers
}

fn ask<'a>(id: u32, request: Request<'a>) -> Ask<'a> {
    Ask {
        id: AskId(id),
        room: 64,
        request,
    }
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Garbage without an end of its own, which meets the next frame.
fn rubble() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(1..=255_u8, 0..300)
}

proptest! {
    #[test]
    fn an_ask_comes_through_and_no_zero_is_in_it(request in requests(), id in any::<u32>(), room in any::<u32>()) {
        let sent = Ask { id: AskId(id), room, request };
        let line = framed_ask(&sent);
        let (inner, ends) = (&line[1..line.len() - 1], [line[0], line[line.len() - 1]]);
        prop_assert_eq!(ends, [0, 0]);
        prop_assert!(!inner.contains(&0));
        let mut frame = inner.to_vec();
        prop_assert_eq!(decode_ask(&mut frame), Ok(sent));
    }

    #[test]
    fn an_answer_comes_through_with_its_output(reply in replies(), id in any::<u32>(), fill in any::<u8>()) {
        let output = vec![fill; usize::try_from(reply.written()).expect("small")];
        let sent = Answer { id: AskId(id), reply, output: Bytes(&output) };
        let line = framed_answer(&sent);
        let mut reassembly = Reassembly::new(vec![0; LINE]);
        let mut count = 0;
        for byte in line {
            if let Some(frame) = reassembly.take(byte) {
                prop_assert_eq!(decode_answer(frame), Ok(sent));
                count += 1;
            }
        }
        prop_assert_eq!(count, 1);
    }

    #[test]
    fn garbage_before_between_and_behind_costs_no_frame(
        request in requests(), garbage in prop::array::uniform3(garbage()),
    ) {
        let [before, between, behind] = garbage;
        let line = [before, framed_ask(&ask(1, request)), between, framed_ask(&ask(2, request)), behind].concat();
        prop_assert_eq!(heard(&line, &request), [1, 2]);
    }

    #[test]
    fn garbage_within_a_frame_costs_that_frame_alone(
        request in requests(), rubble in rubble(), at in any::<Index>(), cut in any::<Index>(),
    ) {
        let mut spoilt = framed_ask(&ask(1, request));
        let inner = 1..spoilt.len() - 1;
        let at = inner.start + at.index(inner.len());
        let end = at + cut.index(inner.end - at + 1);
        prop_assume!(spoilt[at..end] != rubble[..]);
        spoilt.splice(at..end, rubble);
        let line = [spoilt, framed_ask(&ask(2, request))].concat();
        prop_assert_eq!(heard(&line, &request), [2]);
    }

    #[test]
    fn a_cut_line_costs_the_frame_it_cuts(request in requests(), at in any::<Index>()) {
        let mut cut = framed_ask(&ask(1, request));
        // Of the whole frame but for its last zero nothing is missing: the next frame's first zero ends it.
        cut.truncate(at.index(cut.len() - 1));
        let line = [cut, framed_ask(&ask(2, request))].concat();
        prop_assert_eq!(heard(&line, &request), [2]);
    }

    #[test]
    fn a_frame_that_comes_twice_is_heard_twice_with_one_number(request in requests(), id in any::<u32>()) {
        let frame = framed_ask(&ask(id, request));
        prop_assert_eq!(heard(&[frame.clone(), frame].concat(), &request), [id, id]);
    }

    #[test]
    fn arbitrary_bytes_never_harm(line in prop::collection::vec(prop_oneof![Just(0), any::<u8>()], 0..600)) {
        let mut small = Reassembly::new([0; 16]);
        for byte in &line {
            if let Some(frame) = small.take(*byte) {
                prop_assert!((1..=16).contains(&frame.len()));
            }
        }
        for frame in line.split(|byte| *byte == 0) {
            prop_assert!(decode_ask(&mut frame.to_vec()).is_err());
            prop_assert!(decode_answer(&mut frame.to_vec()).is_err());
        }
    }

    #[test]
    fn a_frame_that_does_not_fit_is_refused(request in requests(), missing in any::<Index>()) {
        let sent = ask(1, request);
        let whole = framed_ask(&sent).len();
        let mut short = vec![0; missing.index(whole)];
        prop_assert_eq!(encode_ask(&sent, &mut short), Err(TooSmall));
    }
}

#[test]
fn what_is_longer_than_the_memory_is_dropped_up_to_its_end() {
    let request = Request::SessionInfo {
        session: SessionHandle(1),
    };
    let frame = framed_ask(&ask(3, request));
    let mut reassembly = Reassembly::new(vec![0; frame.len() - 2]);
    let line = [vec![7; 500], frame].concat();
    let heard: Vec<_> = line
        .into_iter()
        .filter_map(|byte| reassembly.take(byte).map(|frame| decode_ask(frame).is_ok()))
        .collect();
    assert_eq!(heard, [true]);
}

#[test]
fn what_is_forgotten_does_not_spoil_the_next_frame() {
    let request = Request::ModuleInfo;
    let frame = framed_ask(&ask(3, request));
    let mut reassembly = Reassembly::new([0; 64]);
    for byte in [1, 2, 3] {
        assert_eq!(reassembly.take(byte), None);
    }
    reassembly.forget();
    let heard = frame[1..]
        .iter()
        .any(|byte| matches!(reassembly.take(*byte).map(decode_ask), Some(Ok(_))));
    assert!(heard, "the frame's own first zero was not needed");
}

#[test]
fn an_answer_that_says_more_than_it_brings_is_malformed() {
    let answer = Answer {
        id: AskId(1),
        reply: Reply {
            rv: Rv::OK,
            body: Body::Written(2),
        },
        output: Bytes(&[1]),
    };
    let mut frame = framed_answer(&answer);
    let inner = 1..frame.len() - 1;
    assert_eq!(decode_answer(&mut frame[inner]), Err(Malformed));
}

#[test]
fn a_number_is_followed_by_another_for_ever() {
    assert_eq!(AskId(0).next(), AskId(1));
    assert_eq!(AskId(u32::MAX).next(), AskId(0));
}
