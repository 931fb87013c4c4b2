//! A group that is written down and read again.

use std::string::{String, ToString};

use super::*;

fn places(text: &str) -> usize {
    let value: serde_json::Value = serde_json::from_str(text).expect("it was just written");
    value["places"].as_array().expect("they are a list").len()
}

fn written(group: &Trio) -> String {
    let text = serde_json::to_string(group)
        .expect("it can be written")
        .to_string();
    let read: Trio = serde_json::from_str(&text).expect("it can be read");
    assert_eq!(&read, group);
    text
}

/// As many places as were ever taken: of a member that has gone its incarnation still counts.
#[test]
fn it_is_the_same_and_has_no_place_that_nobody_has_had() {
    let mut group = Trio::new(Policy::default());
    assert_eq!(places(&written(&group)), 0);
    let role = Role::Active;
    at(&mut group, 0, Input::Add { member: B, role });
    assert_eq!(places(&written(&group)), 2, "A's is empty");
    let mut group = serving_trio(Attempts::Unlimited);
    lose(&mut group, 5, C);
    assert_eq!(places(&written(&group)), 3);
    at(&mut group, 6, Input::Remove { member: C });
    assert_eq!(places(&written(&group)), 3);
}

#[test]
fn more_places_than_there_are_ids_are_refused() {
    let group = serving_trio(Attempts::Unlimited);
    let text = written(&group);
    assert!(serde_json::from_str::<crate::Group<2>>(&text).is_err());
}
