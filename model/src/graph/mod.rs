//! A model's whole state graph, kept in memory, for questions about runs that never end.
//!
//! stateright answers questions about single states. Its `eventually` is unsound (it loses an obligation where a run
//! closes a cycle or meets another run), so liveness is asked of this graph instead: every state is interned once and
//! compared in full (no fingerprints), the edges are compressed rows. The number of states is held against stateright's.

mod cycle;
mod fair;
mod search;

#[cfg(test)]
mod tests;

pub use fair::{FairCycle, Fairness};

use std::hash::{BuildHasherDefault, DefaultHasher, Hash};

use indexmap::IndexSet;
use stateright::Model;

/// The number of a state in a [`Graph`], in breadth-first order: the initial states come first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Node(u32);

impl Node {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// A state graph: states, edges, and which kinds of [`Fairness`] each edge serves.
#[derive(Debug)]
pub struct Graph<S> {
    states: IndexSet<S, BuildHasherDefault<DefaultHasher>>,
    /// The node from which a node was first met; an initial state is its own parent.
    parents: Vec<Node>,
    /// `targets[rows[n]..rows[n + 1]]` are the successors of node `n`.
    rows: Vec<usize>,
    targets: Vec<Node>,
    labels: Vec<Fairness>,
}

/// One edge out of a node.
#[derive(Clone, Copy, Debug)]
struct Edge {
    target: Node,
    label: Fairness,
}

impl<S: Clone + Eq + Hash> Graph<S> {
    /// Explores everything that `model` can reach, breadth first. `label` names the kinds of fairness an action serves.
    ///
    /// An action without a next state is an edge back to the state itself. Model boundaries are not consulted: a model
    /// explored here is finite by itself.
    ///
    /// # Panics
    /// With more than `u32::MAX` states.
    pub fn explore<M>(model: &M, label: impl Fn(&M::State, &M::Action) -> Fairness) -> Self
    where
        M: Model<State = S>,
        M::Action: Clone,
    {
        let mut graph = Self {
            states: IndexSet::default(),
            parents: Vec::new(),
            rows: vec![0],
            targets: Vec::new(),
            labels: Vec::new(),
        };
        for state in model.init_states() {
            let next = Node(graph.states.len() as u32);
            graph.intern(state, next);
        }
        let mut actions = Vec::new();
        while graph.rows.len() <= graph.states.len() {
            let node = Node((graph.rows.len() - 1) as u32);
            let state = graph.states[node.index()].clone();
            model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let label = label(&state, &action);
                let next = model.next_state(&state, action);
                let target = next.map_or(node, |next| graph.intern(next, node));
                graph.targets.push(target);
                graph.labels.push(label);
            }
            graph.rows.push(graph.targets.len());
        }
        graph
    }

    /// The number of states.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether the model has no state at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    /// The number of edges, that is of actions enabled in all states together.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.targets.len()
    }

    /// The state behind a number.
    ///
    /// # Panics
    /// When the node belongs to another graph.
    #[must_use]
    pub fn state(&self, node: Node) -> &S {
        &self.states[node.index()]
    }

    /// All states, in the order in which they were met.
    pub fn states(&self) -> impl Iterator<Item = &S> {
        self.states.iter()
    }

    /// The states of a shortest run from an initial state to `node`, both included.
    #[must_use]
    pub fn path_to(&self, node: Node) -> Vec<S> {
        let mut path = vec![node];
        let mut last = node;
        while self.parents[last.index()] != last {
            last = self.parents[last.index()];
            path.push(last);
        }
        path.reverse();
        path.into_iter()
            .map(|node| self.state(node).clone())
            .collect()
    }

    fn intern(&mut self, state: S, from: Node) -> Node {
        let (index, new) = self.states.insert_full(state);
        if new {
            self.parents.push(from);
        }
        Node(u32::try_from(index).expect("a state graph of at most u32::MAX states"))
    }
}

impl<S> Graph<S> {
    fn nodes(&self) -> impl Iterator<Item = Node> {
        (0..self.parents.len() as u32).map(Node)
    }

    fn degree(&self, node: Node) -> usize {
        self.rows[node.index() + 1] - self.rows[node.index()]
    }

    fn edge(&self, node: Node, nth: usize) -> Edge {
        let at = self.rows[node.index()] + nth;
        Edge {
            target: self.targets[at],
            label: self.labels[at],
        }
    }

    fn edges_of(&self, node: Node) -> impl Iterator<Item = Edge> {
        (0..self.degree(node)).map(move |nth| self.edge(node, nth))
    }

    /// The kinds of fairness that some action enabled in `node` serves.
    fn enabled(&self, node: Node) -> Fairness {
        self.edges_of(node)
            .fold(Fairness::NONE, |all, edge| all.union(edge.label))
    }
}
