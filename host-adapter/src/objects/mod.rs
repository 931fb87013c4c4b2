//! The objects of a group that was given a domain key: made on every member that the policy asks for, kept the same, gone everywhere.
//!
//! [`Keeper`] is what a process has of it: the journal, the members' profiles, the domain key on each member. What is to be done is said by the
//! core's [`Change`](everslot_core::Change) and [`Reconcile`](everslot_core::Reconcile).
//!
//! What a change is making bears a [plant](planted) in front of its label until the journal has it. An object that bears one of which no intent
//! stands in the journal was made: the [label without it](planted::label_of) is the application's, and whoever comes across it takes the plant off.

mod end;
mod gate;
mod keeper;
mod lock;
mod owner;
pub mod planted;

pub use gate::{Claim, Closed, Entered, Gate};
pub use keeper::{DomainKey, Keeper};
pub use owner::Owner;
