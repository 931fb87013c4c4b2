//! Rules about members: who serves, how the lost ones come back, what is known of them.

use everslot_core::{Attempts, LoginSync, MemberId, MemberState, ckr};
use stateright::Property;

use super::{Rule, always, seen};
use crate::world::caller::Busy;
use crate::world::plan::Plan;
use crate::world::watch::Breach;
use crate::world::{World, places};

pub(super) fn c1() -> Vec<Property<Plan>> {
    vec![
        always(
            "C1 the core's own invariants hold, and it never panics",
            |_, world| {
                world.watch.breach != Some(Breach::Panic)
                    && world.group.check().is_ok()
                    && world.busy().all(|busy| {
                        busy.call.check().is_ok()
                            && busy.job.is_none_or(|job| job.work.check().is_ok())
                    })
            },
        ),
        seen("C1 seen: a member is out of service", |_, world| {
            places().any(|id| !world.serves(id))
        }),
    ]
}

pub(super) fn v1() -> Vec<Property<Plan>> {
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

pub(super) fn o1(plan: &Plan) -> Vec<Property<Plan>> {
    let witness = if plan.budget.orders == 0 {
        seen("O1 seen: the report of a loss is taken", |_, world| {
            places().any(|id| !world.serves(id))
        })
    } else {
        seen("O1 seen: all orders are given", |_, world| {
            world.left.orders == 0
        })
    };
    let rule = always(
        "O1 an input does what it says, at once and to nobody else",
        |_, world| world.keeps(Rule::O1),
    );
    vec![rule, witness]
}

pub(super) fn o2() -> Vec<Property<Plan>> {
    vec![
        always("O2 the events tell what happened", |_, world| {
            world.keeps(Rule::O2)
        }),
        seen("O2 seen: a member is back", |_, world| {
            places().any(|id| world.serves(id) && world.incarnation(id) == 2)
        }),
    ]
}

pub(super) fn s3(plan: &Plan) -> Vec<Property<Plan>> {
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

pub(super) fn s5() -> Vec<Property<Plan>> {
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

pub(super) fn s6(plan: &Plan) -> Vec<Property<Plan>> {
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

pub(super) fn s11() -> Vec<Property<Plan>> {
    vec![
        always(
            "S11 nothing leaks: no lease of who does not serve, no attempt or login left alone",
            |_, world| {
                world.keeps(Rule::S11) && places().all(|id| world.holds_nothing_for_nothing(id))
            },
        ),
        seen(
            "S11 seen: an attempt has failed, and the token is there now",
            |_, world| {
                places().any(|id| {
                    let failed = world.group.member(id).is_some_and(|member| {
                        member
                            .state
                            .outage()
                            .is_some_and(|outage| outage.attempts > 0)
                            && !matches!(member.state, MemberState::Recovering { .. })
                    });
                    failed && world.token(id).reachable
                })
            },
        ),
    ]
}

pub(super) fn l1() -> Vec<Property<Plan>> {
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

impl World {
    /// Leases of this incarnation are to be had exactly while the member serves in it.
    fn leases_are_right(&self, id: MemberId) -> bool {
        let incarnation = self.group.view().incarnations[id.index()];
        self.serves(id) == self.token(id).leases(incarnation)
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
