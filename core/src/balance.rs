//! Which member a call goes to: the least busy, by turns among equals, standby members last.

use crate::{MemberId, MemberSet};

/// The members that may be sent calls: they serve, and their login is the group's (S2, S7). Beside them, who is about to be one of them.
///
/// No member is in two of the sets.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Serving {
    /// Those that take their share.
    pub active: MemberSet,
    /// Those that take calls when no active one is left.
    pub standby: MemberSet,
    /// Those that serve and are logging in or out: a call that finds no other member waits for them.
    pub changing: MemberSet,
}

impl Serving {
    /// The sets as one word, so that one atomic publishes them together: what a reader sees of them is of one moment.
    ///
    /// A member has a bit in either half; one that is changing has both.
    #[inline]
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        let low = self.active.union(self.changing);
        let high = self.standby.union(self.changing);
        low.bits() as u64 | (high.bits() as u64) << u32::BITS
    }

    /// The sets from one word.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        let low = MemberSet::from_bits(bits as u32);
        let high = MemberSet::from_bits((bits >> u32::BITS) as u32);
        Self {
            active: low.difference(high),
            standby: high.difference(low),
            changing: low.intersection(high),
        }
    }

    /// The members that a call waits for when it has no [`candidates`]; when there are none of these either, nobody is left for it (S10).
    #[inline]
    #[must_use]
    pub const fn awaited(self, eligible: MemberSet, tried: MemberSet) -> MemberSet {
        self.changing.intersection(eligible.difference(tried))
    }
}

/// The members that a call may go to: active ones, and standby ones only when no active one is left
/// for it (Luna: standby members are "used only when all actives are down").
///
/// `eligible` are those that can serve this call at all, `tried` those that it has been sent to. What
/// is not serving is never among them (S2), and as long as one is left the result is not empty (S10).
#[inline]
#[must_use]
pub const fn candidates(serving: Serving, eligible: MemberSet, tried: MemberSet) -> MemberSet {
    let untried = eligible.difference(tried);
    let active = serving.active.intersection(untried);
    if active.is_empty() {
        serving.standby.intersection(untried)
    } else {
        active
    }
}

/// The candidate with the fewest calls outstanding; among equals they take turns as `cursor` counts up.
///
/// `loads` says how many calls a member has outstanding. `None` only if there is no candidate.
#[inline]
#[must_use]
pub fn choose(
    candidates: MemberSet,
    loads: impl Fn(MemberId) -> u32,
    cursor: u32,
) -> Option<MemberId> {
    let mut least = u32::MAX;
    let mut equals = MemberSet::EMPTY;
    for member in candidates {
        let load = loads(member);
        if load < least || equals.is_empty() {
            least = load;
            equals = MemberSet::of(member);
        } else if load == least {
            equals.insert(member);
        }
    }
    by_turns(equals, cursor)
}

/// The member whose turn it is: counted over the members of the set, so that gaps between ids give
/// nobody a double share.
#[inline]
fn by_turns(mut members: MemberSet, cursor: u32) -> Option<MemberId> {
    let mut turns = cursor.checked_rem(members.len())?;
    loop {
        let member = members.first()?;
        if turns == 0 {
            return Some(member);
        }
        members.remove(member);
        turns -= 1;
    }
}

#[cfg(test)]
mod tests;
