//! What the adapter does about what the group asks for.

use everslot_core::{
    Action, Evidence, Incarnation, Input, Instant, Login, LoginOutcome, MemberId, Output,
    QuarantineReason, Step, StepOutcome, WakeUp,
};

use super::plan::{Pace, Plan, ticks};
use super::token::{Token, Work};
use super::{MEMBERS, World};

/// What is reported of a loss. The core makes no difference between kinds of evidence, and one kind keeps the world
/// smaller.
const SEEN: Evidence = Evidence::NotReached;

impl World {
    /// Feeds the group and carries out what it asks for.
    pub(super) fn feed(&mut self, input: Input) -> Output<MEMBERS> {
        let before = self.group.clone();
        let output = self.group.handle(input, self.now());
        for action in &output.actions {
            self.carry_out(*action);
        }
        self.watch_group(&before, input, &output);
        output
    }

    fn carry_out(&mut self, action: Action) {
        let token = &mut self.tokens[action.member().index()];
        match action {
            Action::Perform {
                serial,
                step,
                login,
                ..
            } => token.begin(Work::Step {
                serial,
                step,
                login,
            }),
            Action::LogIn {
                incarnation,
                generation,
                user,
                ..
            } => token.begin(Work::Login {
                incarnation,
                generation,
                to: Login::In(user),
            }),
            Action::LogOut {
                incarnation,
                generation,
                ..
            } => token.begin(Work::Login {
                incarnation,
                generation,
                to: Login::Out,
            }),
            Action::Close { incarnation, .. } => token.close(incarnation),
        }
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_millis(u64::from(self.now))
    }

    pub(super) fn timer(&mut self) {
        let _ = self.feed(Input::Timer);
    }

    /// Whether the adapter's thread has to feed the timer.
    pub(super) fn timer_is_due(&self) -> bool {
        match self.group.poll_timeout() {
            WakeUp::Idle => false,
            WakeUp::At(at, _) => at <= self.now(),
        }
    }

    pub(super) fn tick(&mut self, plan: &Plan) {
        self.left.ticks = self.left.ticks.map(|left| left - 1);
        self.group.rebase(ticks(1));
        for token in &mut self.tokens {
            if let Some(task) = &mut token.task {
                task.late = true;
            }
        }
        self.watch_tick(plan);
    }

    pub(super) fn noticed(&mut self, member: MemberId) {
        let incarnation = self.group.view().incarnations[member.index()];
        self.report_lost(member, incarnation);
    }

    pub(super) fn report_lost(&mut self, member: MemberId, incarnation: Incarnation) {
        let evidence = SEEN;
        let _ = self.feed(Input::Lost {
            member,
            incarnation,
            evidence,
        });
    }

    /// What the adapter does for a member ends, and at the pace of the plan what follows from it.
    pub(super) fn task_ends(&mut self, plan: &Plan, member: MemberId) {
        self.end_task(plan, member);
        while plan.pace == Pace::AtOnce && self.tokens[member.index()].is_in_attempt() {
            self.end_task(plan, member);
        }
    }

    /// A task ends, well or not, as the token has it.
    fn end_task(&mut self, plan: &Plan, member: MemberId) {
        let other_pin = plan.other_pin == Some(member);
        let token = &mut self.tokens[member.index()];
        let Some(task) = token.task.take() else {
            return;
        };
        let input = match task.work {
            Work::Step {
                serial,
                step,
                login,
            } => Input::Step {
                member,
                serial,
                step,
                outcome: token
                    .performs(step, login.0, other_pin)
                    .map_or_else(Refusal::of_step, |()| StepOutcome::Done { login: login.1 }),
            },
            Work::Login {
                incarnation,
                generation,
                to,
            } => Input::LoginChanged {
                member,
                incarnation,
                generation,
                outcome: token
                    .changes_login(to, other_pin)
                    .map_or_else(Refusal::of_login, |()| LoginOutcome::Done),
            },
        };
        if matches!(
            task.work,
            Work::Step {
                step: Step::LogIn,
                ..
            } | Work::Login { .. }
        ) {
            self.watch_pin(member, &input);
        }
        let _ = self.feed(input);
    }

    /// The token in the slot is not the one that it should be.
    pub(super) fn task_refused(&mut self, member: MemberId) {
        self.left.odd_answers -= 1;
        let task = self.tokens[member.index()].task.take();
        if let Some(Work::Step { serial, step, .. }) = task.map(|task| task.work) {
            let _ = self.feed(Input::Step {
                member,
                serial,
                step,
                outcome: StepOutcome::Refused(QuarantineReason::TokenChanged),
            });
        }
    }

    /// The note that the status of each member was read; what it shows is looked at in every state (S5).
    pub(super) fn read_status(&mut self) {
        let _ = self.feed(Input::StatusRead);
    }

    pub(super) fn log_out(&mut self) {
        let _ = self.feed(Input::LogOut);
    }
}

/// Why a token does not do what it is told.
enum Refusal {
    Gone,
    Pin,
}

impl Refusal {
    const fn of_step(self) -> StepOutcome {
        match self {
            Self::Gone => StepOutcome::Failed(SEEN),
            Self::Pin => StepOutcome::Refused(QuarantineReason::PinRefused),
        }
    }

    const fn of_login(self) -> LoginOutcome {
        match self {
            Self::Gone => LoginOutcome::Lost(SEEN),
            Self::Pin => LoginOutcome::Refused(QuarantineReason::PinRefused),
        }
    }
}

impl Token {
    /// Carries out a step of an attempt.
    fn performs(&mut self, step: Step, login: Login, other_pin: bool) -> Result<(), Refusal> {
        match step {
            Step::Connect if self.reachable => Ok(()),
            Step::Connect => Err(Refusal::Gone),
            Step::Open if self.reachable => {
                self.sessions = true;
                Ok(())
            }
            Step::Open => Err(Refusal::Gone),
            Step::LogIn => self.changes_login(login, other_pin),
            Step::Synchronise => self.answers(),
        }
    }

    fn changes_login(&mut self, to: Login, other_pin: bool) -> Result<(), Refusal> {
        self.answers()?;
        match to {
            Login::In(_) if other_pin => Err(Refusal::Pin),
            Login::In(_) => {
                self.logged_in = true;
                Ok(())
            }
            Login::Out => {
                self.logged_in = false;
                Ok(())
            }
        }
    }

    const fn answers(&self) -> Result<(), Refusal> {
        if self.is_well() {
            Ok(())
        } else {
            Err(Refusal::Gone)
        }
    }
}
