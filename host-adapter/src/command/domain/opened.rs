//! The members of a group as the command opens them: with the PINs of the configuration, or one that is asked for.

use std::cell::OnceCell;
use std::error::Error;
use std::fmt;

use secrecy::SecretString;

use crate::command::pin;
use crate::config::{GroupConfig, MemberConfig};
use crate::domain::Token;
use crate::objects::{self, Tries};

/// A member that can be asked for its objects.
pub(in crate::command) struct Opened {
    pub(in crate::command) name: String,
    pub(in crate::command) pin: SecretString,
    pub(in crate::command) officer: Option<SecretString>,
    member: objects::Opened,
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
        let member = objects::Opened::open(config, &host_program, &pin, Tries::Any);
        Ok(Self {
            name: config.name.clone(),
            pin,
            officer,
            member: member.map_err(|error| of_member(&error))?,
        })
    }

    pub(in crate::command) fn token(&mut self) -> Token<'_> {
        self.member.token()
    }
}

impl GroupPin {
    /// One that need not be asked for.
    pub(in crate::command) fn of(pin: SecretString) -> Self {
        Self(OnceCell::from(pin))
    }

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
