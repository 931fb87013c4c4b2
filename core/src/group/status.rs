//! What a status read shows of a member (S5).

use super::{Group, Output, Seat};
use crate::{MemberId, MemberState, Outage, Rv, ckr};

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// The code that a status read shows for a member; `None` if there is none of this id. To be
    /// followed by [`Input::StatusRead`](crate::Input::StatusRead) once all members have been read.
    ///
    /// The seed: "When an HA Group member first fails, the HA status for the group shows "device error"
    /// for the failed member. All subsequent calls return "token not present", until the member [..] is
    /// returned to service." A parked member has not failed: it is just not there.
    #[must_use]
    pub fn status(&self, member: MemberId) -> Option<Rv> {
        Some(match self.seat(member)?.state {
            MemberState::Active | MemberState::Standby => ckr::OK,
            MemberState::Lost {
                outage: Outage { reported, .. },
            }
            | MemberState::Recovering {
                outage: Outage { reported, .. },
                ..
            }
            | MemberState::GivenUp {
                outage: Outage { reported, .. },
            }
            | MemberState::Quarantined { reported, .. } => {
                if reported {
                    ckr::TOKEN_NOT_PRESENT
                } else {
                    ckr::DEVICE_ERROR
                }
            }
            MemberState::Parked => ckr::TOKEN_NOT_PRESENT,
        })
    }

    #[inline(never)]
    pub(super) fn status_read(&mut self, output: &mut Output<MEMBERS>) {
        for member in self.all() {
            let Some(&seat) = self.seat(member) else {
                continue;
            };
            self.transition(
                member,
                Some(Seat {
                    state: seat.state.reported(),
                    ..seat
                }),
                output,
            );
        }
    }
}
