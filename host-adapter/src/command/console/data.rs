//! Entries that encrypt, sign and hash files, and about random numbers.

use std::fs;

use cryptoki_sys::*;
use everslot_core::ckr;
use everslot_protocol::{Body, Bytes, ObjectHandle, Operation, Request};

use super::failure::{Done, Failure};
use super::mechanism::Chosen;
use super::{Console, names, written};

/// Up to here a file goes in one part, which every mechanism knows; bytes.
const ONE_PART: usize = 16 * 1024;
/// A part of a larger file, bytes.
const PART: usize = 4 * 1024;
/// Room beside the data itself: a tag, a padding, a signature; bytes.
const ROOM: usize = 16 * 1024;
/// Random bytes at once, at most.
const MOST_RANDOM: u64 = 1 << 20;

impl Console {
    /// (40)
    pub(super) fn encrypt_file(&mut self) -> Done {
        self.file_to_file(Operation::Encrypt, &[CKO_SECRET_KEY, CKO_PUBLIC_KEY])
    }

    /// (41)
    pub(super) fn decrypt_file(&mut self) -> Done {
        self.file_to_file(Operation::Decrypt, &[CKO_SECRET_KEY, CKO_PRIVATE_KEY])
    }

    /// (42)
    pub(super) fn sign_file(&mut self) -> Done {
        self.file_to_file(Operation::Sign, &[CKO_SECRET_KEY, CKO_PRIVATE_KEY])
    }

    fn file_to_file(&mut self, operation: Operation, classes: &[u64]) -> Done {
        let mechanism = self.mechanism()?;
        let key = self.object("Key: ", classes)?;
        let data = self.file("Input file: ")?;
        let result = self.operate(operation, &mechanism, Some(key), &data)?;
        let path = self.input.path("Output file: ")?;
        fs::write(&path, &result).map_err(|error| Failure::file(&path, &error))?;
        self.line(&format!("{} bytes written to {path}", result.len()))
    }

    /// (43)
    pub(super) fn verify_file(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let key = self.object("Key: ", &[CKO_SECRET_KEY, CKO_PUBLIC_KEY])?;
        let data = self.file("Signed file: ")?;
        let signature = self.file("File with the signature: ")?;
        self.begin(Operation::Verify, &mechanism, Some(key))?;
        let session = self.session()?.handle;
        if data.len() <= ONE_PART {
            let request = Request::Verify {
                session,
                data: Bytes(&data),
                signature: Bytes(&signature),
            };
            return self.ask(&request, &mut []).map(drop);
        }
        self.feed(Operation::Verify, &data)?;
        let request = Request::VerifyFinish {
            session,
            signature: Bytes(&signature),
        };
        self.ask(&request, &mut []).map(drop)
    }

    /// (44)
    pub(super) fn hash_file(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let data = self.file("Input file: ")?;
        let digest = self.operate(Operation::Digest, &mechanism, None, &data)?;
        self.line(&format!("Digest: {}", names::to_hex(&digest)))
    }

    /// (46)
    pub(super) fn digest_key(&mut self) -> Done {
        let mechanism = self.mechanism()?;
        let key = self.object("Key: ", &[CKO_SECRET_KEY])?;
        let digest = self.token()?.digest_key(mechanism.kind, key)?;
        self.line(&format!("Digest: {}", names::to_hex(&digest)))
    }

    /// (62)
    pub(super) fn generate_random(&mut self) -> Done {
        let session = self.session()?.handle;
        let length = self.input.number("Number of bytes: ")?;
        if length > MOST_RANDOM {
            return Err(Failure::Code(ckr::ARGUMENTS_BAD));
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        self.ask(&Request::GenerateRandom { session, length }, &mut bytes)?;
        self.line(&format!("Random: {}", names::to_hex(&bytes)))
    }

    /// (66)
    pub(super) fn seed_random(&mut self) -> Done {
        let session = self.session()?.handle;
        let seed = self.input.bytes("Seed (hex): ")?;
        let seed = Bytes(&seed);
        self.ask(&Request::SeedRandom { session, seed }, &mut [])
            .map(drop)
    }

    fn file(&mut self, prompt: &str) -> Result<Vec<u8>, Failure> {
        let path = self.input.path(prompt)?;
        fs::read(&path).map_err(|error| Failure::file(&path, &error))
    }

    fn begin(
        &mut self,
        operation: Operation,
        mechanism: &Chosen,
        key: Option<ObjectHandle>,
    ) -> Done {
        let session = self.session()?.handle;
        mechanism.with(|mechanism| {
            let request = Request::Begin {
                session,
                operation,
                mechanism,
                key,
            };
            self.ask(&request, &mut []).map(drop)
        })
    }

    /// A small file in one part, a larger one in many.
    fn operate(
        &mut self,
        operation: Operation,
        mechanism: &Chosen,
        key: Option<ObjectHandle>,
        data: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        self.begin(operation, mechanism, key)?;
        let session = self.session()?.handle;
        let room = Some((data.len().min(ONE_PART) + ROOM) as u64);
        if data.len() <= ONE_PART {
            return self.output(&Request::Whole {
                session,
                operation,
                data: Bytes(data),
                room,
            });
        }
        let mut result = self.feed(operation, data)?;
        // An AEAD mechanism may give all that it has decrypted at the end.
        let room = Some((data.len() + ROOM) as u64);
        result.extend(self.output(&Request::Finish {
            session,
            operation,
            room,
        })?);
        Ok(result)
    }

    fn feed(&mut self, operation: Operation, data: &[u8]) -> Result<Vec<u8>, Failure> {
        let session = self.session()?.handle;
        let gives = matches!(operation, Operation::Encrypt | Operation::Decrypt);
        let mut result = Vec::new();
        for part in data.chunks(PART) {
            result.extend(self.output(&Request::Update {
                session,
                operation,
                data: Bytes(part),
                room: gives.then_some((PART + ROOM) as u64),
            })?);
        }
        Ok(result)
    }

    fn output(&mut self, request: &Request<'_>) -> Result<Vec<u8>, Failure> {
        let room = match request {
            Request::Whole { room, .. }
            | Request::Update { room, .. }
            | Request::Finish { room, .. } => usize::try_from(room.unwrap_or(0)).unwrap_or(0),
            _ => 0,
        };
        let mut output = vec![0; room];
        let body: Body = self.ask(request, &mut output)?;
        output.truncate(written(body));
        Ok(output)
    }
}
