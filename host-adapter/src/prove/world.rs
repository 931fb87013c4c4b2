//! A group of the user's own making in a world in which tokens die and return: what the core does about it, state by state.

use std::time::Duration;

use everslot_core::{
    Attempts, Evidence, Group, Incarnation, Input, Instant, MemberId, MemberState, Policy, Role,
    StepOutcome, WakeUp,
};

use super::MOST_MEMBERS;

/// It always is the start of time; what is planned comes nearer instead, so that there is an end of states.
const NOW: Instant = Instant::ZERO;
/// X, which is the world's only unit of time.
const TICK: Duration = Duration::from_millis(1);

/// How things stand.
#[derive(Clone, Debug)]
pub(super) struct World {
    group: Group<MOST_MEMBERS>,
    /// Whether each member's token can be reached.
    reachable: Vec<bool>,
    /// Deaths that may still happen.
    losses: usize,
}

/// What can happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Act {
    /// A member's token dies, and a call finds out.
    Dies(MemberId),
    /// It can be reached again.
    Returns(MemberId),
    /// An attempt that is due, from its beginning to its end.
    Attempt,
    /// X goes by.
    Passes,
}

/// What of a world decides what can become of it. Incarnations and serials only count on; attempts that have no end are not counted;
/// members of one role are alike.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Essence {
    members: Vec<(Role, Standing, bool)>,
    losses: usize,
}

/// A member as far as it matters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Standing {
    Serves,
    Waits { attempts: u16, due: bool },
    IsTried,
    Out,
}

impl World {
    /// All members serve, and have for long; so many tokens may die.
    pub(super) fn new(roles: &[Role], attempts: Attempts, losses: usize) -> Self {
        let mut world = Self {
            group: Group::new(Policy {
                interval: TICK,
                attempts,
            }),
            reachable: vec![true; roles.len()],
            losses,
        };
        for (member, role) in (0..).map(MemberId).zip(roles) {
            let role = *role;
            let _ = world.group.handle(Input::Add { member, role }, NOW);
        }
        for _ in roles {
            world.attempt();
        }
        world.group.rebase(TICK);
        world
    }

