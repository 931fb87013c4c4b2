use serde::{Deserialize, Serialize};

use crate::{Bytes, List, ObjectHandle};

/// A mechanism and its parameter (`CK_MECHANISM`).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Mechanism<'a> {
    /// `CKM_…`
    pub kind: u64,
    /// The parameter.
    pub parameter: Parameter<'a>,
}

/// A mechanism's parameter.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Parameter<'a> {
    /// A null parameter.
    None,
    /// Bytes without any pointer in them: an IV, a `CK_ULONG`, a structure of integers.
    Flat(Bytes<'a>),
    /// A structure of the specification, field by field in its order, so that what its pointers point at travels with it.
    Fields(List<'a, Field<'a>>),
}

/// A field of a parameter structure. Which fields a structure has is told by its mechanism.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Field<'a> {
    /// A `CK_ULONG`, `CK_BBOOL` or any other integer.
    Integer(u64),
    /// An object: the virtual handle becomes the member's on its way.
    Object(ObjectHandle),
    /// Bytes that stand in the structure itself, for example the 16 of `CK_AES_CTR_PARAMS.cb`.
    Inline(Bytes<'a>),
    /// A pointer with its length; `None` is a null pointer.
    Pointer(Option<Bytes<'a>>),
    /// A structure, or an array of structures, pointed at or inline.
    Nested(List<'a, Self>),
}
