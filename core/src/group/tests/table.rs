use std::fmt::{Debug, Write as _};
use std::string::String;
use std::{format, vec};

use super::*;
use crate::{LoginSync, Outage, QuarantineReason};

const WHY: QuarantineReason = QuarantineReason::PinRefused;
const NOW: u64 = 1000;

/// What each state does with each input, to be reviewed like code: of member A, beside B, which serves.
/// Inputs that do nothing about A are left out.
#[test]
fn the_transition_table() {
    let mut table = String::new();
    for (name, group) in states() {
        writeln!(table, "{name}: {}", describe(&group)).unwrap();
        for (name, input) in inputs(&group) {
            rows(&mut table, &group, name, input);
        }
    }
    insta::assert_snapshot!(table);
}

fn rows(table: &mut String, before: &Trio, name: &str, input: Input) {
    let mut after = before.clone();
    let output = at(&mut after, NOW, input);
    let stays = describe(&after) == describe(before);
    let mut own_actions = output
        .actions
        .iter()
        .filter(|action| action.member() == A)
        .peekable();
    if stays && own_actions.peek().is_none() {
        return;
    }
    let to = if stays {
        String::from("as before")
    } else {
        describe(&after)
    };
    writeln!(table, "  {name} -> {to}").unwrap();
    for action in own_actions {
        writeln!(table, "    do {}", short(action)).unwrap();
    }
    for event in &output.events {
        writeln!(table, "    tell {}", short(event)).unwrap();
    }
}

/// Member A in a few words.
fn describe(group: &Trio) -> String {
    let Some(member) = group.member(A) else {
        return String::from("Vacant");
    };
    let Member {
        role,
        state,
        incarnation,
        login,
    } = member;
    let outage = state.outage().map_or(String::new(), |outage| {
        let Outage {
            evidence,
            attempts,
            next_attempt_at,
            reported,
        } = outage;
        let next = next_attempt_at.as_millis() / 1000;
        let evidence = short(evidence);
        let reported = if *reported { ", reported" } else { "" };
        format!(" ({evidence}, {attempts} attempts, next from {next} s{reported})")
    });
    let state = match state {
        MemberState::Recovering { step, serial, .. } => {
            format!("Recovering #{} {step:?}", serial.0)
        }
        MemberState::Lost { .. } => String::from("Lost"),
        MemberState::GivenUp { .. } => String::from("GivenUp"),
        MemberState::Active
        | MemberState::Standby
        | MemberState::Quarantined { .. }
        | MemberState::Parked => short(&state),
    };
    let login = if login == LoginSync::Changing {
        ", login Changing"
    } else {
        ""
    };
    format!(
        "{state}{outage}{login} [{role:?}, incarnation {}]",
        incarnation.0
    )
}

fn short(value: &impl Debug) -> String {
    format!("{value:?}")
        .replace("MemberId(0)", "A")
        .replace("MemberId(1)", "B")
        .replace("Rv(48)", "CKR_DEVICE_ERROR")
        .replace("AttemptSerial", "")
        .replace("LoginGeneration", "")
        .replace("Incarnation", "")
}

/// A group in each kind of state that A can be in, logged in, at the second [`NOW`].
fn states() -> Vec<(&'static str, Trio)> {
    let mut vacant = trio(Attempts::AtMost(2));
    at(
        &mut vacant,
        0,
        Input::Add {
            member: B,
            role: Role::Active,
        },
    );
    bring_up(&mut vacant, 0, B);
    log_in(&mut vacant, 0, B);
    let joining = after(&vacant, |group| {
        at(
            group,
            900,
            Input::Add {
                member: A,
                role: Role::Active,
            },
        );
    });
    let active = after(&joining, |group| {
        bring_up(group, 900, A);
    });
    let lost = after(&active, |group| {
        lose(group, 980, A);
    });
    let resting = after(&lost, |group| {
        try_in_vain(group, 980, A);
    });
    let recovering = after(&resting, |group| {
        at(group, 990, Input::Recover { member: A });
    });
    let mut states = vec![
        ("Vacant", vacant),
        ("Joining", joining),
        ("Active", active.clone()),
        ("Lost, due", lost.clone()),
        ("Lost, resting", resting),
        (
            "Lost, no attempts",
            after(&lost, |group| set_attempts(group, 0)),
        ),
    ];
    let names = ["Connecting", "Opening", "Logging in", "Synchronising"];
    for (done, name) in names.into_iter().enumerate() {
        states.push((
            name,
            after(&recovering, |group| {
                for _ in 0..done {
                    step_done(group, 990, A);
                }
            }),
        ));
    }
    states.extend(more_states(&active, &recovering));
    states
}

