//! The names of things: each id is a type of its own, so that none is taken for another.

/// A member of the group, `0..MEMBERS`; it keeps its id for as long as it is a member.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemberId(pub u8);

impl MemberId {
    /// The id as a position in an array of members.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Counts a member's returns; whatever was learnt or opened in an older incarnation is void (S6).
///
/// `Incarnation(0)` has never served.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The one after; never the one that has not served.
    pub(crate) const fn next(self) -> Self {
        match self.0.checked_add(1) {
            Some(count) => Self(count),
            None => Self(1),
        }
    }
}

/// Changes with each login and logout of the group; an outcome that carries an older one is void (S7).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LoginGeneration(pub u32);

impl LoginGeneration {
    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// A recovery attempt of a member, never used for another one; voids the outcomes of older attempts.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AttemptSerial(pub u32);

impl AttemptSerial {
    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}
