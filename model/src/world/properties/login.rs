//! Rules about the login of the group, and of its members.

use everslot_core::{Answer, Login, MemberId, MemberState};
use stateright::Property;

use super::{always, seen};
use crate::world::plan::{Pace, Plan};
use crate::world::{World, places};

pub(super) fn s7(plan: &Plan) -> Vec<Property<Plan>> {
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

pub(super) fn s12() -> Vec<Property<Plan>> {
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

impl World {
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
}
