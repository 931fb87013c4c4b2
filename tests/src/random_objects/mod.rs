//! `make random-objects`: objects of a group made, changed and destroyed at random while its members are killed, taken away and brought back.
//!
//! An application does one thing after the other through `libeverslot.so` and a ledger keeps what it was told. In the end all
//! members are back, `everslot sync` runs, each token is opened past everslot, and the ledger says what is wrong. The seed says what is
//! done; when a member's process ends within a call is the machine's.

mod application;
mod faults;
mod ledger;
mod run;

pub use run::{Report, run};
