//! A call as C has one.

use super::*;

struct Maker(Call);

impl Maker {
    fn new(options: CallOptions) -> Self {
        let mut call = MaybeUninit::<Call>::zeroed();
        // SAFETY: both are valid; a call's memory is any numbers.
        unsafe {
            assert!(everslot_call_new(call.as_mut_ptr(), &raw const options));
            Self(call.assume_init())
        }
    }

    fn repeatable() -> Self {
        Self::new(CallOptions {
            repeatable: 1,
            ..CallOptions::default()
        })
    }

    #[track_caller]
    fn tell(&mut self, kind: CallInputKind, with: CallInput) -> CallOutput {
        let input = CallInput {
            kind: kind as u8,
            ..with
        };
        let mut output = CallOutput::default();
        // SAFETY: all three are valid and none overlaps another.
        let taken =
            unsafe { everslot_call_handle(&raw mut self.0, &raw const input, &raw mut output) };
        assert!(taken, "{input:?}");
        output
    }

    #[track_caller]
    fn start(&mut self) -> CallOutput {
        self.tell(CallInputKind::Start, CallInput::default())
    }

    #[track_caller]
    fn chosen(&mut self, member: u8) -> CallOutput {
        let chosen = CallInput {
            member,
            incarnation: 1,
            ..CallInput::default()
        };
        self.tell(CallInputKind::Chosen, chosen)
    }

    #[track_caller]
    fn replied(&mut self, rv: u64) -> CallOutput {
        let reply = CallInput {
            rv,
            ..CallInput::default()
        };
        self.tell(CallInputKind::Replied, reply)
    }
}

#[test]
fn a_call_fails_over() {
    let mut call = Maker::repeatable();
    assert_eq!(call.start().next, NextKind::Choose as u8);
    let send = call.chosen(1);
    assert_eq!(
        (send.next, send.member, send.incarnation),
        (NextKind::Send as u8, 1, 1)
    );
    let found = call.replied(DEVICE_ERROR);
    assert_eq!(
        (found.lost, found.found_incarnation, found.set_aside),
        (1, 1, NOBODY)
    );
    assert_eq!((found.next, found.tried), (NextKind::Choose as u8, 0b10));
    assert_eq!(call.chosen(0).next, NextKind::Send as u8);
    let done = call.replied(0);
    assert_eq!(
        (done.next, done.answer),
        (NextKind::Answer as u8, Answer::Reply as u8)
    );
    assert_eq!(done.lost, NOBODY);
}

#[test]
fn what_may_not_be_repeated_ends_as_unknown() {
    let mut call = Maker::new(CallOptions::default());
    let _ = (call.start(), call.chosen(0));
    let delivered = CallInput {
        yes: 1,
        ..CallInput::default()
    };
    let found = call.tell(CallInputKind::Unanswered, delivered);
    assert_eq!(
        (found.next, found.answer),
        (NextKind::Answer as u8, Answer::Unknown as u8)
    );
    assert_eq!(found.lost, 0);
}

#[test]
fn a_call_without_any_member_left_is_unavailable() {
    let mut call = Maker::repeatable();
    let _ = call.start();
    assert_eq!(call.chosen(NOBODY).answer, Answer::Unavailable as u8);
}

#[test]
fn a_pinned_call_goes_where_its_work_is() {
    let mut call = Maker::new(CallOptions {
        pinned: 1,
        member: 2,
        incarnation: 7,
        ..CallOptions::default()
    });
    let send = call.start();
    assert_eq!(
        (send.next, send.member, send.incarnation),
        (NextKind::Send as u8, 2, 7)
    );
}

#[test]
fn a_refused_pin_that_was_accepted_elsewhere_sets_its_member_aside() {
    let mut call = Maker::repeatable();
    let _ = (call.start(), call.chosen(3));
    let refused = CallInput {
        rv: everslot_core::ckr::PIN_INCORRECT.0,
        login_call: 1,
        pin_accepted: 1,
        ..CallInput::default()
    };
    let found = call.tell(CallInputKind::Replied, refused);
    assert_eq!(
        (found.set_aside, found.why),
        (3, SetAsideReason::PinRefused as u8)
    );
}

#[test]
fn a_lost_session_is_made_anew_and_an_odd_answer_probed() {
    let mut call = Maker::repeatable();
    let _ = (call.start(), call.chosen(0));
    let reopen = call.replied(everslot_core::ckr::SESSION_HANDLE_INVALID.0);
    assert_eq!((reopen.next, reopen.member), (NextKind::Reopen as u8, 0));
    let yes = CallInput {
        yes: 1,
        ..CallInput::default()
    };
    assert_eq!(
        call.tell(CallInputKind::Reopened, yes).next,
        NextKind::Send as u8
    );
    let probe = call.replied(everslot_core::ckr::FUNCTION_FAILED.0);
    assert_eq!((probe.next, probe.member), (NextKind::Probe as u8, 0));
    let elsewhere = call.tell(CallInputKind::Probed, yes);
    assert_eq!(
        (elsewhere.next, elsewhere.tried),
        (NextKind::Choose as u8, 0b1)
    );
}

#[test]
fn a_call_that_was_not_made_and_an_odd_input_are_refused() {
    // SAFETY: a call's memory is any numbers.
    let mut call: Call = unsafe { MaybeUninit::zeroed().assume_init() };
    let (mut input, mut output) = (CallInput::default(), CallOutput::default());
    // SAFETY: all are valid or null.
    unsafe {
        let (input_at, output_at) = (&raw mut input, &raw mut output);
        assert!(!everslot_call_handle(&raw mut call, input_at, output_at));
        assert!(!everslot_call_new(&raw mut call, core::ptr::null()));
        assert!(everslot_call_new(&raw mut call, &CallOptions::default()));
        (*input_at).kind = 6;
        assert!(!everslot_call_handle(&raw mut call, input_at, output_at));
        (*input_at).kind = 0;
        assert!(everslot_call_handle(&raw mut call, input_at, output_at));
    }
}

#[test]
fn the_least_busy_is_chosen_and_standby_members_last() {
    let serving = Serving {
        active: 0b0011,
        standby: 0b1000,
        changing: 0,
    };
    let loads = [3_u32, 1, 0, 0];
    // SAFETY: both are valid or null.
    let choose = |eligible, tried, loads: *const u32, cursor| unsafe {
        everslot_choose(&raw const serving, eligible, tried, loads, cursor)
    };
    assert_eq!(choose(u32::MAX, 0, loads.as_ptr(), 0), 1);
    assert_eq!(choose(u32::MAX, 0b10, loads.as_ptr(), 0), 0);
    assert_eq!(choose(u32::MAX, 0b11, loads.as_ptr(), 0), 3);
    assert_eq!(choose(0b0100, 0, loads.as_ptr(), 0), NOBODY);
    let by_turns = [0, 1, 2].map(|cursor| choose(u32::MAX, 0, core::ptr::null(), cursor));
    assert_eq!(by_turns, [0, 1, 0]);
    // SAFETY: null is refused.
    let nobody = unsafe { everslot_choose(core::ptr::null(), 1, 0, core::ptr::null(), 0) };
    assert_eq!(nobody, NOBODY);
}
