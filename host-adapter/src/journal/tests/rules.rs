use super::*;
use crate::domain::profile::Profile;

fn all(journal: &mut Journal, range: Range) -> Vec<Entry> {
    let mut entries = Entries::new(range);
    std::iter::from_fn(|| entries.next(journal).expect("it can be read")).collect()
}

#[test]
fn a_creation_is_the_groups_when_it_is_committed_and_its_intent_stands_where_it_is_unclear() {
    with_journals(|journal| {
        let intent = intent(u64::MAX, IntentKind::Create, None);
        assert!(journal.record(&intent).unwrap());
        assert_eq!(journal.intents().unwrap(), std::slice::from_ref(&intent));
        assert_eq!(journal.sequence().unwrap(), 0);
        let remembered = Some(Remembered {
            extractable: false,
            never_extractable: true,
            sensitive: true,
            always_sensitive: true,
            wrap_with_trusted: false,
            local: true,
            generated_by: Some(0x1040),
            modifiable: true,
            destroyable: true,
        });
        let made = Object {
            remembered,
            ..object(7)
        };
        let made = (made, vec![holder("a", 1), holder("b", 1)]);
        for _ in 0..2 {
            journal
                .commit_creation(intent.plant, std::slice::from_ref(&made), &names(&["b"]))
                .unwrap();
            let left = Intent {
                members: names(&["b"]),
                owner: String::new(),
                ..intent.clone()
            };
            assert_eq!(journal.intents().unwrap(), [left]);
            let entry = journal.entry(made.0.id).unwrap().expect("it is there");
            assert_eq!((&entry.object, entry.gone), (&made.0, false));
            assert_eq!(entry.holders, made.1);
        }
        journal.commit_creation(intent.plant, &[made], &[]).unwrap();
        assert_eq!(journal.intents().unwrap(), []);
    });
}

#[test]
fn an_intent_is_taken_over_once_and_left_to_whoever_comes() {
    with_journals(|journal| {
        let intent = intent(9, IntentKind::Create, None);
        journal.record(&intent).unwrap();
        let owner = |journal: &mut Journal| journal.intents().unwrap()[0].owner.clone();
        assert!(journal.claim(intent.plant, &intent.owner, "me").unwrap());
        assert!(!journal.claim(intent.plant, &intent.owner, "you").unwrap());
        assert_eq!(owner(journal), "me");
        journal.disown(intent.plant).unwrap();
        assert_eq!(owner(journal), "");
        assert!(journal.claim(intent.plant, "", "you").unwrap());
        journal.retract(intent.plant, &names(&["b"])).unwrap();
        assert_eq!(owner(journal), "", "what is left is nobody's");
        journal.retract(intent.plant, &[]).unwrap();
        assert!(!journal.claim(intent.plant, "", "you").unwrap());
    });
}

#[test]
fn a_destruction_puts_the_tombstone_first_and_takes_it_back_when_it_is_retracted() {
    with_journals(|journal| {
        let made = object(1);
        journal
            .adopt(&made, &[holder("a", 0), holder("b", 0)])
            .unwrap();
        let destroy = intent(5, IntentKind::Destroy, Some(made.id));
        assert!(journal.record(&destroy).unwrap());
        assert!(journal.entry(made.id).unwrap().unwrap().gone);
        let again = intent(6, IntentKind::Destroy, Some(made.id));
        let update = intent(7, IntentKind::Update, Some(made.id));
        assert!(!journal.record(&again).unwrap(), "it is gone already");
        assert!(
            !journal.record(&update).unwrap(),
            "what is gone is not changed"
        );
        journal.retract(destroy.plant, &[]).unwrap();
        assert!(!journal.entry(made.id).unwrap().unwrap().gone);
        assert_eq!(journal.intents().unwrap(), []);
        assert!(journal.record(&destroy).unwrap());
        journal
            .commit_destruction(destroy.plant, made.id, &names(&["a"]))
            .unwrap();
        let entry = journal.entry(made.id).unwrap().unwrap();
        assert_eq!(
            (entry.gone, &entry.holders[..]),
            (true, &[holder("b", 0)][..])
        );
        journal.retract(destroy.plant, &[]).unwrap();
        assert!(
            journal.entry(made.id).unwrap().unwrap().gone,
            "it was committed"
        );
        journal.forget(made.id).unwrap();
        assert_eq!(journal.entry(made.id).unwrap(), None);
    });
}

