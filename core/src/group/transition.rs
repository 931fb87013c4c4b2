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
        let from = core::mem::replace(&mut place.seat, to);
        if had_sessions(from) && !had_sessions(to) {
            output.act(Action::Close {
                member,
                incarnation: place.incarnation,
            });
        }
        let Some(to) = to else {
            place.rested_at = crate::Instant::ZERO;
            return;
        };
        if to.state.serves() && !from.is_some_and(|from| from.state.serves()) {
            place.incarnation = place.incarnation.next();
        }
        if let MemberState::Recovering { serial, outage, .. } = to.state
            && serial != place.serial
        {
            place.serial = serial;
            place.rested_at = outage.next_attempt_at;
        }
    }
}

fn had_sessions(seat: Option<Seat>) -> bool {
    seat.is_some_and(|seat| seat.state.has_sessions())
}
