//! What becomes of an object of which nobody knows whether it was changed.

use super::*;

fn unclear(member: &str) -> Holder {
    let member = member.to_owned();
    Holder {
        member,
        revision: None,
    }
}

/// An object that "a" has as the group has it, and "b" as it was before.
fn one_that_a_alone_has(journal: &mut Journal) -> Object {
    let made = object(1);
    let held = [holder("a", 0), holder("b", 0)];
    journal.adopt(&made, &held).unwrap();
    changed(journal, &made, 1, "a")
}

fn changed(journal: &mut Journal, of: &Object, revision: u8, at: &str) -> Object {
    let changed = Object {
        revision: Revision([revision; 8]),
        ..of.clone()
    };
    let update = intent(100 + u64::from(revision), IntentKind::Update, Some(of.id));
    assert!(journal.record(&update).unwrap());
    let done = names(&[at]);
    let live = journal.commit_update(update.plant, &changed, &done, &[]);
    assert!(live.unwrap());
    changed
}

fn entry(journal: &mut Journal, object: &Object) -> Entry {
    journal.entry(object.id).unwrap().unwrap()
}

#[test]
fn who_alone_can_tell_stays_on_record_and_is_asked_first() {
    with_journals(|journal| {
        let made = one_that_a_alone_has(journal);
        let update = intent(5, IntentKind::Update, Some(made.id));
        assert!(journal.record(&update).unwrap());
        journal.retract(update.plant, &names(&["a", "b"])).unwrap();
        let found = entry(journal, &made);
        assert_eq!(found.holders, [holder("a", 1), unclear("b")]);
        assert_eq!(found.current().collect::<Vec<_>>(), ["a"]);
        assert!(journal.is_behind("a", true).unwrap(), "it is to tell");
        let [stands] = &journal.intents().unwrap()[..] else {
            panic!("it stands")
        };
        assert_eq!(
            (&stands.members[..], &stands.owner[..]),
            (&names(&["a"])[..], "")
        );
        let told = Object {
            revision: Revision([2; 8]),
            ..made.clone()
        };
        let settled = journal.settle_update(update.plant, &told, &names(&["a"]), &[]);
        assert!(settled.unwrap());
        assert_eq!(entry(journal, &made).object.revision, told.revision);
        assert_eq!(journal.intents().unwrap(), []);
    });
}

#[test]
fn where_others_know_it_follows_them() {
    with_journals(|journal| {
        let made = object(1);
        let held = [holder("a", 0), holder("b", 0)];
        journal.adopt(&made, &held).unwrap();
        let update = intent(5, IntentKind::Update, Some(made.id));
        assert!(journal.record(&update).unwrap());
        journal.retract(update.plant, &names(&["a"])).unwrap();
        assert_eq!(
            entry(journal, &made).holders,
            [unclear("a"), holder("b", 0)]
        );
        assert_eq!(journal.intents().unwrap(), []);
    });
}

#[test]
fn a_doubt_is_of_no_interest_once_the_object_has_changed() {
    with_journals(|journal| {
        let made = one_that_a_alone_has(journal);
        let update = intent(5, IntentKind::Update, Some(made.id));
        assert!(journal.record(&update).unwrap());
        journal.retract(update.plant, &names(&["a"])).unwrap();
        let of_another = intent(6, IntentKind::Update, Some(made.id));
        assert!(journal.record(&of_another).unwrap());
        let changed = changed(journal, &made, 3, "b");
        let found = entry(journal, &made);
        assert_eq!(found.object, changed);
        assert_eq!(found.holders, [unclear("a"), holder("b", 3)]);
        let left = journal.intents().unwrap();
        assert_eq!(left, [of_another], "what somebody is about is not touched");
    });
}

#[test]
fn who_has_it_as_it_was_has_not_changed_it() {
    with_journals(|journal| {
        let made = one_that_a_alone_has(journal);
        let before = Object {
            revision: Revision([0; 8]),
            ..made.clone()
        };
        let update = intent(5, IntentKind::Update, Some(made.id));
        assert!(journal.record(&update).unwrap());
        let settled = journal.settle_update(update.plant, &before, &names(&["b"]), &[]);
        assert!(settled.unwrap());
        let found = entry(journal, &made);
        assert_eq!(found.object, made);
        assert_eq!(found.holders, [holder("a", 1), holder("b", 0)]);
        assert_eq!(journal.intents().unwrap(), []);
    });
}

/// What it may have been renamed to at a member is not brought back by that member, whatever the object is called by then, or if it is gone.
#[test]
fn what_it_may_have_become_is_not_brought_back() {
    with_journals(|journal| {
        for is_destroyed in [false, true] {
            let made = one_that_a_alone_has(journal);
            let rename = Intent {
                fingerprint: Some(object(2).fingerprint),
                ..intent(5, IntentKind::Update, Some(made.id))
            };
            assert!(journal.record(&rename).unwrap());
            journal.retract(rename.plant, &names(&["a"])).unwrap();
            if is_destroyed {
                let destroy = intent(6, IntentKind::Destroy, Some(made.id));
                assert!(journal.record(&destroy).unwrap());
                let done = names(&["b"]);
                let committed = journal.commit_destruction(destroy.plant, made.id, &done);
                committed.unwrap();
            } else {
                changed(journal, &made, 3, "b");
            }
            assert_eq!(journal.intents().unwrap(), []);
            let unborn = journal.with_fingerprint(object(2).fingerprint).unwrap();
            let [unborn] = &unborn[..] else {
                panic!("one tombstone: {unborn:?}")
            };
            assert_eq!(
                (unborn.gone, &unborn.holders[..]),
                (true, &[unclear("a")][..])
            );
            journal.forget(unborn.object.id).unwrap();
            journal.forget(made.id).unwrap();
        }
    });
}

/// Whoever tries again where it could be done gets what was tried.
#[test]
fn what_it_has_become_after_all_has_no_tombstone() {
    with_journals(|journal| {
        let made = one_that_a_alone_has(journal);
        let becomes = object(2).fingerprint;
        let rename = Intent {
            fingerprint: Some(becomes),
            ..intent(5, IntentKind::Update, Some(made.id))
        };
        assert!(journal.record(&rename).unwrap());
        journal.retract(rename.plant, &names(&["a"])).unwrap();
        let renamed = Object {
            fingerprint: becomes,
            ..made.clone()
        };
        changed(journal, &renamed, 3, "b");
        let known = journal.with_fingerprint(becomes).unwrap();
        assert_eq!(known.len(), 1, "{known:?}");
        assert!(!known[0].gone);
    });
}
