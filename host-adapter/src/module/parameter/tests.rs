//! The shapes against the C structures, and the ways between C and fields.

mod layout;
mod reading;
mod returned;
mod round_trips;
