//! A session with a token, asked for what keys and objects need.

mod objects;
mod uses;

use std::time::Duration;

use cryptoki_sys::CK_ULONG;
use everslot_core::{Rv, ckr};
use everslot_protocol::{Body, Function, Mechanism, Parameter, Request, SessionHandle};

use super::call::CallError;
use crate::module::{Link, LinkCause};

/// More than any signature, wrapped key or digest has, bytes: a wrapped RSA-16384 key takes 10 KiB.
const ROOM: usize = 16 * 1024;

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
