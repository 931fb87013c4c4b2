//! What the adapter does as it ships, where the world allows for more: so that runs can be had that it can be put through.

use everslot_core::WorkNext;

use super::World;
use super::act::{Act, Fate, Kind};
use super::caller::Busy;
use super::plan::{Plan, Recovery};
use super::token::{Token, Work};

impl World {
    /// Whether the adapter can come to that as things stand.
    pub(super) fn is_shipped(&self, plan: &Plan, act: Act) -> bool {
        match act {
            // Who logs the group in or out brings the members to it one after another, and lets nobody else do so meanwhile.
            Act::TaskEnds(member) => {
                let before = &self.tokens[..member.index()];
                !self.tokens[member.index()].follows() || !before.iter().any(Token::follows)
            }
            Act::LogOut | Act::Start(_, Kind::LogIn { .. }) => {
                !self.tokens.iter().any(Token::follows)
            }
            // The call that makes an attempt goes on when that is over.
            Act::Choose(..) => {
                plan.recovery == Recovery::Background
                    || !self.tokens.iter().any(Token::is_in_attempt)
            }
            // With a token's sessions goes the one on which its login stands: it is lost, not only the call's session.
            Act::Reopen(caller) => {
                let target = self.callers[caller].busy().and_then(Busy::target);
                target.is_some_and(|target| self.tokens[target.member.index()].sessions)
            }
            // What is replayed on a session that has gone is not gone on with.
            Act::Resolve(caller, Fate::Reply { .. }) => self.callers[caller]
                .busy()
                .and_then(|busy| Some((busy.target()?, busy.job?)))
                .is_none_or(|(target, job)| job.doing == WorkNext::Send || self.has_lease(target)),
            // A token that is another one is not found.
            Act::TaskRefused(_) => false,
            Act::Tick
            | Act::Timer
            | Act::Fails(_)
            | Act::Comes(_)
            | Act::Noticed(_)
            | Act::Obey(_)
            | Act::StatusRead
            | Act::Start(
                _,
                Kind::Sign | Kind::Generate | Kind::Begin | Kind::Part | Kind::Finish,
            )
            | Act::Issue(_)
            | Act::Resolve(_, Fate::Silence { .. })
            | Act::Probe(_)
            | Act::Return(_) => true,
        }
    }
}

impl Token {
    /// Whether it is being brought to the group's login while it serves.
    fn follows(&self) -> bool {
        self.task
            .is_some_and(|task| matches!(task.work, Work::Login { .. }))
    }
}
