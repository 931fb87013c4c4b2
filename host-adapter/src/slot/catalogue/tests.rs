use super::*;
use crate::slot::identity::tests::key;

const HERE: (MemberId, Incarnation) = (MemberId(0), Incarnation(1));
const THERE: (MemberId, Incarnation) = (MemberId(1), Incarnation(1));
const HERE_AGAIN: (MemberId, Incarnation) = (MemberId(0), Incarnation(2));

fn seen(catalogue: &Catalogue, place: (MemberId, Incarnation), handle: u64) -> Option<u64> {
    catalogue.at(place.0, place.1, ObjectHandle(handle))
}

#[test]
fn one_object_on_two_members_has_one_handle() {
    let catalogue = Catalogue::new(2);
    let object = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", Some(b"P")));
    assert_eq!(
        catalogue.adopt(THERE, ObjectHandle(9), key(b"1", "k", Some(b"P"))),
        object
    );
    assert_ne!(
        catalogue.adopt(THERE, ObjectHandle(10), key(b"1", "k", Some(b"Q"))),
        object
    );
    assert_eq!(seen(&catalogue, HERE, 5), Some(object));
    assert_eq!(seen(&catalogue, THERE, 9), Some(object));
}

#[test]
fn two_handles_of_one_member_are_two_objects_however_alike() {
    let catalogue = Catalogue::new(2);
    let one = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", None));
    let other = catalogue.adopt(HERE, ObjectHandle(6), key(b"1", "k", None));
    assert_ne!(one, other);
    assert_eq!(
        catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", None)),
        one,
        "seen again"
    );
}

#[test]
fn a_handle_of_an_older_incarnation_says_nothing() {
    let catalogue = Catalogue::new(2);
    let object = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", Some(b"P")));
    assert_eq!(seen(&catalogue, HERE_AGAIN, 5), None, "S6");
    // The member numbers its objects anew: what had handle 6 has handle 5 now.
    let other = catalogue.adopt(HERE_AGAIN, ObjectHandle(5), key(b"2", "l", Some(b"Q")));
    assert_ne!(other, object);
    assert_eq!(
        catalogue.adopt(HERE_AGAIN, ObjectHandle(7), key(b"1", "k", Some(b"P"))),
        object
    );
}

#[test]
fn what_is_removed_is_known_nowhere_and_its_handle_is_not_given_again() {
    let catalogue = Catalogue::new(2);
    let object = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", Some(b"P")));
    catalogue.remove(object);
    assert!(catalogue.object(object).is_none());
    assert_eq!(seen(&catalogue, HERE, 5), None);
    assert_ne!(
        catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", Some(b"P"))),
        object
    );
}

#[test]
fn the_objects_of_a_kind_are_selected() {
    let catalogue = Catalogue::new(1);
    let private = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "k", None));
    let public = Identity {
        private: false,
        ..key(b"2", "k", None)
    };
    catalogue.adopt(HERE, ObjectHandle(6), public);
    let selected: Vec<_> = catalogue
        .select(|object| object.private)
        .iter()
        .map(|object| object.handle)
        .collect();
    assert_eq!(selected, [private]);
}

#[test]
fn a_renamed_object_is_known_by_its_new_name_only() {
    let catalogue = Catalogue::new(2);
    let handle = catalogue.adopt(HERE, ObjectHandle(5), key(b"1", "old", Some(b"P")));
    let object = catalogue.object(handle).unwrap();
    catalogue.rename(&object, key(b"1", "new", Some(b"P")));
    assert_eq!(
        catalogue.adopt(THERE, ObjectHandle(8), key(b"1", "new", Some(b"P"))),
        handle
    );
    assert_ne!(
        catalogue.adopt(THERE, ObjectHandle(9), key(b"1", "old", Some(b"P"))),
        handle
    );
}
