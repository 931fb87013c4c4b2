//! A member's module: loaded once per settings, asked through links.
//!
//! [`Instance`] is one load of a module, either here ([`in_process`]) or in a member host
//! ([`hosted`](crate::hosted)); a [`Link`] is the way of one real session's calls to it.

pub mod execute;
mod exports;
mod functions;
pub mod in_process;
mod luna;
mod memory;
pub mod parameter;
mod scratch;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use everslot_protocol::{Deadline, Reply, Request, Rv};

pub use exports::has_interfaces;
pub use functions::Functions;
pub use in_process::{InProcess, LoadError};
pub use luna::HaState;
pub(crate) use memory::{can_exist, room_behind};
pub use scratch::Scratch;

/// What tells one load of a module from another: members with equal settings share one load and one `C_Initialize`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ModuleSettings {
    /// The module's shared object.
    pub path: PathBuf,
    /// Set before `C_Initialize`; only a member host can have an environment of its own.
    pub environment: BTreeMap<String, String>,
    /// The string that some modules want in `CK_C_INITIALIZE_ARGS.pReserved`.
    pub init_string: Option<String>,
    /// Where it is loaded.
    pub isolation: Isolation,
}

/// Where a module is loaded.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Isolation {
    /// In a member host: a hang or a crash costs the member, not the application.
    #[default]
    Process,
    /// In the application: faster, for trusted modules. A deadline cannot be kept, a crash is the application's.
    None,
}

/// One load of a module.
pub trait Instance: Send + Sync {
    /// A way for one real session's calls.
    ///
    /// # Errors
    /// The module is gone, or has no room for a further link.
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure>;

    /// Whether the module can still be asked; a member host that has ended cannot. Cheap: no call into the module.
    fn is_alive(&self) -> bool;

    /// Asks a member host to finish within `grace`, without waiting for it; [`stop`](Self::stop) is to follow.
    fn begin_to_stop(&self, grace: std::time::Duration) {
        let _ = grace;
    }

    /// Ends the load: `C_Finalize` in process; a member host is asked to finish and killed after `grace`.
    fn stop(&self, grace: std::time::Duration);

    /// The member host's process id, if the module has a process of its own.
    fn process(&self) -> Option<u32>;

    /// A descriptor that becomes readable when the member host ends, if the module has a process of its own.
    fn liveness(&self) -> Option<rustix::fd::BorrowedFd<'_>> {
        None
    }
}

/// The way of one real session's calls to a module. Not shared: one call at a time.
pub trait Link: Send {
    /// Sends `request` and waits for its answer; bytes that the call puts out are at the start of `output`.
    ///
    /// # Errors
    /// There is no answer: the module's process has ended, or the deadline passed.
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        deadline: Deadline,
    ) -> Result<Reply, LinkFailure>;
}

/// A call that got no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkFailure {
    /// Whether the member may have executed the call.
    pub delivery: Delivery,
    /// What was seen.
    pub cause: LinkCause,
}

/// Whether a call that got no answer may have been executed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// It never reached the module: it may be sent elsewhere whatever it is.
    None,
    /// It may or may not have been executed.
    Unknown,
}

/// Why a call got no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LinkCause {
    /// The deadline passed.
    DeadlinePassed,
    /// The member host has ended.
    HostEnded,
    /// The member host could not be started.
    HostNotStarted,
    /// The module could not be loaded.
    ModuleNotLoaded,
    /// `C_Initialize` of the module returned this.
    NotInitialized(Rv),
    /// The answer could not be read.
    Garbled,
    /// The request cannot cross a process border (an unknown mechanism's parameter); the caller's fault.
    NotTransferable,
    /// No further link can be had: every channel is in use.
    Exhausted,
}
