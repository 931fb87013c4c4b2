//! The wire form of requests and replies: serde with postcard.
//!
//! What is decoded borrows the bytes it was decoded from. A hostile wire cannot make the decoder panic, allocate or recurse deeper
//! than [`MAX_DEPTH`]: every nested list is walked once before a value is handed out.

#[cfg(test)]
pub(crate) mod tests;

use core::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::list::encoded_size;
use crate::{
    Attribute, AttributeValue, Field, List, Mechanism, MessageCall, ModuleInfo, NestedValue,
    Parameter, Reply, Request, SignatureCall, SlotInfo, Template, TokenInfo, Value, Wanted,
};

/// How deep lists may nest: a template in a template is 2.
pub const MAX_DEPTH: usize = 8;

/// No encoded [`Reply`] is longer, in bytes; the output that follows it is not counted.
pub const REPLY_SIZE_MAX: usize = 96;

/// No encoded [`Info`] is longer, in bytes.
pub const INFO_SIZE_MAX: usize = 256;

/// The buffer is too small for what was to be encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TooSmall;

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer is too small for the encoded value")
    }
}

impl core::error::Error for TooSmall {}

/// The bytes are not the wire form of what was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes are not a value's wire form")
    }
}

impl core::error::Error for Malformed {}

/// Encodes `request` at the start of `buffer` and says how many bytes it took.
///
/// # Errors
/// `buffer` is smaller than [`request_size`].
pub fn encode_request(request: &Request<'_>, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    encode(request, buffer)
}

/// The bytes that [`encode_request`] needs.
#[must_use]
pub fn request_size(request: &Request<'_>) -> usize {
    // Counting cannot fail: the counter has no limit and no type of ours refuses to be serialised.
    encoded_size(request).unwrap_or(usize::MAX)
}

/// Decodes the request that `bytes` are.
///
/// # Errors
/// The bytes are no request, more than one, or one whose lists nest deeper than [`MAX_DEPTH`].
pub fn decode_request(bytes: &[u8]) -> Result<Request<'_>, Malformed> {
    let request = decode_exactly(bytes)?;
    check_request(&request)?;
    Ok(request)
}

/// Encodes `reply`, then `output`: exactly the bytes that its [`Body::Written`](crate::Body::Written) counts, none for any other body.
///
/// # Errors
/// `buffer` is smaller than [`REPLY_SIZE_MAX`] and the output together and does not hold them.
pub fn encode_reply(reply: Reply, output: &[u8], buffer: &mut [u8]) -> Result<usize, TooSmall> {
    let head = encode_reply_head(reply, buffer)?;
    let end = head.checked_add(output.len()).ok_or(TooSmall)?;
    buffer
        .get_mut(head..end)
        .ok_or(TooSmall)?
        .copy_from_slice(output);
    Ok(end)
}

/// Decodes what [`encode_reply`] has made: the reply and the output.
///
/// # Errors
/// The bytes are no reply, or the output's length is not what the reply says.
pub fn decode_reply(bytes: &[u8]) -> Result<(Reply, &[u8]), Malformed> {
    let (reply, head) = decode_reply_head(bytes)?;
    let output = &bytes[head..];
    if output.len() as u64 != reply.written() {
        return Err(Malformed);
    }
    Ok((reply, output))
}

/// Encodes `reply` alone, for a channel that keeps the output in a place of its own, and says how many bytes it took.
///
/// # Errors
/// `buffer` is too small; [`REPLY_SIZE_MAX`] bytes always suffice.
pub fn encode_reply_head(reply: Reply, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    encode(&reply, buffer)
}

/// Decodes the reply at the start of `bytes` and says how many bytes it took.
///
/// # Errors
/// The bytes are no reply.
pub fn decode_reply_head(bytes: &[u8]) -> Result<(Reply, usize), Malformed> {
    let (reply, rest) = postcard::take_from_bytes(bytes).map_err(|_| Malformed)?;
    Ok((reply, bytes.len() - rest.len()))
}

