use core::fmt;

use serde::{Deserialize, Serialize};

use crate::{MechanismInfo, ObjectHandle, Sealed, SessionHandle, SessionInfo};

/// A return code (`CK_RV`).
#[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Rv(pub u64);

impl Rv {
    /// `CKR_OK`
    pub const OK: Self = Self(0);
}

impl fmt::Debug for Rv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rv({:#x})", self.0)
    }
}

/// The answer to a [`Request`](crate::Request).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Reply {
    /// What the member's function returned.
    pub rv: Rv,
    /// What it gave beside the code; for most codes but `CKR_OK` it is [`Body::Empty`].
    pub body: Body,
}

/// What a call gives beside its code.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub enum Body {
    /// Nothing.
    Empty,
    /// So many bytes were written to the start of the output buffer.
    Written(u64),
    /// The length in bytes that a query, `CKR_BUFFER_TOO_SMALL` or `C_GetObjectSize` gave; nothing was written.
    Length(u64),
    /// The session that was opened.
    Session(SessionHandle),
    /// The object that was made.
    Object(ObjectHandle),
    /// The public and the private key that were made.
    KeyPair(ObjectHandle, ObjectHandle),
    /// Of `C_GetSessionInfo`.
    SessionInfo(SessionInfo),
    /// Of `C_GetMechanismInfo`.
    Mechanism(MechanismInfo),
    /// What was written to the output buffer, and what the member has put into the call's parameter beside it.
    Sealed(Sealed),
    /// Of `C_EncapsulateKey`: so many bytes were written to the start of the output buffer, and this key was made.
    Encapsulated(u64, ObjectHandle),
    /// Of a call whose mechanism's parameter the member has written to: the key that was made, 0 for a mechanism that makes none by itself, and so
    /// many bytes at the start of the output buffer, the handles of further keys first, then IVs or a version.
    KeyAndMaterial(ObjectHandle, u64),
    /// Of `C_GetSessionValidationFlags`.
    Flags(u64),
}

impl Reply {
    /// The bytes of output that the call has put at the start of the output buffer.
    #[must_use]
    pub const fn written(&self) -> u64 {
        self.body.written()
    }
}

impl Body {
    /// The bytes of output that the call has put at the start of the output buffer.
    #[must_use]
    pub const fn written(&self) -> u64 {
        match self {
            Self::Written(bytes)
            | Self::Encapsulated(bytes, _)
            | Self::KeyAndMaterial(_, bytes) => *bytes,
            Self::Sealed(sealed) => sealed.written,
            Self::Empty
            | Self::Length(_)
            | Self::Session(_)
            | Self::Object(_)
            | Self::KeyPair(..)
            | Self::SessionInfo(_)
            | Self::Mechanism(_)
            | Self::Flags(_) => 0,
        }
    }

    /// The output itself, at the start of the buffer that was given beside the request; empty where the buffer has not so many bytes.
    #[must_use]
    pub fn output<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        usize::try_from(self.written())
            .ok()
            .and_then(|length| buffer.get(..length))
            .unwrap_or_default()
    }
}
