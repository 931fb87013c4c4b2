//! What the group publishes: who may be sent calls.

use super::{Group, Output, Seat};
use crate::{Event, Incarnation, LoginSync, MemberId, MemberSet, MemberState, Role, Serving};

/// Who may be sent calls, as a value that the caller publishes to all its threads.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct View<const MEMBERS: usize = 32> {
    /// Active members whose login is the group's (S2, S7).
    pub active: MemberSet,
    /// Standby members whose login is the group's (S2, S7).
    pub standby: MemberSet,
    /// Members that serve and are logging in or out: a call that finds no other waits for them.
    pub changing: MemberSet,
    /// The incarnation of each member, by id; a call that was sent to an older one is void (S6).
    pub incarnations: [Incarnation; MEMBERS],
}

impl<const MEMBERS: usize> View<MEMBERS> {
    /// What [`candidates`](crate::candidates) chooses among.
    #[must_use]
    pub const fn serving(&self) -> Serving {
        Serving {
            active: self.active,
            standby: self.standby,
            changing: self.changing,
        }
    }

    /// The incarnation of a member that may be sent calls.
    #[must_use]
    pub fn incarnation(&self, member: MemberId) -> Option<Incarnation> {
        let serves = self.active.union(self.standby).contains(member);
        self.incarnations
            .get(member.index())
            .copied()
            .filter(|_| serves)
    }
}

/// Which kind of members there are to serve.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Service {
    Nobody,
    Standby,
    Active,
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// Who may be sent calls.
    #[must_use]
    pub fn view(&self) -> View<MEMBERS> {
        let usable = |role| {
            self.members()
                .filter(|(_, member)| member.role == role && member.is_usable())
                .map(|(id, _)| id)
                .collect()
        };
        View {
            active: usable(Role::Active),
            standby: usable(Role::Standby),
            changing: self
                .members()
                .filter(|(_, member)| member.login == LoginSync::Changing)
                .map(|(id, _)| id)
                .collect(),
            incarnations: self.places.map(|place| place.incarnation),
        }
    }

    pub(super) fn all(&self) -> MemberSet {
        self.members().map(|(id, _)| id).collect()
    }

    pub(super) fn in_service(&self) -> MemberSet {
        self.members()
            .filter(|(_, member)| member.state.serves())
            .map(|(id, _)| id)
            .collect()
    }

    /// A member that serves in this incarnation, which is what a report is about unless it is late (S6).
    pub(super) fn serving_seat(&self, member: MemberId, incarnation: Incarnation) -> Option<Seat> {
        let place = self
            .place(member)
            .filter(|place| place.incarnation == incarnation)?;
        place.seat.filter(|seat| seat.state.serves())
    }

    pub(super) fn seat_and_incarnation(&self, member: MemberId) -> Option<(Seat, Incarnation)> {
        let place = self.place(member)?;
        Some((place.seat?, place.incarnation))
    }

    pub(super) fn service(&self) -> Service {
        let serving = |state| self.members().any(|(_, member)| member.state == state);
        if serving(MemberState::Active) {
            Service::Active
        } else if serving(MemberState::Standby) {
            Service::Standby
        } else {
            Service::Nobody
        }
    }

    pub(super) fn announce_service(&self, before: Service, output: &mut Output<MEMBERS>) {
        match (before, self.service()) {
            (Service::Nobody, Service::Nobody)
            | (Service::Standby, Service::Standby)
            | (Service::Active, Service::Active) => {}
            (Service::Standby | Service::Active, Service::Nobody) => output.tell(Event::GroupDown),
            (Service::Nobody, Service::Active) => output.tell(Event::GroupUp),
            (Service::Standby, Service::Active) => output.tell(Event::ActiveServing),
            (Service::Active, Service::Standby) => output.tell(Event::StandbyServing),
            (Service::Nobody, Service::Standby) => {
                output.tell(Event::GroupUp);
                output.tell(Event::StandbyServing);
            }
        }
    }
}