    /// All that can happen next. Time passes only when no attempt is due: the timer is not late.
    pub(super) fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        for (member, reachable) in self.tokens() {
            if !reachable {
                acts.push(Act::Returns(member));
            } else if self.losses > 0 && self.serves(member) {
                acts.push(Act::Dies(member));
            }
        }
        acts.push(if self.is_due() {
            Act::Attempt
        } else {
            Act::Passes
        });
        acts
    }

    pub(super) fn after(&self, act: Act) -> Self {
        let mut after = self.clone();
        match act {
            Act::Dies(member) => after.die(member),
            Act::Returns(member) => after.set_reachable(member, true),
            Act::Attempt => after.attempt(),
            Act::Passes => after.group.rebase(TICK),
        }
        after
    }

    pub(super) fn essence(&self) -> Essence {
        let mut members: Vec<_> = self
            .group
            .members()
            .zip(&self.reachable)
            .map(|((_, member), reachable)| (member.role, self.standing(&member.state), *reachable))
            .collect();
        members.sort_unstable();
        Essence {
            members,
            losses: self.losses,
        }
    }

    /// Whether anybody serves.
    pub(super) fn is_up(&self) -> bool {
        self.tokens().any(|(member, _)| self.serves(member))
    }

    /// Whether nobody but standby members serves.
    pub(super) fn is_on_standby(&self) -> bool {
        let view = self.group.view();
        view.active.is_empty() && !view.standby.is_empty()
    }

    /// Members that do not serve.
    pub(super) fn lost(&self) -> usize {
        let members = self.tokens();
        members.filter(|(member, _)| !self.serves(*member)).count()
    }

    /// Members that serve.
    pub(super) fn serving(&self) -> usize {
        let members = self.tokens();
        members.filter(|(member, _)| self.serves(*member)).count()
    }

    /// Whether a member stays out of service for good although its token can be reached.
    pub(super) fn leaves_somebody_out(&self) -> bool {
        self.tokens()
            .any(|(member, reachable)| reachable && self.is_out(member))
    }

    /// Whether every token can be reached, and still nobody will serve ever again.
    pub(super) fn is_down_for_good(&self) -> bool {
        self.tokens()
            .all(|(member, reachable)| reachable && self.is_out(member))
    }

    /// How a member stands, for people.
    pub(super) fn told(&self, member: MemberId) -> String {
        let state = self.group.member(member).map(|member| member.state);
        let state = match state {
            Some(MemberState::Active) => "active".to_owned(),
            Some(MemberState::Standby) => "standby".to_owned(),
            Some(MemberState::Lost { outage }) if self.is_out(member) => {
                format!("lost for good, {} tried", outage.attempts)
            }
            Some(MemberState::Lost { outage }) => format!("lost, {} tried", outage.attempts),
            Some(MemberState::Recovering { .. }) => "is tried".to_owned(),
            Some(MemberState::GivenUp { .. }) => "given up".to_owned(),
            Some(MemberState::Quarantined { .. }) => "quarantined".to_owned(),
            Some(MemberState::Parked) => "parked".to_owned(),
            None => "no member".to_owned(),
        };
        match self.reachable.get(member.index()) {
            Some(false) => format!("{state} (dead)"),
            Some(true) | None => state,
        }
    }

    fn tokens(&self) -> impl Iterator<Item = (MemberId, bool)> + '_ {
        (0..).map(MemberId).zip(self.reachable.iter().copied())
    }

    fn serves(&self, member: MemberId) -> bool {
        let found = self.group.member(member);
        found.is_some_and(|member| member.state.serves())
    }

    /// Out of service, and nothing will be tried by itself.
    fn is_out(&self, member: MemberId) -> bool {
        let found = self.group.member(member);
        found.is_some_and(|member| self.standing(&member.state) == Standing::Out)
    }

    fn standing(&self, state: &MemberState) -> Standing {
        let attempts = self.group.policy().attempts;
        match state {
            MemberState::Active | MemberState::Standby => Standing::Serves,
            MemberState::Lost { outage } => match attempts {
                Attempts::AtMost(most) if outage.attempts >= most => Standing::Out,
                Attempts::AtMost(_) => Standing::Waits {
                    attempts: outage.attempts,
                    due: outage.next_attempt_at <= NOW,
                },
                Attempts::Unlimited => Standing::Waits {
                    attempts: outage.attempts.min(1),
                    due: outage.next_attempt_at <= NOW,
                },
            },
            MemberState::Recovering { .. } => Standing::IsTried,
            MemberState::GivenUp { .. } | MemberState::Quarantined { .. } | MemberState::Parked => {
                Standing::Out
            }
        }
    }

    fn is_due(&self) -> bool {
        match self.group.poll_timeout() {
            WakeUp::Idle => false,
            WakeUp::At(at, _) => at <= NOW,
        }
    }

    fn set_reachable(&mut self, member: MemberId, is: bool) {
        if let Some(reachable) = self.reachable.get_mut(member.index()) {
            *reachable = is;
        }
    }

    fn die(&mut self, member: MemberId) {
        self.losses = self.losses.saturating_sub(1);
        self.set_reachable(member, false);
        let incarnation = self.group.member(member).map(|member| member.incarnation);
        let _ = self.group.handle(
            Input::Lost {
                member,
                incarnation: incarnation.unwrap_or(Incarnation(0)),
                evidence: Evidence::NotReached,
            },
            NOW,
        );
    }

    /// Begins the attempt that is longest due and ends each of its steps as the token has it.
    fn attempt(&mut self) {
        let mut output = self.group.handle(Input::Timer, NOW);
        while let Some(everslot_core::Action::Perform {
            member,
            serial,
            step,
            login: (_, login),
        }) = output.actions.pop()
        {
            let reachable = self.reachable.get(member.index()).copied();
            let outcome = if reachable.unwrap_or_default() {
                StepOutcome::Done { login }
            } else {
                StepOutcome::Failed(Evidence::NotReached)
            };
            let ended = Input::Step {
                member,
                serial,
                step,
                outcome,
            };
            output = self.group.handle(ended, NOW);
        }
    }
}
