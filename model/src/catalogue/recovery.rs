//! Who is a member, and how a lost one comes back.

use everslot_core::Attempts;

use super::{endless, failures, size, world};
use crate::scenario::Case;
use crate::world::Rule::{C1, L1, O1, O2, S2, S3, S5, S6, S11, V1};
use crate::world::{Budget, Orders, Plan, Start};

pub(super) fn all() -> Vec<Case<Plan>> {
    vec![
        recovery(),
        late_reports(),
        start_up(),
        operator(),
        policy(),
        by_hand(),
        without_end(),
    ]
}

fn recovery() -> Case<Plan> {
    let plan = Plan {
        budget: failures(3),
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, S2, S3, S6, S11, L1])
    };
    let about = "three deaths at any moment, also during an attempt; returns at any moment";
    world("recovery", about, plan, size(2_016_441, 6_022_566, 44))
}

fn late_reports() -> Case<Plan> {
    let plan = Plan {
        budget: failures(2),
        notices: true,
        status_reads: true,
        ..Plan::quiet(&[C1, V1, O1, O2, S2, S3, S5, S6, S11, L1])
    };
    let about = "two deaths; status reads; in every state all that could come late or early comes";
    endless("late-reports", about, plan, size(133_168, 390_518, 31))
}

fn start_up() -> Case<Plan> {
    let plan = Plan {
        start: Start::Cold,
        budget: failures(1),
        notices: true,
        status_reads: true,
        ..Plan::quiet(&[C1, O1, O2, S2, S3, S5, S6, S11, L1])
    };
    let about = "members that have just been added, one of which may be absent";
    endless("start-up", about, plan, size(46_604, 164_570, 34))
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
    let about = "a death and three orders: add, remove, park, unpark, recover, change a role";
    world("operator", about, plan, size(399_007, 1_305_893, 34))
}

fn policy() -> Case<Plan> {
    let plan = Plan {
        other_policy: (3, Attempts::AtMost(1)),
        budget: Budget {
            orders: 2,
            ..failures(2)
        },
        notices: true,
        orders: &[Orders::Policies],
        ..Plan::quiet(&[C1, V1, O1, O2, S2, S3, S6, S11, L1])
    };
    let about = "two deaths; the operator lowers N, lengthens X, and takes it back";
    world("policy", about, plan, size(244_548, 687_765, 34))
}

fn by_hand() -> Case<Plan> {
    let plan = Plan {
        policy: (2, Attempts::AtMost(0)),
        budget: Budget {
            orders: 2,
            ..failures(2)
        },
        notices: true,
        status_reads: true,
        orders: &[Orders::Recovering],
        ..Plan::quiet(&[C1, V1, O1, O2, S2, S3, S5, S6, S11])
    };
    let about = "N = 0: nothing by itself, two deaths, two orders to recover";
    world("by-hand", about, plan, size(25_123, 77_558, 21))
}

fn without_end() -> Case<Plan> {
    let plan = Plan {
        policy: (2, Attempts::Unlimited),
        budget: Budget {
            ticks: Some(8),
            ..failures(2)
        },
        notices: true,
        ..Plan::quiet(&[C1, O1, O2, S2, S3, S6, S11, L1])
    };
    let about = "N without limit, two deaths, four minutes";
    world("without-end", about, plan, size(729_255, 1_574_439, 41))
}
