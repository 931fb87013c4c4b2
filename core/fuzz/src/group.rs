//! The group machine: any orders and reports, in time or late, while time passes.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use everslot_core::{
    Action, AttemptSerial, Attempts, Event, Evidence, Group, Incarnation, Input, Instant,
    LoginGeneration, LoginOutcome, MemberId, MemberState, Output, Policy, QuarantineReason, Role,
    Step, StepOutcome, User, ckr,
};

use crate::next;

const MEMBERS: usize = 4;
const INTERVAL: Duration = Duration::from_millis(10);
const FAILURE: Evidence = Evidence::Code(ckr::DEVICE_ERROR);

/// One of the group's ids, or the first that is too great.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Id(u8);

impl From<Id> for MemberId {
    fn from(id: Id) -> Self {
        Self(id.0 % (MEMBERS as u8 + 1))
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Outcome {
    Done,
    Failed,
    Refused,
}

/// What a caller does; reports are about what is so, unless they are late.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Deed {
    Passes { milliseconds: u8 },
    Timer,
    Add { id: Id, standby: bool },
    Remove(Id),
    Park(Id),
    Unpark(Id),
    Recover(Id),
    SetRole { id: Id, standby: bool },
    SetAttempts(Option<u8>),
    Lost { id: Id, late: u8 },
    Quarantine { id: Id, late: u8 },
    Step { id: Id, outcome: Outcome, late: u8 },
    LoginAccepted { id: Id, officer: bool },
    LogOut,
    LoginChanged { id: Id, outcome: Outcome, late: u8 },
    StatusRead,
}

/// Bytes are deeds.
///
/// # Panics
/// The group machine is wrong.
pub fn group(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let mut world = World::new();
    while let Some(deed) = next(&mut bytes) {
        match deed {
            Deed::Passes { milliseconds } => world.now += u64::from(milliseconds),
            deed => {
                let input = world.input(deed);
                let _ = world.feed(input);
            }
        }
    }
    world.everybody_returns();
}

/// What has been seen of a member from outside.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// When its last attempt began, unless an order has made that of no account.
    attempt: Option<u64>,
    /// The next attempt is given whatever the policy says.
    given: bool,
    /// It may have real sessions.
    open: bool,
}

struct World {
    group: Group<MEMBERS>,
    now: u64,
    seen: [Seen; MEMBERS],
}

impl World {
    fn new() -> Self {
        let policy = Policy {
            interval: INTERVAL,
            attempts: Attempts::AtMost(2),
        };
        Self {
            group: Group::new(policy),
            now: 0,
            seen: [Seen::default(); MEMBERS],
        }
    }

    fn role(standby: bool) -> Role {
        if standby { Role::Standby } else { Role::Active }
    }

    fn incarnation(&self, member: MemberId, late: u8) -> Incarnation {
        let member = self.group.member(member);
        let now = member.map_or(0, |member| member.incarnation.0);
        Incarnation(now.wrapping_sub(late.into()))
    }

    fn input(&self, deed: Deed) -> Input {
        match deed {
            Deed::Passes { .. } | Deed::Timer => Input::Timer,
            Deed::Add { id, standby } => Input::Add {
                member: id.into(),
                role: Self::role(standby),
            },
            Deed::Remove(id) => Input::Remove { member: id.into() },
            Deed::Park(id) => Input::Park { member: id.into() },
            Deed::Unpark(id) => Input::Unpark { member: id.into() },
            Deed::Recover(id) => Input::Recover { member: id.into() },
            Deed::SetRole { id, standby } => Input::SetRole {
                member: id.into(),
                role: Self::role(standby),
            },
            Deed::SetAttempts(attempts) => Input::SetPolicy(Policy {
                interval: INTERVAL,
                attempts: attempts
                    .map_or(Attempts::Unlimited, |most| Attempts::AtMost(most.into())),
            }),
            Deed::Lost { id, late } => Input::Lost {
                member: id.into(),
                incarnation: self.incarnation(id.into(), late),
                evidence: FAILURE,
            },
            Deed::Quarantine { id, late } => Input::Quarantine {
                member: id.into(),
                incarnation: self.incarnation(id.into(), late),
                why: QuarantineReason::SelfTestFailed,
            },
            Deed::Step { id, outcome, late } => self.step(id.into(), outcome, late),
            Deed::LoginAccepted { id, officer } => Input::LoginAccepted {
                member: id.into(),
                incarnation: self.incarnation(id.into(), 0),
                user: if officer {
                    User::SecurityOfficer
                } else {
                    User::User
                },
            },
            Deed::LogOut => Input::LogOut,
            Deed::LoginChanged { id, outcome, late } => Input::LoginChanged {
                member: id.into(),
                incarnation: self.incarnation(id.into(), 0),
                generation: LoginGeneration(self.group.generation().0.wrapping_sub(late.into())),
                outcome: match outcome {
                    Outcome::Done => LoginOutcome::Done,
                    Outcome::Failed => LoginOutcome::Lost(FAILURE),
                    Outcome::Refused => LoginOutcome::Refused(QuarantineReason::PinRefused),
                },
            },
            Deed::StatusRead => Input::StatusRead,
        }
    }

