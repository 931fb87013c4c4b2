//! A run of the world as the real adapter can be put through it: what happens, and how everybody stands after it.

use everslot_core::{
    Answer, Attempts, Login, LoginSync, Member, MemberId, MemberState, Role, Rv, ckr,
};
use serde::{Deserialize, Serialize};
use stateright::Model;

use super::act::Act;
use super::caller::Busy;
use super::job::Job;
use super::plan::{Pace, Plan, Recovery, Start};
use super::{MEMBERS, World, places};
use crate::scenario::Scripted;

/// A step of a script.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens.
    pub act: Act,
    /// How everybody stands then, as [`World::outline`] has it.
    pub then: String,
}

/// What the adapter has to be told of a world before anything happens in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The scenario's name.
    pub scenario: String,
    /// The members' roles.
    pub roles: [Role; MEMBERS],
    /// X in ticks, and N.
    pub policy: (u8, Attempts),
    /// What an operator changes it to.
    pub other_policy: (u8, Attempts),
    /// Who feeds the timer.
    pub recovery: Recovery,
    /// How an attempt is carried out.
    pub pace: Pace,
    /// How the world begins.
    pub start: Start,
    /// What is true of operations of many calls.
    pub job: Job,
    /// A member that has another PIN than the others.
    pub other_pin: Option<MemberId>,
}

impl Scripted for Plan {
    type Setting = Setting;
    type Step = Step;

    fn as_shipped(&self) -> Self {
        Self {
            as_shipped: true,
            ..self.clone()
        }
    }

    fn setting(&self, scenario: &str) -> Setting {
        Setting {
            scenario: scenario.to_owned(),
            roles: self.roles,
            policy: self.policy,
            other_policy: self.other_policy,
            recovery: self.recovery,
            pace: self.pace,
            start: self.start,
            job: self.job,
            other_pin: self.other_pin,
        }
    }

    fn step(&self, before: &World, act: Act) -> Option<(Step, World)> {
        let after = self.next_state(before, act)?;
        let then = after.outline();
        Some((Step { act, then }, after))
    }

    fn act(step: &Step) -> Act {
        step.act
    }
}

impl World {
    /// How everybody stands, in a line: the members, the group's login, the answers that callers have.
    #[must_use]
    pub fn outline(&self) -> String {
        let members: Vec<_> = places()
            .map(|id| outlined(self.group.member(id).as_ref()) + told(self.group.status(id)))
            .collect();
        let login = match self.group.login() {
            Login::Out => "out",
            Login::In(_) => "in",
        };
        let answers = self.callers.iter().enumerate().filter_map(|(at, caller)| {
            let answer = answered(caller.busy()?)?;
            Some(format!("; {at} {answer}"))
        });
        let answers: String = answers.collect();
        format!("{}; {login}{answers}", members.join(", "))
    }
}

fn outlined(member: Option<&Member>) -> String {
    let Some(member) = member else {
        return "none".to_owned();
    };
    let state = match member.state {
        MemberState::Active => format!("active {}", member.incarnation.0),
        MemberState::Standby => format!("standby {}", member.incarnation.0),
        MemberState::Lost { outage } => format!("lost {}", outage.attempts),
        MemberState::Recovering { step, outage, .. } => {
            format!("attempt {} {step:?}", outage.attempts)
        }
        MemberState::GivenUp { .. } => "given up".to_owned(),
        MemberState::Quarantined { .. } => "set aside".to_owned(),
        MemberState::Parked => "parked".to_owned(),
    };
    match member.login {
        LoginSync::Changing => state + " following",
        LoginSync::Void | LoginSync::Reached => state,
    }
}

/// Whether a status read has told of it.
fn told(code: Option<Rv>) -> &'static str {
    match code {
        Some(ckr::TOKEN_NOT_PRESENT) => " told",
        _ => "",
    }
}

fn answered(busy: &Busy) -> Option<&'static str> {
    use everslot_core::Verdict;

    Some(match (busy.answered()?, busy.reply) {
        (Answer::Reply, Some((_, Verdict::Fine))) => "done",
        (Answer::Reply, _) => "refused",
        (Answer::Unavailable | Answer::Unknown, _) => "failed",
    })
}

#[cfg(test)]
mod tests {
    use crate::catalogue::worlds;
    use crate::scenario::checked_in;

    #[test]
    fn the_scripts_that_the_adapter_is_put_through_are_runs_to_all_witnesses() {
        checked_in::are_runs_to_all_witnesses("", &worlds());
    }

    #[test]
    fn a_script_with_anything_altered_is_found_out() {
        let cases = worlds();
        let case = cases.iter().find(|case| case.name == "calls");
        checked_in::are_found_out_when_altered(
            "",
            case.expect("a scenario"),
            |setting| setting.policy.0 += 1,
            |step| step.then.push('!'),
        );
    }
}
