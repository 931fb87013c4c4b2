//! What keys are used for on a token, in one part each.

use cryptoki_sys::CK_ULONG;
use everslot_core::{Rv, ckr};
use everslot_protocol::{Bytes, Function, ObjectHandle, Operation, Request};

use super::{ROOM, Token, plain};
use crate::domain::call::CallError;

impl Token<'_> {
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
}
