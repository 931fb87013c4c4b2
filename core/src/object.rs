//! What the machines of the objects know an object by: fixed sizes, no attribute.

use crate::MemberSet;

/// What makes an object of one member the same as an object of another, in fixed size.
///
/// The caller derives it by a hash of class, key type, `CKA_ID`, label and public or check value, so that equal objects have equal keys.
/// Both sides of a reconcile are read in the order of their keys.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ObjectKey(pub [u8; 16]);

/// The state of what may change in an object, as a hash of those attributes: equal or not, neither is older.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Revision(pub u64);

/// Counts what happens to the group's objects: each that is created, adopted, changed or destroyed takes the next one.
/// Who holds an object is not counted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sequence(pub u64);

/// How many members an object is to live on.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Copies {
    /// On all that can be reached.
    #[default]
    All,
    /// On so many; none is as one.
    Number(u8),
}

impl Copies {
    /// Whether an object that lives on so many members is to be copied to no further one.
    #[must_use]
    pub const fn has_enough(self, holders: MemberSet) -> bool {
        match self {
            Self::All => false,
            Self::Number(0) => !holders.is_empty(),
            Self::Number(number) => holders.len() >= number as u32,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
