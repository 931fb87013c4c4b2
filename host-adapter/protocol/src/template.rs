use serde::{Deserialize, Serialize};

use crate::{Bytes, List};

/// An attribute of a template (`CK_ATTRIBUTE`) with its value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Attribute<'a> {
    /// `CKA_…`
    pub kind: u64,
    /// The value, in the byte order of the machine that the module runs on.
    pub value: Value<'a>,
}

/// An attribute's value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum Value<'a> {
    /// The bytes as they are.
    Bytes(Bytes<'a>),
    /// A template of its own (`CKF_ARRAY_ATTRIBUTE`, `CKA_WRAP_TEMPLATE` and its kin).
    Template(Template<'a>),
}

/// The attributes of a new object, of a search or of a change.
pub type Template<'a> = List<'a, Attribute<'a>>;

/// An attribute that `C_GetAttributeValue` asks for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Wanted<'a> {
    /// `CKA_…`
    pub kind: u64,
    /// Bytes of room for the value, `None` to ask for its length.
    pub room: crate::Room,
    /// For an attribute whose value is a template: what is wanted of it. Empty for all others.
    pub nested: List<'a, Self>,
}

/// What `C_GetAttributeValue` says of one wanted attribute.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub enum AttributeValue<'a> {
    /// `CK_UNAVAILABLE_INFORMATION`: the object has no such attribute, it is sensitive, or the room was too small.
    Unavailable,
    /// The length in bytes, where no room was given.
    Length(u64),
    /// The value.
    Bytes(Bytes<'a>),
    /// The attributes of the nested template, in the order of what was wanted of it.
    Nested(List<'a, NestedValue<'a>>),
}

/// One attribute of a nested template: there the member says also which attribute it is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct NestedValue<'a> {
    /// `CKA_…`
    pub kind: u64,
    /// What is said of it.
    pub value: AttributeValue<'a>,
}
