//! What must hold in every state, and what shows that it could have been otherwise.
//!
//! Each rule is an `always` and at least one `sometimes` with the same number: the dangerous situation that the rule is
//! about does come up.

use everslot_core::{
    Answer, Attempts, CallInput, Login, LoginSync, MemberId, MemberState, Repeat, Role, Verdict,
    ckr,
};
use stateright::Property;

use super::act::Kind;
use super::caller::{Busy, Stage};
use super::plan::{Pace, Plan};
use super::token::Token;
use super::watch::Breach;
use super::{MEMBERS, World, places};

/// A rule; the S and L numbers are the design's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Rule {
    /// The core's own invariants hold and it never panics.
    C1,
    /// What does not fit the state is void.
    V1,
    /// An order is obeyed at once, and touches nobody else.
    O1,
    /// The events tell what happened.
    O2,
    /// A member is lost for a reason.
    O3,
    /// Every call is answered exactly once.
    S1,
    /// Nothing is sent to a member that is not active.
    S2,
    /// Attempts are at most N and at least X apart.
    S3,
    /// What may not be repeated takes effect at most once.
    S4,
    /// The status reads are the seed's.
    S5,
    /// Nothing of an older incarnation is used.
    S6,
    /// Everybody who serves has the group's login, and nobody else has one.
    S7,
    /// A call that may be repeated fails only when nobody is left that could serve it.
    S10,
    /// Nothing leaks.
    S11,
    /// A wrong PIN reaches at most one member.
    S12,
    /// A member that can be reached comes back within a bound.
    L1,
    /// Every call ends after a bounded number of sends.
    L2,
}

impl Rule {
    /// The rule's properties in a world.
    pub(super) fn properties(self, plan: &Plan) -> Vec<Property<Plan>> {
        match self {
            Self::C1 => c1(),
            Self::V1 => v1(),
            Self::O1 => o1(),
            Self::O2 => o2(),
            Self::O3 => o3(),
            Self::S1 => s1(),
            Self::S2 => s2(plan),
            Self::S3 => s3(plan),
            Self::S4 => s4(plan),
            Self::S5 => s5(),
            Self::S6 => s6(plan),
            Self::S7 => s7(plan),
            Self::S10 => s10(plan),
            Self::S11 => s11(),
            Self::S12 => s12(),
            Self::L1 => l1(),
            Self::L2 => l2(),
        }
    }
}

type Holds = fn(&Plan, &World) -> bool;

fn always(name: &'static str, holds: Holds) -> Property<Plan> {
    Property::always(name, holds)
}

fn seen(name: &'static str, holds: Holds) -> Property<Plan> {
    Property::sometimes(name, holds)
}

fn c1() -> Vec<Property<Plan>> {
    vec![
        always(
            "C1 the core's own invariants hold, and it never panics",
            |_, world| {
                world.watch.breach != Some(Breach::Panic)
                    && world.group.check().is_ok()
                    && world.busy().all(|busy| busy.call.check().is_ok())
            },
        ),
        seen("C1 seen: a member is out of service", |_, world| {
            places().any(|id| !world.serves(id))
        }),
    ]
}

fn v1() -> Vec<Property<Plan>> {
    vec![
        always("V1 what does not fit the state is void", |_, world| {
            world.voids_are_void()
        }),
        seen(
            "V1 seen: a member serves in its third incarnation",
            |_, world| places().any(|id| world.serves(id) && world.incarnation(id) == 3),
        ),
    ]
}

fn o1() -> Vec<Property<Plan>> {
    vec![
        always(
            "O1 an input does what it says, at once and to nobody else",
            |_, world| world.keeps(Rule::O1),
        ),
        seen("O1 seen: the last order", |plan, world| {
            plan.budget.orders == 0 || world.left.orders == 0
        }),
    ]
}

fn o2() -> Vec<Property<Plan>> {
    vec![
        always("O2 the events tell what happened", |_, world| {
            world.keeps(Rule::O2)
        }),
        seen("O2 seen: a member is back", |_, world| {
            places().any(|id| world.serves(id) && world.incarnation(id) == 2)
        }),
    ]
}

fn o3() -> Vec<Property<Plan>> {
    vec![
        always(
            "O3 a call reports a member lost for a reason, and lets none pass",
            |_, world| world.keeps(Rule::O3),
        ),
        seen("O3 seen: a session made anew", |_, world| {
            world
                .busy()
                .any(|busy| busy.reopened && busy.answered() == Some(Answer::Reply))
        }),
    ]
}

