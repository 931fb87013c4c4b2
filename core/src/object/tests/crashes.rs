//! A loss at each step, and a crash at each step after it, all of them enumerated: afterwards nothing acknowledged is missing, nothing
//! destroyed is back, nothing is there twice, and of what failed nothing is left.

use std::vec;
use std::vec::Vec;

use super::world::{Fault, When, World};
use super::*;

const BASE: u8 = 1;

/// All faults that a step can have.
fn faults() -> Vec<Fault> {
    let mut faults = vec![Fault::None, Fault::Refuses, Fault::NotCarryable];
    for when in [When::Before, When::During, When::After] {
        faults.push(Fault::Crash(when));
        faults.extend(ALL.map(|member| Fault::Dies(member, when)));
    }
    faults
}

fn with_object() -> World {
    let mut world = World::new();
    let copies = Copies::All;
    let made = wish(&mut world, Wish::Create { base: BASE, copies }, |_, _| {
        Fault::None
    });
    assert_eq!(made, Some(ChangeAnswer::Done));
    assert_eq!(found(&world, BASE).len(), 3);
    world
}

/// Runs a wish with each fault at each step, and each at each later step; settles, and hands over what is left.
fn enumerate(
    begin: &World,
    asked_for: Wish,
    copies: Copies,
    judge: impl Fn(&World, Option<ChangeAnswer>, &str),
) -> u32 {
    const LONGEST: usize = 14;
    let mut points = 0;
    for (first, second) in
        (0..LONGEST).flat_map(|first| (first..LONGEST).map(move |second| (first, second)))
    {
        for fault in faults() {
            for further in faults() {
                let mut world = begin.clone();
                let mut last = 0;
                let answer = wish(&mut world, asked_for, |step, _| {
                    last = step;
                    match step {
                        _ if step == first => fault,
                        _ if step == second => further,
                        _ => Fault::None,
                    }
                });
                if last < second && further != Fault::None {
                    continue;
                }
                points += 1;
                settle(&mut world, copies);
                let story =
                    std::format!("{fault:?} at {first}, {further:?} at {second}: {answer:?}");
                let left: Vec<_> = world.intents(ALL.into_iter().collect());
                assert!(left.is_empty(), "{story}: {left:?}");
                judge(&world, answer, &story);
            }
        }
    }
    points
}

#[test]
fn what_is_created_is_on_all_or_on_none() {
    let asked_for = Wish::Create {
        base: BASE,
        copies: Copies::All,
    };
    let points = enumerate(
        &World::new(),
        asked_for,
        Copies::All,
        |world, answer, story| {
            let found = found(world, BASE);
            let attempts: Vec<u8> = found.iter().map(|(_, attempt, _)| *attempt).collect();
            let equal = attempts.windows(2).all(|pair| pair[0] == pair[1]);
            let members: MemberSet = found.iter().map(|(member, _, _)| *member).collect();
            let whole = found.len() == 3 && members.len() == 3 && equal;
            match answer {
                Some(ChangeAnswer::Done) => assert!(whole, "S8, S4: {story}: {found:?}"),
                Some(ChangeAnswer::Unknown) | None => {
                    assert!(whole || found.is_empty(), "S4: {story}: {found:?}");
                }
                Some(_) => assert!(found.is_empty(), "left behind: {story}: {found:?}"),
            }
        },
    );
    assert!(points > 1000, "{points}");
}

#[test]
fn what_is_created_on_a_number_is_there_or_nowhere() {
    let copies = Copies::Number(2);
    let asked_for = Wish::Create { base: BASE, copies };
    enumerate(&World::new(), asked_for, copies, |world, answer, story| {
        let found = found(world, BASE);
        let members: MemberSet = found.iter().map(|(member, _, _)| *member).collect();
        assert_eq!(
            members.len() as usize,
            found.len(),
            "twins: {story}: {found:?}"
        );
        let equal = found.windows(2).all(|pair| pair[0].1 == pair[1].1);
        assert!(equal, "S4: {story}: {found:?}");
        match answer {
            Some(ChangeAnswer::Done) => assert!(found.len() >= 2, "S8: {story}: {found:?}"),
            Some(ChangeAnswer::Unknown) | None => {
                assert!(found.len() != 1, "{story}: {found:?}");
            }
            Some(_) => assert!(found.is_empty(), "left behind: {story}: {found:?}"),
        }
    });
}

#[test]
fn what_is_destroyed_is_gone_everywhere() {
    let asked_for = Wish::Destroy { base: BASE };
    enumerate(
        &with_object(),
        asked_for,
        Copies::All,
        |world, answer, story| {
            let found = found(world, BASE);
            match answer {
                Some(ChangeAnswer::Done) => assert!(found.is_empty(), "S9: {story}: {found:?}"),
                Some(ChangeAnswer::Unknown) | None => {
                    assert!(found.is_empty() || found.len() == 3, "{story}: {found:?}");
                }
                Some(_) => assert_eq!(found.len(), 3, "S8: {story}: {found:?}"),
            }
            assert_eq!(world.is_tombstone(BASE), found.is_empty(), "{story}");
        },
    );
}

#[test]
fn what_is_updated_is_equal_everywhere() {
    let asked_for = Wish::Update {
        base: BASE,
        revision: 7,
    };
    enumerate(
        &with_object(),
        asked_for,
        Copies::All,
        |world, answer, story| {
            let revisions: Vec<u64> = found(world, BASE)
                .iter()
                .map(|(.., revision)| *revision)
                .collect();
            let all = |revision| revisions == [revision; 3];
            match answer {
                Some(ChangeAnswer::Done) => assert!(all(7), "{story}: {revisions:?}"),
                Some(ChangeAnswer::Unknown) | None => {
                    assert!(all(7) || all(0), "{story}: {revisions:?}");
                }
                Some(_) => assert!(all(0), "{story}: {revisions:?}"),
            }
        },
    );
}
