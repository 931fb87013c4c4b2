//! A token in the making, with its user logged in.

use std::path::Path;
use std::time::Duration;

use cryptoki_sys::{CK_ULONG, CKF_TOKEN_INITIALIZED, CKU_SO, CKU_USER};
use everslot_core::ckr;
use everslot_protocol::wire::{attribute_values_size, decode_attribute_values};
use everslot_protocol::{
    Attribute, AttributeValue, Body, Bytes, Function, List, Mechanism, ObjectHandle, Operation,
    Parameter, Request, SessionHandle, SlotId, Value, Wanted,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::command::member::{CallError, Member};
use crate::module::{LinkCause, ModuleSettings};

/// Making an RSA key takes longest.
const DEADLINE: Duration = Duration::from_secs(30);
/// More than any signature, wrapped key or attribute here has, bytes.
const ROOM: usize = 8192;
/// `CK_TOKEN_INFO.label`, bytes.
const LABEL: usize = 32;

/// The PINs of a new token.
pub(super) struct Pins {
    pub(super) officer: SecretString,
    pub(super) user: SecretString,
}

/// The attributes of a template, with their values.
pub(super) struct Attributes(Vec<(u64, Zeroizing<Vec<u8>>)>);

/// A token with a read-write session in which its user is logged in.
pub(super) struct Token {
    member: Member,
    session: SessionHandle,
}

impl Attributes {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn bytes(mut self, kind: CK_ULONG, value: &[u8]) -> Self {
        self.0.push((kind, Zeroizing::new(value.to_vec())));
        self
    }

    pub(super) fn number(self, kind: CK_ULONG, value: CK_ULONG) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Sets each of `kinds` to `value`.
    pub(super) fn flags(self, kinds: &[CK_ULONG], value: bool) -> Self {
        kinds.iter().fold(self, |attributes, kind| {
            attributes.bytes(*kind, &[u8::from(value)])
        })
    }

    fn borrowed(&self) -> Vec<Attribute<'_>> {
        self.0
            .iter()
            .map(|(kind, value)| Attribute {
                kind: *kind,
                value: Value::Bytes(Bytes(value)),
            })
            .collect()
    }
}

