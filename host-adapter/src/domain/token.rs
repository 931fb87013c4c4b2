//! A session with a token, asked for what keys and objects need.

use std::time::Duration;

use cryptoki_sys::CK_ULONG;
use everslot_core::{Rv, ckr};
use everslot_protocol::{
    Body, Bytes, Function, Mechanism, ObjectHandle, Operation, Parameter, Request, SessionHandle,
};

use super::attributes::Attributes;
use super::call::CallError;
use crate::module::{Link, LinkCause};

/// More than any signature, wrapped key or digest has, bytes: a wrapped RSA-16384 key takes 10 KiB.
const ROOM: usize = 16 * 1024;
/// Objects that the first search makes room for.
const FOUND: usize = 64;

/// How long a token may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// Any call but those of `generation`.
    pub call: Duration,
    /// A call that makes a key.
    pub generation: Duration,
}

/// A session of a token's, in which its user is logged in where that is needed; whoever opened it closes it.
pub struct Token<'l> {
    link: &'l mut dyn Link,
    session: SessionHandle,
    deadlines: Deadlines,
}

impl<'l> Token<'l> {
    /// The token at the other end of `link`, in a session that is open.
    pub fn new(link: &'l mut dyn Link, session: SessionHandle, deadlines: Deadlines) -> Self {
        Self {
            link,
            session,
            deadlines,
        }
    }

    /// The session that everything is asked in.
    #[must_use]
    pub const fn session(&self) -> SessionHandle {
        self.session
    }

    /// Makes one call; bytes that it puts out are at the start of `output`.
    ///
    /// # Errors
    /// The token gives no answer, or another one than `CKR_OK`.
    pub fn call(
        &mut self,
        function: Function,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Body, CallError> {
        match self.ask(function, request, output)? {
            (Rv(0), body) => Ok(body),
            (rv, _) => Err(CallError::Code { function, rv }),
        }
    }

    /// Makes one call whose code is not only good or bad.
    pub(super) fn ask(
        &mut self,
        function: Function,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<(Rv, Body), CallError> {
        let deadline = match function {
            Function::GenerateKey | Function::GenerateKeyPair | Function::DeriveKey => {
                self.deadlines.generation
            }
            _ => self.deadlines.call,
        };
        match self.link.call(request, output, Some(deadline)) {
            Ok(reply) => Ok((Rv(reply.rv.0), reply.body)),
            Err(failure) if failure.cause == LinkCause::NotTransferable => Err(CallError::Code {
                function,
                rv: ckr::MECHANISM_PARAM_INVALID,
            }),
            Err(failure) => Err(CallError::NoAnswer {
                function,
                cause: failure.cause,
            }),
        }
    }

    /// `C_CreateObject`
    ///
    /// # Errors
    /// See [`call`](Self::call); so for all that follow.
    pub fn create(&mut self, attributes: &Attributes) -> Result<ObjectHandle, CallError> {
        let session = self.session;
        let made = attributes.with_template(|template| {
            let request = Request::CreateObject { session, template };
            self.call(Function::CreateObject, &request, &mut [])
        });
        object(Function::CreateObject, made?)
    }

    /// `C_CopyObject`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn copy(
        &mut self,
        object: ObjectHandle,
        changes: &Attributes,
    ) -> Result<ObjectHandle, CallError> {
        let session = self.session;
        let made = changes.with_template(|template| {
            let request = Request::CopyObject {
                session,
                object,
                template,
            };
            self.call(Function::CopyObject, &request, &mut [])
        });
        self::object(Function::CopyObject, made?)
    }

    /// `C_DestroyObject`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn destroy(&mut self, object: ObjectHandle) -> Result<(), CallError> {
        let session = self.session;
        let request = Request::DestroyObject { session, object };
        self.call(Function::DestroyObject, &request, &mut [])
            .map(drop)
    }

