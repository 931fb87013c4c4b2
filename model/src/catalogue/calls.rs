//! How calls go on when members do not.

use everslot_core::Replayable;

use super::{endless, failures, size, world};
use crate::scenario::Case;
use crate::world::Rule::{C1, L1, L2, O1, O2, O3, O4, S1, S2, S3, S4, S5, S6, S7, S10, S11};
use crate::world::{Budget, Job, Kind, Orders, Pace, Plan, Recovery, Rule};

pub(super) fn all() -> Vec<Case<Plan>> {
    vec![
        calls(),
        failover(),
        all_lost(),
        odd_answers(),
        unclear(),
        multi_part(),
        replay(),
        replay_output(),
        replay_random(),
        background(),
        in_call(),
        everything(),
    ]
}

fn calls() -> Case<Plan> {
    let plan = Plan {
        callers: 2,
        kinds: &[Kind::Sign, Kind::Generate],
        budget: Budget {
            calls: Some(2),
            ..failures(1)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11])
    };
    let about = "two callers, two calls, repeatable or not; a death, recovered step by step";
    world("calls", about, plan, size(243_944, 901_058, 28))
}

fn failover() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 2,
        kinds: &[Kind::Sign],
        budget: Budget {
            calls: Some(2),
            ..failures(2)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S10, S11])
    };
    let about = "two callers, two repeatable calls, two deaths: down to the standby and back";
    world("failover", about, plan, size(3_136_399, 12_289_048, 37))
}

fn all_lost() -> Case<Plan> {
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
    let about = "one repeatable call while all three members die and return";
    world("all-lost", about, plan, size(3_290_784, 11_715_036, 40))
}

fn odd_answers() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 1,
        kinds: &[Kind::Sign],
        budget: Budget {
            calls: Some(1),
            odd_answers: 3,
            ..failures(1)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S10, S11, L2])
    };
    let about =
        "one call, three answers that it does not deserve: busy, failed, lost, silence; a death";
    endless("odd-answers", about, plan, size(298_293, 903_342, 32))
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
    let about = "two callers, two calls, repeatable or not; an odd answer and a death";
    world("unclear", about, plan, size(3_288_580, 12_373_728, 31))
}

/// Multi-part work, as far as the scenarios of it have that in common.
fn work(job: Job, rules: &'static [Rule]) -> Plan {
    Plan {
        pace: Pace::AtOnce,
        callers: 1,
        kinds: &[Kind::Begin, Kind::Part, Kind::Finish],
        job,
        ..Plan::quiet(rules)
    }
}

fn multi_part() -> Case<Plan> {
    let past_the_bound = Job {
        replayable: Replayable::Alike,
        bound: 0,
        output: false,
        parts: 1,
        unlike: false,
    };
    let plan = Plan {
        budget: Budget {
            calls: Some(3),
            odd_answers: 1,
            ..failures(1)
        },
        notices: true,
        ..work(
            past_the_bound,
            &[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11],
        )
    };
    let about = "work that has outgrown its transcript; a death, an odd answer";
    world("multi-part", about, plan, size(255_480, 688_146, 34))
}

fn replay() -> Case<Plan> {
    let signature = Job {
        replayable: Replayable::UntilOutput,
        bound: 2,
        output: false,
        parts: 2,
        unlike: false,
    };
    let plan = Plan {
        budget: Budget {
            calls: Some(4),
            ..failures(2)
        },
        notices: true,
        ..work(signature, &[C1, O1, O2, O3, S1, S2, S3, S4, S6, S10, S11])
    };
    let about = "work of two parts without output, such as a signature; two deaths at any step of it or of its replay";
    world("replay", about, plan, size(2_836_034, 8_643_552, 48))
}

fn replay_output() -> Case<Plan> {
    let cipher = Job {
        replayable: Replayable::Alike,
        bound: 2,
        output: true,
        parts: 2,
        unlike: true,
    };
    let plan = Plan {
        budget: Budget {
            calls: Some(4),
            ..failures(2)
        },
        ..work(cipher, &[C1, O1, O2, O3, O4, S1, S2, S3, S4, S6, S10, S11])
    };
    let about =
        "work of two parts with output, such as a cipher; C puts out something else; two deaths";
    world("replay-output", about, plan, size(678_944, 1_997_854, 48))
}

fn replay_random() -> Case<Plan> {
    let cipher = Job {
        replayable: Replayable::UntilOutput,
        bound: 1,
        output: true,
        parts: 2,
        unlike: false,
    };
    let plan = Plan {
        budget: Budget {
            calls: Some(4),
            odd_answers: 1,
            ..failures(1)
        },
        ..work(cipher, &[C1, O1, O2, O3, O4, S1, S2, S3, S4, S6, S10, S11])
    };
    let about = "work whose output is never the same twice; a death, an odd answer";
    world("replay-random", about, plan, size(252_961, 679_628, 42))
}

fn background() -> Case<Plan> {
    let plan = Plan {
        callers: 1,
        kinds: &[Kind::Sign],
        budget: failures(2),
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S10, S11, L1])
    };
    let about = "calls without end, two deaths that only a call finds, recovery in the background";
    endless("background", about, plan, size(229_701, 723_851, 48))
}

fn in_call() -> Case<Plan> {
    let plan = Plan {
        recovery: Recovery::InCall,
        callers: 1,
        kinds: &[Kind::Sign],
        budget: failures(2),
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S10, S11])
    };
    let about = "the same with the timer fed by calls alone, as in the seed";
    endless("in-call", about, plan, size(78_952, 224_932, 62))
}

fn everything() -> Case<Plan> {
    let plan = Plan {
        pace: Pace::AtOnce,
        callers: 2,
        kinds: &[Kind::Sign, Kind::LogIn { right: true }],
        budget: Budget {
            calls: Some(1),
            logins: 1,
            orders: 1,
            ..failures(1)
        },
        notices: true,
        status_reads: true,
        logs_out: true,
        orders: &[
            Orders::Membership,
            Orders::Parking,
            Orders::Recovering,
            Orders::Roles,
        ],
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S5, S6, S7, S10, S11])
    };
    let about = "two callers, a call, a login, a logout, an order, status reads, a death";
    world("everything", about, plan, size(6_796_884, 32_796_321, 34))
}
