//! One call at a time on a token, each with its own words when it fails.

use everslot_core::{Rv, ckr};
use everslot_protocol::Function;

use crate::module::LinkCause;
use crate::status::ReturnCode;

/// A call has not succeeded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The module said no.
    #[error("{} returned {}", function.name(), ReturnCode::from(*rv).name)]
    Code {
        /// What was called.
        function: Function,
        /// What it returned.
        rv: Rv,
    },
    /// The module said nothing: whether the call was executed is not known.
    #[error("{} got no answer: {}", function.name(), words(*cause))]
    NoAnswer {
        /// What was called.
        function: Function,
        /// What was seen.
        cause: LinkCause,
    },
    /// The module cannot be called at all.
    #[error("{}", words(*.0))]
    NotLoaded(LinkCause),
}

impl CallError {
    /// What the seed's status would show.
    #[must_use]
    pub const fn code(&self) -> Rv {
        match self {
            Self::Code { rv, .. } => *rv,
            Self::NoAnswer { .. } | Self::NotLoaded(_) => ckr::DEVICE_ERROR,
        }
    }

    /// Whether the module said no, and can be asked further.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Code { .. })
    }

    /// The answer is not of the shape that the call has.
    pub(crate) const fn garbled(function: Function) -> Self {
        Self::NoAnswer {
            function,
            cause: LinkCause::Garbled,
        }
    }
}

fn words(cause: LinkCause) -> String {
    let words = match cause {
        LinkCause::DeadlinePassed => "it did not answer before the deadline",
        LinkCause::HostEnded => "its process has ended",
        LinkCause::HostNotStarted => "its member host could not be started",
        LinkCause::ModuleNotLoaded => {
            "the module cannot be loaded; is it a PKCS#11 module for this machine, with all the libraries it needs?"
        }
        LinkCause::NotInitialized(rv) => {
            return format!("C_Initialize returned {}", ReturnCode::from(Rv(rv.0)).name);
        }
        LinkCause::Garbled => "its answer cannot be read",
        LinkCause::NotTransferable => "the call cannot be passed to another process",
        LinkCause::Exhausted => "its member host has no channel left",
    };
    words.to_owned()
}
