//! Any sequence of wishes, losses, crashes, returns and reconciles, against a ledger of what the application was told.

use std::collections::BTreeMap;
use std::vec::Vec;

use proptest::prelude::*;

use super::world::{Fault, When, World, asked};
use super::*;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Wish(Wish, Mishap),
    Dies(MemberId),
    Returns(MemberId, Mishap),
}

/// Something that fails at a step.
#[derive(Clone, Copy, Debug)]
struct Mishap {
    step: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Nothing,
    /// The member that is asked dies.
    Asked(When),
    Dies(MemberId, When),
    Crash(When),
    Refuses,
}

impl Mishap {
    fn at(self, step: usize, asked: MemberId) -> Fault {
        match self.what {
            _ if step != self.step => Fault::None,
            What::Nothing => Fault::None,
            What::Asked(when) => Fault::Dies(asked, when),
            What::Dies(member, when) => Fault::Dies(member, when),
            What::Crash(when) => Fault::Crash(when),
            What::Refuses => Fault::Refuses,
        }
    }
}

fn any_mishap() -> impl Strategy<Value = Mishap> {
    let member = proptest::sample::select(&ALL[..]);
    let when = || proptest::sample::select(&[When::Before, When::During, When::After][..]);
    let what = prop_oneof![
        3 => Just(What::Nothing),
        3 => when().prop_map(What::Asked),
        2 => (member, when()).prop_map(|(member, when)| What::Dies(member, when)),
        2 => when().prop_map(What::Crash),
        1 => Just(What::Refuses),
    ];
    (0..25usize, what).prop_map(|(step, what)| Mishap { step, what })
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let member = || proptest::sample::select(&ALL[..]);
    let wish = (0..3u8, 0..4u8, 1..4u64).prop_map(|(kind, base, revision)| match kind {
        0 => Wish::Create {
            base,
            copies: Copies::All,
        },
        1 => Wish::Update { base, revision },
        _ => Wish::Destroy { base },
    });
    prop_oneof![
        6 => (wish, any_mishap()).prop_map(|(wish, mishap)| Deed::Wish(wish, mishap)),
        1 => member().prop_map(Deed::Dies),
        4 => (member(), any_mishap()).prop_map(|(member, mishap)| Deed::Returns(member, mishap)),
    ]
}

/// What the application may find of an object.
#[derive(Clone, Debug, Default)]
struct Expected {
    /// It may be there in one of these revisions.
    revisions: Vec<u64>,
    /// It may be gone.
    gone: bool,
}

fn note(ledger: &mut BTreeMap<u8, Expected>, wish: Wish, answer: Option<ChangeAnswer>) {
    let (Wish::Create { base, .. } | Wish::Update { base, .. } | Wish::Destroy { base }) = wish;
    let entry = ledger.entry(base).or_insert_with(|| Expected {
        revisions: Vec::new(),
        gone: true,
    });
    let done = answer == Some(ChangeAnswer::Done);
    let unclear = matches!(answer, None | Some(ChangeAnswer::Unknown));
    match wish {
        Wish::Create { .. } if done => {
            *entry = Expected {
                revisions: [0].into(),
                gone: false,
            }
        }
        Wish::Update { revision, .. } if done => entry.revisions = [revision].into(),
        Wish::Destroy { .. } if done => {
            *entry = Expected {
                revisions: Vec::new(),
                gone: true,
            }
        }
        Wish::Create { .. } if unclear => entry.revisions.push(0),
        Wish::Update { revision, .. } if unclear => entry.revisions.push(revision),
        Wish::Destroy { .. } if unclear => entry.gone = true,
        Wish::Create { .. } | Wish::Update { .. } | Wish::Destroy { .. } => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// S4, S8, S9: when all are back and reconciled, each object is as the application was last told, on all members or on none,
    /// once, and no intent is left.
    #[test]
    fn all_members_end_equal(deeds in proptest::collection::vec(any_deed(), 0..30)) {
        let mut world = World::new();
        let mut ledger = BTreeMap::new();
        let mut serving: MemberSet = ALL.into_iter().collect();
        for deed in deeds {
            match deed {
                // An application does not make what it has, nor change what it has not.
                Deed::Wish(asked_for, mishap) => {
                    let (Wish::Create { base, .. } | Wish::Update { base, .. } | Wish::Destroy { base }) = asked_for;
                    let makes = matches!(asked_for, Wish::Create { .. });
                    if world.key_of(base).is_some() == makes || found_tombstone(&world, base) {
                        continue;
                    }
                    // A member that is up and not reconciled takes no part.
                    let waiting = world.up().difference(serving);
                    waiting.iter().for_each(|member| world.dies(member));
                    let answer = wish(&mut world, asked_for, |step, next| mishap.at(step, asked(next)));
                    note(&mut ledger, asked_for, answer);
                    serving = serving.intersection(world.up());
                    if answer.is_none() {
                        resume(&mut world, serving, &mut || Fault::None);
                    }
                    waiting.iter().for_each(|member| world.returns(member));
                }
                Deed::Dies(member) => {
                    world.dies(member);
                    serving.remove(member);
                }
                Deed::Returns(member, mishap) => {
                    if serving.contains(member) {
                        continue;
                    }
                    world.returns(member);
                    let ended = reconcile(&mut world, member, Copies::All, |step, _| mishap.at(step, member));
                    serving = serving.intersection(world.up());
                    if let Some((Ended::Equal { .. }, _)) = ended {
                        serving.insert(member);
                    }
                }
            }
        }
        settle(&mut world, Copies::All);
        prop_assert_eq!(world.intents(ALL.into_iter().collect()), []);
        for (base, expected) in ledger {
            let found = found(&world, base);
            let members: MemberSet = found.iter().map(|(member, _, _)| *member).collect();
            prop_assert_eq!(found.len(), members.len() as usize, "twins: {:?}", found);
            match found.first() {
                None => prop_assert!(expected.gone, "S8: {} is missing, {:?}", base, expected),
                Some((_, attempt, revision)) => {
                    prop_assert_eq!(members.len(), 3, "{} is not everywhere: {:?}", base, &found);
                    let equal = found.iter().all(|(_, a, r)| (a, r) == (attempt, revision));
                    prop_assert!(equal, "{} is not equal: {:?}", base, &found);
                    let is_expected = expected.revisions.contains(revision);
                    prop_assert!(is_expected, "S9: {} is as nobody left it: {:?}, {:?}", base, &found, expected);
                }
            }
        }
    }
}

/// A key of this world is used once: what is made again is another object.
fn found_tombstone(world: &World, base: u8) -> bool {
    world.is_tombstone(base)
}
