//! Reports that come late, or twice.

use super::*;
use crate::QuarantineReason;

#[test]
fn reports_about_an_older_incarnation_are_void() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    bring_up(&mut group, 100, A);
    let (member, incarnation) = (A, Incarnation(1));
    assert_void(&at(
        &mut group,
        101,
        Input::Lost {
            member,
            incarnation,
            evidence: FAILURE,
        },
    ));
    let why = QuarantineReason::PinRefused;
    assert_void(&at(
        &mut group,
        101,
        Input::Quarantine {
            member,
            incarnation,
            why,
        },
    ));
    assert!(state(&group, A).serves());
}

#[test]
fn two_calls_that_find_the_same_loss_make_one_outage() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    assert_void(&lose(&mut group, 101, A));
    try_in_vain(&mut group, 101, A);
    assert_void(&lose(&mut group, 102, A));
}

#[test]
fn the_outcome_of_a_step_that_is_not_waited_for_is_void() {
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 100, A);
    at(&mut group, 100, Input::Timer);
    let (serial, step) = attempt(&group, A);
    let outcome = StepOutcome::Done {
        login: group.generation(),
    };
    let older = AttemptSerial(serial.0 - 1);
    let other = Step::Synchronise;
    assert_void(&at(
        &mut group,
        101,
        Input::Step {
            member: A,
            serial: older,
            step,
            outcome,
        },
    ));
    assert_void(&at(
        &mut group,
        101,
        Input::Step {
            member: A,
            serial,
            step: other,
            outcome,
        },
    ));
    assert_void(&at(
        &mut group,
        101,
        Input::Step {
            member: B,
            serial,
            step,
            outcome,
        },
    ));
    assert_eq!(attempt(&group, A), (serial, Step::Connect));
}
