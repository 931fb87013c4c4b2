//! The group machine: who is a member and in which state, and how a lost one comes back.

mod admin;
mod check;
mod input;
mod login;
mod output;
mod recovery;
#[cfg(feature = "serde")]
mod saved;
mod status;
mod transition;
mod view;

pub use check::Violation;
pub use input::{Input, LoginOutcome, StepOutcome};
pub use login::{Login, User};
pub use output::{Action, EVENTS, Event, Output};
pub use recovery::{Reason, WakeUp};
pub use view::View;

use crate::{
    AttemptSerial, Incarnation, Instant, LoginGeneration, LoginSync, Member, MemberId, MemberState,
    Policy, Role,
};

/// The members behind one virtual slot, with one policy: up to `MEMBERS` (at most 32) of them.
///
/// Each input goes in through [`handle`](Self::handle); what comes back is to be carried out. When
/// nothing is fed, [`poll_timeout`](Self::poll_timeout) says when [`Input::Timer`] is wanted.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Group<const MEMBERS: usize = 32> {
    policy: Policy,
    login: Login,
    generation: LoginGeneration,
    #[cfg_attr(feature = "serde", serde(with = "saved"))]
    places: [Place; MEMBERS],
}

/// The place of a member id: what is in it, and what outlives that.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Place {
    /// Counts on when a member is removed and another takes its id, so that nothing old fits it (S6).
    incarnation: Incarnation,
    /// The attempt begun last; counts on for the same reason.
    serial: AttemptSerial,
    /// X after the beginning of the last attempt: no attempt begins by itself before, so that a member
    /// that comes and goes is not tried more often than one that stays away (S3).
    rested_at: Instant,
    seat: Option<Seat>,
}

/// A member, but for what its [`Place`] counts.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Seat {
    role: Role,
    state: MemberState,
    login: LoginSync,
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// A group without members.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        const { assert!(MEMBERS <= 32, "a set of members has 32 bits") };
        Self {
            policy,
            login: Login::Out,
            generation: LoginGeneration(0),
            places: [Place::VACANT; MEMBERS],
        }
    }

    /// Takes an input at a time, and says what to do about it and what to log of it.
    ///
    /// `now` does not go back from one call to the next. An input that does not fit the state is void.
    /// After each call, [`poll_timeout`](Self::poll_timeout) and [`view`](Self::view) may say something
    /// new.
    pub fn handle(&mut self, input: Input, now: Instant) -> Output<MEMBERS> {
        let mut output = Output::new();
        self.handle_into(input, now, &mut output);
        output
    }

    /// [`handle`](Self::handle) for a caller that has little stack: the output takes the place of what was in `output`, wherever that is,
    /// and is not copied.
    pub fn handle_into(&mut self, input: Input, now: Instant, output: &mut Output<MEMBERS>) {
        output.clear();
        let before = self.service();
        self.dispatch(input, now, output);
        self.announce_service(before, output);
        debug_assert_eq!(self.check(), Ok(()));
    }

    // What it calls is not inlined, so that a small machine's stack holds the frame of one input and not those of all.
    fn dispatch(&mut self, input: Input, now: Instant, output: &mut Output<MEMBERS>) {
        match input {
            Input::Add { member, role } => self.add(member, role, now, output),
            Input::Remove { member } => self.remove(member, output),
            Input::Park { member } => self.park(member, output),
            Input::Unpark { member } => self.unpark(member, now, output),
            Input::Recover { member } => self.recover(member, now, output),
            Input::SetRole { member, role } => self.set_role(member, role, output),
            Input::SetPolicy(policy) => self.set_policy(policy, now, output),
            Input::Lost {
                member,
                incarnation,
                evidence,
            } => {
                self.lose(member, incarnation, evidence, now, output);
            }
            Input::Quarantine {
                member,
                incarnation,
                why,
            } => {
                self.quarantine(member, incarnation, why, output);
            }
            Input::Timer => self.begin_longest_due(now, output),
            Input::Step {
                member,
                serial,
                step,
                outcome,
            } => {
                self.step_ended(member, serial, step, outcome, output);
            }
            Input::LoginAccepted {
                member,
                incarnation,
                user,
            } => {
                self.login_accepted(member, incarnation, user, output);
            }
            Input::LogOut => self.log_out(output),
            Input::LoginChanged {
                member,
                incarnation,
                generation,
                outcome,
            } => {
                self.login_changed(member, incarnation, generation, outcome, now, output);
            }
            Input::StatusRead => self.status_read(output),
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// What is known of a member; `None` if there is none of this id.
    #[must_use]
    pub fn member(&self, member: MemberId) -> Option<Member> {
        self.place(member).and_then(Place::member)
    }

    /// All members, in order of their ids.
    pub fn members(&self) -> impl Iterator<Item = (MemberId, Member)> + '_ {
        self.places()
            .filter_map(|(id, place)| Some((id, place.member()?)))
    }

    /// Moves the start of time: all instants get that much smaller, not below the start.
    #[doc(hidden)]
    pub fn rebase(&mut self, by: core::time::Duration) {
        for place in &mut self.places {
            place.rebase(by);
        }
    }

    fn places(&self) -> impl Iterator<Item = (MemberId, &Place)> + '_ {
        (0..).map(MemberId).zip(&self.places)
    }

    fn seats(&self) -> impl Iterator<Item = (MemberId, &Seat)> + '_ {
        self.places()
            .filter_map(|(id, place)| Some((id, place.seat.as_ref()?)))
    }

    fn place(&self, member: MemberId) -> Option<&Place> {
        self.places.get(member.index())
    }

    fn seat(&self, member: MemberId) -> Option<&Seat> {
        self.place(member)?.seat.as_ref()
    }
}

impl Place {
    const VACANT: Self = Self {
        incarnation: Incarnation(0),
        serial: AttemptSerial(0),
        rested_at: Instant::ZERO,
        seat: None,
    };

    fn member(&self) -> Option<Member> {
        let Seat { role, state, login } = self.seat?;
        Some(Member {
            role,
            state,
            incarnation: self.incarnation,
            login,
        })
    }

    fn rebase(&mut self, by: core::time::Duration) {
        self.rested_at = self.rested_at.rebase(by);
        if let Some(outage) = self.seat.as_mut().and_then(|seat| seat.state.outage_mut()) {
            outage.next_attempt_at = outage.next_attempt_at.rebase(by);
        }
    }
}

impl Seat {
    /// Out of service there is no login, in service it is the group's.
    const fn new(role: Role, state: MemberState) -> Self {
        let login = if state.serves() {
            LoginSync::Reached
        } else {
            LoginSync::Void
        };
        Self { role, state, login }
    }

    /// Whether calls may go to it (S2, S7).
    const fn is_usable(&self) -> bool {
        self.state.serves() && matches!(self.login, LoginSync::Reached)
    }
}

#[cfg(test)]
mod tests;
