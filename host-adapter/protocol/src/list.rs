use core::fmt;
use core::slice;

use postcard::ser_flavors::Size;
use serde::de::Deserialize;
use serde::ser::{Error as _, SerializeTuple};
use serde::{Deserializer, Serialize, Serializer};

/// A borrowed list, either as it was built or as it came over the wire.
///
/// Both forms have the same wire form: the length in bytes of the encoded items, then the items one after the other. So a decoded list
/// is only a slice of what was received, and its items are decoded when they are asked for. Lists nest.
#[derive(Clone, Copy)]
pub enum List<'a, T> {
    /// Items in memory; building such a list costs nothing.
    Items(&'a [T]),
    /// Items in their wire form. [`wire`](crate::wire) hands out only such lists whose every item it has seen to be readable.
    Encoded(&'a [u8]),
}

impl<'a, T> List<'a, T> {
    /// The list without items.
    pub const EMPTY: Self = Self::Items(&[]);

    /// Whether there is no item. Cheap in both forms.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Items(items) => items.is_empty(),
            Self::Encoded(bytes) => bytes.is_empty(),
        }
    }
}

impl<'a, T: Copy + Deserialize<'a>> List<'a, T> {
    /// The items by value, in their order.
    #[must_use]
    pub fn iter(&self) -> Iter<'a, T> {
        match *self {
            Self::Items(items) => Iter(Form::Items(items.iter())),
            Self::Encoded(bytes) => Iter(Form::Encoded(bytes)),
        }
    }

    /// How many items there are; an encoded list has to be walked for it.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Encoded(_) => self.iter().count(),
        }
    }
}

/// The items of a [`List`]. Ends early at an item that cannot be read, which no list from [`wire`](crate::wire) has.
#[derive(Clone)]
pub struct Iter<'a, T>(Form<'a, T>);

#[derive(Clone)]
enum Form<'a, T> {
    Items(slice::Iter<'a, T>),
    Encoded(&'a [u8]),
}

impl<'a, T: Copy + Deserialize<'a>> Iterator for Iter<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        match &mut self.0 {
            Form::Items(items) => items.next().copied(),
            Form::Encoded(bytes) => next_encoded(bytes),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Form::Items(items) => items.size_hint(),
            // An item has at least one byte.
            Form::Encoded(bytes) => (usize::from(!bytes.is_empty()), Some(bytes.len())),
        }
    }
}

fn next_encoded<'a, T: Deserialize<'a>>(bytes: &mut &'a [u8]) -> Option<T> {
    if bytes.is_empty() {
        return None;
    }
    match postcard::take_from_bytes(bytes) {
        // An item without bytes would never end the list.
        Ok((item, rest)) if rest.len() < bytes.len() => {
            *bytes = rest;
            Some(item)
        }
        Ok(_) | Err(_) => {
            *bytes = &[];
            None
        }
    }
}

impl<'a, T: Copy + Deserialize<'a>> IntoIterator for List<'a, T> {
    type IntoIter = Iter<'a, T>;
    type Item = T;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T: Copy + Deserialize<'a>> IntoIterator for &List<'a, T> {
    type IntoIter = Iter<'a, T>;
    type Item = T;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a, T> From<&'a [T]> for List<'a, T> {
    fn from(items: &'a [T]) -> Self {
        Self::Items(items)
    }
}

impl<'a, T, const N: usize> From<&'a [T; N]> for List<'a, T> {
    fn from(items: &'a [T; N]) -> Self {
        Self::Items(items)
    }
}

impl<'a, T: Copy + Deserialize<'a> + PartialEq> PartialEq for List<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Copy + Deserialize<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<T: Serialize> Serialize for List<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Items(items) => serialize_items(items, serializer),
            Self::Encoded(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

/// The same wire form as `serialize_bytes` of the encoded items, without a buffer to encode them in.
fn serialize_items<T: Serialize, S: Serializer>(
    items: &[T],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut size = 0_u64;
    for item in items {
        size += encoded_size(item).map_err(S::Error::custom)? as u64;
    }
    let mut tuple = serializer.serialize_tuple(items.len() + 1)?;
    tuple.serialize_element(&size)?;
    for item in items {
        tuple.serialize_element(item)?;
    }
    tuple.end()
}

/// The bytes that `value` has in its wire form.
pub(crate) fn encoded_size<T: Serialize + ?Sized>(value: &T) -> postcard::Result<usize> {
    postcard::serialize_with_flavor(value, Size::default())
}

impl<'de: 'a, 'a, T> Deserialize<'de> for List<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'a [u8]>::deserialize(deserializer).map(Self::Encoded)
    }
}
