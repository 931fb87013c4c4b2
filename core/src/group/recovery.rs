//! How a lost member comes back: when it is tried, and the steps of an attempt.
//!
//! The seed's rule, for each member by itself: "if (disconnected_member > 0 and
//! recover_attempt_count < N and time_now - last_recover_attempt > X) then performance auto
//! recovery". A member that has waited longest is tried first, so that none starves (L1).

use super::{Group, Output, StepOutcome};
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
    #[inline(never)]
    pub(super) fn begin_longest_due(&mut self, now: Instant, output: &mut Output<MEMBERS>) {
        if let Some((member, &outage)) = self.longest_due()
            && outage.next_attempt_at <= now
        {
            self.begin(member, outage, now, output);
        }
    }

    /// Begins an attempt at a member that is not in service, be it due or an operator's order.
    #[inline(never)]
    pub(super) fn begin(
        &mut self,
        member: MemberId,
        outage: Outage,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(serial) = self.place(member).map(|place| place.serial.next()) else {
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
        self.perform(member, serial, Step::Connect, &outage, output);
    }

    /// A member that served is out of service, unless the report is about an older incarnation (S6).
    #[inline(never)]
    pub(super) fn lose(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        evidence: Evidence,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        if self.serving_seat(member, incarnation).is_none() {
            return;
        }
        let outage = self.outage(member, evidence, now);
        self.enter(member, MemberState::Lost { outage }, output);
        output.tell(Event::Lost {
            member,
            incarnation,
            evidence,
        });
    }

    /// A member that served is set aside, unless the report is about an older incarnation (S6, S12).
    #[inline(never)]
    pub(super) fn quarantine(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        why: QuarantineReason,
        output: &mut Output<MEMBERS>,
    ) {
        if self.serving_seat(member, incarnation).is_some() {
            self.set_aside(member, why, false, output);
        }
    }

    /// The outcome of the step that an attempt waits for; of any other step it is void.
    #[inline(never)]
    pub(super) fn step_ended(
        &mut self,
        member: MemberId,
        serial: AttemptSerial,
        step: Step,
        outcome: StepOutcome,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(&outage) = self.attempted(member, serial, step) else {
            return;
        };
        match outcome {
            StepOutcome::Done { login } => match self.next_step(step, login) {
                Some(next) => self.perform(member, serial, next, &outage, output),
                None => self.admit(member, outage.attempts, output),
            },
            StepOutcome::Failed(evidence) => {
                self.fail(member, step, &Outage { evidence, ..outage }, output);
            }
            StepOutcome::Refused(why) => self.set_aside(member, why, outage.reported, output),
        }
    }

    /// The outage of a member whose attempt waits for this step.
    fn attempted(&self, member: MemberId, serial: AttemptSerial, step: Step) -> Option<&Outage> {
        match &self.seat(member)?.state {
            MemberState::Recovering {
                step: awaited,
                serial: latest,
                outage,
            } => ((*latest, *awaited) == (serial, step)).then_some(outage),
            MemberState::Active
            | MemberState::Standby
            | MemberState::Lost { .. }
            | MemberState::GivenUp { .. }
            | MemberState::Quarantined { .. }
            | MemberState::Parked => None,
        }
    }

    /// The step after one that was done; none before admission. S7: a member whose login is not the
    /// group's latest logs in (or out) once more instead.
    fn next_step(&self, done: Step, login: LoginGeneration) -> Option<Step> {
        let has_login = match done {
            Step::Connect | Step::Open => false,
            Step::LogIn | Step::Synchronise => true,
        };
        if has_login && login != self.generation {
            Some(Step::LogIn)
        } else {
            done.next()
        }
    }

    #[inline(never)]
    fn perform(
        &mut self,
        member: MemberId,
        serial: AttemptSerial,
        step: Step,
        outage: &Outage,
        output: &mut Output<MEMBERS>,
    ) {
        let state = MemberState::Recovering {
            step,
            serial,
            outage: *outage,
        };
        self.enter(member, state, output);
        let login = (self.login, self.generation);
        output.act(Action::Perform {
            member,
            serial,
            step,
            login,
        });
    }

    /// The only place where a member comes into service (S2).
    #[inline(never)]
    fn admit(&mut self, member: MemberId, attempts: u16, output: &mut Output<MEMBERS>) {
        let Some(state) = self.seat(member).map(|seat| seat.role.serving()) else {
            return;
        };
        self.enter(member, state, output);
        let Some(incarnation) = self.place(member).map(|place| place.incarnation) else {
            return;
        };
        output.tell(Event::Returned {
            member,
            incarnation,
            attempts,
        });
    }

    /// S3: the outage goes on, and ends in giving up when its attempts are used up.
    #[inline(never)]
    fn fail(
        &mut self,
        member: MemberId,
        step: Step,
        outage: &Outage,
        output: &mut Output<MEMBERS>,
    ) {
        let state = self.policy.out_of_service(*outage);
        let has_given_up = matches!(state, MemberState::GivenUp { .. });
        self.enter(member, state, output);
        let number = outage.attempts;
        output.tell(Event::AttemptFailed {
            member,
            number,
            step,
            evidence: outage.evidence,
            next: self.policy.allows(outage).then_some(outage.next_attempt_at),
        });
        if has_given_up {
            output.tell(Event::GaveUp {
                member,
                attempts: number,
            });
        }
    }

    #[inline(never)]
    fn set_aside(
        &mut self,
        member: MemberId,
        why: QuarantineReason,
        reported: bool,
        output: &mut Output<MEMBERS>,
    ) {
        self.enter(member, MemberState::Quarantined { why, reported }, output);
        output.tell(Event::Quarantined { member, why });
    }

    /// The lost member whose next attempt is (or was) due first; of equals the one with the lowest id,
    /// which is not the first again once it has been tried.
    #[inline(never)]
    fn longest_due(&self) -> Option<(MemberId, &Outage)> {
        self.seats()
            .filter_map(|(member, seat)| match &seat.state {
                MemberState::Lost { outage } if self.policy.allows(outage) => {
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
            .min_by_key(|(_, outage)| outage.next_attempt_at)
    }

    /// The beginning of one that has not been told of.
    pub(super) fn outage(&self, member: MemberId, evidence: Evidence, now: Instant) -> Outage {
        Outage {
            evidence,
            attempts: 0,
            next_attempt_at: self.attempts_from(member, now),
            reported: false,
        }
    }

    /// S3: the first attempt of an outage is due at once, but not within X of the one before.
    pub(super) fn attempts_from(&self, member: MemberId, now: Instant) -> Instant {
        self.place(member)
            .map_or(now, |place| place.rested_at.max(now))
    }
}
