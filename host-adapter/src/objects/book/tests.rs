use super::*;
use crate::domain::Revision;
use crate::journal::{Intent, IntentKind, Object, Plant};

fn journal() -> (tempfile::TempDir, Journal) {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("journal.sqlite");
    let journal = Journal::open(place.to_str().unwrap(), "e1a0c3").unwrap();
    (directory, journal)
}

fn object(id: u8, fingerprint: u8) -> Object {
    Object {
        id: ObjectId([id; 16]),
        fingerprint: Fingerprint([fingerprint; 16]),
        class: 3,
        revision: Revision([1; 8]),
        bare: None,
        remembered: None,
    }
}

fn destroy(journal: &mut Journal, id: u8) {
    let recorded = journal.record(&Intent {
        plant: Plant {
            mark: u64::from(id),
            attempt: 0,
        },
        kind: IntentKind::Destroy,
        members: Vec::new(),
        object: Some(ObjectId([id; 16])),
        fingerprint: None,
        owner: String::new(),
    });
    assert!(recorded.unwrap());
}

#[track_caller]
fn is_live(record: Record, id: u8) -> bool {
    match record {
        Record::Live(known) => known.id == ObjectId([id; 16]),
        Record::None | Record::Gone => false,
    }
}

#[test]
fn what_others_write_is_seen_when_it_catches_up() {
    let (_directory, mut journal) = journal();
    let mut book = Book::default();
    book.catch_up(&mut journal).unwrap();
    journal.adopt(&object(1, 7), &[]).unwrap();
    assert_eq!(book.of_fingerprint(Fingerprint([7; 16])), Record::None);
    book.catch_up(&mut journal).unwrap();
    assert!(is_live(book.of_fingerprint(Fingerprint([7; 16])), 1));
    destroy(&mut journal, 1);
    book.catch_up(&mut journal).unwrap();
    assert_eq!(book.of_fingerprint(Fingerprint([7; 16])), Record::Gone);
    assert_eq!(book.of_id(ObjectId([1; 16])), Record::Gone);
}

#[test]
fn an_object_that_is_renamed_is_known_by_its_new_name_only() {
    let (_directory, mut journal) = journal();
    let mut book = Book::default();
    journal.adopt(&object(1, 7), &[]).unwrap();
    book.catch_up(&mut journal).unwrap();
    journal.adopt(&object(1, 8), &[]).unwrap();
    book.catch_up(&mut journal).unwrap();
    assert_eq!(book.of_fingerprint(Fingerprint([7; 16])), Record::None);
    assert!(is_live(book.of_fingerprint(Fingerprint([8; 16])), 1));
    assert!(is_live(book.of_id(ObjectId([1; 16])), 1));
}

#[test]
fn the_end_of_one_twin_is_not_the_others() {
    let (_directory, mut journal) = journal();
    let mut book = Book::default();
    journal.adopt(&object(1, 7), &[]).unwrap();
    journal.adopt(&object(2, 7), &[]).unwrap();
    destroy(&mut journal, 1);
    book.catch_up(&mut journal).unwrap();
    assert!(is_live(book.of_id(ObjectId([1; 16])), 2));
    assert!(is_live(book.of_fingerprint(Fingerprint([7; 16])), 2));
}

#[test]
fn another_journal_in_its_place_is_read_from_its_beginning() {
    let (_directory, mut old) = journal();
    let (_other, mut new) = journal();
    let mut book = Book::default();
    old.adopt(&object(1, 7), &[]).unwrap();
    old.adopt(&object(2, 8), &[]).unwrap();
    book.catch_up(&mut old).unwrap();
    new.adopt(&object(3, 9), &[]).unwrap();
    book.catch_up(&mut new).unwrap();
    assert_eq!(book.of_fingerprint(Fingerprint([7; 16])), Record::None);
    assert!(is_live(book.of_fingerprint(Fingerprint([9; 16])), 3));
}
