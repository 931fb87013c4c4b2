//! What objects are known by.

use super::*;

#[test]
fn what_an_object_is_becoming_is_not_adopted_meanwhile() {
    with_journals(|journal| {
        let (before, after) = (object(7), object(8));
        journal.adopt(&before, &[holder("a", 1)]).unwrap();
        let update = Intent {
            fingerprint: Some(after.fingerprint),
            ..intent(1, IntentKind::Update, Some(before.id))
        };
        journal.record(&update).unwrap();
        let adopt = [Note::Adopt(after.clone(), holder("a", 1))];
        journal.note(&adopt).unwrap();
        assert_eq!(journal.with_fingerprint(after.fingerprint).unwrap(), []);
        let updated = Object {
            fingerprint: after.fingerprint,
            ..before
        };
        let all = names(&["a", "b"]);
        assert!(
            journal
                .commit_update(update.plant, &updated, &all, &[])
                .unwrap()
        );
        journal.note(&adopt).unwrap();
        let found = journal.with_fingerprint(after.fingerprint).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].object, updated);
    });
}

#[test]
fn a_private_key_is_found_by_what_it_is_called_whether_it_lives_or_not() {
    with_journals(|journal| {
        let bare = Some(Fingerprint([9; 16]));
        let key = |number| Object {
            bare,
            ..object(number)
        };
        let (first, second) = (key(1), key(2));
        journal.adopt(&first, &[holder("a", 1)]).unwrap();
        journal.adopt(&second, &[holder("b", 1)]).unwrap();
        journal.adopt(&object(3), &[]).unwrap();
        let destroy = intent(1, IntentKind::Destroy, Some(first.id));
        journal.record(&destroy).unwrap();
        let found = journal.with_bare(Fingerprint([9; 16])).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|entry| (&entry.object, entry.gone))
            .collect();
        assert_eq!(found, [(&first, true), (&second, false)]);
        let renamed = Object {
            fingerprint: Fingerprint([5; 16]),
            bare: Some(Fingerprint([6; 16])),
            ..second.clone()
        };
        let update = intent(2, IntentKind::Update, Some(second.id));
        journal.record(&update).unwrap();
        journal
            .commit_update(update.plant, &renamed, &names(&["b"]), &[])
            .unwrap();
        let former = journal.with_bare(Fingerprint([9; 16])).unwrap();
        assert_eq!(former.len(), 2, "what it was called before has a tombstone");
        assert!(former.iter().all(|entry| entry.gone));
        assert_eq!(
            journal.with_bare(Fingerprint([6; 16])).unwrap()[0].object,
            renamed
        );
    });
}
