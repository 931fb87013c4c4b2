//! How a lost member comes back: when it is tried, and the steps of an attempt.
//!
//! The seed's rule, for each member by itself: "if (disconnected_member > 0 and
//! recover_attempt_count < N and time_now - last_recover_attempt > X) then performance auto
//! recovery". A member that has waited longest is tried first, so that none starves (L1).

use super::{Group, Output, Seat, StepOutcome};
use crate::{
    Action, AttemptSerial, Event, Evidence, Incarnation, Instant, LoginGeneration, MemberId,
    MemberState, Outage, QuarantineReason, Step,
};

/// When [`Input::Timer`](crate::Input::Timer) is wanted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum WakeUp {
    /// Not before some other input.
    Idle,
    /// At this instant, or now if it is past.
    At(Instant, Reason),
}

/// What a wake-up is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reason {
    /// An attempt at this member is due.
    Attempt(MemberId),
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// When [`Input::Timer`](crate::Input::Timer) is wanted, and what for. To be asked after each input.
    #[must_use]
    pub fn poll_timeout(&self) -> WakeUp {
        match self.longest_due() {
            Some((member, outage)) => WakeUp::At(outage.next_attempt_at, Reason::Attempt(member)),
            None => WakeUp::Idle,
        }
    }

    /// S3: an attempt begins by itself only when it is due and the policy gives the outage one more.
    pub(super) fn begin_longest_due(&mut self, now: Instant, output: &mut Output<MEMBERS>) {
        if let Some((member, outage)) = self.longest_due()
            && outage.next_attempt_at <= now
        {
            self.begin(member, outage, now, output);
        }
    }

    /// Begins an attempt at a member that is not in service, be it due or an operator's order.
    pub(super) fn begin(
        &mut self,
        member: MemberId,
        outage: Outage,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(place) = self.place(member) else {
            return;
        };
        let (Some(seat), serial) = (place.seat, place.serial.next()) else {
            return;
        };
        let outage = Outage {
            attempts: outage.attempts.saturating_add(1),
            next_attempt_at: now.saturating_add(self.policy.interval),
            ..outage
        };
        output.tell(Event::AttemptBegan {
            member,
            number: outage.attempts,
        });
        self.perform(
            member,
            seat,
            Attempt {
                serial,
                step: Step::Connect,
                outage,
            },
            output,
        );
    }

    /// A member that served is out of service, unless the report is about an older incarnation (S6).
    pub(super) fn lose(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        evidence: Evidence,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(seat) = self.serving_seat(member, incarnation) else {
            return;
        };
        let seat = seat.lost(evidence, self.attempts_from(member, now), false);
        self.transition(member, Some(seat), output);
        output.tell(Event::Lost {
            member,
            incarnation,
            evidence,
        });
    }

    /// A member that served is set aside, unless the report is about an older incarnation (S6, S12).
    pub(super) fn quarantine(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        why: QuarantineReason,
        output: &mut Output<MEMBERS>,
    ) {
        if let Some(seat) = self.serving_seat(member, incarnation) {
            self.set_aside(member, seat, why, false, output);
        }
    }

    /// The outcome of the step that an attempt waits for; of any other step it is void.
    pub(super) fn step_ended(
        &mut self,
        member: MemberId,
        serial: AttemptSerial,
        step: Step,
        outcome: StepOutcome,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(seat) = self.seat(member) else {
            return;
        };
        let Some(attempt) = Attempt::of(&seat) else {
            return;
        };
        if (attempt.serial, attempt.step) != (serial, step) {
            return;
        }
        match outcome {
            StepOutcome::Done { login } => self.step_done(member, seat, attempt, login, output),
            StepOutcome::Failed(evidence) => self.fail(member, seat, attempt, evidence, output),
            StepOutcome::Refused(why) => {
                self.set_aside(member, seat, why, attempt.outage.reported, output);
            }
        }
    }

    /// The next step, or admission. S7: a member whose login is not the group's latest logs in (or out)
    /// once more instead.
    fn step_done(
        &mut self,
        member: MemberId,
        seat: Seat,
        attempt: Attempt,
        login: LoginGeneration,
        output: &mut Output<MEMBERS>,
    ) {
        let has_login = match attempt.step {
            Step::Connect | Step::Open => false,
            Step::LogIn | Step::Synchronise => true,
        };
        let next = if has_login && login != self.generation {
            Some(Step::LogIn)
        } else {
            attempt.step.next()
        };
        match next {
            Some(step) => self.perform(member, seat, Attempt { step, ..attempt }, output),
            None => self.admit(member, seat, attempt, output),
        }
    }

    fn perform(
        &mut self,
        member: MemberId,
        seat: Seat,
        attempt: Attempt,
        output: &mut Output<MEMBERS>,
    ) {
        let Attempt {
            serial,
            step,
            outage,
        } = attempt;
        let state = MemberState::Recovering {
            step,
            serial,
            outage,
        };
        self.transition(member, Some(seat.into_state(state)), output);
        let login = (self.login, self.generation);
        output.act(Action::Perform {
            member,
            serial,
            step,
            login,
        });
    }

    /// The only place where a member comes into service (S2).
    fn admit(
        &mut self,
        member: MemberId,
        seat: Seat,
        attempt: Attempt,
        output: &mut Output<MEMBERS>,
    ) {
        self.transition(member, Some(seat.into_state(seat.role.serving())), output);
        let Some((_, incarnation)) = self.seat_and_incarnation(member) else {
            return;
        };
        let attempts = attempt.outage.attempts;
        output.tell(Event::Returned {
            member,
            incarnation,
            attempts,
        });
    }

    /// S3: the outage goes on, and ends in giving up when its attempts are used up.
    fn fail(
        &mut self,
        member: MemberId,
        seat: Seat,
        attempt: Attempt,
        evidence: Evidence,
        output: &mut Output<MEMBERS>,
    ) {
        let outage = Outage {
            evidence,
            ..attempt.outage
        };
        let state = self.policy.out_of_service(outage);
        self.transition(member, Some(seat.into_state(state)), output);
        let next = self
            .policy
            .allows(&outage)
            .then_some(outage.next_attempt_at);
        let (number, step) = (outage.attempts, attempt.step);
        output.tell(Event::AttemptFailed {
            member,
            number,
            step,
            evidence,
            next,
        });
        if let MemberState::GivenUp { .. } = state {
            output.tell(Event::GaveUp {
                member,
                attempts: number,
            });
        }
    }

    fn set_aside(
        &mut self,
        member: MemberId,
        seat: Seat,
        why: QuarantineReason,
        reported: bool,
        output: &mut Output<MEMBERS>,
    ) {
        let state = MemberState::Quarantined { why, reported };
        self.transition(member, Some(seat.into_state(state)), output);
        output.tell(Event::Quarantined { member, why });
    }

    /// The lost member whose next attempt is (or was) due first; of equals the one with the lowest id,
    /// which is not the first again once it has been tried.
    fn longest_due(&self) -> Option<(MemberId, Outage)> {
        self.places()
            .filter_map(|(member, place)| match place.seat?.state {
                MemberState::Lost { outage } if self.policy.allows(&outage) => {
                    Some((member, outage))
                }
                MemberState::Lost { .. }
                | MemberState::Active
                | MemberState::Standby
                | MemberState::Recovering { .. }
                | MemberState::GivenUp { .. }
                | MemberState::Quarantined { .. }
                | MemberState::Parked => None,
            })
            .min_by_key(|(member, outage)| (outage.next_attempt_at, *member))
    }

    /// S3: the first attempt of an outage is due at once, but not within X of the one before.
    pub(super) fn attempts_from(&self, member: MemberId, now: Instant) -> Instant {
        self.place(member)
            .map_or(now, |place| place.rested_at.max(now))
    }
}

/// An attempt at a member, at one of its steps.
struct Attempt {
    serial: AttemptSerial,
    step: Step,
    outage: Outage,
}

impl Attempt {
    const fn of(seat: &Seat) -> Option<Self> {
        match seat.state {
            MemberState::Recovering {
                step,
                serial,
                outage,
            } => Some(Self {
                serial,
                step,
                outage,
            }),
            MemberState::Active
            | MemberState::Standby
            | MemberState::Lost { .. }
            | MemberState::GivenUp { .. }
            | MemberState::Quarantined { .. }
            | MemberState::Parked => None,
        }
    }
}
