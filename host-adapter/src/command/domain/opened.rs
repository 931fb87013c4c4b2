//! The members of a group, each with a session of its own in which its user is logged in.

use std::cell::OnceCell;
use std::error::Error;
use std::fmt;

use cryptoki_sys::{CKF_TOKEN_INITIALIZED, CKU_USER};
use everslot_protocol::{Body, Bytes, Function, Request, SessionHandle};
use secrecy::{ExposeSecret, SecretString};

use crate::command::member::{CallError, Member};
use crate::command::pin;
use crate::config::{GroupConfig, MemberConfig};
use crate::domain::{Deadlines, Token};

/// A member that can be asked for its objects.
pub(in crate::command) struct Opened {
    pub(in crate::command) name: String,
    pub(in crate::command) pin: SecretString,
    pub(in crate::command) officer: Option<SecretString>,
    member: Member,
    session: SessionHandle,
    deadlines: Deadlines,
}

/// The PIN for members that have none in the configuration: the same for all, asked for once.
#[derive(Default)]
pub(in crate::command) struct GroupPin(OnceCell<SecretString>);

impl Opened {
    /// Loads a member's module in a member host, finds its token, and logs its user in.
    ///
    /// # Errors
    /// One line: which member, and what stands in the way.
    pub(in crate::command) fn open(
        config: &MemberConfig,
        group: &GroupConfig,
        group_pin: &GroupPin,
    ) -> Result<Self, Box<dyn Error>> {
        let of_member = |error: &dyn fmt::Display| format!("member {:?}: {error}", config.name);
        let pin = match &config.pin {
            Some(source) => source.read().map_err(|error| of_member(&error))?,
            None => group_pin.ask(config, group)?,
        };
        let officer = config.so_pin.as_ref().map(|source| source.read());
        let officer = officer.transpose().map_err(|error| of_member(&error))?;
        let host_program = std::env::current_exe()?;
        let mut member = Member::start(&config.settings(), &host_program, config.deadline)
            .map_err(|error| of_member(&error))?;
        let session = log_in(&mut member, config, &pin).map_err(|error| of_member(&error))?;
        Ok(Self {
            name: config.name.clone(),
            pin,
            officer,
            member,
            session,
            deadlines: Deadlines {
                call: config.deadline,
                generation: config.generation_deadline,
            },
        })
    }

    pub(in crate::command) fn token(&mut self) -> Token<'_> {
        Token::new(self.member.link(), self.session, self.deadlines)
    }
}

impl GroupPin {
    fn ask(
        &self,
        member: &MemberConfig,
        group: &GroupConfig,
    ) -> Result<SecretString, Box<dyn Error>> {
        if let Some(pin) = self.0.get() {
            return Ok(pin.clone());
        }
        let asked = pin::ask(&format!("PIN of {}", group.label)).map_err(|error| {
            format!(
                "member {:?} has no pin in the configuration, and it cannot be asked for: {error}; add pin = {{ file = \"…\" }}",
                member.name
            )
        })?;
        Ok(self.0.get_or_init(|| asked).clone())
    }
}

/// The session, in which the user is logged in.
fn log_in(
    member: &mut Member,
    config: &MemberConfig,
    pin: &SecretString,
) -> Result<SessionHandle, Box<dyn Error>> {
    let slot = member
        .tokens()?
        .into_iter()
        .filter(|(_, info)| info.flags & CKF_TOKEN_INITIALIZED != 0)
        .find(|(slot, info)| config.token.matches(*slot, info))
        .map(|(slot, _)| slot);
    let slot = slot.ok_or_else(|| format!("its module has no {}; bring it back", config.token))?;
    let read_write = true;
    let request = Request::OpenSession { slot, read_write };
    let Body::Session(session) = member.call(Function::OpenSession, &request, &mut [])? else {
        return Err(CallError::garbled(Function::OpenSession).into());
    };
    let request = Request::Login {
        session,
        user: CKU_USER,
        pin: Some(Bytes(pin.expose_secret().as_bytes())),
    };
    member.call(Function::Login, &request, &mut [])?;
    Ok(session)
}
