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

/// Which kind of members there are to serve, the best of them last.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Service {
    Nobody,
    Standby,
    Active,
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// Who may be sent calls.
    #[must_use]
    pub fn view(&self) -> View<MEMBERS> {
        let usable = |role| self.those(|seat| seat.role == role && seat.is_usable());
        View {
            active: usable(Role::Active),
            standby: usable(Role::Standby),
            changing: self.those(|seat| seat.login == LoginSync::Changing),
            incarnations: self.places.each_ref().map(|place| place.incarnation),
        }
    }

    pub(super) fn all(&self) -> MemberSet {
        self.those(|_| true)
    }

    pub(super) fn in_service(&self) -> MemberSet {
        self.those(|seat| seat.state.serves())
    }

    fn those(&self, are: impl Fn(&Seat) -> bool) -> MemberSet {
        self.seats()
            .filter(|(_, seat)| are(seat))
            .map(|(id, _)| id)
            .collect()
    }

    /// A member that serves in this incarnation, which is what a report is about unless it is late (S6).
    pub(super) fn serving_seat(&self, member: MemberId, incarnation: Incarnation) -> Option<&Seat> {
        let place = self
            .place(member)
            .filter(|place| place.incarnation == incarnation)?;
        place.seat.as_ref().filter(|seat| seat.state.serves())
    }

    pub(super) fn service(&self) -> Service {
        let of = |(_, seat): (MemberId, &Seat)| match seat.state {
            MemberState::Active => Service::Active,
            MemberState::Standby => Service::Standby,
            MemberState::Lost { .. }
            | MemberState::Recovering { .. }
            | MemberState::GivenUp { .. }
            | MemberState::Quarantined { .. }
            | MemberState::Parked => Service::Nobody,
        };
        self.seats().map(of).max().unwrap_or(Service::Nobody)
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
