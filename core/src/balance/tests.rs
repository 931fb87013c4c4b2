use std::vec::Vec;

use proptest::prelude::*;

use super::{Serving, candidates, choose};
use crate::{MemberId, MemberSet};

#[test]
fn equals_take_turns_whatever_gaps_are_between_their_ids() {
    let members = MemberSet::from_bits(0b1000_0000_0000_0000_0001_0000_0000_0101);
    let chosen: Vec<_> = (0..8)
        .map(|cursor| choose(members, |_| 7, cursor))
        .collect();
    let ids = [0, 2, 12, 31, 0, 2, 12, 31].map(|id| Some(MemberId(id)));
    assert_eq!(chosen, ids);
}

#[test]
fn a_less_busy_member_is_chosen_whoseever_turn_it_is() {
    let members = MemberSet::from_bits(0b111);
    for cursor in 0..6 {
        let chosen = choose(members, |member| [3, 2, 3][member.index()], cursor);
        assert_eq!(chosen, Some(MemberId(1)));
    }
}

#[test]
fn the_busiest_possible_member_is_chosen_when_it_is_alone() {
    assert_eq!(
        choose(MemberSet::of(MemberId(4)), |_| u32::MAX, 9),
        Some(MemberId(4))
    );
    assert_eq!(choose(MemberSet::EMPTY, |_| 0, 9), None);
}

/// All combinations of three members' roles, eligibility and past tries.
#[test]
fn candidates_are_untried_eligible_members_and_standby_ones_only_without_an_active_one() {
    let sets = || (0..8).map(MemberSet::from_bits);
    for (active, standby) in sets().flat_map(|set| sets().map(move |other| (set, other))) {
        if !active.intersection(standby).is_empty() {
            continue;
        }
        let serving = Serving {
            active,
            standby,
            ..Serving::default()
        };
        for (eligible, tried) in sets().flat_map(|set| sets().map(move |other| (set, other))) {
            let chosen = candidates(serving, eligible, tried);
            let left = |member| eligible.contains(member) && !tried.contains(member);
            let active_left = active.iter().any(left);
            let standby_left = standby.iter().any(left);
            for member in (0..3).map(MemberId) {
                let expected = left(member)
                    && (active.contains(member) || standby.contains(member) && !active_left);
                assert_eq!(chosen.contains(member), expected);
            }
            assert_eq!(chosen.is_empty(), !active_left && !standby_left);
        }
    }
}

proptest! {
    #[test]
    fn over_whole_rounds_equals_are_chosen_equally_often(
        bits in 1u32..,
        rounds in 1u32..5,
        start in 0u32..1_000_000,
    ) {
        let members = MemberSet::from_bits(bits);
        let first = start * members.len();
        let mut counts = [0u32; 32];
        for cursor in first..first + rounds * members.len() {
            let chosen = choose(members, |_| 1, cursor);
            counts[chosen.map(MemberId::index).unwrap_or_default()] += 1;
        }
        for member in (0..32).map(MemberId) {
            let expected = if members.contains(member) { rounds } else { 0 };
            prop_assert_eq!(counts[member.index()], expected);
        }
    }

    /// Nobody has two calls more than somebody else.
    #[test]
    fn loads_stay_level_while_calls_come_and_none_ends(bits in 1u32.., calls in 0u32..200) {
        let members = MemberSet::from_bits(bits);
        let mut loads = [0u32; 32];
        for cursor in 0..calls {
            let chosen = choose(members, |member| loads[member.index()], cursor);
            prop_assert!(chosen.is_some_and(|member| members.contains(member)));
            loads[chosen.map(MemberId::index).unwrap_or_default()] += 1;
        }
        let levels = || members.iter().map(|member| loads[member.index()]);
        prop_assert!(levels().max().unwrap_or(0) - levels().min().unwrap_or(0) <= 1);
    }

    #[test]
    fn the_word_of_a_serving_set_says_every_set(active: u32, standby: u32, changing: u32) {
        let (active, standby) = (active & !changing, standby & !changing & !active);
        let serving = Serving {
            active: MemberSet::from_bits(active),
            standby: MemberSet::from_bits(standby),
            changing: MemberSet::from_bits(changing),
        };
        prop_assert_eq!(Serving::from_bits(serving.to_bits()), serving);
    }
}
