//! A run of the world as the real adapter can be put through it: what happens, and how everybody stands after it.

use everslot_core::{
    Answer, Attempts, Login, LoginSync, Member, MemberId, MemberState, Role, Rv, ckr,
};
use serde::{Deserialize, Serialize};
use stateright::{Expectation, Model};

use super::act::Act;
use super::caller::Busy;
use super::job::Job;
use super::plan::{Pace, Plan, Recovery, Start};
use super::{MEMBERS, World, places};
use crate::scenario::Case;

/// A line of a file of scripts: JSON. The first line says which world it is; a witness's steps follow its name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Line {
    /// The world.
    World(Setting),
    /// A situation, or a broken rule, that the steps after it lead to.
    Witness(String),
    /// A situation that no run leads to which the adapter can be put through.
    Beyond(String),
    /// A step.
    Step {
        /// What happens.
        act: Act,
        /// How everybody stands then, as [`World::outline`] has it.
        then: String,
    },
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

/// The shortest runs to all that a world can show, of those that the adapter can be put through, as lines; a rule of the world that
/// is broken is shown like a situation.
#[must_use]
pub fn scripts(case: &Case<Plan>) -> Vec<Line> {
    let model = Plan {
        as_shipped: true,
        ..case.model.clone()
    };
    let mut lines = vec![Line::World(model.setting(case.name))];
    for (name, run) in crate::scenario::shortest_runs(&model) {
        match run {
            Some(acts) => {
                lines.push(Line::Witness(name.to_owned()));
                lines.extend(model.steps(acts));
            }
            None => lines.push(Line::Beyond(name.to_owned())),
        }
    }
    lines
}

/// What is wrong with scripts of a world: they are not its runs, or do not show what they are to, or some are missing.
///
/// # Errors
/// The first thing that is wrong, for people.
pub fn prove(case: &Case<Plan>, lines: &[Line]) -> Result<(), String> {
    let (first, rest) = lines.split_first().ok_or("there is nothing in it")?;
    if *first != Line::World(case.model.setting(case.name)) {
        return Err("it is about another world".to_owned());
    }
    let properties = case.model.properties();
    let mut expected: Vec<_> = properties
        .iter()
        .filter(|property| property.expectation == Expectation::Sometimes)
        .collect();
    for script in rest.chunk_by(|_, next| matches!(next, Line::Step { .. })) {
        let (Line::Witness(name) | Line::Beyond(name), steps) = script
            .split_first()
            .ok_or("there is nothing where a witness should be")?
        else {
            return Err("steps without a witness".to_owned());
        };
        let at = expected.iter().position(|property| property.name == name);
        let property = expected.remove(at.ok_or_else(|| format!("nothing is called {name:?}"))?);
        let end = case.model.follow(steps)?;
        let is_beyond = matches!(script, [Line::Beyond(_)]);
        if !is_beyond && !(property.condition)(&case.model, &end) {
            return Err(format!("its last state is not {name:?}"));
        }
    }
    match expected.first() {
        Some(property) => Err(format!("{:?} is missing", property.name)),
        None => Ok(()),
    }
}

impl Plan {
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

    fn steps(&self, acts: Vec<Act>) -> Vec<Line> {
        let mut world = World::start(self);
        let step = |act| {
            world.step(self, act);
            let then = world.outline();
            Line::Step { act, then }
        };
        acts.into_iter().map(step).collect()
    }

    /// The state that the steps lead to, if they are a run of the world.
    fn follow(&self, steps: &[Line]) -> Result<World, String> {
        let mut world = World::start(self);
        for step in steps {
            let Line::Step { act, then } = step else {
                return Err(format!("{step:?} is no step"));
            };
            let mut enabled = Vec::new();
            self.actions(&world, &mut enabled);
            if !enabled.contains(act) {
                return Err(format!("{act:?} cannot happen"));
            }
            world.step(self, *act);
            if world.outline() != *then {
                return Err(format!("{act:?} leads to {:?}", world.outline()));
            }
        }
        Ok(world)
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
    use super::*;

    /// The scripts that the adapter's tests play.
    fn checked_in(scenario: &str) -> Vec<Line> {
        let path = format!(
            "{}/../tests/witnesses/{scenario}.jsonl",
            env!("CARGO_MANIFEST_DIR")
        );
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{path}: {error}; `everslot-model scripts` makes it anew")
        });
        let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}"));
        text.lines().map(line).collect()
    }

    #[test]
    fn the_scripts_that_the_adapter_is_put_through_are_runs_to_all_witnesses() {
        for case in crate::catalogue::worlds() {
            if let Err(wrong) = prove(&case, &checked_in(case.name)) {
                panic!("{}: {wrong}", case.name);
            }
        }
    }

    #[test]
    fn a_script_with_anything_altered_is_found_out() {
        let cases = crate::catalogue::worlds();
        let case = cases.iter().find(|case| case.name == "calls");
        let case = case.expect("a scenario");
        let whole = checked_in(case.name);
        for at in 0..whole.len() {
            let mut lines = whole.clone();
            match &mut lines[at] {
                Line::World(setting) => setting.policy.0 += 1,
                Line::Witness(text) | Line::Beyond(text) | Line::Step { then: text, .. } => {
                    text.push('!');
                }
            }
            assert!(prove(case, &lines).is_err(), "{:?}", whole[at]);
        }
    }
}
