//! The one door of the group machine.

use super::{Group, Output, Seat};
use crate::{Action, MemberId, MemberState};

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// The one place where what is in a member's place is written, or made empty.
    ///
    /// What holds whatever the reason is done here: coming into service is a new incarnation (S6), an
    /// attempt that begins sets the earliest beginning of the next (S3), and a member that can have
    /// real sessions no more is told to close what it has (S11).
    pub(super) fn transition(
        &mut self,
        member: MemberId,
        to: Option<Seat>,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(place) = self.places.get_mut(member.index()) else {
            return;
        };
        let (had_sessions, served) = sessions_and_service(&place.seat);
        let (has_sessions, serves) = sessions_and_service(&to);
        place.seat = to;
        if had_sessions && !has_sessions {
            output.act(Action::Close {
                member,
                incarnation: place.incarnation,
            });
        }
        if serves && !served {
            place.incarnation = place.incarnation.next();
        }
        match &place.seat {
            Some(Seat {
                state: MemberState::Recovering { serial, outage, .. },
                ..
            }) if *serial != place.serial => {
                place.serial = *serial;
                place.rested_at = outage.next_attempt_at;
            }
            Some(_) => {}
            None => place.rested_at = crate::Instant::ZERO,
        }
    }

    /// To another state, with the login that goes with it.
    #[inline(always)]
    pub(super) fn enter(
        &mut self,
        member: MemberId,
        state: MemberState,
        output: &mut Output<MEMBERS>,
    ) {
        if let Some(&Seat { role, .. }) = self.seat(member) {
            self.transition(member, Some(Seat::new(role, state)), output);
        }
    }
}

fn sessions_and_service(seat: &Option<Seat>) -> (bool, bool) {
    seat.as_ref().map_or((false, false), |seat| {
        (seat.state.has_sessions(), seat.state.serves())
    })
}
