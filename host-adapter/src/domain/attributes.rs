//! Attributes with their values, kept until they are given to a token.

use std::fmt;

use bumpalo::Bump;
use cryptoki_sys::CK_ULONG;
use everslot_protocol::{Attribute, Bytes, List, Template, Value};
use zeroize::Zeroizing;

/// The attributes of a template, with their values; `Debug` shows no value.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Attributes(Vec<(u64, Content)>);

/// An attribute's value.
#[derive(Clone, Eq, PartialEq)]
pub enum Content {
    /// The bytes as they are; wiped when dropped.
    Bytes(Zeroizing<Vec<u8>>),
    /// A template of its own (`CKA_UNWRAP_TEMPLATE` and its kin).
    Template(Attributes),
}

impl Attributes {
    /// No attribute.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What a template of the application holds.
    #[must_use]
    pub fn of(template: Template<'_>) -> Self {
        let content = |value| match value {
            Value::Bytes(bytes) => Content::Bytes(Zeroizing::new(bytes.to_vec())),
            Value::Template(template) => Content::Template(Self::of(template)),
        };
        Self(
            template
                .iter()
                .map(|attribute| (attribute.kind, content(attribute.value)))
                .collect(),
        )
    }

    /// With an attribute more.
    #[must_use]
    pub fn bytes(mut self, kind: CK_ULONG, value: &[u8]) -> Self {
        self.set(kind, value);
        self
    }

    /// With an attribute more that is a `CK_ULONG`.
    #[must_use]
    pub fn number(self, kind: CK_ULONG, value: CK_ULONG) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    /// Each of `kinds` set to `value`.
    #[must_use]
    pub fn flags(self, kinds: &[CK_ULONG], value: bool) -> Self {
        kinds.iter().fold(self, |attributes, kind| {
            attributes.bytes(*kind, &[u8::from(value)])
        })
    }

    /// Puts the attribute in the place of the one of its kind, or behind the others.
    pub fn set(&mut self, kind: u64, value: &[u8]) {
        self.set_content(kind, Content::Bytes(Zeroizing::new(value.to_vec())));
    }

    /// The same for any value.
    pub fn set_content(&mut self, kind: u64, content: Content) {
        match self.0.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, value)) => *value = content,
            None => self.0.push((kind, content)),
        }
    }

    /// Takes the attribute out, if it is there.
    pub fn remove(&mut self, kind: u64) {
        self.0.retain(|(known, _)| *known != kind);
    }

    /// The bytes of an attribute; none for one whose value is a template.
    #[must_use]
    pub fn get(&self, kind: u64) -> Option<&[u8]> {
        match self.content(kind)? {
            Content::Bytes(value) => Some(value),
            Content::Template(_) => None,
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn content(&self, kind: u64) -> Option<&Content> {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map(|(_, value)| value)
    }

    /// A `CK_BBOOL`.
    #[must_use]
    pub fn flag(&self, kind: u64) -> Option<bool> {
        self.get(kind)?.first().map(|value| *value != 0)
    }

    /// A `CK_ULONG`; none if it has another size.
    #[must_use]
    pub fn integer(&self, kind: u64) -> Option<u64> {
        self.get(kind)?.try_into().ok().map(u64::from_ne_bytes)
    }

    /// The attributes in their order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Content)> {
        self.0.iter().map(|(kind, content)| (*kind, content))
    }

    /// Gives `work` the template that a request takes.
    pub fn with_template<T>(&self, work: impl FnOnce(Template<'_>) -> T) -> T {
        work(self.template(&Bump::new()))
    }

    /// The lists stand in `lists`, the values where they are: they are secrets, and a bump wipes nothing.
    fn template<'a>(&'a self, lists: &'a Bump) -> Template<'a> {
        let attributes = self.0.iter().map(|(kind, content)| Attribute {
            kind: *kind,
            value: match content {
                Content::Bytes(value) => Value::Bytes(Bytes(value)),
                Content::Template(inner) => Value::Template(inner.template(lists)),
            },
        });
        List::Items(lists.alloc_slice_fill_iter(attributes))
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = self
            .0
            .iter()
            .map(|(kind, _)| format_args!("{kind:#x}").to_string());
        f.debug_tuple("Attributes")
            .field(&kinds.collect::<Vec<_>>())
            .finish()
    }
}