impl Token {
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
        let mut member = Member::start(settings, host_program, DEADLINE)?;
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
        let request = Request::OpenSession {
            slot,
            read_write: true,
        };
        let Body::Session(session) = member.call(Function::OpenSession, &request, &mut [])? else {
            return Err(garbled(Function::OpenSession));
        };
        let request = Request::Login {
            session,
            user: CKU_SO,
            pin: officer_pin,
        };
        member.call(Function::Login, &request, &mut [])?;
        member.call(
            Function::InitPIN,
            &Request::InitPin {
                session,
                pin: user_pin,
            },
            &mut [],
        )?;
        member.call(Function::Logout, &Request::Logout { session }, &mut [])?;
        let request = Request::Login {
            session,
            user: CKU_USER,
            pin: user_pin,
        };
        member.call(Function::Login, &request, &mut [])?;
        Ok(Self { member, session })
    }

    /// `C_CreateObject`
    pub(super) fn create(&mut self, attributes: &Attributes) -> Result<ObjectHandle, CallError> {
        let template = &attributes.borrowed()[..];
        let request = Request::CreateObject {
            session: self.session,
            template: template.into(),
        };
        object(
            Function::CreateObject,
            self.member
                .call(Function::CreateObject, &request, &mut [])?,
        )
    }

    /// `C_GenerateKeyPair`; the public and the private key.
    pub(super) fn generate_pair(
        &mut self,
        mechanism: CK_ULONG,
        public: &Attributes,
        private: &Attributes,
    ) -> Result<(ObjectHandle, ObjectHandle), CallError> {
        let (public, private) = (&public.borrowed()[..], &private.borrowed()[..]);
        let request = Request::GenerateKeyPair {
            session: self.session,
            mechanism: plain(mechanism),
            public: public.into(),
            private: private.into(),
        };
        match self
            .member
            .call(Function::GenerateKeyPair, &request, &mut [])?
        {
            Body::KeyPair(public, private) => Ok((public, private)),
            _ => Err(garbled(Function::GenerateKeyPair)),
        }
    }

    /// `C_WrapKey`
    pub(super) fn wrap(
        &mut self,
        mechanism: CK_ULONG,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
    ) -> Result<Vec<u8>, CallError> {
        let request = Request::WrapKey {
            session: self.session,
            mechanism: plain(mechanism),
            wrapping_key,
            key,
            room: Some(ROOM as u64),
        };
        self.bytes(Function::WrapKey, &request)
    }

    /// `C_UnwrapKey`
    pub(super) fn unwrap(
        &mut self,
        mechanism: CK_ULONG,
        unwrapping_key: ObjectHandle,
        wrapped: &[u8],
        attributes: &Attributes,
    ) -> Result<ObjectHandle, CallError> {
        let template = &attributes.borrowed()[..];
        let request = Request::UnwrapKey {
            session: self.session,
            mechanism: plain(mechanism),
            unwrapping_key,
            wrapped: Bytes(wrapped),
            template: template.into(),
        };
        object(
            Function::UnwrapKey,
            self.member.call(Function::UnwrapKey, &request, &mut [])?,
        )
    }

    /// `C_GetAttributeValue` for one attribute.
    pub(super) fn attribute(
        &mut self,
        object: ObjectHandle,
        kind: CK_ULONG,
    ) -> Result<Vec<u8>, CallError> {
        let wanted = [Wanted {
            kind,
            room: Some(ROOM as u64),
            nested: List::EMPTY,
        }];
        let mut output = vec![0; attribute_values_size(List::from(&wanted))];
        let request = Request::AttributeValues {
            session: self.session,
            object,
            wanted: List::from(&wanted),
        };
        let length = written(self.member.call(
            Function::GetAttributeValue,
            &request,
            &mut output,
        )?);
        let values = output
            .get(..length)
            .and_then(|output| decode_attribute_values(output).ok());
        match values.and_then(|values| values.iter().next()) {
            Some(AttributeValue::Bytes(value)) => Ok(value.to_vec()),
            _ => Err(garbled(Function::GetAttributeValue)),
        }
    }

    /// Signs `data` in one part.
    pub(super) fn sign(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.begin(Function::SignInit, Operation::Sign, mechanism, key)?;
        self.whole(Function::Sign, Operation::Sign, data)
    }

    /// Encrypts `data` in one part.
    pub(super) fn encrypt(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.begin(Function::EncryptInit, Operation::Encrypt, mechanism, key)?;
        self.whole(Function::Encrypt, Operation::Encrypt, data)
    }

    /// Whether `signature` is one of `data`.
    pub(super) fn verify(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, CallError> {
        self.begin(Function::VerifyInit, Operation::Verify, mechanism, key)?;
        let request = Request::Verify {
            session: self.session,
            data: Bytes(data),
            signature: Bytes(signature),
        };
        match self.member.call(Function::Verify, &request, &mut []) {
            Ok(_) => Ok(true),
            Err(CallError::Code {
                rv: ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE,
                ..
            }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn begin(
        &mut self,
        function: Function,
        operation: Operation,
        mechanism: CK_ULONG,
        key: ObjectHandle,
    ) -> Result<(), CallError> {
        let request = Request::Begin {
            session: self.session,
            operation,
            mechanism: plain(mechanism),
            key: Some(key),
        };
        self.member.call(function, &request, &mut []).map(|_| ())
    }

    fn whole(
        &mut self,
        function: Function,
        operation: Operation,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        let request = Request::Whole {
            session: self.session,
            operation,
            data: Bytes(data),
            room: Some(ROOM as u64),
        };
        self.bytes(function, &request)
    }

    fn bytes(&mut self, function: Function, request: &Request<'_>) -> Result<Vec<u8>, CallError> {
        let mut output = vec![0; ROOM];
        let length = written(self.member.call(function, request, &mut output)?);
        output.truncate(length);
        Ok(output)
    }
}

/// A slot whose token nobody has initialised; SoftHSM always has one.
fn empty_slot(member: &mut Member) -> Result<SlotId, CallError> {
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

const fn plain(mechanism: CK_ULONG) -> Mechanism<'static> {
    Mechanism {
        kind: mechanism,
        parameter: Parameter::None,
    }
}

fn object(function: Function, body: Body) -> Result<ObjectHandle, CallError> {
    match body {
        Body::Object(object) => Ok(object),
        _ => Err(garbled(function)),
    }
}

fn written(body: Body) -> usize {
    match body {
        Body::Written(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        _ => 0,
    }
}

const fn garbled(function: Function) -> CallError {
    CallError::NoAnswer {
        function,
        cause: LinkCause::Garbled,
    }
}
