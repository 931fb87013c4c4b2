//! Timelines: each step says at which second it happens.
#![allow(
    unused_must_use,
    reason = "a timeline does not look at the output of each of its steps"
)]

mod admin;
mod check;
mod diagram;
mod late;
mod login;
mod recovery;
#[cfg(feature = "serde")]
mod saved;
mod sequences;
mod status;
mod table;

use core::time::Duration;
use std::vec::Vec;

use super::{Action, Event, Group, Input, LoginOutcome, Output, StepOutcome, User};
use crate::{
    AttemptSerial, Attempts, Evidence, Incarnation, Instant, LoginGeneration, Member, MemberId,
    MemberState, Policy, Role, Step, ckr,
};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
const C: MemberId = MemberId(2);

const FAILURE: Evidence = Evidence::Code(ckr::DEVICE_ERROR);
const STEPS: [Step; 4] = [Step::Connect, Step::Open, Step::LogIn, Step::Synchronise];

type Trio = Group<3>;

fn trio(attempts: Attempts) -> Trio {
    Trio::new(Policy {
        interval: Duration::from_secs(60),
        attempts,
    })
}

/// A and B active, C standby, all serving since second 0 and rested from their first attempt.
fn serving_trio(attempts: Attempts) -> Trio {
    let mut group = Trio::new(Policy {
        interval: Duration::ZERO,
        attempts,
    });
    for (member, role) in [(A, Role::Active), (B, Role::Active), (C, Role::Standby)] {
        at(&mut group, 0, Input::Add { member, role });
        bring_up(&mut group, 0, member);
    }
    at(&mut group, 0, Input::SetPolicy(trio(attempts).policy()));
    group
}

fn seconds(count: u64) -> Instant {
    Instant::from_millis(count * 1000)
}

/// Feeds an input at a second.
fn at(group: &mut Trio, second: u64, input: Input) -> Output<3> {
    let output = group.handle(input, seconds(second));
    assert_eq!(group.check(), Ok(()), "after {input:?} at second {second}");
    output
}

#[track_caller]
fn member(group: &Trio, member: MemberId) -> Member {
    group.member(member).expect("a member")
}

#[track_caller]
fn incarnation(group: &Trio, id: MemberId) -> Incarnation {
    member(group, id).incarnation
}

#[track_caller]
fn state(group: &Trio, id: MemberId) -> MemberState {
    member(group, id).state
}

/// The attempt that is under way at a member.
#[track_caller]
fn attempt(group: &Trio, id: MemberId) -> (AttemptSerial, Step) {
    match state(group, id) {
        MemberState::Recovering { serial, step, .. } => (serial, step),
        other => panic!("{id:?} is not being recovered but {other:?}"),
    }
}

/// Ends the step that is under way at a member.
#[track_caller]
fn step_ends(group: &mut Trio, second: u64, id: MemberId, outcome: StepOutcome) -> Output<3> {
    let (serial, step) = attempt(group, id);
    at(
        group,
        second,
        Input::Step {
            member: id,
            serial,
            step,
            outcome,
        },
    )
}

/// The step that is under way at a member does what it should.
#[track_caller]
fn step_done(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    let login = group.generation();
    step_ends(group, second, id, StepOutcome::Done { login })
}

/// Begins an attempt at a member that is due, and lets all its steps succeed.
#[track_caller]
fn bring_up(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    let _ = at(group, second, Input::Timer);
    finish(group, second, id)
}

/// Lets all steps of the attempt that is under way succeed.
#[track_caller]
fn finish(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    for _ in STEPS {
        let output = step_done(group, second, id);
        if state(group, id).serves() {
            return output;
        }
    }
    panic!("{id:?} does not serve after all steps of an attempt");
}

/// Begins an attempt at a member that is due, and lets it fail.
#[track_caller]
fn try_in_vain(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    let _ = at(group, second, Input::Timer);
    step_ends(group, second, id, StepOutcome::Failed(FAILURE))
}

#[track_caller]
fn lose(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    let incarnation = incarnation(group, id);
    at(
        group,
        second,
        Input::Lost {
            member: id,
            incarnation,
            evidence: FAILURE,
        },
    )
}

fn log_in(group: &mut Trio, second: u64, id: MemberId) -> Output<3> {
    let incarnation = incarnation(group, id);
    at(
        group,
        second,
        Input::LoginAccepted {
            member: id,
            incarnation,
            user: User::User,
        },
    )
}

fn login_changed(group: &mut Trio, second: u64, id: MemberId, outcome: LoginOutcome) -> Output<3> {
    let (incarnation, generation) = (incarnation(group, id), group.generation());
    at(
        group,
        second,
        Input::LoginChanged {
            member: id,
            incarnation,
            generation,
            outcome,
        },
    )
}

fn actions(output: &Output<3>) -> Vec<Action> {
    output.actions.to_vec()
}

fn events(output: &Output<3>) -> Vec<Event> {
    output.events.to_vec()
}

/// Nothing was to be done, nothing to be told.
#[track_caller]
fn assert_void(output: &Output<3>) {
    assert_eq!((actions(output), events(output)), (Vec::new(), Vec::new()));
}

#[test]
fn an_output_takes_the_place_of_what_was_there() {
    let mut group = serving_trio(Attempts::Unlimited);
    let mut output = lose(&mut group, 0, A);
    assert!(!output.actions.is_empty() && !output.events.is_empty());
    group
        .clone()
        .handle_into(Input::Park { member: B }, seconds(0), &mut output);
    assert_eq!(output, group.handle(Input::Park { member: B }, seconds(0)));
    group.handle_into(Input::Park { member: B }, seconds(0), &mut output);
    assert_void(&output);
}
