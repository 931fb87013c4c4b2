//! From a component that a fair run never leaves to one cycle that a person can follow.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::fair::{FairCycle, Fairness, Members};
use super::{Edge, Graph, Node};

impl<S: Clone + Eq + Hash> Graph<S> {
    /// A cycle within a component that does justice to every assumed kind, and the way to it.
    pub(super) fn run_through(&self, members: &Members, assumed: Fairness) -> FairCycle<S> {
        let start = members.first();
        let mut cycle: Vec<Edge> = Vec::new();
        for kind in assumed.kinds() {
            let last = cycle.last().map_or(start, |edge| edge.target);
            cycle.extend(self.serve(members, last, kind));
        }
        let last = cycle.last().map_or(start, |edge| edge.target);
        if last != start || cycle.is_empty() {
            cycle.extend(self.back_to(members, last, start));
        }
        let nodes = std::iter::once(start).chain(cycle.iter().map(|edge| edge.target));
        FairCycle {
            way: self.path_to(start),
            cycle: nodes.map(|node| self.state(node).clone()).collect(),
            serves: cycle.iter().map(|edge| edge.label).collect(),
        }
    }

    /// The steps from `from` to where `kind` is impossible, or through an action that serves it.
    fn serve(&self, members: &Members, from: Node, kind: Fairness) -> Vec<Edge> {
        self.walk(members, from, |node| {
            if self.enabled(node).intersection(kind).is_empty() {
                return Some(None);
            }
            let serving = self.edges_of(node).find(|edge| {
                members.contain(edge.target) && !edge.label.intersection(kind).is_empty()
            });
            serving.map(Some)
        })
    }

    /// The steps from `from` back to `start`; at least one, if the component has an edge at all.
    fn back_to(&self, members: &Members, from: Node, start: Node) -> Vec<Edge> {
        self.walk(members, from, |node| {
            self.edges_of(node)
                .find(|edge| edge.target == start)
                .map(Some)
        })
    }

    /// A shortest way within `members` to a node for which `arrived` answers, and its answer as a last step.
    fn walk(
        &self,
        members: &Members,
        from: Node,
        arrived: impl Fn(Node) -> Option<Option<Edge>>,
    ) -> Vec<Edge> {
        let mut ways: HashMap<Node, Option<(Node, Edge)>> = HashMap::from([(from, None)]);
        let mut pending = VecDeque::from([from]);
        while let Some(node) = pending.pop_front() {
            if let Some(last) = arrived(node) {
                let mut way: Vec<Edge> = last.into_iter().collect();
                let mut at = node;
                while let Some((before, edge)) = ways[&at] {
                    way.push(edge);
                    at = before;
                }
                way.reverse();
                return way;
            }
            for edge in self
                .edges_of(node)
                .filter(|edge| members.contain(edge.target))
            {
                ways.entry(edge.target).or_insert_with(|| {
                    pending.push_back(edge.target);
                    Some((node, edge))
                });
            }
        }
        Vec::new()
    }
}
