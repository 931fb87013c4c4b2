//! What must be on the tokens after a change, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cryptoki_sys::CK_OBJECT_CLASS;

use super::look::{Members, Seen};
use super::{Answer, Scenario};

/// What can be wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Wrong {
    /// An object that the application had, or was told to have made, is missing on a member, or is another one there.
    Lost,
    /// An object that the application was told to have destroyed or renamed is on a member.
    Back,
    /// An object is on a member twice.
    Twin,
    /// Something is there that nobody was told to have made: a planted object, what a refused creation made, an intent in the journal.
    LeftOver,
    /// A change that nobody was told of is on some members only.
    Apart,
    /// The application ended otherwise than it should, or `everslot sync` did.
    Answer,
}

/// Something wrong, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// What.
    pub wrong: Wrong,
    /// Where, in words.
    pub detail: String,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Lost,
        Self::Back,
        Self::Twin,
        Self::LeftOver,
        Self::Apart,
        Self::Answer,
    ];

    /// This, with where it is.
    #[must_use]
    pub fn at(self, detail: impl Into<String>) -> Violation {
        Violation {
            wrong: self,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.wrong, self.detail)
    }
}

/// An object, whichever token it is on.
type Name = (CK_OBJECT_CLASS, String);

/// What is wrong with `found`, which came of a scenario in a world that had `before` on each member and `after` once it was made without a fault.
#[must_use]
pub fn judge(
    scenario: Scenario,
    answer: &Answer,
    before: &[Seen],
    after: &[Seen],
    found: &Members,
) -> Vec<Violation> {
    let (removed, added) = (changed(before, after), changed(after, before));
    let must = |seen: &Seen| match answer {
        Answer::Done => true,
        Answer::Refused(_) | Answer::None => !added.contains(&name(seen)),
    };
    let kept: Vec<&Seen> = after.iter().filter(|seen| must(seen)).collect();
    let mut violations = Vec::new();
    for (member, objects) in found.iter().enumerate() {
        for name in twice(objects) {
            violations.push(Wrong::Twin.at(format!("{name:?} on m{member}")));
        }
        for seen in &kept {
            // A new key is another one each time; that its copies are the same is said below.
            let is_there = |other: &&Seen| {
                name(other) == name(seen)
                    && (other.proof == seen.proof || added.contains(&name(seen)))
            };
            if !objects.iter().any(|other| is_there(&other)) {
                violations.push(Wrong::Lost.at(format!("{:?} on m{member}", name(seen))));
            }
        }
        for seen in objects {
            violations.extend(superfluous(seen, member, answer, &removed, &added, after));
        }
    }
    violations.extend(half(scenario, found, &removed, &added));
    violations.extend(apart(found));
    violations
}

/// A pair is made as a whole or not at all, and what is changed has one label, whatever the application was told.
fn half(
    scenario: Scenario,
    found: &Members,
    removed: &BTreeSet<Name>,
    added: &BTreeSet<Name>,
) -> Vec<Violation> {
    let count = |objects: &[Seen], of: &BTreeSet<Name>| {
        of.iter()
            .filter(|wanted| objects.iter().any(|seen| name(seen) == **wanted))
            .count()
    };
    let is_half = |objects: &[Seen]| {
        let (old, new) = (count(objects, removed), count(objects, added));
        match scenario {
            Scenario::Pair | Scenario::Secret | Scenario::Certificate => {
                new != 0 && new != added.len()
            }
            Scenario::Rename | Scenario::Update => old + new != 1,
            Scenario::Destroy | Scenario::Reconcile => false,
        }
    };
    let at = |(member, _): (usize, &Vec<Seen>)| Wrong::Apart.at(format!("half of it on m{member}"));
    let halves = found.iter().enumerate();
    halves
        .filter(|(_, objects)| is_half(objects))
        .map(at)
        .collect()
}

fn superfluous(
    seen: &Seen,
    member: usize,
    answer: &Answer,
    removed: &BTreeSet<Name>,
    added: &BTreeSet<Name>,
    after: &[Seen],
) -> Option<Violation> {
    let name = name(seen);
    let at = format!("{name:?} on m{member}");
    if removed.contains(&name) {
        return (*answer == Answer::Done).then(|| Wrong::Back.at(at));
    }
    if added.contains(&name) {
        // What was refused must have left nothing, unless it is an update or a destruction that was half done and had to be finished.
        let refused = matches!(answer, Answer::Refused(_)) && removed.is_empty();
        return refused.then(|| Wrong::LeftOver.at(at));
    }
    let known = after.iter().any(|other| self::name(other) == name);
    (!known).then(|| Wrong::LeftOver.at(at))
}

/// The members must have the same objects; the keys, the same keys.
pub(crate) fn apart(found: &Members) -> Vec<Violation> {
    let Some((first, others)) = found.split_first() else {
        return vec![Wrong::Answer.at("no member was looked at")];
    };
    let differs = |(member, objects): (usize, &Vec<Seen>)| {
        (objects != first).then(|| {
            let only = |these: &Vec<Seen>, those: &Vec<Seen>| {
                let missing = these.iter().filter(|seen| !those.contains(seen));
                missing.map(name).collect::<Vec<_>>()
            };
            let (here, there) = (only(first, objects), only(objects, first));
            let member = member + 1;
            Wrong::Apart.at(format!(
                "only m0 has {here:?}, only m{member} has {there:?}"
            ))
        })
    };
    others.iter().enumerate().filter_map(differs).collect()
}

fn name(seen: &Seen) -> Name {
    (seen.class, seen.label.clone())
}

/// The names that `these` has and `those` has not.
fn changed(these: &[Seen], those: &[Seen]) -> BTreeSet<Name> {
    let those: BTreeSet<Name> = those.iter().map(name).collect();
    let names = these.iter().map(name);
    names.filter(|name| !those.contains(name)).collect()
}

fn twice(objects: &[Seen]) -> Vec<Name> {
    let mut counts = BTreeMap::<Name, usize>::new();
    for seen in objects {
        *counts.entry(name(seen)).or_default() += 1;
    }
    let twins = counts.into_iter().filter(|(_, count)| *count > 1);
    twins.map(|(name, _)| name).collect()
}