fn more_states(active: &Trio, recovering: &Trio) -> [(&'static str, Trio); 5] {
    let given_up = after(recovering, |group| {
        set_attempts(group, 1);
        step_ends(group, 990, A, StepOutcome::Failed(FAILURE));
    });
    let quarantined = after(active, |group| {
        let incarnation = incarnation(group, A);
        at(
            group,
            990,
            Input::Quarantine {
                member: A,
                incarnation,
                why: WHY,
            },
        );
    });
    let standby = after(active, |group| {
        at(
            group,
            990,
            Input::SetRole {
                member: A,
                role: Role::Standby,
            },
        );
    });
    let parked = after(active, |group| {
        at(group, 990, Input::Park { member: A });
    });
    let changing = after(active, |group| {
        at(group, 990, Input::LogOut);
    });
    [
        ("GivenUp", given_up),
        ("Quarantined", quarantined),
        ("Standby", standby),
        ("Parked", parked),
        ("Active, logging out", changing),
    ]
}

fn after(group: &Trio, happens: impl FnOnce(&mut Trio)) -> Trio {
    let mut group = group.clone();
    happens(&mut group);
    group
}

fn set_attempts(group: &mut Trio, limit: u16) {
    let policy = Policy {
        attempts: Attempts::AtMost(limit),
        ..group.policy()
    };
    at(group, 990, Input::SetPolicy(policy));
}

/// Each input that differs to the machine, about A as it is in this group.
pub(super) fn inputs(group: &Trio) -> Vec<(&'static str, Input)> {
    let member = A;
    let incarnation = group
        .member(A)
        .map_or(Incarnation(0), |member| member.incarnation);
    let older = Incarnation(incarnation.0.wrapping_sub(1));
    let policy = |interval, limit| {
        let attempts = Attempts::AtMost(limit);
        Input::SetPolicy(Policy {
            interval: Duration::from_secs(interval),
            attempts,
        })
    };
    let mut inputs = vec![
        (
            "Add",
            Input::Add {
                member,
                role: Role::Standby,
            },
        ),
        ("Remove", Input::Remove { member }),
        ("Park", Input::Park { member }),
        ("Unpark", Input::Unpark { member }),
        ("Recover", Input::Recover { member }),
        (
            "SetRole Active",
            Input::SetRole {
                member,
                role: Role::Active,
            },
        ),
        (
            "SetRole Standby",
            Input::SetRole {
                member,
                role: Role::Standby,
            },
        ),
        ("SetPolicy no attempts", policy(60, 0)),
        ("SetPolicy one attempt, half the interval", policy(30, 1)),
        (
            "SetPolicy more attempts, twice the interval",
            policy(120, 9),
        ),
        (
            "Lost",
            Input::Lost {
                member,
                incarnation,
                evidence: FAILURE,
            },
        ),
        (
            "Lost, older",
            Input::Lost {
                member,
                incarnation: older,
                evidence: FAILURE,
            },
        ),
        (
            "Quarantine",
            Input::Quarantine {
                member,
                incarnation,
                why: WHY,
            },
        ),
        (
            "Quarantine, older",
            Input::Quarantine {
                member,
                incarnation: older,
                why: WHY,
            },
        ),
        ("Timer", Input::Timer),
        ("LogOut", Input::LogOut),
        ("StatusRead", Input::StatusRead),
    ];
    inputs.extend(step_inputs(group));
    inputs.extend(login_inputs(group, incarnation));
    inputs
}

fn step_inputs(group: &Trio) -> Vec<(&'static str, Input)> {
    let Some(MemberState::Recovering { serial, step, .. }) =
        group.member(A).map(|member| member.state)
    else {
        let outcome = StepOutcome::Done {
            login: group.generation(),
        };
        let (serial, step) = (AttemptSerial(1), Step::Synchronise);
        return vec![(
            "Step of no attempt",
            Input::Step {
                member: A,
                serial,
                step,
                outcome,
            },
        )];
    };
    let ends = |outcome| Input::Step {
        member: A,
        serial,
        step,
        outcome,
    };
    let older = AttemptSerial(serial.0 - 1);
    let login = group.generation();
    let done = StepOutcome::Done { login };
    vec![
        ("Step Done", ends(done)),
        (
            "Step Done, older login",
            ends(StepOutcome::Done {
                login: LoginGeneration(0),
            }),
        ),
        (
            "Step Failed",
            ends(StepOutcome::Failed(Evidence::NotReached)),
        ),
        ("Step Refused", ends(StepOutcome::Refused(WHY))),
        (
            "Step of an older attempt",
            Input::Step {
                member: A,
                serial: older,
                step,
                outcome: done,
            },
        ),
    ]
}

fn login_inputs(group: &Trio, incarnation: Incarnation) -> Vec<(&'static str, Input)> {
    let member = A;
    let generation = group.generation();
    let changed = |generation, outcome| Input::LoginChanged {
        member,
        incarnation,
        generation,
        outcome,
    };
    let accepted = |user| Input::LoginAccepted {
        member,
        incarnation,
        user,
    };
    vec![
        ("LoginAccepted, same user", accepted(User::User)),
        ("LoginAccepted, other user", accepted(User::SecurityOfficer)),
        ("LoginChanged Done", changed(generation, LoginOutcome::Done)),
        (
            "LoginChanged Lost",
            changed(generation, LoginOutcome::Lost(FAILURE)),
        ),
        (
            "LoginChanged Refused",
            changed(generation, LoginOutcome::Refused(WHY)),
        ),
        (
            "LoginChanged, older",
            changed(LoginGeneration(0), LoginOutcome::Lost(FAILURE)),
        ),
    ]
}
