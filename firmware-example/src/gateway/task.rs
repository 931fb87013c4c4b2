//! What a call asks of a member: up to three requests in one session.

use everslot_core::{Effect, Repeat, repeat};
use everslot_protocol::{
    Attribute, Bytes, Mechanism, ObjectHandle, Operation, Parameter, Request, SessionHandle,
    Template, Value,
};

use crate::post::Open;

/// Raw ECDSA, over a hash.
const CKM_ECDSA: u64 = 0x1041;
const CKU_USER: u64 = 1;
const CKA_CLASS: u64 = 0x0;
const CKA_LABEL: u64 = 0x3;
const CKO_PUBLIC_KEY: [u8; 8] = 2_u64.to_le_bytes();
const CKO_PRIVATE_KEY: [u8; 8] = 3_u64.to_le_bytes();

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Task<'t> {
    Sign {
        hash: &'t [u8; 32],
    },
    Verify {
        hash: &'t [u8; 32],
        signature: &'t [u8; 64],
    },
    Random {
        length: usize,
    },
    LogIn {
        pin: &'t str,
    },
}

/// A key of the pair.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Key {
    Private,
    Public,
}

impl Key {
    /// Its handle on a member, if it has been found there.
    pub(crate) const fn of(self, open: &mut Open) -> &mut Option<ObjectHandle> {
        match self {
            Self::Private => &mut open.private,
            Self::Public => &mut open.public,
        }
    }

    /// What tells it from all other objects, to be searched for with [`find`].
    pub(crate) const fn template(self, label: &str) -> [Attribute<'_>; 2] {
        let class: &'static [u8] = match self {
            Self::Private => &CKO_PRIVATE_KEY,
            Self::Public => &CKO_PUBLIC_KEY,
        };
        [
            Attribute {
                kind: CKA_CLASS,
                value: Value::Bytes(Bytes(class)),
            },
            Attribute {
                kind: CKA_LABEL,
                value: Value::Bytes(Bytes(label.as_bytes())),
            },
        ]
    }
}

/// The search for an object.
pub(crate) fn find<'t>(session: SessionHandle, template: &'t [Attribute<'t>]) -> Request<'t> {
    Request::FindObjects {
        session,
        template: Template::Items(template),
    }
}

/// `C_Login` of the user.
pub(crate) fn log_in(session: SessionHandle, pin: &str) -> Request<'_> {
    Request::Login {
        session,
        user: CKU_USER,
        pin: Some(Bytes(pin.as_bytes())),
    }
}

impl<'t> Task<'t> {
    /// Whether it may be sent twice (S4, S12).
    pub(crate) const fn repeat(&self) -> Repeat {
        repeat(match self {
            Self::Sign { .. } | Self::Verify { .. } | Self::Random { .. } => Effect::Computes,
            Self::LogIn { .. } => Effect::Authenticates,
        })
    }

    pub(crate) const fn is_login(&self) -> bool {
        matches!(self, Self::LogIn { .. })
    }

    /// The key that has to be found first.
    pub(crate) const fn key(&self) -> Option<Key> {
        match self {
            Self::Sign { .. } => Some(Key::Private),
            Self::Verify { .. } => Some(Key::Public),
            Self::Random { .. } | Self::LogIn { .. } => None,
        }
    }

    /// The request that begins the operation with that key.
    pub(crate) const fn begin(
        session: SessionHandle,
        key: Key,
        handle: ObjectHandle,
    ) -> Request<'t> {
        Request::Begin {
            session,
            operation: match key {
                Key::Private => Operation::Sign,
                Key::Public => Operation::Verify,
            },
            mechanism: Mechanism {
                kind: CKM_ECDSA,
                parameter: Parameter::None,
            },
            key: Some(handle),
        }
    }

    /// The request whose reply is the answer.
    pub(crate) fn last(&self, session: SessionHandle) -> Request<'t> {
        match *self {
            Self::Sign { hash } => Request::Whole {
                session,
                operation: Operation::Sign,
                data: Bytes(hash),
                room: Some(64),
            },
            Self::Verify { hash, signature } => Request::Verify {
                session,
                data: Bytes(hash),
                signature: Bytes(signature),
            },
            Self::Random { length } => Request::GenerateRandom {
                session,
                length: length as u64,
            },
            Self::LogIn { pin } => log_in(session, pin),
        }
    }
}
