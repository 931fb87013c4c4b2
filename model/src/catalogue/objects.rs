//! Changes of objects, and members that are brought back to what the group has.

use everslot_core::Copies;

use super::size;
use crate::objects::{Plan, Start, Wish};
use crate::scenario::{Case, Size};

pub(super) fn all() -> Vec<Case<Plan>> {
    let create = || vec![Wish::Create(0)];
    let gone = || vec![Wish::Destroy(0)];
    vec![
        case(
            "creation",
            "an object is made on three members; two tokens and the process die at any moment",
            Plan {
                deaths: 2,
                ..one(Start::Equal(0), create())
            },
            size(103_728, 252_164, 73),
        ),
        case(
            "two-copies",
            "an object is made on two of three members; a token and the process die, a token returns empty",
            Plan {
                copies: Copies::Number(2),
                wipes: 1,
                ..one(Start::Equal(0), create())
            },
            size(11_573, 19_989, 72),
        ),
        case(
            "destruction",
            "an object is destroyed; two tokens and the process die at any moment",
            Plan {
                deaths: 2,
                ..one(Start::Equal(1), gone())
            },
            size(118_880, 289_411, 80),
        ),
        case(
            "update",
            "an object is changed; a token and the process die, a token returns empty",
            Plan {
                wipes: 1,
                ..one(Start::Equal(1), vec![Wish::Update(0)])
            },
            size(32_850, 49_700, 82),
        ),
        case(
            "reconcile",
            "a member is back that lacks, keeps, has changed and has made objects; one more is destroyed meanwhile; a token dies",
            Plan {
                crashes: 0,
                ..one(Start::Behind, vec![Wish::Destroy(2)])
            },
            size(126_019, 238_135, 139),
        ),
        case(
            "two-processes",
            "one process makes an object, another destroys one; both reconcile two members; a token dies",
            Plan {
                members: 2,
                crashes: 0,
                ..two(vec![Wish::Create(1)], gone())
            },
            size(115_996, 212_056, 76),
        ),
        case(
            "same-object",
            "one process destroys an object of two members, another changes it; a process dies at any moment",
            Plan {
                members: 2,
                deaths: 0,
                ..two(gone(), vec![Wish::Update(0)])
            },
            size(18_788, 32_889, 60),
        ),
    ]
}

/// Two processes on the same members, which hold an object.
pub(super) fn two(first: Vec<Wish>, second: Vec<Wish>) -> Plan {
    Plan {
        wishes: vec![first, second],
        ..one(Start::Equal(1), Vec::new())
    }
}

/// One process, three members, a death of a token and one of the process.
pub(super) fn one(start: Start, wishes: Vec<Wish>) -> Plan {
    Plan {
        members: 3,
        wishes: vec![wishes],
        copies: Copies::All,
        start,
        deaths: 1,
        crashes: 1,
        wipes: 0,
        as_shipped: false,
    }
}

pub(super) fn case(name: &'static str, about: &'static str, model: Plan, size: Size) -> Case<Plan> {
    Case {
        name,
        about,
        liveness: model.reconciles_end(),
        model,
        size,
    }
}
