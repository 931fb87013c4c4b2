//! The longest way that a call can go before it is answered.

use std::time::Duration;

use everslot_core::{
    Binding, Call, CallInput, Incarnation, MemberId, MemberSet, Next, Repeat, Role, Serving,
    candidates,
};

/// How long a call that may be repeated takes at most before a member that is well has it: every other member that it is sent to is
/// silent until its deadline. The way is the core's own; of the candidates the one with the longest deadline is always the next.
pub(super) fn longest_failover(members: &[(Role, Duration)]) -> Duration {
    let of_role = |wanted: Role| -> MemberSet {
        let ids = (0..).map(MemberId).zip(members);
        ids.filter(|(_, (role, _))| *role == wanted)
            .map(|(id, _)| id)
            .collect()
    };
    let mut serving = Serving {
        active: of_role(Role::Active),
        standby: of_role(Role::Standby),
        changing: MemberSet::EMPTY,
    };
    let everybody = serving.active.union(serving.standby);
    let deadline = |member: MemberId| {
        let member = members.get(member.index());
        member.map_or(Duration::ZERO, |(_, deadline)| *deadline)
    };
    let mut call = Call::new(Repeat::Safe, Binding::Free);
    let (mut input, mut spent, mut last) = (CallInput::Start, Duration::ZERO, Duration::ZERO);
    loop {
        let output = call.handle(input);
        if let Some((lost, _)) = output.lost {
            serving.active.remove(lost);
            serving.standby.remove(lost);
        }
        input = match output.next {
            Next::Choose { tried } => {
                let among = candidates(serving, everybody, tried);
                let next = among.iter().max_by_key(|member| deadline(*member));
                CallInput::Chosen(next.map(|member| (member, Incarnation(1))))
            }
            Next::Send { member, .. } => {
                last = deadline(member);
                spent += last;
                CallInput::Unanswered { delivered: true }
            }
            // The last one that it was sent to is the one that answers.
            Next::Answer(_) => return spent - last,
            Next::Reopen { .. } => CallInput::Reopened(false),
            Next::Probe { .. } => CallInput::Probed(false),
        };
    }
}
