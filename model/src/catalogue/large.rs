//! The larger scenarios, for the feature `large`: four members, three of them active, and three callers; or two processes
//! with three members.

use everslot_core::Replayable;

use super::{failures, objects, size, world};
use crate::objects::{Plan as Objects, Start, Wish};
use crate::scenario::{Case, Scenario, Size};
use crate::world::Rule::{C1, L1, O1, O2, O3, O4, S1, S2, S3, S4, S6, S7, S10, S11, S12, V1};
use crate::world::{Budget, Job, Kind, Orders, Pace, Plan, Rule};

pub(super) fn all() -> Vec<Box<dyn Scenario>> {
    let worlds = [
        recovery(),
        operator(),
        calls(),
        failover(),
        unclear(),
        replay(),
        replay_output(),
        login(),
        wrong_pin(),
    ];
    let mut all: Vec<Box<dyn Scenario>> = Vec::new();
    for world in worlds {
        all.push(Box::new(world));
    }
    for world in [creation(), processes(), reconcile()] {
        all.push(Box::new(world));
    }
    all
}

fn recovery() -> Case<Plan> {
    let plan = Plan {
        budget: failures(3),
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, S2, S3, S6, S11, L1])
    };
    let about = "four members, three deaths at any moment, also during an attempt";
    world(
        "large-recovery",
        about,
        plan,
        size(7_336_561, 22_246_060, 44),
    )
}

fn operator() -> Case<Plan> {
    let plan = Plan {
        budget: Budget {
            orders: 3,
            ..failures(1)
        },
        notices: true,
        orders: &[
            Orders::Membership,
            Orders::Parking,
            Orders::Recovering,
            Orders::Roles,
        ],
        ..Plan::quiet(&[C1, V1, O1, O2, S2, S3, S6, S11, L1])
    };
    let about = "four members, a death and three orders of the operator";
    world(
        "large-operator",
        about,
        plan,
        size(1_027_008, 3_427_227, 34),
    )
}

fn calls() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 3,
        kinds: &[Kind::Sign, Kind::Generate],
        budget: Budget {
            calls: Some(3),
            ..failures(1)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11])
    };
    let about = "four members, three callers, three calls, repeatable or not; a death";
    world("large-calls", about, plan, size(13_989_063, 67_273_561, 32))
}

fn failover() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 1,
        kinds: &[Kind::Sign],
        budget: Budget {
            calls: Some(1),
            ..failures(3)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S10, S11])
    };
    let about = "four members, one repeatable call, three deaths: down to the standby and back";
    world(
        "large-failover",
        about,
        plan,
        size(13_593_525, 49_556_954, 40),
    )
}

fn unclear() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 2,
        kinds: &[Kind::Sign, Kind::Generate],
        budget: Budget {
            calls: Some(2),
            odd_answers: 1,
            ..failures(1)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11])
    };
    let about =
        "four members, two callers, two calls, repeatable or not; an odd answer and a death";
    world(
        "large-unclear",
        about,
        plan,
        size(11_594_328, 44_691_905, 31),
    )
}

fn replay() -> Case<Plan> {
    let signature = Job {
        replayable: Replayable::UntilOutput,
        bound: 2,
        output: false,
        parts: 2,
        unlike: false,
    };
    work(
        "large-replay",
        "four members, work of two parts without output; two deaths at any step of it or of its replay",
        signature,
        &[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11],
        size(8_170_442, 25_278_845, 48),
    )
}

fn replay_output() -> Case<Plan> {
    let cipher = Job {
        replayable: Replayable::Alike,
        bound: 2,
        output: true,
        parts: 2,
        unlike: true,
    };
    work(
        "large-replay-output",
        "four members, work of two parts with output; C puts out something else; two deaths",
        cipher,
        &[C1, O1, O2, O3, O4, S1, S2, S3, S4, S6, S10, S11],
        size(8_250_299, 25_454_745, 48),
    )
}

/// Work of many calls, met by two deaths.
fn work(
    name: &'static str,
    about: &'static str,
    job: Job,
    rules: &'static [Rule],
    size: Size,
) -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 1,
        kinds: &[Kind::Begin, Kind::Part, Kind::Finish],
        job,
        budget: Budget {
            calls: Some(4),
            ..failures(2)
        },
        notices: true,
        ..Plan::quiet(rules)
    };
    world(name, about, plan, size)
}

fn login() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 3,
        kinds: &[Kind::Sign, Kind::LogIn { right: true }],
        budget: Budget {
            calls: Some(1),
            logins: 1,
            ..failures(1)
        },
        logs_out: true,
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S7, S10, S11])
    };
    let about = "four members, three callers, a login, a logout, a call; a death";
    world("large-login", about, plan, size(3_671_566, 16_098_627, 30))
}

fn wrong_pin() -> Case<Plan> {
    let plan = Plan {
        callers: 1,
        kinds: &[Kind::LogIn { right: true }, Kind::LogIn { right: false }],
        budget: Budget {
            logins: 2,
            odd_answers: 1,
            ..failures(1)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S4, S6, S7, S11, S12, L1])
    };
    let about = "four members, two logins, right or wrong; a death and an odd answer";
    world(
        "large-wrong-pin",
        about,
        plan,
        size(3_218_331, 10_746_840, 36),
    )
}

fn creation() -> Case<Objects> {
    objects::case(
        "large-creation",
        "an object is made on four members; three tokens and the process die at any moment",
        Objects {
            members: 4,
            deaths: 3,
            ..objects::one(Start::Equal(0), vec![Wish::Create(0)])
        },
        size(3_760_828, 11_315_265, 94),
    )
}

/// Without endless runs: the graph of our own that these are sought on would not fit into memory.
fn processes() -> Case<Objects> {
    let case = objects::case(
        "large-two-processes",
        "one process makes an object, another destroys one, both reconcile; a token and a process die",
        Objects {
            members: 2,
            ..objects::two(vec![Wish::Create(1)], vec![Wish::Destroy(0)])
        },
        size(12_064_438, 26_578_217, 135),
    );
    Case {
        liveness: Vec::new(),
        ..case
    }
}

fn reconcile() -> Case<Objects> {
    objects::case(
        "large-reconcile",
        "a member is back that lacks, keeps, has changed and has made objects; one more is destroyed meanwhile; a token and the \
         process die",
        objects::one(Start::Behind, vec![Wish::Destroy(2)]),
        size(1_877_599, 3_694_880, 165),
    )
}