fn s1() -> Vec<Property<Plan>> {
    vec![
        always("S1 every call is answered exactly once", |_, world| {
            world.keeps(Rule::S1) && world.busy().all(Busy::is_consistent)
        }),
        seen("S1 seen: an answer after two sends", |_, world| {
            world
                .busy()
                .any(|busy| busy.answered() == Some(Answer::Reply) && busy.sends == 2)
        }),
    ]
}

fn s2(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![always(
        "S2 nothing is sent to a member that is not active, or standby with no active left",
        |_, world| world.keeps(Rule::S2) && world.publishes_who_serves(),
    )];
    if plan.losses() >= 2 {
        properties.push(seen("S2 seen: only the standby serves", |_, world| {
            let view = world.group.view();
            view.active.is_empty() && !view.standby.is_empty()
        }));
    }
    if plan.callers > 0 && plan.is_lost_by_others() {
        properties.push(seen(
            "S2 seen: the member that was chosen is not there any more",
            |_, world| {
                world.busy().any(|busy| {
                matches!(busy.stage, Stage::Chosen(target) if !world.serves(target.member))
            })
            },
        ));
    }
    if plan.callers > 0 && plan.losses() >= 2 {
        properties.push(seen("S2 seen: a call at the standby", |_, world| {
            world.busy().any(|busy| world.is_at_standby(busy))
        }));
    }
    properties
}

fn s3(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![
        always(
            "S3 attempts are at most N and at least X apart, per outage",
            |_, world| world.keeps(Rule::S3),
        ),
        seen("S3 seen: the last attempt of an outage", |_, world| {
            let last = |attempts: u8| match world.group.policy().attempts {
                Attempts::AtMost(limit) => u16::from(attempts) == limit.max(1),
                Attempts::Unlimited => attempts == 1,
            };
            world.watch.members.iter().any(|seen| last(seen.attempts))
        }),
    ];
    if plan.budget.failures >= 2 {
        properties.push(seen(
            "S3 seen: back, and lost again within X of an attempt",
            |_, world| {
                places().any(|id| {
                    let member = world.group.member(id);
                    let rests = member
                        .and_then(|member| member.state.outage().copied())
                        .is_some_and(|outage| {
                            outage.attempts == 0 && outage.next_attempt_at > world.now()
                        });
                    rests && world.incarnation(id) >= 2
                })
            },
        ));
    }
    properties
}

fn s4(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![
        always(
            "S4 what may not be repeated takes effect at most once",
            |_, world| world.busy().all(|busy| busy.effects <= 1),
        ),
        seen("S4 seen: it took effect, and nobody knows", |_, world| {
            world
                .busy()
                .any(|busy| busy.answered() == Some(Answer::Unknown) && busy.effects == 1)
        }),
    ];
    if plan.sends_again_what_was_not_delivered() {
        properties.push(seen(
            "S4 seen: it was sent twice, and took effect once",
            |_, world| {
                world.busy().any(|busy| {
                    busy.answered() == Some(Answer::Reply) && busy.sends == 2 && busy.effects == 1
                })
            },
        ));
    }
    properties
}

fn s5() -> Vec<Property<Plan>> {
    vec![
        always("S5 the status reads are the seed's", |_, world| {
            places().all(|id| world.group.status(id) == world.expected_status(id))
        }),
        seen("S5 seen: one told, one not, one well", |_, world| {
            [ckr::OK, ckr::DEVICE_ERROR, ckr::TOKEN_NOT_PRESENT]
                .into_iter()
                .all(|code| places().any(|id| world.group.status(id) == Some(code)))
        }),
    ]
}

fn s6(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![always(
        "S6 no lease of an older incarnation is used, none of a serving one is void",
        |_, world| world.keeps(Rule::S6) && places().all(|id| world.leases_are_right(id)),
    )];
    properties.push(if plan.callers == 0 || !plan.is_lost_by_others() {
        seen("S6 seen: a member serves again", |_, world| {
            places().any(|id| world.serves(id) && world.incarnation(id) == 2)
        })
    } else {
        seen(
            "S6 seen: a call is at a member that has been lost and is back since",
            |_, world| {
                world.busy().filter_map(Busy::target).any(|target| {
                    world.serves(target.member)
                        && world.incarnation(target.member) > target.incarnation.0
                })
            },
        )
    });
    properties
}

