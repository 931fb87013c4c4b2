//! A set of members in one word, so that it can be published in an atomic.

use core::fmt;

use crate::MemberId;

/// A set of up to 32 members. Ids of 32 and above are never in a set.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemberSet(u32);

impl MemberSet {
    /// No member.
    pub const EMPTY: Self = Self(0);

    /// The set of one member.
    #[inline]
    #[must_use]
    pub const fn of(member: MemberId) -> Self {
        if (member.0 as u32) < u32::BITS {
            Self(1 << member.0)
        } else {
            Self::EMPTY
        }
    }

    /// The set as one word: bit n is member n.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set whose bit n is member n.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Adds a member.
    #[inline]
    pub const fn insert(&mut self, member: MemberId) {
        *self = self.with(member);
    }

    /// Takes a member out.
    #[inline]
    pub const fn remove(&mut self, member: MemberId) {
        *self = self.without(member);
    }

    /// The member of a set that has just one.
    #[inline]
    #[must_use]
    pub const fn only(self) -> Option<MemberId> {
        if self.0.is_power_of_two() {
            Some(MemberId(self.0.trailing_zeros() as u8))
        } else {
            None
        }
    }

    /// Whether the member is in the set.
    #[inline]
    #[must_use]
    pub const fn contains(self, member: MemberId) -> bool {
        self.0 & Self::of(member).0 != 0
    }

    /// The set and the member.
    #[inline]
    #[must_use]
    pub const fn with(self, member: MemberId) -> Self {
        self.union(Self::of(member))
    }

    /// The set but for the member.
    #[inline]
    #[must_use]
    pub const fn without(self, member: MemberId) -> Self {
        self.difference(Self::of(member))
    }

    /// The members of either set.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The members of both sets.
    #[inline]
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members of this set that are not in the other.
    #[inline]
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set has no member.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many members the set has.
    #[inline]
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The member with the lowest id.
    #[inline]
    #[must_use]
    pub const fn first(self) -> Option<MemberId> {
        if self.is_empty() {
            None
        } else {
            Some(MemberId(self.0.trailing_zeros() as u8))
        }
    }

    /// The members in order of their ids.
    #[inline]
    #[must_use]
    pub const fn iter(self) -> Members {
        Members(self)
    }
}

impl FromIterator<MemberId> for MemberSet {
    fn from_iter<I: IntoIterator<Item = MemberId>>(members: I) -> Self {
        members.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl IntoIterator for MemberSet {
    type Item = MemberId;
    type IntoIter = Members;

    #[inline]
    fn into_iter(self) -> Members {
        self.iter()
    }
}

impl fmt::Debug for MemberSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|member| member.0))
            .finish()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for MemberSet {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u32:#b}", self.0);
    }
}

/// The members of a [`MemberSet`] in order of their ids.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Members(MemberSet);

impl Iterator for Members {
    type Item = MemberId;

    #[inline]
    fn next(&mut self) -> Option<MemberId> {
        let member = self.0.first()?;
        self.0.remove(member);
        Some(member)
    }
}

#[cfg(test)]
mod tests;