    fn step(&self, member: MemberId, outcome: Outcome, late: u8) -> Input {
        let state = self.group.member(member).map(|member| member.state);
        let (serial, step) = match state {
            Some(MemberState::Recovering { serial, step, .. }) => (serial, step),
            _ => (AttemptSerial(1), Step::Connect),
        };
        Input::Step {
            member,
            serial: AttemptSerial(serial.0.wrapping_sub(late.into())),
            step,
            outcome: match outcome {
                Outcome::Done => StepOutcome::Done {
                    login: self.group.generation(),
                },
                Outcome::Failed => StepOutcome::Failed(FAILURE),
                Outcome::Refused => StepOutcome::Refused(QuarantineReason::TokenChanged),
            },
        }
    }

    fn feed(&mut self, input: Input) -> Output<MEMBERS> {
        let output = self.group.handle(input, Instant::from_millis(self.now));
        assert_eq!(self.group.check(), Ok(()), "after {input:?}");
        self.orders(input);
        for event in &output.events {
            self.follow(*event);
        }
        for action in &output.actions {
            self.opens_and_closes(*action);
        }
        self.who_serves();
        output
    }

    fn seen(&mut self, member: MemberId) -> &mut Seen {
        let seen = self.seen.get_mut(member.index());
        seen.unwrap_or_else(|| panic!("{member:?} is no id of the group's"))
    }

    /// An order counts attempts anew.
    fn orders(&mut self, input: Input) {
        if let Input::Recover { member } = input
            && let Some(MemberState::Recovering { outage, .. }) =
                self.group.member(member).map(|member| member.state)
            && outage.attempts == 1
            && let Some(seen) = self.seen.get_mut(member.index())
            && !seen.open
        {
            (seen.attempt, seen.given) = (None, true);
        }
    }

    /// S3: attempts are as many as the policy gives, and X apart.
    fn follow(&mut self, event: Event) {
        let policy = self.group.policy();
        let now = self.now;
        match event {
            Event::Added { member, .. } => {
                *self.seen(member) = Seen {
                    given: true,
                    ..Seen::default()
                };
            }
            Event::Unparked { member } => self.seen(member).given = true,
            Event::Lost { member, .. } | Event::Quarantined { member, .. } => {
                self.seen(member).given = false;
            }
            Event::AttemptBegan { member, number } => {
                let seen = self.seen(member);
                if let Some(last) = seen.attempt {
                    assert!(now >= last + INTERVAL.as_millis() as u64, "too soon");
                }
                if let (false, Attempts::AtMost(most)) = (seen.given, policy.attempts) {
                    assert!(number <= most, "attempt {number} of {most}");
                }
                (seen.attempt, seen.given) = (Some(now), false);
            }
            _ => {}
        }
    }

    /// S6, S11: what is opened is closed before it is opened again, and nothing is done where nothing is open.
    fn opens_and_closes(&mut self, action: Action) {
        let member = action.member();
        let seen = self.seen(member);
        match action {
            Action::Perform {
                step: Step::Connect,
                ..
            } => assert!(!std::mem::replace(&mut seen.open, true), "{action:?}"),
            Action::Close { .. } => {
                assert!(std::mem::replace(&mut seen.open, false), "{action:?}");
            }
            Action::Perform { .. } | Action::LogIn { .. } | Action::LogOut { .. } => {
                assert!(seen.open, "{action:?}");
            }
        }
    }

    /// S2, S5, S7: the view is who serves with the group's login, and the status is `CKR_OK` for whoever serves.
    fn who_serves(&self) {
        let view = self.group.view();
        for (id, member) in self.group.members() {
            let (active, standby) = (view.active.contains(id), view.standby.contains(id));
            assert_eq!(active || standby, member.is_usable(), "{member:?}");
            assert!(!member.state.serves() || self.seen[id.index()].open);
            let is_ok = self.group.status(id) == Some(ckr::OK);
            assert_eq!(is_ok, member.state.serves(), "{member:?}");
        }
    }

    /// L1: where every token can be reached and attempts have no end, whoever is neither parked nor set aside is back in bounded time.
    fn everybody_returns(&mut self) {
        let policy = Policy {
            interval: INTERVAL,
            attempts: Attempts::Unlimited,
        };
        let _ = self.feed(Input::SetPolicy(policy));
        for _ in 0..=MEMBERS {
            self.now += INTERVAL.as_millis() as u64;
            let _ = self.feed(Input::Timer);
            for id in (0..MEMBERS as u8).map(MemberId) {
                while let Some(MemberState::Recovering { .. }) =
                    self.group.member(id).map(|member| member.state)
                {
                    let done = self.step(id, Outcome::Done, 0);
                    let _ = self.feed(done);
                }
            }
        }
        for (id, member) in self.group.members() {
            let is_out = matches!(
                member.state,
                MemberState::Parked | MemberState::Quarantined { .. }
            );
            assert!(is_out || member.state.serves(), "{id:?} is {member:?}");
        }
    }
}
