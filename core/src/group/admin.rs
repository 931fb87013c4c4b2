//! An operator's orders.

use super::{Group, Output, Seat};
use crate::{Event, Evidence, Instant, MemberId, MemberState, Outage, Policy, Role};

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// A member that is absent at start-up is a lost member, nothing more.
    #[inline(never)]
    pub(super) fn add(
        &mut self,
        member: MemberId,
        role: Role,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        if self.place(member).is_none_or(|place| place.seat.is_some()) {
            return;
        }
        let outage = self.outage(member, Evidence::Joining, now);
        let seat = Seat::new(role, MemberState::Lost { outage });
        self.transition(member, Some(seat), output);
        output.tell(Event::Added { member, role });
    }

    #[inline(never)]
    pub(super) fn remove(&mut self, member: MemberId, output: &mut Output<MEMBERS>) {
        if self.seat(member).is_some() {
            self.transition(member, None, output);
            output.tell(Event::Removed { member });
        }
    }

    #[inline(never)]
    pub(super) fn park(&mut self, member: MemberId, output: &mut Output<MEMBERS>) {
        if self.is_parked(member) == Some(false) {
            self.enter(member, MemberState::Parked, output);
            output.tell(Event::Parked { member });
        }
    }

    #[inline(never)]
    pub(super) fn unpark(&mut self, member: MemberId, now: Instant, output: &mut Output<MEMBERS>) {
        if self.is_parked(member) == Some(true) {
            // Nothing has failed: a status read goes on saying that it is not there (S5).
            let outage = Outage {
                reported: true,
                ..self.outage(member, Evidence::Joining, now)
            };
            self.enter(member, MemberState::Lost { outage }, output);
            output.tell(Event::Unparked { member });
        }
    }

    fn is_parked(&self, member: MemberId) -> Option<bool> {
        let seat = self.seat(member)?;
        Some(matches!(seat.state, MemberState::Parked))
    }

    /// Luna's "manual recover": at once, and with a fresh count of attempts.
    #[inline(never)]
    pub(super) fn recover(&mut self, member: MemberId, now: Instant, output: &mut Output<MEMBERS>) {
        let Some(seat) = self.seat(member) else {
            return;
        };
        let outage = match seat.state {
            MemberState::Lost { outage } | MemberState::GivenUp { outage } => outage,
            MemberState::Quarantined { why, reported } => Outage {
                evidence: Evidence::SetAside(why),
                attempts: 0,
                next_attempt_at: now,
                reported,
            },
            MemberState::Active
            | MemberState::Standby
            | MemberState::Recovering { .. }
            | MemberState::Parked => return,
        };
        self.begin(
            member,
            Outage {
                attempts: 0,
                ..outage
            },
            now,
            output,
        );
    }

    #[inline(never)]
    pub(super) fn set_role(&mut self, member: MemberId, role: Role, output: &mut Output<MEMBERS>) {
        let Some(&seat) = self.seat(member) else {
            return;
        };
        if seat.role == role {
            return;
        }
        let state = if seat.state.serves() {
            role.serving()
        } else {
            seat.state
        };
        self.transition(
            member,
            Some(Seat {
                role,
                state,
                ..seat
            }),
            output,
        );
        output.tell(Event::RoleChanged { member, role });
    }

    /// Who has given up, and who has not, is settled anew; who waits for its next attempt waits the new
    /// interval from the beginning of the last one.
    #[inline(never)]
    pub(super) fn set_policy(
        &mut self,
        policy: Policy,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        if policy == self.policy {
            return;
        }
        let before = core::mem::replace(&mut self.policy, policy);
        self.reschedule(before.interval, now);
        for member in self.all() {
            let Some(&seat) = self.seat(member) else {
                continue;
            };
            let state = self.under_policy(member, seat.state, now);
            self.transition(member, Some(Seat { state, ..seat }), output);
        }
        output.tell(Event::PolicyChanged { policy });
    }

    /// Whoever rests after an attempt rests for the new interval; who has rested has.
    fn reschedule(&mut self, before: core::time::Duration, now: Instant) {
        let interval = self.policy.interval;
        for place in self.places.iter_mut().filter(|place| place.rested_at > now) {
            place.rested_at = place.rested_at.rebase(before).saturating_add(interval);
        }
    }

    fn under_policy(&self, member: MemberId, state: MemberState, now: Instant) -> MemberState {
        match state {
            MemberState::Lost { outage } => self
                .policy
                .out_of_service(self.rescheduled(member, outage, now)),
            MemberState::GivenUp { outage } if self.policy.allows(&outage) => MemberState::Lost {
                outage: self.rescheduled(member, outage, now),
            },
            MemberState::GivenUp { outage } => MemberState::GivenUp {
                outage: self.rescheduled(member, outage, now),
            },
            MemberState::Recovering {
                step,
                serial,
                outage,
            } => MemberState::Recovering {
                step,
                serial,
                // What was begun stays counted, so that changing N to and fro gives no attempt more (S3).
                outage: self.rescheduled(member, outage, now),
            },
            MemberState::Active
            | MemberState::Standby
            | MemberState::Quarantined { .. }
            | MemberState::Parked => state,
        }
    }

    fn rescheduled(&self, member: MemberId, outage: Outage, now: Instant) -> Outage {
        if outage.next_attempt_at <= now {
            return outage;
        }
        Outage {
            next_attempt_at: self.attempts_from(member, now),
            ..outage
        }
    }
}
