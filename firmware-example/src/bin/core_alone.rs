//! An image with the core in it and nothing else: a group of four members and eight calls at once. It is measured, not run.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m::singleton;
use cortex_m_rt::entry;
use defmt_semihosting as _;
use everslot_core::{
    Attempts, Binding, Call, CallInput, Context, Effect, Group, Input, Instant, MemberSet, Output,
    Overrides, Policy, Repeat, Rv, candidates, choose, repeat, verdict,
};

const POLICY: Policy = Policy {
    interval: core::time::Duration::from_secs(60),
    attempts: Attempts::Unlimited,
};

defmt::timestamp!("");

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    cortex_m::asm::udf()
}

#[entry]
fn main() -> ! {
    let group = singleton!(: Group<4> = Group::new(POLICY));
    let calls = singleton!(: [Call; 8] = [const { Call::new(Repeat::Safe, Binding::Free) }; 8]);
    let output = singleton!(: Output<4> = Output::new());
    let (Some(group), Some(calls), Some(output)) = (group, calls, output) else {
        cortex_m::asm::udf()
    };
    loop {
        let now = black_box(Instant::ZERO);
        group.handle_into(black_box(Input::Timer), now, output);
        black_box(&output);
        black_box(group.poll_timeout());
        let view = group.view();
        let who = candidates(
            view.serving(),
            black_box(MemberSet::EMPTY),
            MemberSet::EMPTY,
        );
        black_box(choose(who, |_| black_box(0), black_box(0)));
        for call in calls.iter_mut() {
            *call = Call::new(repeat(black_box(Effect::Reads)), black_box(Binding::Free));
            let _ = black_box(call.handle(black_box(CallInput::Start)));
        }
        let overrides = Overrides::<16>::new();
        black_box(verdict(
            black_box(Rv(0)),
            black_box(Context::default()),
            black_box(&overrides),
        ));
    }
}
