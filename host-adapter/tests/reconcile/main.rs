//! Members' objects made the same as the group's, on real tokens: what is copied, destroyed, changed, adopted, and what is left alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod group;
#[path = "../makes/mod.rs"]
mod makes;
mod unfinished;

use cryptoki_sys::*;
use everslot::domain::Attributes;
use everslot_core::{Copies, Progress};
use group::{Group, is_equal};
use makes::Make;

#[test]
fn what_there_is_becomes_the_groups_and_comes_to_every_member() {
    let makes = Make::installed();
    let mut group = Group::of(&makes);
    group.make_keys(0);
    let key = Attributes::new()
        .bytes(CKA_LABEL, b"of the last")
        .number(CKA_VALUE_LEN, 32)
        .flags(
            &[
                CKA_TOKEN,
                CKA_PRIVATE,
                CKA_SENSITIVE,
                CKA_EXTRACTABLE,
                CKA_ENCRYPT,
            ],
            true,
        );
    let last = makes.len() - 1;
    group.token(last).generate(CKM_AES_KEY_GEN, &key).unwrap();
    assert_eq!(group.all(), [] as [String; 0]);
    let held = group.held(0);
    assert_eq!(held.len(), 7);
    for (member, make) in makes.iter().enumerate().skip(1) {
        assert_eq!(group.held(member), held, "{make:?}");
    }
    for entry in group.entries() {
        assert_eq!(entry.holders.len(), makes.len());
        assert!(
            entry
                .holders
                .iter()
                .all(|holder| holder.revision == Some(entry.object.revision))
        );
    }
    let sequence = group.journal.sequence().unwrap();
    let again = group.reconcile(1, &[0]).0;
    let progress = Progress {
        looked_at: again.progress.looked_at,
        ..Progress::default()
    };
    assert_eq!(again.progress, progress, "nothing is left to be done");
    assert_eq!(group.journal.sequence().unwrap(), sequence);
}

#[test]
fn a_member_that_returns_empty_gets_everything_back() {
    let mut group = Group::softhsm(3);
    group.make_some(0);
    group.all();
    let held = group.held(0);
    group.empty(1);
    let (outcome, log) = group.reconcile(1, &[0, 2]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(
        (outcome.progress.copied as usize, log.len()),
        (held.len(), 0)
    );
    assert_eq!(group.held(1), held);
}

#[test]
fn what_was_destroyed_while_it_was_away_goes_and_does_not_come_back() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    // A pair, whose private key is known by its public key.
    group.destroy("ec", &[0]);
    group.destroy("data", &[0]);
    assert_eq!(group.held(1).len(), 7);
    assert!(group.journal.is_behind("b", true).unwrap());
    let (outcome, _) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(outcome.progress.adopted, 0);
    assert_eq!(group.held(1), group.held(0));
    assert!(!group.journal.is_behind("b", true).unwrap());
    // Both were found equal since: nobody can come back with it.
    group.all();
    assert!(group.entries().iter().all(|entry| !entry.gone));
}

#[test]
fn what_has_changed_on_one_member_changes_on_the_others() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    let key = group.labelled(1, "aes")[0];
    let changed = Attributes::new().flags(&[CKA_DECRYPT], false);
    group.token(1).set(key, &changed).unwrap();
    assert_eq!(group.reconcile(1, &[0]).0.progress.changes_adopted, 1);
    assert_eq!(group.reconcile(0, &[1]).0.progress.updated, 1);
    let key = group.labelled(0, "aes")[0];
    let shown = group.token(0).attributes(key, &[CKA_DECRYPT]).unwrap();
    assert_eq!(shown.flag(CKA_DECRYPT), Some(false));
}

#[test]
fn twins_are_told_of_and_left_alone() {
    let mut group = Group::softhsm(2);
    group.make_data(0, "twin");
    group.make_data(0, "twin");
    let log = group.all();
    assert_eq!(log, ["Ambiguous data \"twin\": "]);
    assert_eq!((group.held(0).len(), group.held(1).len()), (2, 0));
    assert_eq!(group.entries(), []);
}

#[test]
fn a_key_that_cannot_be_carried_stays_where_it_is_and_is_told_of() {
    let mut group = Group::softhsm(2);
    let key = Attributes::new()
        .bytes(CKA_LABEL, b"fixed")
        .number(CKA_VALUE_LEN, 32)
        .flags(&[CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE], true)
        .flags(&[CKA_EXTRACTABLE], false);
    group.token(0).generate(CKM_AES_KEY_GEN, &key).unwrap();
    let log = group.all();
    assert!(
        log.iter()
            .any(|line| line
                .starts_with("Stays secret key \"fixed\": the key cannot leave its token")),
        "{log:?}"
    );
    assert_eq!((group.held(0).len(), group.held(1).len()), (1, 0));
    assert_eq!(group.entries()[0].holders.len(), 1);
}

#[test]
fn with_a_number_of_copies_there_are_so_many() {
    let mut group = Group::softhsm(3);
    group.make_data(0, "data");
    let copies = Copies::Number(2);
    for member in [0, 1, 2, 0] {
        let outcome = group.among(member, &[0, 1, 2], copies, false).0;
        assert!(is_equal(&outcome), "{outcome:?}");
    }
    let held: usize = (0..3).map(|member| group.held(member).len()).sum();
    assert_eq!(held, 2);
}

#[test]
fn a_trial_does_nothing_and_says_what_would_be_done() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    assert!(is_equal(&group.reconcile(0, &[]).0));
    group.make_data(1, "of b");
    let sequence = group.journal.sequence().unwrap();
    let (outcome, _) = group.among(1, &[0, 1], Copies::All, true);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!((outcome.progress.copied, outcome.progress.adopted), (7, 1));
    assert_eq!(group.held(1).len(), 1);
    assert_eq!(group.journal.sequence().unwrap(), sequence);
}

#[test]
fn two_members_lost_alternately_end_the_same() {
    let mut group = Group::softhsm(2);
    group.make_some(0);
    group.all();
    group.destroy("aes", &[0]);
    group.make_data(1, "late");
    assert!(is_equal(&group.reconcile(1, &[0]).0));
    group.empty(0);
    group.make_data(0, "later");
    assert!(is_equal(&group.reconcile(0, &[1]).0));
    group.all();
    assert_eq!(group.held(0), group.held(1));
    assert_eq!(group.held(0).len(), 8);
    assert_eq!(group.labelled(0, "aes"), []);
}

/// SoftHSM does not show the point of an EC private key: it is known by the public key beside it.
#[test]
fn a_private_key_is_the_same_when_its_public_key_has_gone_on_one_member_alone() {
    let mut group = Group::softhsm(2);
    // So many that each of the three fingerprints (with the public key, without it, the public key's own) is now the first, now the last.
    for id in 1..=8 {
        group.make_curve(0, id);
    }
    assert_eq!(group.all(), [] as [String; 0]);
    let (held, entries) = (group.held(0), group.entries().len());
    let publics = Attributes::new().number(CKA_CLASS, CKO_PUBLIC_KEY);
    for public in group.find(1, &publics) {
        group.token(1).destroy(public).unwrap();
    }
    let (outcome, log) = group.reconcile(1, &[0]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(log, [] as [String; 0]);
    assert_eq!(outcome.progress.adopted, 0, "{outcome:?}");
    assert_eq!(group.held(1), held);
    assert_eq!(group.entries().len(), entries, "nothing is another object");
    let (outcome, _) = group.reconcile(0, &[1]);
    assert!(is_equal(&outcome), "{outcome:?}");
    assert_eq!(group.held(0), held);
}
