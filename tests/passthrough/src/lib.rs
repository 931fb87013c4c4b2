//! A PKCS#11 module that hands every call to a real one, counts what reaches it, and kills at a chosen call.
//!
//! It stands between a member host and SoftHSM, so that a fault can be put before or after the effect of every single request. The counts are
//! shared by all its processes, in a mapped file ([`control`]); while that says nothing of a fault, a call costs one look at it.
//!
//! | environment | meaning | default |
//! |---|---|---|
//! | `EVERSLOT_PASS_MODULE` | the real module | none: `C_GetFunctionList` fails |
//! | `EVERSLOT_PASS_CONTROL` | the control file | none: the real module's own function list is given, so nothing comes between |
//! | `EVERSLOT_PASS_MEMBER` | the number of this member in the control file | 0 |
//!
//! The application is the parent of the process that it is loaded in, as it is of a member host.

pub mod control;
mod fault;
mod list;
mod real;

pub use list::C_GetFunctionList;
