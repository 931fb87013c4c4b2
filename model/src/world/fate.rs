//! What may come of a call that was sent, as things stand with the token.

use everslot_core::{MemberId, Rv, ckr};

use super::World;
use super::act::{Fate, Kind};
use super::caller::{Busy, Stage, Target};
use super::plan::Plan;

impl World {
    /// All that may come of this call.
    pub(super) fn fates(&self, plan: &Plan, busy: &Busy) -> Vec<Fate> {
        let Stage::Sent(target) = busy.stage else {
            return Vec::new();
        };
        let token = &self.tokens[target.member.index()];
        let mut fates = Vec::new();
        if !self.has_lease(target) {
            // The reply may have come just before the adapter dropped the session.
            fates.push(deserved_while_well(plan, busy.kind, target.member));
            fates.extend(in_doubt(busy));
        } else if !token.reachable {
            fates.push(Fate::Silence {
                delivered: false,
                executed: false,
            });
            fates.extend(in_doubt(busy));
        } else if !token.sessions {
            fates.push(Fate::reply(ckr::SESSION_HANDLE_INVALID));
            // It may have been restarted just after it took effect.
            fates.extend(in_doubt(busy).into_iter().filter(|fate| fate.executed()));
        } else {
            fates.push(self.deserved(plan, busy, target));
            if self.left.odd_answers > 0 {
                fates.extend(odd(busy));
            }
        }
        fates
    }

    /// What a healthy member answers.
    fn deserved(&self, plan: &Plan, busy: &Busy, target: Target) -> Fate {
        let token = &self.tokens[target.member.index()];
        match busy.kind {
            Kind::LogIn { .. } if token.logged_in => Fate::reply(ckr::USER_ALREADY_LOGGED_IN),
            Kind::LogIn { .. } => deserved_while_well(plan, busy.kind, target.member),
            Kind::Sign | Kind::Generate | Kind::Begin | Kind::Part | Kind::Finish => {
                if busy.private && !token.logged_in {
                    Fate::reply(ckr::USER_NOT_LOGGED_IN)
                } else {
                    Fate::DONE
                }
            }
        }
    }
}

fn deserved_while_well(plan: &Plan, kind: Kind, member: MemberId) -> Fate {
    let refused = match kind {
        Kind::LogIn { right } => !right || plan.other_pin == Some(member),
        Kind::Sign | Kind::Generate | Kind::Begin | Kind::Part | Kind::Finish => false,
    };
    if refused {
        Fate::Reply {
            code: ckr::PIN_INCORRECT,
            executed: true,
        }
    } else {
        Fate::DONE
    }
}

/// No answer, and nobody knows whether the member executed it.
fn in_doubt(busy: &Busy) -> Vec<Fate> {
    let silence = |executed| Fate::Silence {
        delivered: true,
        executed,
    };
    either(busy, silence)
}

/// Codes that do not tell whether the call took effect.
const LEAVE_IT_OPEN: [Rv; 4] = [
    ckr::DEVICE_ERROR,
    ckr::FIPS_SELF_TEST_FAILED,
    ckr::FUNCTION_FAILED,
    ckr::SESSION_CLOSED,
];

/// Whether the call may have taken effect for all that this code says.
pub(super) fn leaves_it_open(code: Rv) -> bool {
    LEAVE_IT_OPEN.contains(&code)
}

/// Answers, and lack of answers, that a healthy member gives now and then.
fn odd(busy: &Busy) -> Vec<Fate> {
    let mut fates = in_doubt(busy);
    for code in LEAVE_IT_OPEN {
        // A member that is still there and does not say CKR_OK to C_Login has not logged in.
        let stays = code == ckr::FUNCTION_FAILED || code == ckr::SESSION_CLOSED;
        if busy.kind == (Kind::LogIn { right: true }) && stays {
            fates.push(Fate::reply(code));
        } else {
            fates.extend(either(busy, |executed| Fate::Reply { code, executed }));
        }
    }
    let never = [
        ckr::SESSION_COUNT,
        ckr::TOKEN_NOT_PRESENT,
        ckr::ARGUMENTS_BAD,
    ];
    fates.extend(never.map(Fate::reply));
    fates
}

/// Both with and without effect, where that makes a difference.
fn either(busy: &Busy, fate: impl Fn(bool) -> Fate) -> Vec<Fate> {
    if busy.leaves_a_trace() {
        vec![fate(false), fate(true)]
    } else {
        vec![fate(false)]
    }
}

impl Fate {
    /// It did what it should.
    pub(super) const DONE: Self = Self::Reply {
        code: ckr::OK,
        executed: true,
    };

    /// An answer that says that it had no effect.
    const fn reply(code: Rv) -> Self {
        Self::Reply {
            code,
            executed: false,
        }
    }

    /// Whether it took effect.
    pub(super) const fn executed(self) -> bool {
        match self {
            Self::Reply { executed, .. } | Self::Silence { executed, .. } => executed,
        }
    }

    /// Whether a healthy member would not answer so.
    pub(super) fn is_odd(self, world: &World, plan: &Plan, busy: &Busy) -> bool {
        let Stage::Sent(target) = busy.stage else {
            return false;
        };
        world.has_lease(target)
            && world.tokens[target.member.index()].is_well()
            && self != world.deserved(plan, busy, target)
    }
}
