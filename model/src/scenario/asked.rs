//! A model asked in another way: one property alone, or all of them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use stateright::{Expectation, Model, Property};

/// A model with one of its properties only.
pub(super) struct Alone<M: Model> {
    model: Arc<M>,
    property: Property<M>,
}

impl<M: Model + Clone> Alone<M> {
    pub(super) fn new(model: &M, property: Property<M>) -> Self {
        Self {
            model: Arc::new(model.clone()),
            property,
        }
    }
}

impl<M> Model for Alone<M>
where
    M: Model + 'static,
{
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.model.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property {
            expectation: self.property.expectation.clone(),
            name: self.property.name,
            condition: |alone, state| (alone.property.condition)(&alone.model, state),
        }]
    }
}

/// A model with all of its properties asked in one that always holds.
///
/// stateright looks each property up by name in every state, and finds what it has found again and again; here a
/// property that is decided is not asked any more. Nothing makes the search stop before its end but one state more than
/// `most`: a world that a change has made endless fails instead of filling the memory.
pub(super) struct Together<M: Model> {
    model: Arc<M>,
    most: usize,
    looked_at: AtomicUsize,
    properties: Vec<Property<M>>,
    /// A bit for each property that no state has decided yet.
    undecided: AtomicU64,
}

impl<M: Model + Clone> Together<M> {
    pub(super) fn new(model: &M, most: usize) -> Self {
        let properties = model.properties();
        assert!(properties.len() < 64, "a bit for each property");
        Self {
            undecided: AtomicU64::new((1 << properties.len()) - 1),
            properties,
            model: Arc::new(model.clone()),
            most,
            looked_at: AtomicUsize::new(0),
        }
    }
}

impl<M: Model> Together<M> {
    fn look(&self, state: &M::State) {
        self.looked_at.fetch_add(1, Ordering::Relaxed);
        let undecided = self.undecided.load(Ordering::Relaxed);
        let decides = |property: &Property<M>| {
            (property.condition)(&self.model, state)
                == (property.expectation == Expectation::Sometimes)
        };
        for (nth, property) in self.properties.iter().enumerate() {
            if undecided & 1 << nth != 0 && decides(property) {
                self.undecided.fetch_and(!(1 << nth), Ordering::Relaxed);
            }
        }
    }

    /// Whether there are more states than there may be, and not all of them were visited.
    pub(super) fn is_too_big(&self) -> bool {
        self.looked_at.load(Ordering::Relaxed) > self.most
    }

    pub(super) fn undecided(&self) -> Vec<&'static str> {
        let undecided = self.undecided.load(Ordering::Relaxed);
        let names = self
            .properties
            .iter()
            .map(|property| property.name)
            .enumerate();
        names
            .filter(|(nth, _)| undecided & 1 << nth != 0)
            .map(|(_, name)| name)
            .collect()
    }
}

impl<M: Model + 'static> Model for Together<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.model.actions(state, actions);
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.model.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "all of the model's properties are asked, of no more states than there may be",
            |together, state| {
                together.look(state);
                !together.is_too_big()
            },
        )]
    }
}
