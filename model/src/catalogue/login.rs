//! The group's login, and how the members follow it.

use everslot_core::MemberId;

use super::{failures, size, world};
use crate::scenario::Case;
use crate::world::Rule::{C1, L1, O1, O2, O3, S1, S2, S3, S4, S6, S7, S10, S11, S12};
use crate::world::{Budget, Kind, Orders, Plan, Start};

pub(super) fn all() -> Vec<Case<Plan>> {
    vec![login(), wrong_pin(), other_pin(), logout()]
}

fn login() -> Case<Plan> {
    let plan = Plan {
        callers: 2,
        kinds: &[Kind::Sign, Kind::LogIn { right: true }],
        budget: Budget {
            calls: Some(1),
            logins: 1,
            ..failures(1)
        },
        notices: true,
        logs_out: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S7, S10, S11, L1])
    };
    let about = "two callers, a login, a logout, a call; a death, recovered step by step";
    world("login", about, plan, size(786_871, 2_957_817, 31))
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
    let about = "two logins, right or wrong; a death and an odd answer";
    world("wrong-pin", about, plan, size(932_006, 2_891_167, 35))
}

fn other_pin() -> Case<Plan> {
    let plan = Plan {
        callers: 1,
        kinds: &[Kind::LogIn { right: true }, Kind::LogIn { right: false }],
        other_pin: Some(MemberId(1)),
        budget: Budget {
            logins: 2,
            orders: 1,
            ..failures(1)
        },
        notices: true,
        logs_out: true,
        orders: &[Orders::Recovering],
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S7, S11, S12, L1])
    };
    let about = "a member with another PIN; two logins, logouts, a death, an order to recover";
    world("other-pin", about, plan, size(1_215_326, 3_868_938, 39))
}

fn logout() -> Case<Plan> {
    let plan = Plan {
        start: Start::LoggedIn,
        callers: 1,
        kinds: &[Kind::Sign, Kind::LogIn { right: true }],
        budget: Budget {
            calls: Some(1),
            logins: 1,
            ..failures(1)
        },
        notices: true,
        logs_out: true,
        ..Plan::quiet(&[C1, O1, O2, O3, S1, S2, S3, S6, S7, S10, S11, L1])
    };
    let about = "logged in at first; a logout, a login, a call; a death, recovered step by step";
    world("logout", about, plan, size(339_649, 1_162_728, 33))
}
