//! A member that died in a change of its PIN is back: which of the two has it?

use std::sync::Arc;

use everslot_core::{Evidence, QuarantineReason, Rv, User, ckr};
use everslot_protocol::Request;

use super::super::login::user_type;
use super::super::member::{Anchor, Member};
use super::super::{GroupDriver, recovery::Obstacle};
use super::{Change, Standing};
use crate::module::Delivery;

/// The member's answer about the group's PIN.
enum Has {
    Wanted,
    Other,
}

impl GroupDriver {
    /// Finds out which PIN the member has, and sets the group's if it is the other. A wrong PIN reaches it at most once: whatever
    /// leaves room for doubt leaves the member to an operator.
    pub(super) fn repair(
        &self,
        member: &Arc<Member>,
        change: &Arc<Change>,
    ) -> Result<(), Obstacle> {
        let outcome = match ask_which(member, change) {
            Ok(Has::Wanted) => Ok(()),
            Ok(Has::Other) => set(member, change),
            Err(obstacle) => Err(obstacle),
        };
        match &outcome {
            Ok(()) => self.note(member, change, Standing::Same),
            Err(Doubt::NotReached(_)) => {}
            Err(Doubt::Refused) => self.note(member, change, Standing::LeftBehind),
        }
        outcome.map_err(|doubt| match doubt {
            Doubt::NotReached(evidence) => Obstacle::Evidence(evidence),
            Doubt::Refused => Obstacle::Refused(QuarantineReason::PinChanged),
        })
    }

    /// What was found out is void when a later change has overtaken it.
    fn note(&self, member: &Member, change: &Arc<Change>, now: Standing) {
        self.pins.replace(member.id, |standing| match standing {
            Standing::Unknown(known) if Arc::ptr_eq(&known, change) => now,
            other => other,
        });
    }
}

/// Why the member could not be brought to the group's PIN.
enum Doubt {
    /// It was not asked: the next attempt may.
    NotReached(Evidence),
    /// It refused, or gave no answer once more.
    Refused,
}

fn ask_which(member: &Arc<Member>, change: &Change) -> Result<Has, Doubt> {
    match log_in(member, change.user, &change.wanted)? {
        ckr::OK => {
            log_out(member)?;
            Ok(Has::Wanted)
        }
        ckr::PIN_INCORRECT => Ok(Has::Other),
        _ => Err(Doubt::Refused),
    }
}

/// Sets the group's PIN. The user's own needs no login in a public session, the security officer's does (PKCS#11 v3.1 §5.5.9).
fn set(member: &Arc<Member>, change: &Change) -> Result<(), Doubt> {
    let officer = change.user == User::SecurityOfficer;
    if officer {
        accepted(log_in(member, change.user, &change.other)?)?;
    }
    let answer = ask(member, |session| Request::SetPin {
        session,
        old: change.other.expose(),
        new: change.wanted.expose(),
    })?;
    accepted(answer)?;
    if officer { log_out(member) } else { Ok(()) }
}

fn log_in(member: &Arc<Member>, user: User, pin: &super::Secret) -> Result<Rv, Doubt> {
    ask(member, |session| Request::Login {
        session,
        user: user_type(user),
        pin: pin.expose(),
    })
}

fn log_out(member: &Arc<Member>) -> Result<(), Doubt> {
    accepted(ask(member, |session| Request::Logout { session })?)
}

const fn accepted(rv: Rv) -> Result<(), Doubt> {
    match rv {
        ckr::OK => Ok(()),
        _ => Err(Doubt::Refused),
    }
}

/// Asks over the member's anchor, in which nobody is logged in yet.
fn ask<'r>(
    member: &Arc<Member>,
    request: impl FnOnce(everslot_protocol::SessionHandle) -> Request<'r>,
) -> Result<Rv, Doubt> {
    let mut anchor = member.anchor();
    let Some(Anchor { session, .. }) = anchor.as_mut() else {
        return Err(Doubt::NotReached(Evidence::NotReached));
    };
    let request = request(session.handle);
    match member.ask(session, &request, &mut []) {
        Ok(reply) => Ok(Rv(reply.rv.0)),
        Err(failure) => {
            member.load.give_up(&Arc::clone(&session.instance), || ());
            Err(match failure.delivery {
                Delivery::Unknown => Doubt::Refused,
                Delivery::None => Doubt::NotReached(failure.cause.evidence()),
            })
        }
    }
}
