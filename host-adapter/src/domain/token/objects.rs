//! What is made, found, changed and destroyed on a token.

use cryptoki_sys::CK_ULONG;
use everslot_core::{Rv, ckr};
use everslot_protocol::{Body, Bytes, Function, Mechanism, ObjectHandle, Request};

use super::{ROOM, Token, plain, written};
use crate::domain::attributes::Attributes;
use crate::domain::call::CallError;

/// Objects that the first search makes room for.
const FOUND: usize = 64;

impl Token<'_> {
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
}

fn object(function: Function, body: Body) -> Result<ObjectHandle, CallError> {
    match body {
        Body::Object(object) => Ok(object),
        _ => Err(CallError::garbled(function)),
    }
}