#[test]
fn an_update_says_who_has_it_and_who_may_and_does_not_wake_the_dead() {
    with_journals(|journal| {
        let made = object(1);
        let held = ["a", "b", "c"].map(|member| holder(member, 0));
        journal.adopt(&made, &held).unwrap();
        let update = intent(5, IntentKind::Update, Some(made.id));
        assert!(journal.record(&update).unwrap());
        let changed = Object {
            revision: Revision([9; 8]),
            fingerprint: object(2).fingerprint,
            ..made.clone()
        };
        let commit = |journal: &mut Journal| {
            journal.commit_update(update.plant, &changed, &names(&["a"]), &names(&["c"]))
        };
        assert!(commit(journal).unwrap());
        let entry = journal.entry(made.id).unwrap().unwrap();
        assert_eq!(entry.object, changed);
        let unclear = Holder {
            member: "c".to_owned(),
            revision: None,
        };
        assert_eq!(entry.holders, [holder("a", 9), unclear]);
        let former = journal.with_fingerprint(made.fingerprint).unwrap();
        let [former] = &former[..] else {
            panic!("one tombstone for what it was known by: {former:?}")
        };
        assert!(former.gone && former.sequence < entry.sequence);
        assert_eq!(former.holders, [holder("b", 0), holder("c", 0)]);
        assert!(journal.is_behind("b", false).unwrap());
        assert!(commit(journal).unwrap(), "once more is the same");
        let again = journal.with_fingerprint(made.fingerprint).unwrap();
        assert_eq!(again, std::slice::from_ref(former));
        let back = Object {
            fingerprint: made.fingerprint,
            ..changed.clone()
        };
        let done = names(&["a", "b", "c"]);
        assert!(
            journal
                .commit_update(update.plant, &back, &done, &[])
                .unwrap()
        );
        let entries = all(journal, Range::default());
        assert_eq!(
            entries.len(),
            2,
            "it has its place again, and leaves one behind"
        );
        assert!(
            entries
                .iter()
                .all(|entry| entry.gone == (entry.object.id != made.id))
        );
        journal
            .record(&intent(6, IntentKind::Destroy, Some(made.id)))
            .unwrap();
        assert!(!commit(journal).unwrap());
        assert!(journal.entry(made.id).unwrap().unwrap().gone);
        let kinds: Vec<_> = journal.intents().unwrap();
        assert_eq!(
            kinds.len(),
            1,
            "the update's intent is gone, the destruction's stands"
        );
    });
}

#[test]
fn entries_come_in_order_in_pages_and_from_a_number_on() {
    with_journals(|journal| {
        let numbers: Vec<u16> = (0..150).map(|number| number * 37 % 150).collect();
        for number in &numbers {
            let made = (object(*number), vec![holder("a", 0), holder("b", 0)]);
            let plant = Plant {
                mark: 1,
                attempt: 0,
            };
            journal.commit_creation(plant, &[made], &[]).unwrap();
        }
        let read = |journal: &mut Journal, range| -> Vec<u16> {
            let entries = all(journal, range);
            assert!(entries.iter().all(|entry| entry.holders.len() == 2));
            let number = |entry: Entry| {
                u16::from_be_bytes([entry.object.fingerprint.0[0], entry.object.fingerprint.0[1]])
            };
            entries.into_iter().map(number).collect()
        };
        let every: Vec<u16> = (0..150).collect();
        assert_eq!(read(journal, Range::default()), every);
        let after = Some(object(140).fingerprint);
        let range = Range {
            after,
            ..Range::default()
        };
        assert_eq!(read(journal, range), every[141..]);
        assert_eq!(journal.sequence().unwrap(), 150);
        let since = Range {
            since: Some(140),
            ..Range::default()
        };
        let mut last = numbers[140..].to_vec();
        last.sort_unstable();
        assert_eq!(read(journal, since), last);
        let upto = Range {
            since: Some(140),
            upto: Some(141),
            ..Range::default()
        };
        assert_eq!(read(journal, upto), [numbers[140]]);
        journal.set_holder(object(3).id, &holder("c", 0)).unwrap();
        journal.remove_holder(object(3).id, "c").unwrap();
        assert_eq!(
            journal.sequence().unwrap(),
            150,
            "who holds it is not counted"
        );
    });
}

#[test]
fn an_object_that_is_made_again_has_no_tombstone_and_twins_are_two() {
    with_journals(|journal| {
        let made = object(1);
        journal.adopt(&made, &[holder("a", 0)]).unwrap();
        journal
            .record(&intent(1, IntentKind::Destroy, Some(made.id)))
            .unwrap();
        let again = Object {
            id: ObjectId([1; 16]),
            ..made.clone()
        };
        journal.adopt(&again, &[holder("b", 0)]).unwrap();
        let twin = Object {
            id: ObjectId([2; 16]),
            ..made.clone()
        };
        let ids = |journal: &mut Journal| -> Vec<_> {
            let entries = journal.with_fingerprint(made.fingerprint).unwrap();
            entries.iter().map(|entry| entry.object.id).collect()
        };
        assert_eq!(ids(journal), [again.id]);
        journal.adopt(&twin, &[]).unwrap();
        assert_eq!(ids(journal), [again.id, twin.id]);
        assert_eq!(all(journal, Range::default()).len(), 2);
    });
}

