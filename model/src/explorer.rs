//! A scenario in stateright's Explorer, a page in a browser, with steps and states in words.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;

use stateright::{Expectation, Model, Property};

use crate::timeline::Story;

/// Serves a model at an address until the process ends.
pub(crate) fn serve<M>(model: &M, address: SocketAddr)
where
    M: Story + Clone + Send + Sync + 'static,
    M::State: Clone + Eq + Hash + Send + Sync + 'static,
    M::Action: Clone + PartialEq + Send + Sync + 'static,
{
    let _ = Told::new(model).checker().serve(address);
}

/// A model whose states and actions tell themselves.
struct Told<M: Model> {
    model: Arc<M>,
    properties: Arc<Vec<Property<M>>>,
}

/// A state in words: a line for each column of its story, then which witnesses it shows and which properties it breaks.
struct ToldState<M: Model> {
    model: Arc<M>,
    properties: Arc<Vec<Property<M>>>,
    state: M::State,
}

/// A step in a sentence.
#[derive(Clone)]
struct ToldAction<A> {
    action: A,
    told: String,
}

impl<M: Story + Clone> Told<M> {
    fn new(model: &M) -> Self {
        Self {
            properties: Arc::new(model.properties()),
            model: Arc::new(model.clone()),
        }
    }

    fn state(&self, state: M::State) -> ToldState<M> {
        ToldState {
            model: Arc::clone(&self.model),
            properties: Arc::clone(&self.properties),
            state,
        }
    }
}

impl<M> Model for Told<M>
where
    M: Story + Clone + 'static,
    M::State: Clone + Hash + PartialEq,
    M::Action: Clone + PartialEq,
{
    type State = ToldState<M>;
    type Action = ToldAction<M::Action>;

    fn init_states(&self) -> Vec<Self::State> {
        let states = self.model.init_states().into_iter();
        states.map(|state| self.state(state)).collect()
    }

    fn actions(&self, told: &Self::State, actions: &mut Vec<Self::Action>) {
        let mut plain = Vec::new();
        self.model.actions(&told.state, &mut plain);
        actions.extend(plain.into_iter().filter_map(|action| {
            let after = self.model.next_state(&told.state, action.clone())?;
            let told = self.model.tell(&told.state, &action, &after);
            Some(ToldAction { action, told })
        }));
    }

    fn next_state(&self, told: &Self::State, action: Self::Action) -> Option<Self::State> {
        let next = self.model.next_state(&told.state, action.action)?;
        Some(self.state(next))
    }

    /// One for all: stateright takes a plain function for each, and a state says itself which ones it breaks.
    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "every property",
            |_, told: &ToldState<M>| told.broken().next().is_none(),
        )]
    }
}

impl<M: Model> ToldState<M> {
    fn broken(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.decided(Expectation::Always, false)
    }

    fn shown(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.decided(Expectation::Sometimes, true)
    }

    fn decided(
        &self,
        expectation: Expectation,
        holds: bool,
    ) -> impl Iterator<Item = &'static str> + '_ {
        let properties = self.properties.iter();
        properties
            .filter(move |property| property.expectation == expectation)
            .filter(move |property| (property.condition)(&self.model, &self.state) == holds)
            .map(|property| property.name)
    }
}

impl<M: Story> fmt::Debug for ToldState<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.model.columns();
        for (column, cell) in columns.iter().zip(self.model.cells(&self.state)) {
            writeln!(f, "{column}: {cell}")?;
        }
        for name in self.shown() {
            writeln!(f, "{name}")?;
        }
        for name in self.broken() {
            writeln!(f, "BROKEN: {name}")?;
        }
        Ok(())
    }
}

impl<A> fmt::Debug for ToldAction<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

impl<A: PartialEq> PartialEq for ToldAction<A> {
    fn eq(&self, other: &Self) -> bool {
        self.action == other.action
    }
}

impl<M: Model> Clone for ToldState<M>
where
    M::State: Clone,
{
    fn clone(&self) -> Self {
        Self {
            model: Arc::clone(&self.model),
            properties: Arc::clone(&self.properties),
            state: self.state.clone(),
        }
    }
}

impl<M: Model> PartialEq for ToldState<M>
where
    M::State: PartialEq,
{
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

impl<M: Model> Hash for ToldState<M>
where
    M::State: Hash,
{
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.state.hash(hasher);
    }
}
