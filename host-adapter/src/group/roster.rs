use std::sync::Arc;

use everslot_core::MemberId;

use super::member::Member;
use crate::config::MEMBERS;

/// Who is a member, by id, and who was the last at an id that is vacant.
pub(super) struct Roster {
    places: [Option<Arc<Member>>; MEMBERS],
    /// The members, in the order of the configuration.
    seated: Vec<Arc<Member>>,
}

impl Roster {
    /// These are the members, and there was nobody before.
    pub(super) fn new(members: Vec<Arc<Member>>) -> Self {
        Self::after([const { None }; MEMBERS], members)
    }

    /// These are the members from now on, in this order.
    pub(super) fn followed_by(&self, members: Vec<Arc<Member>>) -> Self {
        Self::after(self.places.clone(), members)
    }

    fn after(mut places: [Option<Arc<Member>>; MEMBERS], seated: Vec<Arc<Member>>) -> Self {
        for member in &seated {
            if let Some(place) = places.get_mut(usize::from(member.id.0)) {
                *place = Some(Arc::clone(member));
            }
        }
        Self { places, seated }
    }

    /// Who is or was the last at this id: a call that is under way may still be about one that was removed.
    pub(super) fn at(&self, member: MemberId) -> Option<&Arc<Member>> {
        self.places.get(usize::from(member.0))?.as_ref()
    }

    pub(super) fn members(&self) -> &[Arc<Member>] {
        &self.seated
    }

    /// The lowest id that nobody has.
    pub(super) fn vacancy(&self) -> Option<MemberId> {
        let ids = (0..MEMBERS).filter_map(|id| u8::try_from(id).ok());
        let is_vacant = |id: &MemberId| self.seated.iter().all(|member| member.id != *id);
        ids.map(MemberId).find(is_vacant)
    }

    /// The members' names by their ids; `None` at a vacant one.
    pub(super) fn names(&self) -> Vec<Option<String>> {
        let mut names = vec![None; MEMBERS];
        for member in &self.seated {
            if let Some(name) = names.get_mut(usize::from(member.id.0)) {
                *name = Some(member.config.name.clone());
            }
        }
        names
    }
}
