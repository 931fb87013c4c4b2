//! What became of each case of a suite, and how two runs compare.

use std::collections::BTreeMap;

use super::explained::explanation;

/// What became of a case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// It failed, or the suite died or hung in it; why, in a line.
    Failed(String),
    /// It held.
    Passed,
    /// The suite left it out: the token does not offer what it tests.
    Skipped,
}

/// What became of each case of a run.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Results {
    /// By the case's name.
    pub(super) cases: BTreeMap<String, Outcome>,
    /// Why the suite did not come to its end, if it did not: cases without an outcome did not run.
    pub(super) broken: Option<String>,
}

/// Two runs of the same suite, held against each other.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Comparison {
    /// How many cases the bare member ran.
    pub(super) cases: usize,
    /// The bare member fails them, and why.
    pub(super) bare_fails: BTreeMap<String, String>,
    /// everslot fails them, and why.
    pub(super) everslot_fails: BTreeMap<String, String>,
    /// The bare member passes them, and everslot leaves them out.
    pub(super) only_everslot_skips: Vec<String>,
    /// Why the run of everslot does not show what it is for, if it does not.
    pub(super) broken: Option<String>,
}

impl Comparison {
    /// Holds a run of everslot against one of the bare member. A case that did not run because the suite died before is one that failed.
    pub(super) fn new(bare: &Results, everslot: &Results) -> Self {
        let passed = |name: &&String| bare.cases[*name] == Outcome::Passed;
        let mut everslot_fails = everslot.failures();
        let mut only_everslot_skips = Vec::new();
        for name in bare.cases.keys().filter(passed) {
            match (everslot.cases.get(name), &everslot.broken) {
                (Some(Outcome::Failed(_) | Outcome::Passed), _) => {}
                (None, Some(why)) => {
                    everslot_fails.insert(name.clone(), format!("did not run: {why}"));
                }
                (Some(Outcome::Skipped), _) | (None, None) => {
                    only_everslot_skips.push(name.clone());
                }
            }
        }
        Self {
            cases: bare.cases.len(),
            bare_fails: bare.failures(),
            everslot_fails,
            only_everslot_skips,
            broken: everslot.broken.clone(),
        }
    }

    /// Whether everslot ran it all and failed no case that the bare member does not, but for those that it is to fail.
    pub(super) fn is_met(&self) -> bool {
        self.broken.is_none() && self.only_everslot_fails().next().is_none()
    }

    /// The cases that everslot fails and the bare member does not, and why; without those that it is to fail.
    pub(super) fn only_everslot_fails(&self) -> impl Iterator<Item = (&str, &str)> {
        self.differences()
            .filter(|(name, why)| explanation(name, why).is_none())
    }

    /// The cases that everslot is to fail although the bare member does not, and why that is so.
    pub(super) fn explained(&self) -> impl Iterator<Item = (&str, &str)> {
        self.differences()
            .filter_map(|(name, why)| explanation(name, why).map(|reason| (name, reason)))
    }

    fn differences(&self) -> impl Iterator<Item = (&str, &str)> {
        self.everslot_fails
            .iter()
            .filter(|(name, _)| !self.bare_fails.contains_key(*name))
            .map(|(name, why)| (name.as_str(), why.as_str()))
    }
}

impl Results {
    fn failures(&self) -> BTreeMap<String, String> {
        let failure = |(name, outcome): (&String, &Outcome)| match outcome {
            Outcome::Failed(why) => Some((name.clone(), why.clone())),
            Outcome::Passed | Outcome::Skipped => None,
        };
        self.cases.iter().filter_map(failure).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Outcome, Results};
    use crate::conformance::explained::{NOT_RUN, WAITS};

    fn results(cases: &[(&str, Outcome)], broken: Option<&str>) -> Results {
        Results {
            cases: cases
                .iter()
                .map(|(name, outcome)| ((*name).to_owned(), outcome.clone()))
                .collect(),
            broken: broken.map(str::to_owned),
        }
    }

    fn failed() -> Outcome {
        Outcome::Failed("why".to_owned())
    }

    #[test]
    fn what_both_fail_is_not_held_against_everslot() {
        let bare = results(&[("a", failed()), ("b", Outcome::Passed)], None);
        let everslot = results(&[("a", failed()), ("b", failed())], None);
        let comparison = Comparison::new(&bare, &everslot);
        let only: Vec<_> = comparison.only_everslot_fails().collect();
        assert_eq!(only, [("b", "why")]);
    }

    #[test]
    fn what_it_is_to_fail_is_shown_and_not_held_against_everslot() {
        let bare = results(&[(WAITS, Outcome::Passed)], None);
        let everslot = results(&[(WAITS, Outcome::Failed(NOT_RUN.to_owned()))], None);
        let comparison = Comparison::new(&bare, &everslot);
        assert_eq!(comparison.explained().count(), 1);
        assert_eq!(comparison.only_everslot_fails().count(), 0);
        assert!(comparison.is_met());
    }

    #[test]
    fn what_a_dead_suite_did_not_run_has_failed() {
        let bare = results(&[("a", Outcome::Passed), ("b", Outcome::Skipped)], None);
        let dead = Comparison::new(&bare, &results(&[], Some("died")));
        let only: Vec<_> = dead.only_everslot_fails().collect();
        assert_eq!(only, [("a", "did not run: died")]);
        let whole = Comparison::new(&bare, &results(&[], None));
        assert_eq!(whole.only_everslot_fails().count(), 0);
        assert_eq!(whole.only_everslot_skips, ["a"]);
        assert!(whole.is_met() && !dead.is_met());
    }

    #[test]
    fn a_case_that_the_bare_member_leaves_out_may_not_fail() {
        let bare = results(&[("a", Outcome::Skipped)], None);
        let everslot = results(&[("a", failed())], None);
        assert_eq!(
            Comparison::new(&bare, &everslot)
                .only_everslot_fails()
                .count(),
            1
        );
    }
}