fn s7(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![
        always(
            "S7 who serves has the group's login; after logout nobody is logged in",
            |_, world| places().all(|id| world.login_is_right(id)),
        ),
        seen(
            "S7 seen: a member that serves has still to follow",
            |_, world| {
                places()
                    .any(|id| world.serves(id) && world.token(id).logged_in != world.is_logged_in())
            },
        ),
    ];
    if plan.pace == Pace::StepByStep && plan.logs_out {
        properties.push(seen(
            "S7 seen: logged out, with a member on its way back that is logged in",
            |_, world| {
                world.group.login() == Login::Out
                    && places().any(|id| !world.serves(id) && world.token(id).logged_in)
            },
        ));
    }
    properties
}

fn s10(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![
        always(
            "S10 a call that may be repeated fails only when nobody is left for it",
            |_, world| world.busy().all(Busy::fails_for_a_reason),
        ),
        seen("S10 seen: another member answers", |_, world| {
            world.busy().any(|busy| {
                busy.kind == Kind::Sign
                    && busy.asked.len() == 2
                    && busy.answered() == Some(Answer::Reply)
            })
        }),
    ];
    if plan.losses() >= 2 {
        properties.push(seen(
            "S10 seen: the last member that is left answers",
            |_, world| {
                world.busy().any(|busy| {
                    busy.kind == Kind::Sign
                        && busy.asked.len() == MEMBERS as u32
                        && busy.answered() == Some(Answer::Reply)
                })
            },
        ));
    }
    if plan.losses() >= 3 {
        properties.push(seen("S10 seen: nobody is left", |_, world| {
            world
                .busy()
                .any(|busy| busy.kind == Kind::Sign && busy.answered() == Some(Answer::Unavailable))
        }));
    }
    properties
}

fn s11() -> Vec<Property<Plan>> {
    vec![
        always(
            "S11 nothing leaks: no lease of who does not serve, no attempt or login left alone",
            |_, world| places().all(|id| world.holds_nothing_for_nothing(id)),
        ),
        seen(
            "S11 seen: an attempt is over after it has opened something",
            |_, world| {
                places().any(|id| {
                    world.incarnation(id) == 0
                        && !world.token(id).reachable
                        && world.group.member(id).is_some_and(|member| {
                            member
                                .state
                                .outage()
                                .is_some_and(|outage| outage.attempts > 0)
                        })
                }) || places().any(|id| !world.serves(id) && world.incarnation(id) > 0)
            },
        ),
    ]
}

fn s12() -> Vec<Property<Plan>> {
    vec![
        always(
            "S12 a wrong PIN reaches at most one member, and a refused one is not tried again",
            |_, world| {
                world.busy().all(|busy| busy.wrong_pin_at.len() <= 1)
                    && world.watch.members.iter().all(|seen| seen.refusals <= 1)
            },
        ),
        seen(
            "S12 seen: a wrong PIN is sent to two members and reaches one",
            |_, world| {
                world.busy().any(|busy| {
                    busy.asked.len() == 2
                        && busy.wrong_pin_at.len() == 1
                        && busy.answered().is_some()
                })
            },
        ),
        seen("S12 seen: a wrong PIN, and no answer", |_, world| {
            world.busy().any(|busy| {
                busy.answered() == Some(Answer::Unknown) && !busy.wrong_pin_at.is_empty()
            })
        }),
    ]
}

fn l1() -> Vec<Property<Plan>> {
    vec![
        always(
            "L1 a member that can be reached comes back within X and a tick for each step",
            |plan, world| {
                world
                    .watch
                    .members
                    .iter()
                    .all(|seen| seen.waited <= plan.bound())
            },
        ),
        seen("L1 seen: and not sooner", |plan, world| {
            world
                .watch
                .members
                .iter()
                .any(|seen| seen.waited == plan.bound())
        }),
    ]
}

fn l2() -> Vec<Property<Plan>> {
    const MOST: u8 = MEMBERS as u8 + 1;
    vec![
        always(
            "L2 a call is sent at most once to each member, and once more",
            |_, world| world.busy().all(|busy| busy.sends <= MOST),
        ),
        seen("L2 seen: sent as often as that", |_, world| {
            world.busy().any(|busy| busy.sends == MOST)
        }),
    ]
}

impl World {
    fn keeps(&self, rule: Rule) -> bool {
        self.watch.breach != Some(Breach::Of(rule))
    }

    pub(super) fn busy(&self) -> impl Iterator<Item = &Busy> {
        self.callers.iter().filter_map(super::caller::Caller::busy)
    }

