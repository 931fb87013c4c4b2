use std::collections::BTreeSet;
use std::format;
use std::vec::Vec;

use proptest::prelude::*;

use super::MemberSet;
use crate::MemberId;

fn ids(set: MemberSet) -> BTreeSet<u8> {
    set.iter().map(|member| member.0).collect()
}

proptest! {
    /// Against the standard library's set.
    #[test]
    fn a_set_behaves_like_a_set(bits: u32, other_bits: u32, id in 0u8..32) {
        let (set, other) = (MemberSet::from_bits(bits), MemberSet::from_bits(other_bits));
        let (model, other_model) = (ids(set), ids(other));
        let member = MemberId(id);
        prop_assert_eq!(set.bits(), bits);
        prop_assert_eq!(set.len() as usize, model.len());
        prop_assert_eq!(set.is_empty(), model.is_empty());
        prop_assert_eq!(set.first().map(|member| member.0), model.first().copied());
        prop_assert_eq!(set.contains(member), model.contains(&id));
        prop_assert_eq!(ids(set.union(other)), &model | &other_model);
        prop_assert_eq!(ids(set.intersection(other)), &model & &other_model);
        prop_assert_eq!(ids(set.difference(other)), &model - &other_model);
        let (mut inserted, mut removed) = (set, set);
        inserted.insert(member);
        removed.remove(member);
        prop_assert_eq!(ids(inserted), &model | &BTreeSet::from([id]));
        prop_assert_eq!(ids(removed), &model - &BTreeSet::from([id]));
        prop_assert_eq!(set.iter().collect::<MemberSet>(), set);
        prop_assert_eq!(set.only(), set.first().filter(|_| model.len() == 1));
        prop_assert_eq!(MemberSet::of(member).only(), Some(member));
    }
}

#[test]
fn members_come_in_order() {
    let members: Vec<u8> = MemberSet::from_bits(0x8000_0009)
        .into_iter()
        .map(|m| m.0)
        .collect();
    assert_eq!(members, [0, 3, 31]);
}

#[test]
fn an_id_that_is_too_great_is_in_no_set() {
    for id in [32, 33, 255] {
        let member = MemberId(id);
        assert_eq!(MemberSet::of(member), MemberSet::EMPTY);
        assert!(!MemberSet::from_bits(u32::MAX).contains(member));
        assert_eq!(
            MemberSet::from_bits(5).with(member),
            MemberSet::from_bits(5)
        );
    }
}

#[test]
fn a_set_shows_its_members() {
    assert_eq!(format!("{:?}", MemberSet::from_bits(0b101)), "{0, 2}");
}
