//! A member in a member host of its own, with a session in which its user is logged in: apart from what applications do there.

use std::path::Path;

use cryptoki_sys::{
    CKF_TOKEN_INITIALIZED, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED,
    CKU_USER,
};
use everslot_core::ckr;
use everslot_protocol::{SessionHandle, TokenInfo};
use secrecy::SecretString;

use super::own::Own;
use crate::config::{MemberConfig, TokenChoice};
use crate::domain::{CallError, Deadlines, Token};

/// A member that can be asked for its objects.
pub(crate) struct Opened {
    own: Own,
    session: SessionHandle,
    deadlines: Deadlines,
}

/// When the PIN is tried.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tries {
    /// In any case: somebody waits for the answer.
    Any,
    /// Only if the token says of no wrong one since the last right one: nobody is there who could stop it from being locked.
    FirstOnly,
}

/// Why a member could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    /// A call failed.
    #[error("{0}")]
    Call(#[from] CallError),
    /// Its module has no such token.
    #[error("its module has no {0}; bring it back")]
    Absent(TokenChoice),
    /// The PIN was not tried.
    #[error(
        "its token has few tries of the user's PIN left, so it was not tried; log in once with the right PIN"
    )]
    FewTries,
}

impl NotOpened {
    /// Whether the token says that the PIN is not its user's.
    pub(crate) const fn is_wrong_pin(&self) -> bool {
        match self {
            Self::Call(error) => matches!(
                error.code(),
                ckr::PIN_INCORRECT | ckr::PIN_LEN_RANGE | ckr::PIN_LOCKED | ckr::PIN_EXPIRED
            ),
            Self::Absent(_) | Self::FewTries => false,
        }
    }
}

impl Opened {
    /// Loads a member's module in a member host, finds its token, and logs its user in.
    ///
    /// # Errors
    /// See [`NotOpened`].
    pub(crate) fn open(
        config: &MemberConfig,
        host_program: &Path,
        pin: &SecretString,
        tries: Tries,
    ) -> Result<Self, NotOpened> {
        let mut own = Own::start(&config.settings(), host_program, config.deadline)?;
        let token = own.tokens()?.into_iter().find(|(slot, info)| {
            info.flags & CKF_TOKEN_INITIALIZED != 0 && config.token.matches(*slot, info)
        });
        let Some((slot, info)) = token else {
            return Err(NotOpened::Absent(config.token.clone()));
        };
        if tries == Tries::FirstOnly && has_few_tries(&info) {
            return Err(NotOpened::FewTries);
        }
        let session = own.open(slot)?;
        own.log_in(session, CKU_USER, pin)?;
        Ok(Self {
            own,
            session,
            deadlines: Deadlines {
                call: config.deadline,
                generation: config.generation_deadline,
            },
        })
    }

    /// It in its session.
    pub(crate) fn token(&mut self) -> Token<'_> {
        Token::new(self.own.link(), self.session, self.deadlines)
    }
}

/// Whether a wrong PIN was tried since the last right one, or none may be (PKCS#11 v3.1 §3.2, `CK_TOKEN_INFO`).
const fn has_few_tries(info: &TokenInfo) -> bool {
    info.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED) != 0
}
