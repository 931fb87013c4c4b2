//! One call at a time on a member's module.

use std::path::Path;
use std::time::Duration;

use everslot_core::{Rv, ckr};
use everslot_protocol::{Body, Function, Request, SlotId, TokenInfo};

use crate::hosted::Hosted;
use crate::module::{Instance, Link, LinkCause, ModuleSettings};
use crate::status::ReturnCode;

/// Loading takes longer than a call: some modules look for devices in `C_Initialize`.
const START: Duration = Duration::from_secs(10);
/// Slots of one module that are looked at.
const SLOTS: usize = 1024;

/// A module in a member host of the command's own, which ends with this value.
pub(super) struct Member {
    link: Box<dyn Link>,
    deadline: Duration,
    _host: Hosted,
}

/// A call has not succeeded.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// The module said no.
    #[error("{} returned {}", function.name(), ReturnCode::from(*rv).name)]
    Code {
        /// What was called.
        function: Function,
        /// What it returned.
        rv: Rv,
    },
    /// The module said nothing.
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
    pub(super) const fn code(&self) -> Rv {
        match self {
            Self::Code { rv, .. } => *rv,
            Self::NoAnswer { .. } | Self::NotLoaded(_) => ckr::DEVICE_ERROR,
        }
    }
}

impl Member {
    /// Loads a module in a member host, whatever isolation its settings have: it must not take the command along.
    ///
    /// # Errors
    /// The host or the module does not start, or not in time.
    pub(super) fn start(
        settings: &ModuleSettings,
        host_program: &Path,
        deadline: Duration,
    ) -> Result<Self, CallError> {
        let not_loaded = |failure: crate::module::LinkFailure| CallError::NotLoaded(failure.cause);
        let host = Hosted::start(settings, host_program, 1, START).map_err(not_loaded)?;
        let link = host.link().map_err(not_loaded)?;
        Ok(Self {
            link,
            deadline,
            _host: host,
        })
    }

    /// Makes one call; bytes that it puts out are at the start of `output`.
    ///
    /// # Errors
    /// The module gives no answer, or another one than `CKR_OK`.
    pub(super) fn call(
        &mut self,
        function: Function,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Body, CallError> {
        match self.link.call(request, output, Some(self.deadline)) {
            Ok(reply) if reply.rv == everslot_protocol::Rv::OK => Ok(reply.body),
            Ok(reply) => Err(CallError::Code {
                function,
                rv: Rv(reply.rv.0),
            }),
            Err(failure) => Err(CallError::NoAnswer {
                function,
                cause: failure.cause,
            }),
        }
    }

    /// Every token that the module can describe, with its slot.
    ///
    /// # Errors
    /// The module does not list its slots, or stops answering. A slot alone that cannot be described is left out.
    pub(super) fn tokens(&mut self) -> Result<Vec<(SlotId, TokenInfo)>, CallError> {
        let mut tokens = Vec::new();
        for slot in self.slots()? {
            match self.call(
                Function::GetTokenInfo,
                &Request::TokenInfo { slot },
                &mut [],
            ) {
                Ok(Body::Token(info)) => tokens.push((slot, info)),
                Ok(_) | Err(CallError::Code { .. }) => {}
                Err(error @ (CallError::NoAnswer { .. } | CallError::NotLoaded(_))) => {
                    return Err(error);
                }
            }
        }
        Ok(tokens)
    }

    fn slots(&mut self) -> Result<Vec<SlotId>, CallError> {
        let mut ids = [0; SLOTS * size_of::<u64>()];
        let body = self.call(
            Function::GetSlotList,
            &Request::Slots {
                token_present: true,
            },
            &mut ids,
        )?;
        let written = match body {
            Body::Written(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX).min(ids.len()),
            _ => 0,
        };
        let (ids, _) = ids[..written].as_chunks();
        Ok(ids
            .iter()
            .map(|id| SlotId(u64::from_ne_bytes(*id)))
            .collect())
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
