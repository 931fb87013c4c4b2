use std::fmt;
use std::str::FromStr;

use cryptoki_sys::{CKM_ECDSA, CKO_PRIVATE_KEY};

use crate::client::{Failure, Mechanism, Object, Session, Template};
use crate::{AES_LABEL, EC_LABEL};

/// What is done again and again.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Workload {
    /// `C_GetSessionInfo`
    SessionInfo,
    /// `C_GenerateRandom`, 32 bytes.
    Random,
    /// `C_SignInit` and `C_Sign`, ECDSA over P-256, of a hash of 32 bytes.
    Sign,
    /// `C_EncryptInit` and `C_Encrypt`, AES-GCM, of 1 KiB.
    Encrypt,
}

/// A session and the keys that the workloads use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bench {
    session: Session,
    ec: Object,
    aes: Object,
}

impl Workload {
    /// All of them, as they are shown.
    pub const ALL: [Self; 4] = [Self::SessionInfo, Self::Random, Self::Sign, Self::Encrypt];

    /// How many C functions it calls.
    #[must_use]
    pub const fn calls(self) -> u32 {
        match self {
            Self::SessionInfo | Self::Random => 1,
            Self::Sign | Self::Encrypt => 2,
        }
    }

    /// What it is called in the table.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::SessionInfo => "C_GetSessionInfo (1 call)",
            Self::Random => "C_GenerateRandom 32 B (1 call)",
            Self::Sign => "ECDSA P-256 SignInit + Sign (2 calls)",
            Self::Encrypt => "AES-GCM 1 KiB EncryptInit + Encrypt (2 calls)",
        }
    }
}

impl Bench {
    /// Logs in and looks for the keys.
    pub(super) fn new(session: Session, pin: &str) -> Result<Self, Failure> {
        session.login(pin)?;
        let ec = session.only(&Template::new().class(CKO_PRIVATE_KEY).label(EC_LABEL));
        let aes = session.only(&Template::new().label(AES_LABEL));
        Ok(Self { session, ec, aes })
    }

    /// Does it once.
    pub(super) fn once(&self, workload: Workload) -> Result<(), Failure> {
        let mut output = [0; 1100];
        match workload {
            Workload::SessionInfo => self.session.info().map(drop),
            Workload::Random => self.session.random(&mut output[..32]),
            Workload::Sign => {
                self.session
                    .sign_init(Mechanism::Plain(CKM_ECDSA), self.ec)?;
                self.session.sign_into(&[0x3c; 32], &mut output).map(drop)
            }
            Workload::Encrypt => {
                self.session
                    .encrypt_init(Mechanism::AesGcm([7; 12]), self.aes)?;
                self.session
                    .encrypt_into(&[0x3c; 1024], &mut output)
                    .map(drop)
            }
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SessionInfo => "session-info",
            Self::Random => "random",
            Self::Sign => "sign",
            Self::Encrypt => "encrypt",
        })
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.to_string() == text)
            .ok_or_else(|| format!("no workload {text:?}"))
    }
}
