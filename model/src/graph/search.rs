//! Strongly connected components of a part of the graph, and what can reach a goal at all.

use std::hash::Hash;

use super::{Graph, Node};

/// A set of nodes of one graph.
#[derive(Clone, Debug)]
pub(super) struct Region(Vec<bool>);

impl Region {
    pub(super) fn contains(&self, node: Node) -> bool {
        self.0[node.index()]
    }
}

impl<S: Clone + Eq + Hash> Graph<S> {
    /// A state from which no run whatever reaches a state of `goal` (a violation of "AG EF goal"); the nearest one to
    /// the start, or `None` when the goal can be reached from everywhere.
    #[must_use]
    pub fn trap(&self, goal: impl Fn(&S) -> bool) -> Option<Node> {
        let mut reaches = self.region(goal);
        let (rows, sources) = self.reversed();
        let mut pending: Vec<Node> = self
            .nodes()
            .filter(|&node| reaches.contains(node))
            .collect();
        while let Some(node) = pending.pop() {
            for &source in &sources[rows[node.index()]..rows[node.index() + 1]] {
                if !std::mem::replace(&mut reaches.0[source.index()], true) {
                    pending.push(source);
                }
            }
        }
        self.nodes().find(|&node| !reaches.contains(node))
    }

    pub(super) fn region(&self, holds: impl Fn(&S) -> bool) -> Region {
        Region(self.states.iter().map(holds).collect())
    }
}

impl<S> Graph<S> {
    /// Calls `visit` with the nodes of each strongly connected component of `region`.
    ///
    /// Tarjan's algorithm with its recursion kept on the heap: these graphs are deeper than any thread's stack.
    pub(super) fn components(&self, region: &Region, mut visit: impl FnMut(&[Node])) {
        let mut tarjan = Tarjan {
            order: vec![UNSEEN; self.parents.len()],
            low: vec![0; self.parents.len()],
            open: Vec::new(),
            calls: Vec::new(),
            met: 0,
        };
        for root in self.nodes().filter(|&node| region.contains(node)) {
            if tarjan.order[root.index()] == UNSEEN {
                tarjan.search(self, region, root, &mut visit);
            }
        }
    }

    /// The rows of the graph with every edge turned round.
    fn reversed(&self) -> (Vec<usize>, Vec<Node>) {
        let mut rows = vec![0; self.parents.len() + 1];
        for target in &self.targets {
            rows[target.index() + 1] += 1;
        }
        for at in 1..rows.len() {
            rows[at] += rows[at - 1];
        }
        let mut next = rows.clone();
        let mut sources = vec![Node(0); self.targets.len()];
        for source in self.nodes() {
            for edge in self.edges_of(source) {
                sources[next[edge.target.index()]] = source;
                next[edge.target.index()] += 1;
            }
        }
        (rows, sources)
    }
}

const UNSEEN: u32 = u32::MAX;
const CLOSED: u32 = u32::MAX - 1;

struct Tarjan {
    /// When a node was met; `CLOSED` once its component is complete.
    order: Vec<u32>,
    low: Vec<u32>,
    /// Nodes whose component is not complete yet.
    open: Vec<Node>,
    /// The recursion: a node and the next of its edges to follow.
    calls: Vec<(Node, usize)>,
    met: u32,
}

impl Tarjan {
    fn search<S>(
        &mut self,
        graph: &Graph<S>,
        region: &Region,
        root: Node,
        visit: &mut impl FnMut(&[Node]),
    ) {
        self.enter(root);
        while let Some((node, nth)) = self.calls.pop() {
            if nth < graph.degree(node) {
                self.calls.push((node, nth + 1));
                self.follow(region, node, graph.edge(node, nth).target);
                continue;
            }
            if let Some(&(caller, _)) = self.calls.last() {
                self.low[caller.index()] = self.low[caller.index()].min(self.low[node.index()]);
            }
            if self.low[node.index()] == self.order[node.index()] {
                self.close(node, visit);
            }
        }
    }

    fn enter(&mut self, node: Node) {
        self.order[node.index()] = self.met;
        self.low[node.index()] = self.met;
        self.met += 1;
        self.open.push(node);
        self.calls.push((node, 0));
    }

    fn follow(&mut self, region: &Region, node: Node, target: Node) {
        if !region.contains(target) {
            return;
        }
        match self.order[target.index()] {
            UNSEEN => self.enter(target),
            CLOSED => {}
            met => self.low[node.index()] = self.low[node.index()].min(met),
        }
    }

    fn close(&mut self, root: Node, visit: &mut impl FnMut(&[Node])) {
        let start = self
            .open
            .iter()
            .rposition(|&node| node == root)
            .expect("an open component");
        for node in &self.open[start..] {
            self.order[node.index()] = CLOSED;
        }
        visit(&self.open[start..]);
        self.open.truncate(start);
    }
}
