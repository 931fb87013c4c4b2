//! A loss at some of the requests of a change of a group's objects; `make faults` tries them all.

use everslot_tests::faults::{Campaign, Fault, Outcome, Scenario, Tally};

/// Points at once.
const JOBS: usize = 2;

/// Tries every so manieth point; none of the numbers shares a factor with 6, so that each kind of loss is met before and after a request.
fn try_out(scenario: Scenario, every: usize) {
    let campaign =
        Campaign::new(scenario, &Campaign::furnished()).expect("it is right without a fault");
    let points = campaign.faults();
    let some: Vec<Fault> = points.iter().copied().step_by(every).collect();
    println!("{scenario:?}: {} of {} points", some.len(), points.len());
    let tally = campaign.run(&some, JOBS, false, &|fault: &Fault, outcome: &Outcome| {
        for violation in &outcome.violations {
            println!("{fault}: told {:?}: {violation}", outcome.answer);
        }
    });
    assert!(tally.is_right(), "{tally:?}");
    let Tally {
        tried, not_reached, ..
    } = tally;
    assert!(not_reached * 2 < tried, "most faults happen: {tally:?}");
}

#[test]
fn a_key_pair_is_made_whole_or_not_at_all() {
    try_out(Scenario::Pair, 31);
}

#[test]
fn a_secret_key_is_made_once_or_not_at_all() {
    try_out(Scenario::Secret, 19);
}

#[test]
fn a_certificate_is_made_once_or_not_at_all() {
    try_out(Scenario::Certificate, 19);
}

#[test]
fn what_is_destroyed_stays_so() {
    try_out(Scenario::Destroy, 13);
}

#[test]
fn an_update_is_the_same_everywhere() {
    try_out(Scenario::Update, 19);
}

#[test]
fn a_reconcile_may_end_anywhere() {
    try_out(Scenario::Reconcile, 97);
}

#[test]
fn a_renamed_object_is_known_by_one_name_everywhere() {
    try_out(Scenario::Rename, 19);
}
