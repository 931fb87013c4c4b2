//! Rules about calls: where they go, how often, and how they end.

use everslot_core::{Answer, CallInput, LoginSync, Repeat, Role, Verdict};
use stateright::Property;

use super::{Rule, always, seen};
use crate::world::act::Kind;
use crate::world::caller::{Busy, Stage};
use crate::world::plan::Plan;
use crate::world::{MEMBERS, World, places};

/// Active members: so many losses leave the standby alone.
const ACTIVE: u8 = MEMBERS as u8 - 1;

pub(super) fn o3() -> Vec<Property<Plan>> {
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

pub(super) fn s1() -> Vec<Property<Plan>> {
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

pub(super) fn s2(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![always(
        "S2 nothing is sent to a member that is not active, or standby with no active left",
        |_, world| world.keeps(Rule::S2) && world.publishes_who_serves(),
    )];
    if plan.losses() >= ACTIVE {
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
    if plan.callers > 0 && plan.losses() >= ACTIVE {
        properties.push(seen("S2 seen: a call at the standby", |_, world| {
            world.busy().any(|busy| world.is_at_standby(busy))
        }));
    }
    properties
}

pub(super) fn s4(plan: &Plan) -> Vec<Property<Plan>> {
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

pub(super) fn s10(plan: &Plan) -> Vec<Property<Plan>> {
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
    if plan.losses() >= ACTIVE {
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
    if plan.losses() > ACTIVE {
        properties.push(seen("S10 seen: nobody is left", |_, world| {
            world
                .busy()
                .any(|busy| busy.kind == Kind::Sign && busy.answered() == Some(Answer::Unavailable))
        }));
    }
    properties
}

pub(super) fn l2() -> Vec<Property<Plan>> {
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
    pub(super) fn fails_for_a_reason(&self) -> bool {
        if let Some(job) = self.job
            && job.given_up
        {
            return !self.moves || job.differed;
        }
        let nobody_left = self.steady.difference(self.asked).is_empty();
        let pinned = !self.moves;
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
