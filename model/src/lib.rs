//! Exhaustive checks of the core that ships, and of the pseudo-code it grew from.
//!
//! The decisions under test are the ones of `everslot-core` itself, called as the adapter calls them; only what
//! surrounds them is modelled (see [`world`]). A scenario is one finite world; [`catalogue`] lists them.

pub mod catalogue;
pub mod coverage;
pub mod exhibit;
mod explorer;
pub mod graph;
pub mod objects;
pub mod report;
pub mod scenario;
pub mod timeline;
pub mod world;
