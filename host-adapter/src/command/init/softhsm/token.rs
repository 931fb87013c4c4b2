//! A token in the making, with its user logged in.

use std::path::Path;
use std::time::Duration;

use cryptoki_sys::{CKF_TOKEN_INITIALIZED, CKU_SO, CKU_USER};
use everslot_core::ckr;
use everslot_protocol::{Bytes, Function, Request, SessionHandle, SlotId};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::CallError;
use crate::domain::{Deadlines, Token};
use crate::module::ModuleSettings;
use crate::objects::Own;

/// Making an RSA key takes longest.
const DEADLINE: Duration = Duration::from_secs(30);
/// `CK_TOKEN_INFO.label`, bytes.
const LABEL: usize = 32;

/// The PINs of a new token.
pub(super) struct Pins {
    pub(super) officer: SecretString,
    pub(super) user: SecretString,
}

/// A token with a read-write session in which its user is logged in.
pub(super) struct NewToken {
    member: Own,
    session: SessionHandle,
}

impl NewToken {
    /// Initialises the first token of the module that is not yet, and logs its user in.
    ///
    /// # Errors
    /// The module does not do its part.
    pub(super) fn make(
        settings: &ModuleSettings,
        host_program: &Path,
        label: &str,
        pins: &Pins,
    ) -> Result<Self, CallError> {
        let mut member = Own::start(settings, host_program, DEADLINE)?;
        let slot = empty_slot(&mut member)?;
        let officer_pin = Some(Bytes(pins.officer.expose_secret().as_bytes()));
        let user_pin = Some(Bytes(pins.user.expose_secret().as_bytes()));
        let label = format!("{label:<LABEL$}");
        let request = Request::InitToken {
            slot,
            pin: officer_pin,
            label: Bytes(label.as_bytes()),
        };
        member.call(Function::InitToken, &request, &mut [])?;
        let session = member.open(slot)?;
        member.log_in(session, CKU_SO, &pins.officer)?;
        member.call(
            Function::InitPIN,
            &Request::InitPin {
                session,
                pin: user_pin,
            },
            &mut [],
        )?;
        member.call(Function::Logout, &Request::Logout { session }, &mut [])?;
        member.log_in(session, CKU_USER, &pins.user)?;
        Ok(Self { member, session })
    }

    /// The session, to be asked for objects.
    pub(super) fn session(&mut self) -> Token<'_> {
        let deadlines = Deadlines {
            call: DEADLINE,
            generation: DEADLINE,
        };
        Token::new(self.member.link(), self.session, deadlines)
    }
}

/// A slot whose token nobody has initialised; SoftHSM always has one.
fn empty_slot(member: &mut Own) -> Result<SlotId, CallError> {
    let tokens = member.tokens()?;
    let empty = tokens
        .iter()
        .find(|(_, info)| info.flags & CKF_TOKEN_INITIALIZED == 0);
    let none = CallError::Code {
        function: Function::GetSlotList,
        rv: ckr::TOKEN_NOT_PRESENT,
    };
    empty.map(|(slot, _)| *slot).ok_or(none)
}
