//! What the core costs on the board: instructions and stack of a choice, a failure, a step of a recovery. To be run in QEMU with `-icount shift=7`, so
//! that its clock counts instructions; writes one line a figure to the log.
#![no_std]
#![no_main]

#[path = "../lm3s6965evb.rs"]
#[allow(dead_code, reason = "of the board, only its clock is used")]
mod lm3s6965evb;

use core::hint::black_box;

use cortex_m_rt::entry;
use everslot_core::{
    Action, Attempts, Binding, Call, CallInput, Context, Evidence, Group, Input, Instant, MemberId,
    MemberSet, Next, Output, Overrides, Policy, QuarantineReason, Repeat, Role, StepOutcome, User,
    candidates, choose, ckr, verdict,
};
use lm3s6965evb::{Counter, stack_used};
use semihosting::process::exit;

const POLICY: Policy = Policy {
    interval: core::time::Duration::from_secs(60),
    attempts: Attempts::Unlimited,
};

const A: MemberId = MemberId(0);

/// The most that any of its runs has cost.
#[derive(Default)]
struct Cost {
    instructions: u32,
    stack: usize,
}

impl Cost {
    fn stacked(&mut self, work: &mut dyn FnMut()) {
        self.stack = self.stack.max(stack_used(work));
    }

    fn timed(&mut self, counter: &Counter, work: &mut dyn FnMut()) {
        let instructions = counter.instructions(work);
        self.instructions = self.instructions.max(instructions);
    }

    fn tell(&self, what: &str) {
        defmt::info!("{=str}: instructions {=u32}", what, self.instructions);
        defmt::info!("{=str}: stack {=usize}", what, self.stack);
    }
}

/// Feeds the same input to a group and to its copy, once for the stack and once for the time. The output is the caller's memory.
fn feed(group: &mut Group<4>, input: Input, counter: &Counter, cost: &mut Cost) -> Output<4> {
    let mut copy = group.clone();
    let mut output = Output::new();
    let now = Instant::ZERO;
    cost.stacked(&mut || copy.handle_into(black_box(input), black_box(now), &mut output));
    cost.timed(counter, &mut || {
        group.handle_into(black_box(input), black_box(now), &mut output);
    });
    output
}

/// Brings a member up; the cost of the dearest step.
fn bring_up(group: &mut Group<4>, member: MemberId, counter: &Counter, cost: &mut Cost) {
    let role = Role::Active;
    let _ = group.handle(Input::Add { member, role }, Instant::ZERO);
    let mut output = feed(group, Input::Timer, counter, cost);
    while let Some(Action::Perform {
        member,
        serial,
        step,
        login: (_, login),
    }) = output.actions.pop()
    {
        let outcome = StepOutcome::Done { login };
        let input = Input::Step {
            member,
            serial,
            step,
            outcome,
        };
        output = feed(group, input, counter, cost);
    }
}

/// What a healthy call costs: a choice of the member and the way through the call machine.
fn choice(group: &Group<4>, counter: &Counter) -> Cost {
    let mut cost = Cost::default();
    let view = group.view();
    let mut work = || {
        let all = black_box(MemberSet::from_bits(0b1111));
        let who = candidates(black_box(view.serving()), all, MemberSet::EMPTY);
        black_box(choose(who, |_| black_box(3), black_box(2)));
    };
    cost.stacked(&mut work);
    cost.timed(counter, &mut work);
    cost
}

/// What it costs that a member does not answer: the verdict, the call's way to another member, the group's loss.
fn failure(group: &mut Group<4>, counter: &Counter) -> Cost {
    let mut cost = Cost::default();
    let Some(incarnation) = group.view().incarnation(A) else {
        exit(1)
    };
    let chosen = Some((A, incarnation));
    let run = |call: &mut Call| {
        let _ = call.handle(black_box(CallInput::Start));
        let _ = call.handle(black_box(CallInput::Chosen(chosen)));
        let read = verdict(
            black_box(ckr::DEVICE_ERROR),
            Context::default(),
            &Overrides::<0>::new(),
        );
        let found = call.handle(CallInput::Verdict(read));
        if found.lost != chosen || !matches!(found.next, Next::Choose { .. }) {
            exit(1);
        }
    };
    let mut call = Call::new(Repeat::Safe, Binding::Free);
    cost.stacked(&mut || run(&mut call));
    let mut call = Call::new(Repeat::Safe, Binding::Free);
    cost.timed(counter, &mut || run(&mut call));
    let mut loss = Cost::default();
    let input = Input::Lost {
        member: A,
        incarnation,
        evidence: Evidence::Code(ckr::DEVICE_ERROR),
    };
    let _ = feed(group, input, counter, &mut loss);
    Cost {
        instructions: cost.instructions + loss.instructions,
        stack: cost.stack.max(loss.stack),
    }
}

/// What an operator and an application can ask for beside that: the dearest of it.
fn orders(group: &mut Group<4>, counter: &Counter) -> Cost {
    let mut cost = Cost::default();
    let (user, member) = (User::User, MemberId(1));
    let policy = Policy {
        attempts: Attempts::AtMost(1),
        ..POLICY
    };
    let Some(incarnation) = group.view().incarnation(member) else {
        exit(1)
    };
    for input in [
        Input::LoginAccepted {
            member,
            incarnation,
            user,
        },
        Input::LogOut,
        Input::StatusRead,
        Input::SetPolicy(policy),
        Input::SetRole {
            member,
            role: Role::Standby,
        },
        Input::Park { member },
        Input::Unpark { member },
        Input::Recover { member },
        Input::Quarantine {
            member: MemberId(2),
            incarnation,
            why: QuarantineReason::TokenChanged,
        },
        Input::Remove { member },
        Input::Add {
            member,
            role: Role::Active,
        },
    ] {
        let _ = feed(group, input, counter, &mut cost);
    }
    cost
}

#[entry]
fn main() -> ! {
    let Some(counter) = Counter::take() else {
        exit(2)
    };
    let mut group = Group::<4>::new(POLICY);
    let mut recovery = Cost::default();
    for member in 0..4 {
        bring_up(&mut group, MemberId(member), &counter, &mut recovery);
    }
    choice(&group, &counter).tell("choose a member");
    failure(&mut group, &counter).tell("a failure");
    recovery.tell("a recovery step");
    orders(&mut group, &counter).tell("any other input");
    exit(0)
}
