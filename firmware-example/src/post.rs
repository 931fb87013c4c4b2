//! A member's post: its line, what is open on it, and what is being done about it.

use core::time::Duration;

use embedded_hal::digital::OutputPin;
use embedded_io::{Read, ReadReady, Write};
use everslot_core::{Evidence, Instant, Role};
use everslot_protocol::{ObjectHandle, Reply, Request, SessionHandle, SlotId};

use crate::errand::{Credentials, Errand, Finished};
use crate::line::{Line, OUTPUT};

/// What a member is.
#[derive(Clone, Copy, Debug)]
pub struct MemberSettings<'a> {
    /// The label of its token, without padding.
    pub token: &'a str,
    /// What it is there for.
    pub role: Role,
}

impl<'a> MemberSettings<'a> {
    /// One that takes its share of the calls.
    #[must_use]
    pub const fn active(token: &'a str) -> Self {
        let role = Role::Active;
        Self { token, role }
    }

    /// One that takes calls when no active one is left.
    #[must_use]
    pub const fn standby(token: &'a str) -> Self {
        let role = Role::Standby;
        Self { token, role }
    }
}

/// What is open on a member; void once the member is closed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Open {
    pub(crate) slot: Option<SlotId>,
    pub(crate) session: Option<SessionHandle>,
    pub(crate) private: Option<ObjectHandle>,
    pub(crate) public: Option<ObjectHandle>,
}

/// A member's line and light, what is open on it, and the errand under way there.
#[derive(Debug)]
pub(crate) struct Post<'a, IO, Light> {
    pub(crate) settings: MemberSettings<'a>,
    line: Line<IO>,
    light: Light,
    /// As the light shows it; before the first time nobody knows.
    is_lit: Option<bool>,
    pub(crate) open: Open,
    errand: Option<Errand>,
}

impl<'a, IO: Read + ReadReady + Write, Light: OutputPin> Post<'a, IO, Light> {
    pub(crate) const fn new(settings: MemberSettings<'a>, io: IO, light: Light) -> Self {
        Self {
            settings,
            line: Line::new(io),
            light,
            is_lit: None,
            open: Open {
                slot: None,
                session: None,
                private: None,
                public: None,
            },
            errand: None,
        }
    }

    /// Sends a request of a call.
    ///
    /// # Errors
    /// It was surely not delivered.
    pub(crate) fn ask(&mut self, request: &Request<'_>) -> Result<(), Evidence> {
        self.line.ask(request).map_err(|_| Evidence::NotReached)
    }

    /// The answer of a call, if it is there.
    pub(crate) fn heard(&mut self, output: &mut [u8; OUTPUT]) -> Option<Reply> {
        self.line.heard(output)
    }

    /// Begins an errand; one that is under way is over.
    pub(crate) fn send_on(&mut self, errand: Errand) {
        self.errand = Some(errand);
    }

    /// Takes the errand as far as it goes now; the end of it, once.
    pub(crate) fn advance(
        &mut self,
        now: Instant,
        deadline: Duration,
        credentials: Credentials<'_>,
    ) -> Option<Finished> {
        let errand = self.errand.as_mut()?;
        let finished = errand.advance(
            now,
            deadline,
            &mut self.line,
            &mut self.open,
            credentials.of(self.settings.token),
        )?;
        self.errand = None;
        Some(finished)
    }

    /// Drops what is open: it is void whatever the member says (S6), and the member is told in case it hears (S11).
    pub(crate) fn close(&mut self) {
        self.errand = None;
        if let Some(slot) = core::mem::take(&mut self.open).slot {
            // Whoever does not hear it is told again before anything is opened there.
            let _ = self.line.tell(&Request::CloseAllSessions { slot });
        }
    }

    /// Shows whether the member serves.
    pub(crate) fn show(&mut self, serves: bool) {
        if self.is_lit != Some(serves) {
            // A light that fails is nothing to stop for.
            let _ = self.light.set_state(serves.into());
            self.is_lit = Some(serves);
        }
    }
}