/// What describes a module, a slot or a token: output of [`Request::ModuleInfo`], [`Request::SlotInfo`] and [`Request::TokenInfo`].
pub trait Info: Serialize + DeserializeOwned {}

impl Info for ModuleInfo {}
impl Info for SlotInfo {}
impl Info for TokenInfo {}

/// Encodes a description as a call's output and says how many bytes it took.
///
/// # Errors
/// `buffer` is too small; [`INFO_SIZE_MAX`] bytes always suffice.
pub fn encode_info(info: &impl Info, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    encode(info, buffer)
}

/// Decodes the description that a call has put out.
///
/// # Errors
/// The bytes are no such description.
pub fn decode_info<T: Info>(bytes: &[u8]) -> Result<T, Malformed> {
    decode_exactly(bytes)
}

/// Encodes the output of [`Request::AttributeValues`] and says how many bytes it took.
///
/// # Errors
/// `buffer` is too small.
pub fn encode_attribute_values(
    values: List<'_, AttributeValue<'_>>,
    buffer: &mut [u8],
) -> Result<usize, TooSmall> {
    encode(&values, buffer)
}

/// Decodes the output of [`Request::AttributeValues`].
///
/// # Errors
/// The bytes are no such list, or it nests deeper than [`MAX_DEPTH`].
pub fn decode_attribute_values(bytes: &[u8]) -> Result<List<'_, AttributeValue<'_>>, Malformed> {
    let values: List<'_, AttributeValue<'_>> = decode_exactly(bytes)?;
    check_list(values, MAX_DEPTH)?;
    Ok(values)
}

/// The most bytes that [`encode_attribute_values`] needs for an answer to `wanted`.
#[must_use]
pub fn attribute_values_size(wanted: List<'_, Wanted<'_>>) -> usize {
    // A nested value's kind, a variant and a length stand before each value; the list's own length before all of them.
    const HEAD: usize = 10 + 1 + 10;
    wanted.iter().fold(HEAD, |size, wanted| {
        let room = wanted
            .room
            .map_or(0, |room| usize::try_from(room).unwrap_or(usize::MAX));
        let nested = if wanted.nested.is_empty() {
            0
        } else {
            attribute_values_size(wanted.nested)
        };
        size.saturating_add(HEAD)
            .saturating_add(room)
            .saturating_add(nested)
    })
}

fn encode<T: Serialize>(value: &T, buffer: &mut [u8]) -> Result<usize, TooSmall> {
    postcard::to_slice(value, buffer)
        .map(|used| used.len())
        .map_err(|_| TooSmall)
}

fn decode_exactly<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Malformed> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|_| Malformed)?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(Malformed)
    }
}

/// A list's item that may hold lists itself.
trait Nest {
    /// Whether every list in it is readable to its end and nests at most `depth` further.
    fn check(&self, depth: usize) -> Result<(), Malformed>;
}

fn check_list<'a, T: Copy + Deserialize<'a> + Nest>(
    list: List<'a, T>,
    depth: usize,
) -> Result<(), Malformed> {
    let depth = match depth.checked_sub(1) {
        Some(depth) => depth,
        None if list.is_empty() => return Ok(()),
        None => return Err(Malformed),
    };
    match list {
        List::Items(items) => items.iter().try_for_each(|item| item.check(depth)),
        List::Encoded(mut bytes) => {
            while !bytes.is_empty() {
                let (item, rest) = postcard::take_from_bytes::<T>(bytes).map_err(|_| Malformed)?;
                item.check(depth)?;
                bytes = rest;
            }
            Ok(())
        }
    }
}

impl Nest for Attribute<'_> {
    fn check(&self, depth: usize) -> Result<(), Malformed> {
        match self.value {
            Value::Bytes(_) => Ok(()),
            Value::Template(template) => check_list(template, depth),
        }
    }
}

impl Nest for Wanted<'_> {
    fn check(&self, depth: usize) -> Result<(), Malformed> {
        check_list(self.nested, depth)
    }
}