    fn token(&self, id: MemberId) -> &Token {
        &self.tokens[id.index()]
    }

    fn incarnation(&self, id: MemberId) -> u32 {
        self.group.view().incarnations[id.index()].0
    }

    fn is_at_standby(&self, busy: &Busy) -> bool {
        let member = match busy.stage {
            Stage::Sent(target) => self.group.member(target.member),
            Stage::Choosing { .. }
            | Stage::Chosen(_)
            | Stage::Reopening(_)
            | Stage::Probing(_)
            | Stage::Answered(_) => None,
        };
        member.is_some_and(|member| member.role == Role::Standby)
    }

    /// The view is exactly the members that serve with the group's login, by role.
    fn publishes_who_serves(&self) -> bool {
        let view = self.group.view();
        places().all(|id| {
            let role = self
                .group
                .member(id)
                .filter(|member| member.state.serves() && member.login == LoginSync::Reached)
                .map(|member| member.role);
            view.active.contains(id) == (role == Some(Role::Active))
                && view.standby.contains(id) == (role == Some(Role::Standby))
        })
    }

    /// Leases of this incarnation are to be had exactly while the member serves in it.
    fn leases_are_right(&self, id: MemberId) -> bool {
        let incarnation = self.group.view().incarnations[id.index()];
        self.serves(id) == self.token(id).leases(incarnation)
    }

    fn login_is_right(&self, id: MemberId) -> bool {
        let token = self.token(id);
        match self.group.member(id) {
            Some(member) if member.is_usable() => {
                !token.is_well() || token.logged_in == self.is_logged_in()
            }
            Some(member) if member.state.serves() => true,
            Some(member) => {
                !token.logged_in || matches!(member.state, MemberState::Recovering { .. })
            }
            None => !token.logged_in,
        }
    }

    /// S11: a member out of service holds nothing; what the group waits for is being done.
    fn holds_nothing_for_nothing(&self, id: MemberId) -> bool {
        let token = self.token(id);
        match self
            .group
            .member(id)
            .map(|member| (member.state, member.login))
        {
            Some((MemberState::Recovering { serial, step, .. }, _)) => {
                token.is_performing(serial, step)
            }
            Some((MemberState::Active | MemberState::Standby, LoginSync::Changing)) => {
                token.is_changing_login(self.group.generation())
            }
            Some((MemberState::Active | MemberState::Standby, _)) => token.task.is_none(),
            Some(_) | None => token.task.is_none() && !token.sessions,
        }
    }
}

impl Busy {
    /// The call wants what the adapter is about to do, and says so again whatever it is told in between; after its
    /// answer it only ever says the answer, and reports nothing any more.
    fn is_consistent(&self) -> bool {
        let mut call = self.call;
        let again = call.handle(CallInput::Start);
        let wanted = match self.stage {
            Stage::Sent(target) => Stage::Chosen(target),
            stage => stage,
        };
        let repeats = Stage::of(again.next) == wanted && again.lost.is_none() && call == self.call;
        repeats && (self.answered().is_none() || self.is_final())
    }

    fn is_final(&self) -> bool {
        let inputs = [
            CallInput::Chosen(None),
            CallInput::Verdict(Verdict::MemberLost { executed: false }),
            CallInput::Verdict(Verdict::Fine),
            CallInput::Unanswered { delivered: true },
            CallInput::Reopened(true),
            CallInput::Probed(false),
        ];
        inputs.into_iter().all(|input| {
            let mut call = self.call;
            let output = call.handle(input);
            Stage::of(output.next) == self.stage
                && output.lost.is_none()
                && output.set_aside.is_none()
        })
    }

    /// S10: whoever could have served it all the time was asked. Two members that are well and cannot tell are enough.
    fn fails_for_a_reason(&self) -> bool {
        let nobody_left = self.steady.difference(self.asked).is_empty();
        let pinned = self.kind == Kind::Continue;
        match (self.answered(), self.reply) {
            (None, _) | (Some(Answer::Reply), Some((_, Verdict::Fine | Verdict::CallersFault))) => {
                true
            }
            (Some(Answer::Reply), Some((_, Verdict::Unknown))) => {
                nobody_left || pinned || self.asked.len() >= 2 || !self.may_be_repeated()
            }
            (Some(Answer::Reply | Answer::Unavailable), _) => nobody_left || pinned,
            (Some(Answer::Unknown), _) => {
                self.kind.repeat() == Repeat::OnlyIfUndelivered && self.doubtful
            }
        }
    }
}
