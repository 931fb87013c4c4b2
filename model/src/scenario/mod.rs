//! One finite world, the properties that must hold in all of it, and the guards that make the verdict worth something.
//!
//! A verdict counts only if the search was complete and looked at something. So a scenario is searched breadth first
//! with no limit of any kind; its numbers of states and edges must be exactly the ones written down; at least one
//! property is an `always` (with none left open stateright stops early); and each safety property has a witness, a
//! `sometimes` of the same name, that shows the dangerous situation to be reachable.

mod asked;
mod check;
mod outcome;
mod scripts;

#[cfg(test)]
mod tests;

pub(crate) use check::{explore, shortest};
pub use outcome::{Failure, Outcome};
#[cfg(test)]
pub(crate) use scripts::checked_in;
pub use scripts::{Line, Lines, Scripted, prove, scripts};

use std::fmt::Debug;
use std::hash::Hash;
use std::net::SocketAddr;

use stateright::{Expectation, Model};

use crate::explorer;
use crate::graph::Fairness;
use crate::timeline::Story;

/// How big a state graph is; a difference means that the model or the core changed, and is to be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size {
    /// Different states.
    pub unique: usize,
    /// Initial states and edges.
    pub generated: usize,
    /// Steps to the state farthest from the start, plus one.
    pub depth: usize,
}

/// Something that must not be put off for ever.
pub struct Liveness<M: Model> {
    /// Starts with the property's number, as in "L1 …".
    pub name: String,
    /// What is assumed to go on happening.
    pub assumed: Fairness,
    /// Whether the thing is still owed in a state.
    pub waiting: Box<Waiting<M>>,
}

/// Whether something is still owed in a state of a world.
pub type Waiting<M> = dyn Fn(&M, &<M as Model>::State) -> bool + Send + Sync;

/// A model whose actions serve kinds of [`Fairness`].
pub trait Fair: Model {
    /// The kinds that an action serves.
    fn serves(&self, state: &Self::State, action: &Self::Action) -> Fairness;
}

/// A model together with what is expected of it.
pub struct Case<M: Model> {
    /// What a person types.
    pub name: &'static str,
    /// What happens in it, in a line.
    pub about: &'static str,
    /// The world.
    pub model: M,
    /// The size of its state graph.
    pub size: Size,
    /// What must come about in the end; each is asked of our own graph of all the states, so of smaller worlds only.
    pub liveness: Vec<Liveness<M>>,
}

/// What can be asked of any scenario, whatever its model.
pub trait Scenario: Send + Sync {
    /// What a person types.
    fn name(&self) -> &'static str;

    /// What happens in it, in a line.
    fn about(&self) -> &'static str;

    /// The numbers of the properties that it checks: "S1", "L2".
    fn properties(&self) -> Vec<String>;

    /// How many states it has.
    fn size(&self) -> Size;

    /// Searches all of it; with `exact`, counts its states once more by full comparison instead of by fingerprints.
    fn check(&self, exact: bool) -> Outcome;

    /// The names of its witnesses.
    fn shown(&self) -> Vec<&'static str>;

    /// Serves it as a page on which a person goes from state to state, until the process ends.
    fn explore(&self, address: SocketAddr);

    /// Shortest runs to each of its witnesses: what this world is able to show.
    fn witnesses(&self) -> Vec<(String, String)>;
}

impl<M> Scenario for Case<M>
where
    M: Story + Fair + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn properties(&self) -> Vec<String> {
        let mut numbers: Vec<String> = self
            .model
            .properties()
            .iter()
            .map(|property| number(property.name).to_owned())
            .chain(
                self.liveness
                    .iter()
                    .map(|live| number(&live.name).to_owned()),
            )
            .collect();
        numbers.sort_by_key(|number| (number.chars().next(), number.len(), number.clone()));
        numbers.dedup();
        numbers
    }

    fn size(&self) -> Size {
        self.size
    }

    fn check(&self, exact: bool) -> Outcome {
        check::check(self, exact)
    }

    fn shown(&self) -> Vec<&'static str> {
        let properties = self.model.properties().into_iter();
        let shown = properties.filter(|property| property.expectation == Expectation::Sometimes);
        shown.map(|property| property.name).collect()
    }

    fn explore(&self, address: SocketAddr) {
        explorer::serve(&self.model, address);
    }

    fn witnesses(&self) -> Vec<(String, String)> {
        check::witnesses(self)
    }
}

/// The first word of a property's name.
fn number(name: &str) -> &str {
    name.split_whitespace().next().unwrap_or(name)
}
