//! `make faults`: a loss at every single request of a change of a group's objects and of a reconcile, and what has become of the objects afterwards.
//!
//! Each point has a fresh copy of three SoftHSM tokens and their journal ([`World`]), an application that makes the change through `libeverslot.so`
//! and writes down what it was told ([`application`]), and one [`Fault`] that the pass-through module between member host and token carries out.
//! Then all are back, `everslot sync` runs, each token is opened past everslot ([`look`]), and [`judge`] says what is wrong.

pub mod application;
mod campaign;
#[path = "../../passthrough/src/control.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the pass-through module"
)]
mod control;
mod fault;
pub mod judge;
pub mod look;
mod point;
mod world;

pub use application::{Answer, Scenario};
pub use campaign::{Campaign, Tally};
pub use fault::{Fault, Loss};
pub(crate) use point::standing;
pub use point::{Outcome, Point};
pub use world::{MEMBERS, World};
