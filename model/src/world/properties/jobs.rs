//! Rules about work of many calls: what an answer is made of, and when it fails.

use everslot_core::{Answer, Replayable, Verdict};
use stateright::Property;

use super::{Rule, always, seen};
use crate::world::World;
use crate::world::act::Kind;
use crate::world::caller::Busy;
use crate::world::plan::Plan;

pub(super) fn s4(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![always(
        "S4 what answers a call has each acknowledged part once, in order, and nothing else",
        |_, world| world.keeps(Rule::S4),
    )];
    properties.push(if may_move_with_parts(plan) {
        seen(
            "S4 seen: a part was taken twice, by two members, and counts once",
            |_, world| {
                world
                    .answered_well()
                    .any(|busy| busy.job.is_some_and(|job| job.unheard) && busy.asked.len() == 2)
            },
        )
    } else {
        seen("S4 seen: a part was taken, and nobody knows", |_, world| {
            world.busy().any(|busy| {
                busy.job.is_some_and(|job| job.unheard)
                    && busy
                        .answered()
                        .is_some_and(|answer| answer != Answer::Reply)
            })
        })
    });
    properties
}

pub(super) fn s10(plan: &Plan) -> Vec<Property<Plan>> {
    let mut properties = vec![always(
        "S10 work that can be replayed fails only when nobody is left for it, or the output differs",
        |_, world| world.busy().all(Busy::fails_for_a_reason),
    )];
    if may_move_with_parts(plan) {
        properties.push(seen(
            "S10 seen: replayed to its end on another member",
            |_, world| {
                world
                    .answered_well()
                    .any(|busy| busy.kind == Kind::Finish && busy.asked.len() == 2)
            },
        ));
    }
    if may_move_with_parts(plan) && plan.losses() >= 2 {
        properties.push(seen(
            "S10 seen: lost again while it is replayed",
            |_, world| {
                world
                    .answered_well()
                    .any(|busy| busy.job.is_some() && busy.asked.len() == 3)
            },
        ));
    }
    if may_be_stuck(plan) {
        properties.push(seen(
            "S10 seen: work that cannot be replayed",
            |_, world| world.busy().any(Busy::fails_with_work),
        ));
    }
    properties
}

pub(super) fn o4() -> Vec<Property<Plan>> {
    vec![
        always("O4 all that work puts out goes together", |_, world| {
            world.keeps(Rule::O4)
        }),
        seen(
            "O4 seen: work that has put something out ends rather than mix it",
            |_, world| {
                world.busy().any(|busy| {
                    busy.fails_with_work() && busy.job.is_some_and(|job| job.work.has_given())
                })
            },
        ),
    ]
}

/// Whether work that has taken in parts can go on elsewhere.
fn may_move_with_parts(plan: &Plan) -> bool {
    let job = plan.job;
    let alike = job.replayable == Replayable::Alike || !job.output;
    job.bound > 0 && alike
}

/// Whether work can come to where it cannot go on elsewhere.
fn may_be_stuck(plan: &Plan) -> bool {
    let job = plan.job;
    job.bound < job.parts || job.output && (job.unlike || job.replayable != Replayable::Alike)
}

impl World {
    fn answered_well(&self) -> impl Iterator<Item = &Busy> {
        self.busy().filter(|busy| {
            busy.answered() == Some(Answer::Reply) && matches!(busy.reply, Some((_, Verdict::Fine)))
        })
    }
}

impl Busy {
    fn fails_with_work(&self) -> bool {
        let given_up = self.job.is_some_and(|job| job.given_up);
        self.job.is_some()
            && self
                .answered()
                .is_some_and(|answer| answer != Answer::Reply || given_up)
    }
}
