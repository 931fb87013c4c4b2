//! The objects of a group that was given a domain key: made on every member that the policy asks for, kept the same, gone everywhere.
//!
//! [`Keeper`] is what a process has of it: the journal, the members' profiles, the domain key on each member. What is to be done is said by the
//! core's [`Change`](everslot_core::Change) and [`Reconcile`](everslot_core::Reconcile).
//!
//! What a change is making bears a [plant](planted) in front of its label until the journal has it. An object that bears one of which no intent
//! stands in the journal was made: the [label without it](planted::label_of) is the application's, and whoever comes across it takes the plant off.

mod alike;
mod book;
pub(crate) mod change;
mod end;
mod gate;
mod keeper;
mod known;
mod lock;
mod opened;
mod own;
mod owner;
pub mod planted;
pub(crate) mod reach;
mod reconcile;
pub(crate) mod resume;
mod words;

use alike::known_as;
pub(crate) use book::Record;
pub use gate::{Claim, Closed, Entered, Gate};
pub use keeper::{DomainKey, Keeper};
pub(crate) use keeper::{NOBODY, Profiles};
pub(crate) use known::Known;
pub(crate) use opened::{NotOpened, Opened, Tries};
pub(crate) use own::Own;
pub use owner::Owner;
pub use reconcile::{Listed, Outcome, Peer, Tools, Watcher, list, reconcile};
pub use words::class_name;
pub(crate) use words::hex;
use words::words;