#[test]
fn profiles_are_those_of_the_last_trial() {
    with_journals(|journal| {
        let mut profile = Profile {
            wrap: 0x210a,
            wants_nss_db: true,
            receives: [("b".to_owned(), crate::domain::profile::KeyKind::ALL.into())].into(),
            lacks_data: true,
        };
        let first = [
            ("a".to_owned(), profile.clone()),
            ("b".to_owned(), profile.clone()),
        ]
        .into();
        journal.set_profiles(&first).unwrap();
        assert_eq!(journal.profiles().unwrap(), first);
        profile.wrap = 0x210b;
        let second = [("b".to_owned(), profile)].into();
        journal.set_profiles(&second).unwrap();
        assert_eq!(journal.profiles().unwrap(), second);
    });
}

#[test]
fn what_is_noted_of_a_member_is_on_record_and_an_object_is_adopted_once() {
    with_journals(|journal| {
        let object = object(7);
        let adopt = |member| Note::Adopt(object.clone(), holder(member, 1));
        journal.note(&[adopt("a")]).unwrap();
        let other = Object {
            id: ObjectId([9; 16]),
            ..object.clone()
        };
        journal.note(&[Note::Adopt(other, holder("b", 1))]).unwrap();
        let notes = [
            Note::Holds(object.id, holder("b", 1)),
            Note::Holds(ObjectId([8; 16]), holder("b", 1)),
        ];
        journal.note(&notes).unwrap();
        let found = journal.with_fingerprint(object.fingerprint).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].holders, [holder("a", 1), holder("b", 1)]);
        journal
            .note(&[Note::Lacks(object.id, "a".to_owned())])
            .unwrap();
        let entry = journal.entry(object.id).unwrap().unwrap();
        assert_eq!(entry.holders, [holder("b", 1)]);
        assert_eq!(journal.live().unwrap(), 1);
    });
}

#[test]
fn a_change_is_adopted_only_instead_of_what_was_read() {
    with_journals(|journal| {
        let object = object(7);
        journal.adopt(&object, &[holder("a", 1)]).unwrap();
        let changed = Object {
            revision: Revision([2; 8]),
            ..object.clone()
        };
        assert!(
            !journal
                .adopt_change(&changed, Revision([3; 8]), "a")
                .unwrap()
        );
        assert!(
            journal
                .adopt_change(&changed, object.revision, "a")
                .unwrap()
        );
        let entry = journal.entry(object.id).unwrap().unwrap();
        assert_eq!(
            (entry.object.revision, entry.sequence),
            (changed.revision, 2)
        );
    });
}

#[test]
fn a_member_is_behind_until_it_was_found_equal_and_then_the_tombstone_goes() {
    with_journals(|journal| {
        let object = object(7);
        let both = names(&["a", "b"]);
        journal
            .adopt(&object, &[holder("a", 7), holder("b", 7)])
            .unwrap();
        let entry = journal.entry(object.id).unwrap().unwrap();
        let revision = Some(entry.object.revision);
        for member in ["a", "b"] {
            let member = member.to_owned();
            journal
                .set_holder(object.id, &Holder { member, revision })
                .unwrap();
        }
        assert!(!journal.is_behind("b", true).unwrap());
        assert!(journal.is_behind("c", true).unwrap(), "it lacks one");
        assert!(!journal.is_behind("c", false).unwrap());
        journal.set_equal("c", 1).unwrap();
        assert!(!journal.is_behind("c", true).unwrap(), "that is how it is");
        let intent = Intent {
            members: Vec::new(),
            ..intent(1, IntentKind::Destroy, Some(object.id))
        };
        assert!(journal.record(&intent).unwrap());
        journal
            .commit_destruction(intent.plant, object.id, &both[..1])
            .unwrap();
        assert!(journal.is_behind("b", false).unwrap());
        assert!(!journal.is_behind("a", false).unwrap());
        let sequence = journal.sequence().unwrap();
        journal.set_equal("a", sequence).unwrap();
        journal.forget_gone(&both).unwrap();
        assert!(journal.entry(object.id).unwrap().is_some(), "b may have it");
        journal.set_equal("b", sequence).unwrap();
        journal.forget_gone(&both).unwrap();
        assert!(journal.entry(object.id).unwrap().is_none());
    });
}

#[test]
fn what_is_tried_on_a_duplicate_is_not_done() {
    with_journals(|journal| {
        journal.adopt(&object(7), &[holder("a", 1)]).unwrap();
        let intent = intent(1, IntentKind::Destroy, Some(object(7).id));
        assert!(journal.record(&intent).unwrap());
        let mut copy = journal.duplicate().unwrap();
        assert_eq!(
            all(&mut copy, Range::default()),
            all(journal, Range::default())
        );
        assert_eq!(copy.sequence().unwrap(), journal.sequence().unwrap());
        copy.adopt(&object(8), &[]).unwrap();
        assert_eq!(journal.live().unwrap(), 0);
    });
}