impl Nest for AttributeValue<'_> {
    fn check(&self, depth: usize) -> Result<(), Malformed> {
        match self {
            Self::Unavailable | Self::Length(_) | Self::Bytes(_) => Ok(()),
            Self::Nested(values) => check_list(*values, depth),
        }
    }
}

impl Nest for NestedValue<'_> {
    fn check(&self, depth: usize) -> Result<(), Malformed> {
        self.value.check(depth)
    }
}

impl Nest for Field<'_> {
    fn check(&self, depth: usize) -> Result<(), Malformed> {
        match self {
            Self::Integer(_) | Self::Object(_) | Self::Inline(_) | Self::Pointer(_) => Ok(()),
            Self::Nested(fields) => check_list(*fields, depth),
        }
    }
}

fn check_mechanism(mechanism: &Mechanism<'_>) -> Result<(), Malformed> {
    match mechanism.parameter {
        Parameter::None | Parameter::Flat(_) => Ok(()),
        Parameter::Fields(fields) => check_list(fields, MAX_DEPTH),
    }
}

fn check_template(template: Template<'_>) -> Result<(), Malformed> {
    check_list(template, MAX_DEPTH)
}

pub(crate) fn check_request(request: &Request<'_>) -> Result<(), Malformed> {
    match request {
        Request::CreateObject { template, .. }
        | Request::CopyObject { template, .. }
        | Request::SetAttributes { template, .. }
        | Request::FindObjects { template, .. } => check_template(*template),
        Request::AttributeValues { wanted, .. } => check_list(*wanted, MAX_DEPTH),
        Request::Begin { mechanism, .. }
        | Request::WrapKey { mechanism, .. }
        | Request::WrapKeyAuthenticated { mechanism, .. }
        | Request::Message {
            call: MessageCall::Init { mechanism, .. },
            ..
        }
        | Request::VerifySignature {
            call: SignatureCall::Init { mechanism, .. },
            ..
        } => check_mechanism(mechanism),
        Request::GenerateKey {
            mechanism,
            template,
            ..
        }
        | Request::UnwrapKey {
            mechanism,
            template,
            ..
        }
        | Request::DeriveKey {
            mechanism,
            template,
            ..
        }
        | Request::EncapsulateKey {
            mechanism,
            template,
            ..
        }
        | Request::DecapsulateKey {
            mechanism,
            template,
            ..
        }
        | Request::UnwrapKeyAuthenticated {
            mechanism,
            template,
            ..
        } => check_mechanism(mechanism).and(check_template(*template)),
        Request::GenerateKeyPair {
            mechanism,
            public,
            private,
            ..
        } => {
            check_mechanism(mechanism)?;
            check_template(*public)?;
            check_template(*private)
        }
        Request::ModuleInfo
        | Request::Slots { .. }
        | Request::SlotInfo { .. }
        | Request::TokenInfo { .. }
        | Request::Mechanisms { .. }
        | Request::MechanismInfo { .. }
        | Request::InitToken { .. }
        | Request::OpenSession { .. }
        | Request::CloseSession { .. }
        | Request::CloseAllSessions { .. }
        | Request::SessionInfo { .. }
        | Request::OperationState { .. }
        | Request::SetOperationState { .. }
        | Request::Login { .. }
        | Request::Logout { .. }
        | Request::InitPin { .. }
        | Request::SetPin { .. }
        | Request::DestroyObject { .. }
        | Request::ObjectSize { .. }
        | Request::Whole { .. }
        | Request::Verify { .. }
        | Request::Update { .. }
        | Request::DigestKey { .. }
        | Request::Finish { .. }
        | Request::VerifyFinish { .. }
        | Request::DualUpdate { .. }
        | Request::SeedRandom { .. }
        | Request::GenerateRandom { .. }
        | Request::LoginUser { .. }
        | Request::Message { .. }
        | Request::VerifySignature { .. }
        | Request::ValidationFlags { .. } => Ok(()),
    }
}
