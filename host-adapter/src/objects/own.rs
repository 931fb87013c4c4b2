//! A module in a member host of its own, one call at a time.

use std::path::Path;
use std::time::Duration;

use everslot_core::Rv;
use everslot_protocol::wire::{INFO_SIZE_MAX, decode_info};
use everslot_protocol::{Body, Bytes, Function, Request, SessionHandle, SlotId, TokenInfo};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::CallError;
use crate::hosted::Hosted;
use crate::module::{Instance, Link, ModuleSettings};

/// Loading takes longer than a call: some modules look for devices in `C_Initialize`.
const START: Duration = Duration::from_secs(10);
/// Slots of one module that are looked at.
const SLOTS: usize = 1024;

/// It ends with this value.
pub(crate) struct Own {
    link: Box<dyn Link>,
    deadline: Duration,
    _host: Hosted,
}

impl Own {
    /// Loads a module in a member host, whatever isolation its settings have: it must not take this process along.
    ///
    /// # Errors
    /// The host or the module does not start, or not in time.
    pub(crate) fn start(
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
    pub(crate) fn call(
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

    /// `C_OpenSession`, for reading and writing.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub(crate) fn open(&mut self, slot: SlotId) -> Result<SessionHandle, CallError> {
        let read_write = true;
        let request = Request::OpenSession { slot, read_write };
        match self.call(Function::OpenSession, &request, &mut [])? {
            Body::Session(session) => Ok(session),
            _ => Err(CallError::garbled(Function::OpenSession)),
        }
    }

    /// `C_Login` as a user of this type (`CKU_…`).
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub(crate) fn log_in(
        &mut self,
        session: SessionHandle,
        user: u64,
        pin: &SecretString,
    ) -> Result<(), CallError> {
        let request = Request::Login {
            session,
            user,
            pin: Some(Bytes(pin.expose_secret().as_bytes())),
        };
        self.call(Function::Login, &request, &mut []).map(drop)
    }

    /// The way of the calls, for whoever asks in more than one of them.
    pub(crate) fn link(&mut self) -> &mut dyn Link {
        &mut *self.link
    }

    /// Every token that the module can describe, with its slot.
    ///
    /// # Errors
    /// The module does not list its slots, or stops answering. A slot alone that cannot be described is left out.
    pub(crate) fn tokens(&mut self) -> Result<Vec<(SlotId, TokenInfo)>, CallError> {
        let mut tokens = Vec::new();
        for slot in self.slots()? {
            let mut described = [0; INFO_SIZE_MAX];
            let request = Request::TokenInfo { slot };
            match self.call(Function::GetTokenInfo, &request, &mut described) {
                Ok(body) => {
                    if let Ok(info) = decode_info(body.output(&described)) {
                        tokens.push((slot, info));
                    }
                }
                Err(CallError::Code { .. }) => {}
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
