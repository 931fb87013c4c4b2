use cryptoki_sys::{CKO_DATA, CKO_SECRET_KEY};
use everslot_core::ckr;

use super::*;

const REFUSED: Failure = Failure {
    function: "C_DestroyObject",
    code: ckr::DEVICE_ERROR,
};

fn seen(class: CK_OBJECT_CLASS, label: &str) -> Seen {
    Seen {
        class,
        label: label.to_owned(),
        proof: "works".to_owned(),
    }
}

/// What is wrong when both members hold these labels.
fn wrong(ledger: &Ledger, labels: &[&str]) -> Vec<Wrong> {
    let objects: Vec<Seen> = labels.iter().map(|label| seen(CKO_DATA, label)).collect();
    let violations = ledger.judge(&vec![objects.clone(), objects]);
    let mut wrong: Vec<_> = violations.iter().map(|violation| violation.wrong).collect();
    wrong.sort_unstable();
    wrong.dedup();
    wrong
}

fn with_one(told: Result<Object, Failure>) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.made(CKO_DATA, "o1", "o1.0", told);
    ledger
}

#[test]
fn what_was_made_must_be_there_once() {
    let ledger = with_one(Ok(Object(1)));
    assert_eq!(wrong(&ledger, &["o1.0"]), []);
    assert_eq!(wrong(&ledger, &[]), [Wrong::Lost]);
    assert_eq!(wrong(&ledger, &["o1.0", "o1.0"]), [Wrong::Twin]);
    assert_eq!(wrong(&ledger, &["o1.0", "o10.0"]), [Wrong::LeftOver]);
}

#[test]
fn what_was_not_made_must_not_be_there() {
    let ledger = with_one(Err(REFUSED));
    assert_eq!(wrong(&ledger, &[]), []);
    assert_eq!(wrong(&ledger, &["o1.0"]), [Wrong::LeftOver]);
    assert!(ledger.living().is_empty());
}

#[test]
fn what_was_renamed_has_its_new_label_only() {
    let mut ledger = with_one(Ok(Object(1)));
    ledger.entry(0).changed(&Ok(()), Some("o1.1".to_owned()));
    assert_eq!(wrong(&ledger, &["o1.1"]), []);
    assert_eq!(wrong(&ledger, &["o1.0"]), [Wrong::Lost, Wrong::Back]);
    assert_eq!(wrong(&ledger, &["o1.0", "o1.1"]), [Wrong::Back]);
}

#[test]
fn what_was_destroyed_must_not_be_back() {
    let mut ledger = with_one(Ok(Object(1)));
    ledger.entry(0).changed(&Ok(()), None);
    assert_eq!(wrong(&ledger, &[]), []);
    assert_eq!(wrong(&ledger, &["o1.0"]), [Wrong::Back]);
}

#[test]
fn what_nobody_can_tell_is_the_same_everywhere() {
    let mut ledger = with_one(Ok(Object(1)));
    ledger.entry(0).changed(&Err(REFUSED), None);
    assert!(ledger.living().is_empty());
    assert_eq!(wrong(&ledger, &["o1.0"]), []);
    assert_eq!(wrong(&ledger, &[]), []);
    let apart = ledger.judge(&vec![vec![seen(CKO_DATA, "o1.0")], Vec::new()]);
    assert_eq!(apart.len(), 1);
    assert_eq!(apart[0].wrong, Wrong::Apart);
}

#[test]
fn the_halves_of_a_pair_are_two() {
    let mut ledger = with_one(Ok(Object(1)));
    ledger.made(CKO_SECRET_KEY, "o1", "o1.0", Ok(Object(2)));
    let both = vec![seen(CKO_DATA, "o1.0"), seen(CKO_SECRET_KEY, "o1.0")];
    assert_eq!(ledger.judge(&vec![both.clone(), both]), []);
}

#[test]
fn what_a_token_has_lost_itself_is_nobodys_fault_but_no_more_than_that() {
    let changed = |told| {
        let mut ledger = with_one(Ok(Object(1)));
        ledger.entry(0).changed(&told, Some("o1.1".to_owned()));
        ledger
    };
    let none: Members = vec![Vec::new(), Vec::new()];
    assert_eq!(changed(Err(REFUSED)).forget_emptied(2, &none), 1);
    assert_eq!(changed(Err(REFUSED)).forget_emptied(0, &none), 0);
    assert_eq!(changed(Ok(())).forget_emptied(1, &none), 0);
    assert_eq!(with_one(Ok(Object(1))).forget_emptied(1, &none), 1);
    let one: Members = vec![Vec::new(), vec![seen(CKO_DATA, "o1.0")]];
    assert_eq!(changed(Err(REFUSED)).forget_emptied(1, &one), 0);
}
