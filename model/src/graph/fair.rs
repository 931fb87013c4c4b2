//! Runs that stay away from their goal for ever although everyone does their part.

use std::hash::Hash;

use super::{Graph, Node};

/// A set of the things that are assumed to go on happening: calls arrive, time passes, what was begun comes to an end.
///
/// Weak fairness: what stays possible for ever happens again and again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fairness(u8);

impl Fairness {
    /// Nothing is assumed.
    pub const NONE: Self = Self(0);

    /// The `nth` kind alone.
    ///
    /// # Panics
    /// From 8 on.
    #[must_use]
    pub const fn kind(nth: u8) -> Self {
        assert!(nth < 8, "at most eight kinds of fairness");
        Self(1 << nth)
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in this set and in the other.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each kind in the set, alone.
    pub fn kinds(self) -> impl Iterator<Item = Self> {
        (0..8)
            .map(Self::kind)
            .filter(move |kind| !kind.intersection(self).is_empty())
    }
}

/// A run that never gets where it should: a way to `cycle[0]`, and then `cycle` over and over.
///
/// A single state in `cycle` is one where nothing has to happen any more.
#[derive(Clone, Debug)]
pub struct FairCycle<S> {
    /// From an initial state to the first state of the cycle, both included.
    pub way: Vec<S>,
    /// The cycle, its first state repeated at the end.
    pub cycle: Vec<S>,
    /// What each step of the cycle serves.
    pub serves: Vec<Fairness>,
}

impl<S: Clone + Eq + Hash> Graph<S> {
    /// Looks for a run that stays in `waiting` for ever although each kind in `assumed` goes on happening, and returns
    /// the one nearest to the start.
    ///
    /// A component of the waiting states is such a run exactly when every assumed kind is either served inside it or
    /// impossible in one of its states: the run that visits all of it again and again is then weakly fair, and every
    /// weakly fair run that stays has its recurring states within one component.
    #[must_use]
    pub fn fair_cycle(
        &self,
        assumed: Fairness,
        waiting: impl Fn(&S) -> bool,
    ) -> Option<FairCycle<S>> {
        let region = self.region(waiting);
        let mut nearest: Option<Members> = None;
        self.components(&region, |component| {
            if self.stays(component, assumed) {
                let members = Members::of(component);
                if nearest
                    .as_ref()
                    .is_none_or(|nearest| members.first() < nearest.first())
                {
                    nearest = Some(members);
                }
            }
        });
        nearest.map(|members| self.run_through(&members, assumed))
    }

    /// Whether a fair run may stay in this component. Nothing makes a run go on where no assumed kind is possible, so a
    /// single state may be one.
    fn stays(&self, component: &[Node], assumed: Fairness) -> bool {
        let members = Members::of(component);
        let mut owed = assumed;
        for &node in component {
            owed = owed.without(assumed.without(self.enabled(node)));
            for edge in self.edges_of(node) {
                if members.contain(edge.target) {
                    owed = owed.without(edge.label);
                }
            }
            if owed.is_empty() {
                return true;
            }
        }
        owed.is_empty()
    }
}

/// The nodes of one component, for looking them up.
pub(super) struct Members(Vec<Node>);

impl Members {
    pub(super) fn of(component: &[Node]) -> Self {
        let mut nodes = component.to_vec();
        nodes.sort_unstable();
        Self(nodes)
    }

    pub(super) fn contain(&self, node: Node) -> bool {
        self.0.binary_search(&node).is_ok()
    }

    /// The node nearest to the start.
    pub(super) fn first(&self) -> Node {
        self.0[0]
    }
}