    /// `C_SetAttributeValue`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn set(&mut self, object: ObjectHandle, attributes: &Attributes) -> Result<(), CallError> {
        let session = self.session;
        attributes.with_template(|template| {
            let request = Request::SetAttributes {
                session,
                object,
                template,
            };
            self.call(Function::SetAttributeValue, &request, &mut [])
                .map(drop)
        })
    }

    /// `C_FindObjectsInit` and what follows: every object with these attributes.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn find(&mut self, attributes: &Attributes) -> Result<Vec<ObjectHandle>, CallError> {
        let session = self.session;
        let mut output = vec![0; FOUND * size_of::<u64>()];
        loop {
            let (rv, body) = attributes.with_template(|template| {
                let request = Request::FindObjects { session, template };
                self.ask(Function::FindObjects, &request, &mut output)
            })?;
            match (rv, body) {
                (Rv(0), body) => {
                    let (handles, _) = output[..written(body).min(output.len())].as_chunks();
                    let handle = |bytes: &[u8; 8]| ObjectHandle(u64::from_ne_bytes(*bytes));
                    return Ok(handles.iter().map(handle).collect());
                }
                // Others may make objects meanwhile: room for some more.
                (ckr::BUFFER_TOO_SMALL, Body::Length(length)) if length > output.len() as u64 => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    output.resize(length.saturating_add(FOUND * size_of::<u64>()), 0);
                }
                (rv, _) => {
                    let function = Function::FindObjects;
                    return Err(CallError::Code { function, rv });
                }
            }
        }
    }

    /// `C_GenerateKey`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn generate(
        &mut self,
        mechanism: CK_ULONG,
        attributes: &Attributes,
    ) -> Result<ObjectHandle, CallError> {
        let session = self.session;
        let made = attributes.with_template(|template| {
            let mechanism = plain(mechanism);
            let request = Request::GenerateKey {
                session,
                mechanism,
                template,
            };
            self.call(Function::GenerateKey, &request, &mut [])
        });
        object(Function::GenerateKey, made?)
    }

    /// `C_GenerateKeyPair`; the public and the private key.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn generate_pair(
        &mut self,
        mechanism: CK_ULONG,
        public: &Attributes,
        private: &Attributes,
    ) -> Result<(ObjectHandle, ObjectHandle), CallError> {
        let session = self.session;
        let mechanism = plain(mechanism);
        let made = public.with_template(|public| {
            private.with_template(|private| {
                let request = Request::GenerateKeyPair {
                    session,
                    mechanism,
                    public,
                    private,
                };
                self.call(Function::GenerateKeyPair, &request, &mut [])
            })
        });
        match made? {
            Body::KeyPair(public, private) => Ok((public, private)),
            _ => Err(CallError::garbled(Function::GenerateKeyPair)),
        }
    }

    /// `C_WrapKey`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn wrap(
        &mut self,
        mechanism: Mechanism<'_>,
        wrapping_key: ObjectHandle,
        key: ObjectHandle,
    ) -> Result<Vec<u8>, CallError> {
        let request = Request::WrapKey {
            session: self.session,
            mechanism,
            wrapping_key,
            key,
            room: Some(ROOM as u64),
        };
        self.output(Function::WrapKey, &request)
    }

    /// `C_UnwrapKey`
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn unwrap(
        &mut self,
        mechanism: Mechanism<'_>,
        unwrapping_key: ObjectHandle,
        wrapped: &[u8],
        attributes: &Attributes,
    ) -> Result<ObjectHandle, CallError> {
        let session = self.session;
        let made = attributes.with_template(|template| {
            let request = Request::UnwrapKey {
                session,
                mechanism,
                unwrapping_key,
                wrapped: Bytes(wrapped),
                template,
            };
            self.call(Function::UnwrapKey, &request, &mut [])
        });
        object(Function::UnwrapKey, made?)
    }

    /// Signs `data` in one part.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn sign(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.begin(Operation::Sign, mechanism, Some(key))?;
        self.whole(Function::Sign, Operation::Sign, data)
    }

    /// Encrypts `data` in one part.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn encrypt(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.begin(Operation::Encrypt, mechanism, Some(key))?;
        self.whole(Function::Encrypt, Operation::Encrypt, data)
    }

    /// Decrypts `data` in one part.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn decrypt(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        self.begin(Operation::Decrypt, mechanism, Some(key))?;
        self.whole(Function::Decrypt, Operation::Decrypt, data)
    }

    /// The digest of a secret key's value (`C_DigestKey`).
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn digest_key(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
    ) -> Result<Vec<u8>, CallError> {
        let (session, operation) = (self.session, Operation::Digest);
        self.begin(operation, mechanism, None)?;
        let fed = self.call(
            Function::DigestKey,
            &Request::DigestKey { session, key },
            &mut [],
        );
        let room = Some(ROOM as u64);
        let finish = Request::Finish {
            session,
            operation,
            room,
        };
        // Also after a refusal: the operation must not stay behind on the session.
        let digest = self.output(Function::DigestFinal, &finish);
        fed.and(digest)
    }

    /// Whether `signature` is one of `data`.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn verify(
        &mut self,
        mechanism: CK_ULONG,
        key: ObjectHandle,
        data: &[u8],
        signature: &[u8],
    ) -> Result<bool, CallError> {
        self.begin(Operation::Verify, mechanism, Some(key))?;
        let request = Request::Verify {
            session: self.session,
            data: Bytes(data),
            signature: Bytes(signature),
        };
        match self.ask(Function::Verify, &request, &mut [])? {
            (Rv(0), _) => Ok(true),
            (ckr::SIGNATURE_INVALID | ckr::SIGNATURE_LEN_RANGE, _) => Ok(false),
            (rv, _) => Err(CallError::Code {
                function: Function::Verify,
                rv,
            }),
        }
    }

    /// So many random bytes of the token's.
    ///
    /// # Errors
    /// See [`call`](Self::call).
    pub fn random<const N: usize>(&mut self) -> Result<[u8; N], CallError> {
        let mut bytes = [0; N];
        let request = Request::GenerateRandom {
            session: self.session,
            length: N as u64,
        };
        self.call(Function::GenerateRandom, &request, &mut bytes)?;
        Ok(bytes)
    }

    fn begin(
        &mut self,
        operation: Operation,
        mechanism: CK_ULONG,
        key: Option<ObjectHandle>,
    ) -> Result<(), CallError> {
        let request = Request::Begin {
            session: self.session,
            operation,
            mechanism: plain(mechanism),
            key,
        };
        self.call(operation.begins_with(), &request, &mut [])
            .map(drop)
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
        self.output(function, &request)
    }

    fn output(&mut self, function: Function, request: &Request<'_>) -> Result<Vec<u8>, CallError> {
        let mut output = vec![0; ROOM];
        let length = written(self.call(function, request, &mut output)?);
        output.truncate(length);
        Ok(output)
    }
}

/// A mechanism without a parameter.
pub(crate) const fn plain(mechanism: CK_ULONG) -> Mechanism<'static> {
    Mechanism {
        kind: mechanism,
        parameter: Parameter::None,
    }
}

pub(super) fn written(body: Body) -> usize {
    match body {
        Body::Written(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        _ => 0,
    }
}

fn object(function: Function, body: Body) -> Result<ObjectHandle, CallError> {
    match body {
        Body::Object(object) => Ok(object),
        _ => Err(CallError::garbled(function)),
    }
}
