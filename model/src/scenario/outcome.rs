//! What a search found, and how it is shown.

use std::fmt;
use std::time::Duration;

use crate::timeline::Timeline;

use super::Size;

/// The result of searching a scenario.
#[derive(Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: &'static str,
    /// What was searched.
    pub size: Size,
    /// The numbers of the properties checked.
    pub properties: Vec<String>,
    /// How many witnesses were asked for and seen, beyond those in `failures`.
    pub witnesses: usize,
    /// Empty when all is well.
    pub failures: Vec<Failure>,
    /// How long the search took.
    pub took: Duration,
}

impl Outcome {
    /// Whether every property holds, every witness was seen, and the size is the expected one.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Why a scenario does not hold.
#[derive(Debug)]
pub enum Failure {
    /// A state in which a property does not hold, with a shortest run to it.
    Violated {
        /// The property.
        property: String,
        /// The run.
        timeline: Timeline,
    },
    /// A run on which something owed never comes.
    PutOffForEver {
        /// The property.
        property: String,
        /// The run.
        timeline: Timeline,
    },
    /// Nothing showed the situation that a property is about: it may hold for no good reason.
    NeverSeen {
        /// The witness.
        property: String,
    },
    /// A safety property without a witness.
    NoWitness {
        /// The property.
        property: String,
    },
    /// No `always` property: stateright would stop before it has seen everything.
    NothingToHold,
    /// The state graph is not the one that was written down.
    OtherSize {
        /// Written down.
        expected: Size,
        /// Seen.
        found: Size,
    },
    /// The state graph is so much bigger than was written down that the search was given up.
    TooBig {
        /// Written down.
        expected: Size,
    },
    /// stateright and our own graph count differently: a state's hash leaves something out, or two hashes met.
    CountsDiffer {
        /// stateright's number of unique states.
        stateright: usize,
        /// Ours, by full comparison.
        graph: usize,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated { property, timeline } => write!(
                f,
                "does not hold: {property}\nshortest run to it, {} steps:\n{timeline}",
                timeline.steps()
            ),
            Self::PutOffForEver { property, timeline } => {
                write!(f, "can be put off for ever: {property}\n{timeline}")
            }
            Self::NeverSeen { property } => write!(f, "never seen: {property}"),
            Self::NoWitness { property } => write!(f, "has no witness: {property}"),
            Self::NothingToHold => write!(f, "has no property that must always hold"),
            Self::OtherSize { expected, found } => write!(
                f,
                "expected {} unique states, {} generated, depth {}; found {}, {}, {}: the core or the model changed; \
                 look at the change, then write the new numbers down",
                expected.unique,
                expected.generated,
                expected.depth,
                found.unique,
                found.generated,
                found.depth
            ),
            Self::TooBig { expected } => write!(
                f,
                "expected {} unique states, and there is no end of them: something that was bounded is not any more",
                expected.unique
            ),
            Self::CountsDiffer { stateright, graph } => write!(
                f,
                "stateright counts {stateright} states, our own graph {graph}: a Hash leaves something out"
            ),
        }
    }
}
