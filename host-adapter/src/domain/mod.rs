//! The domain: the members among which keys travel, under a key that all of them have and none gives away.
//!
//! Nothing here knows of groups: a member is a [`Token`], a session at the end of a [`Link`](crate::module::Link). `everslot domain init` makes
//! the [domain key](key) and finds the members' [profiles](profile); then [`carry()`] takes objects from one member to another.

mod attributes;
mod call;
mod carry;
mod check;
mod establish;
mod identity;
pub mod key;
mod kinds;
pub mod policy;
pub mod profile;
mod prove;
mod read;
mod token;
mod trial;
mod trust;

pub use attributes::{Attributes, Content};
pub use call::CallError;
pub use carry::{Carried, CarryError, CarryFailure, End, Parcel, carry, update};
pub use check::CheckValue;
pub use establish::{EstablishError, Recipient, establish};
pub(crate) use identity::{Candidate, NAMES};
pub use identity::{Fingerprint, Revision, Shown};
pub(crate) use kinds::{changing, traveling};
pub use prove::Proof;
pub(crate) use token::plain;
pub use token::{Deadlines, Token};
pub use trial::{Failed, Trial, TrialError, try_members};
pub use trust::Pins;
