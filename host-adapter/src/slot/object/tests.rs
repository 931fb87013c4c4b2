use super::*;

const HERE: MemberId = MemberId(0);
const THERE: MemberId = MemberId(1);
const FIRST: Incarnation = Incarnation(1);
const SECOND: Incarnation = Incarnation(2);

fn object(token: bool) -> VirtualObject {
    let identity = Identity {
        token,
        ..Identity::default()
    };
    VirtualObject::new(7, identity, 2)
}

#[test]
fn a_handle_is_good_in_its_incarnation_only() {
    let object = object(true);
    assert_eq!(object.whereabouts(HERE, FIRST), Whereabouts::Unknown);
    object.found(HERE, FIRST, ObjectHandle(5));
    assert_eq!(
        object.whereabouts(HERE, FIRST),
        Whereabouts::At(ObjectHandle(5))
    );
    assert_eq!(object.whereabouts(HERE, SECOND), Whereabouts::Unknown, "S6");
    assert_eq!(object.whereabouts(THERE, FIRST), Whereabouts::Unknown);
}

#[test]
fn what_is_missing_is_looked_for_again_after_a_return() {
    let object = object(true);
    object.missing(HERE, FIRST);
    assert_eq!(object.whereabouts(HERE, FIRST), Whereabouts::Absent);
    assert_eq!(object.whereabouts(HERE, SECOND), Whereabouts::Unknown);
}

#[test]
fn a_session_object_goes_with_its_member() {
    let object = object(false);
    object.found(HERE, FIRST, ObjectHandle(5));
    assert_eq!(
        object.whereabouts(HERE, FIRST),
        Whereabouts::At(ObjectHandle(5))
    );
    assert_eq!(object.whereabouts(HERE, SECOND), Whereabouts::Absent);
    assert_eq!(object.whereabouts(THERE, FIRST), Whereabouts::Absent);
    assert!(!object.may_return_on(HERE, Incarnation(0)));
}

#[test]
fn a_token_object_may_return_where_it_was_seen() {
    let object = object(true);
    assert!(!object.may_return_on(HERE, Incarnation(0)));
    object.found(HERE, FIRST, ObjectHandle(5));
    assert!(object.may_return_on(HERE, Incarnation(0)));
    object.missing(HERE, SECOND);
    assert!(!object.may_return_on(HERE, Incarnation(0)));
    assert!(
        !object.may_return_on(MemberId(9), Incarnation(0)),
        "a member that the group has not"
    );
}

#[test]
fn what_is_gone_is_at_no_handle_of_a_member() {
    for token in [true, false] {
        let object = object(token);
        object.found(HERE, FIRST, ObjectHandle(5));
        object.forget();
        let where_it_is = object.whereabouts(HERE, FIRST);
        assert!(
            !matches!(where_it_is, Whereabouts::At(_)),
            "{where_it_is:?}: the member may give the handle to another object"
        );
        assert!(!object.may_return_on(HERE, Incarnation(0)));
    }
    let (object, late) = (object(true), MemberId(9));
    object.found(late, FIRST, ObjectHandle(5));
    object.forget();
    assert_eq!(object.whereabouts(late, FIRST), Whereabouts::Unknown);
}

#[test]
fn what_was_seen_on_a_member_that_was_removed_does_not_return_on_the_next_with_its_id() {
    let object = object(true);
    object.found(HERE, FIRST, ObjectHandle(5));
    assert!(!object.may_return_on(HERE, FIRST));
}

#[test]
fn an_object_is_looked_for_on_members_that_came_after_it() {
    let (object, late) = (object(true), MemberId(9));
    assert_eq!(object.whereabouts(late, FIRST), Whereabouts::Unknown);
    object.found(late, FIRST, ObjectHandle(5));
    assert_eq!(
        object.whereabouts(late, FIRST),
        Whereabouts::At(ObjectHandle(5))
    );
    assert_eq!(
        self::object(false).whereabouts(late, FIRST),
        Whereabouts::Absent
    );
}
