//! Members by their names, as the journal has them, and by their ids.

use everslot_core::{MemberId, MemberSet};

use super::{Keeper, NOBODY};

impl Keeper {
    /// A member's name, as the journal has it.
    #[must_use]
    pub fn name(&self, member: MemberId) -> &str {
        self.names
            .get(usize::from(member.0))
            .and_then(Option::as_deref)
            .unwrap_or(NOBODY)
    }

    /// The names of members.
    #[must_use]
    pub fn names(&self, members: MemberSet) -> Vec<String> {
        let name = |member| self.name(member).to_owned();
        members.iter().map(name).collect()
    }

    /// The member of a name; none for one that the group has no more.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<MemberId> {
        let index = self
            .names
            .iter()
            .position(|known| known.as_deref() == Some(name))?;
        u8::try_from(index).ok().map(MemberId)
    }

    /// The members of these names; one that the group has no more is left out.
    #[must_use]
    pub fn members<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> MemberSet {
        let members = names.into_iter().filter_map(|name| self.member(name));
        members.fold(MemberSet::EMPTY, MemberSet::with)
    }
}
