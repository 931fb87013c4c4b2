//! What others leave unfinished, keep, hold closed or change while a member is reconciled.

use std::time::Duration;

use cryptoki_sys::*;
use everslot::domain::{Attributes, Shown};
use everslot::journal::{Intent, IntentKind, Plant};
use everslot::objects::planted::label_with;
use everslot_core::{Copies, Ended};

use crate::group::{Group, is_equal};

#[test]
fn what_a_process_has_left_half_made_is_cleaned_and_what_it_has_made_is_named() {
    let mut group = Group::softhsm(2);
    let plant = |mark| Plant { mark, attempt: 0 };
    let planted = |group: &mut Group, mark| {
        let label = label_with(plant(mark), b"data");
        group.make_data(1, std::str::from_utf8(&label).unwrap())
    };
    // Of a process that has ended, of one that nobody knows to have ended, and one that was committed.
    let ended = Intent {
        plant: plant(1),
        kind: IntentKind::Create,
        members: vec!["b".to_owned()],
        object: None,
        fingerprint: None,
        owner: String::new(),
    };
    assert!(group.journal.record(&ended).unwrap());
    planted(&mut group, 1);
    let (outcome, _) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(
        (group.held(1), group.journal.intents().unwrap()),
        (vec![], vec![])
    );
    let elsewhere = Intent {
        plant: plant(2),
        owner: "machine/boot/pid:[1]/1/1".to_owned(),
        ..ended
    };
    assert!(group.journal.record(&elsewhere).unwrap());
    planted(&mut group, 2);
    // Nobody else is in the gate when it is closed: then it is over, wherever it ran.
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    assert_eq!(
        (group.held(1), group.journal.intents().unwrap()),
        (vec![], vec![])
    );
    planted(&mut group, 3);
    let (outcome, _) = group.reconcile(1, &[0]);
    assert_eq!(outcome.progress.adopted, 1);
    assert_eq!(group.labelled(1, "data").len(), 1);
}

#[test]
fn a_member_that_keeps_what_was_destroyed_is_not_equal() {
    let mut group = Group::softhsm(2);
    let template = Attributes::new()
        .number(CKA_CLASS, CKO_DATA)
        .bytes(CKA_LABEL, b"kept")
        .flags(&[CKA_TOKEN], true)
        .flags(&[CKA_PRIVATE, CKA_DESTROYABLE], false);
    group.token(1).create(&template).unwrap();
    assert!(is_equal(&group.reconcile(1, &[]).0));
    let entry = group.entries().remove(0);
    let intent = Intent {
        plant: Plant {
            mark: 1,
            attempt: 0,
        },
        kind: IntentKind::Destroy,
        members: Vec::new(),
        object: Some(entry.object.id),
        fingerprint: None,
        owner: String::new(),
    };
    assert!(group.journal.record(&intent).unwrap());
    let outcome = group.reconcile(1, &[0]).0;
    assert!(
        matches!(outcome.ended, Ended::KeepsDestroyed(_)),
        "{outcome:?}"
    );
    assert!(outcome.closed.is_none());
}

#[test]
fn the_gate_is_closed_until_whoever_asked_lets_go() {
    let mut group = Group::softhsm(2);
    let entered = group.gate.enter(Duration::ZERO).unwrap();
    let (outcome, _) = group.reconcile(1, &[0]);
    assert_eq!(outcome.ended, Ended::GateNotClosed);
    drop(entered);
    let (outcome, _) = group.among(1, &[0, 1], Copies::All, false);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert!(group.gate.enter(Duration::ZERO).is_err());
    drop(outcome);
    drop(group.gate.enter(Duration::ZERO).unwrap());
}

#[test]
fn a_tombstone_that_is_forgotten_meanwhile_hides_no_other() {
    let mut group = Group::softhsm(2);
    let labels = ["0 data", "1 data", "2 data", "3 data", "4 data", "5 data"];
    for label in labels {
        group.make_data(0, label);
    }
    group.all();
    for label in labels {
        group.destroy(label, &[0]);
    }
    let tombstones = group.entries();
    assert!(tombstones.len() == labels.len() && tombstones.iter().all(|entry| entry.gone));
    let forgotten = &tombstones[2].object;
    group.forgotten_meanwhile = Some(forgotten.id);
    let (outcome, _) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(group.held(1), [forgotten.fingerprint]);
}

#[test]
fn what_is_still_being_destroyed_is_destroyed_only_once_nobody_can_take_that_back() {
    let mut group = Group::softhsm(2);
    group.make_data(0, "data");
    group.all();
    let entry = group.entries().remove(0);
    let plant = Plant {
        mark: 1,
        attempt: 0,
    };
    let intent = Intent {
        plant,
        kind: IntentKind::Destroy,
        members: vec!["a".to_owned()],
        object: Some(entry.object.id),
        fingerprint: None,
        owner: "machine/boot/pid:[1]/1/1".to_owned(),
    };
    assert!(group.journal.record(&intent).unwrap());
    let entered = group.gate.enter(Duration::ZERO).unwrap();
    let (outcome, _) = group.reconcile(1, &[0]);
    assert_eq!(outcome.ended, Ended::GateNotClosed);
    assert_eq!(
        group.labelled(1, "data").len(),
        1,
        "it may yet be taken back"
    );
    drop(entered);
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    assert_eq!(group.labelled(1, "data").len(), 0, "it is not any more");
}

/// A group in which `b` may have been given another label than is on record, by a change that was taken back.
fn renamed_by_a_change_that_is_taken_back(asked: &[&str]) -> Group {
    let mut group = Group::softhsm(2);
    group.make_data(0, "before");
    group.all();
    let entry = group.entries().remove(0);
    let copy = group.labelled(1, "before").remove(0);
    let after = Attributes::new().bytes(CKA_LABEL, b"after");
    let becomes = Shown::after(&mut group.token(1), copy, &after).unwrap();
    let plant = Plant {
        mark: 1,
        attempt: 0,
    };
    let intent = Intent {
        plant,
        kind: IntentKind::Update,
        members: asked.iter().map(|name| (*name).to_owned()).collect(),
        object: Some(entry.object.id),
        fingerprint: Some(becomes.fingerprint()),
        owner: String::new(),
    };
    assert!(group.journal.record(&intent).unwrap());
    group.token(1).set(copy, &after).unwrap();
    group.journal.retract(plant, &["b".to_owned()]).unwrap();
    group
}

#[test]
fn a_name_that_was_taken_back_elsewhere_is_taken_back() {
    let mut group = renamed_by_a_change_that_is_taken_back(&["a", "b"]);
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    let labelled = |group: &mut Group, label| group.labelled(1, label).len();
    assert_eq!(labelled(&mut group, "before"), 1);
    assert_eq!(labelled(&mut group, "after"), 0);
    assert_eq!(group.held(0), group.held(1));
}

#[test]
fn a_name_that_nobody_else_was_asked_to_take_is_everybodys() {
    let mut group = renamed_by_a_change_that_is_taken_back(&["b"]);
    group.all();
    for member in [0, 1] {
        assert_eq!(group.labelled(member, "after").len(), 1, "{member}");
        assert_eq!(group.labelled(member, "before").len(), 0, "{member}");
    }
    let live = group.entries().into_iter().filter(|entry| !entry.gone);
    assert_eq!(live.count(), 1);
}
