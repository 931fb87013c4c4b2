//! The invariants of a group, all in one place: for debug assertions, the model and fuzzing.

use super::{Group, Place, Seat};
use crate::{Attempts, Evidence, LoginSync, MemberId, MemberState, Outage, Role};

/// A broken invariant of a group: a fault of this crate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Violation {
    /// It serves otherwise than its role says (S2).
    Role(MemberId),
    /// It serves without ever having come into service (S6).
    Incarnation(MemberId),
    /// It does not serve and has a login, or serves and has none (S7).
    Login(MemberId),
    /// Its next attempt is due within X of the beginning of the last one (S3).
    Spacing(MemberId),
    /// It has begun more attempts than the policy gives, or waits for one that the policy does not give (S3).
    Budget(MemberId),
    /// It has given up with attempts left (L1).
    GaveUpEarly(MemberId),
    /// Its attempt is not the one begun last.
    Serial(MemberId),
    /// The published view has a member that may not be sent calls, or lacks one that may (S2, S7).
    View(MemberId),
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// Whether the group's invariants hold.
    ///
    /// # Errors
    /// The first one that does not.
    pub fn check(&self) -> Result<(), Violation> {
        for (member, place) in self.places() {
            if let Some(seat) = place.seat {
                check_service(member, place, seat)?;
                self.check_outage(member, place, seat)?;
            }
        }
        self.check_view()
    }

    fn check_outage(&self, member: MemberId, place: &Place, seat: Seat) -> Result<(), Violation> {
        let attempts = self.policy.attempts;
        match seat.state {
            MemberState::Lost { outage } => {
                check_spacing(member, place, outage)?;
                let joining = outage.evidence == Evidence::Joining;
                let given = attempts.allow(outage.attempts) || attempts == Attempts::AtMost(0);
                ensure(given || joining, Violation::Budget(member))
            }
            MemberState::Recovering { serial, outage, .. } => {
                check_spacing(member, place, outage)?;
                ensure(serial == place.serial, Violation::Serial(member))?;
                // It may have begun under a policy that gave more, so only the attempt itself is sure to be counted.
                ensure(outage.attempts > 0, Violation::Budget(member))
            }
            MemberState::GivenUp { outage } => {
                check_spacing(member, place, outage)?;
                ensure(
                    !attempts.allow(outage.attempts),
                    Violation::GaveUpEarly(member),
                )
            }
            MemberState::Active
            | MemberState::Standby
            | MemberState::Quarantined { .. }
            | MemberState::Parked => Ok(()),
        }
    }

    fn check_view(&self) -> Result<(), Violation> {
        let view = self.view();
        for (id, member) in self.members() {
            let reached = member.login == LoginSync::Reached;
            let active = reached && member.state == MemberState::Active;
            let standby = reached && member.state == MemberState::Standby;
            let published = (view.active.contains(id), view.standby.contains(id));
            ensure(published == (active, standby), Violation::View(id))?;
        }
        let stranger = view
            .active
            .union(view.standby)
            .difference(self.all())
            .first();
        stranger.map_or(Ok(()), |id| Err(Violation::View(id)))
    }
}

fn check_service(member: MemberId, place: &Place, seat: Seat) -> Result<(), Violation> {
    let Seat { role, state, login } = seat;
    let as_role = match state {
        MemberState::Active => role == Role::Active,
        MemberState::Standby => role == Role::Standby,
        MemberState::Lost { .. }
        | MemberState::Recovering { .. }
        | MemberState::GivenUp { .. }
        | MemberState::Quarantined { .. }
        | MemberState::Parked => true,
    };
    ensure(as_role, Violation::Role(member))?;
    ensure(
        state.serves() == (login != LoginSync::Void),
        Violation::Login(member),
    )?;
    let has_come = place.incarnation != crate::Incarnation(0) || !state.serves();
    ensure(has_come, Violation::Incarnation(member))
}

fn check_spacing(member: MemberId, place: &Place, outage: Outage) -> Result<(), Violation> {
    ensure(
        outage.next_attempt_at >= place.rested_at,
        Violation::Spacing(member),
    )
}

fn ensure(holds: bool, violation: Violation) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(violation) }
}
