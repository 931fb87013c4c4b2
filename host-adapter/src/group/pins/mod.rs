//! A change of a PIN: on every member that serves, or on none. What is known of the PINs of those that it did not reach is kept until
//! they are told.

mod change;
mod repair;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use everslot_core::{Evidence, Incarnation, MemberId, MemberSet, QuarantineReason, User};

use super::login::Secret;
use super::member::Member;
use super::{GroupDriver, recovery::Obstacle};
use crate::config::MEMBERS;

/// What is known of each member's PINs beside those of the group.
pub(super) struct Pins(Mutex<Vec<Standing>>);

/// What is known of one member's PINs.
#[derive(Clone)]
enum Standing {
    /// They are the group's, as far as anybody knows.
    Same,
    /// One is being changed on the others at this moment.
    Awaiting,
    /// One was changed without this member.
    LeftBehind,
    /// The user's is that of a `C_InitPIN` which another member refused; the security officer may try once more.
    Ahead,
    /// It gave no answer when it was asked to change one: it may have done so or not.
    Unknown(Arc<Change>),
    /// An operator has told it the new one. It has not shown that since.
    Vouched,
}

/// The two PINs that a member of which the outcome is unknown may have. Zeroed when it is dropped.
struct Change {
    user: User,
    /// What the group has.
    wanted: Secret,
    /// What the member has if it is not that.
    other: Secret,
}

impl Pins {
    pub(super) fn new() -> Self {
        Self(Mutex::new(vec![Standing::Same; MEMBERS]))
    }

    /// Another member has this id from now on. A change that is under way does not reach it.
    pub(super) fn welcome(&self, member: MemberId) {
        self.replace(member, |standing| match standing {
            Standing::Awaiting => Standing::Awaiting,
            Standing::Same
            | Standing::LeftBehind
            | Standing::Ahead
            | Standing::Unknown(_)
            | Standing::Vouched => Standing::Same,
        });
    }

    /// The members whose word about a PIN is worth nothing as long as there are others.
    pub(super) fn unproven(&self) -> MemberSet {
        self.select(|standing| matches!(standing, Standing::Vouched))
    }

    /// A member has accepted the group's PIN.
    pub(super) fn proven(&self, member: MemberId) {
        self.replace(member, |standing| match standing {
            Standing::Vouched => Standing::Same,
            other => other,
        });
    }

    /// An operator says that the member has the group's PINs now.
    pub(super) fn vouch(&self, member: MemberId) {
        self.replace(member, |standing| match standing {
            Standing::LeftBehind => Standing::Vouched,
            other => other,
        });
    }

    /// Lets go of the PINs that are kept for members of unknown outcome, and of the officer's leave to try again. The members that
    /// this leaves behind.
    pub(super) fn forget_secrets(&self) -> MemberSet {
        let left =
            self.select(|standing| matches!(standing, Standing::Unknown(_) | Standing::Ahead));
        left.iter().for_each(|member| self.leave_behind(member));
        left
    }

    fn leave_behind(&self, member: MemberId) {
        self.replace(member, |_| Standing::LeftBehind);
    }

    fn standing(&self, member: MemberId) -> Standing {
        self.lock()
            .get(usize::from(member.0))
            .cloned()
            .unwrap_or(Standing::Same)
    }

    fn replace(&self, member: MemberId, with: impl FnOnce(Standing) -> Standing) {
        if let Some(place) = self.lock().get_mut(usize::from(member.0)) {
            *place = with(std::mem::replace(place, Standing::Same));
        }
    }

    fn select(&self, of: impl Fn(&Standing) -> bool) -> MemberSet {
        let standings = self.lock();
        let members = (0..).map(MemberId).zip(standings.iter());
        members
            .filter(|(_, standing)| of(standing))
            .fold(MemberSet::EMPTY, |set, (member, _)| {
                set.union(MemberSet::of(member))
            })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GroupDriver {
    /// Whether a returning member may have the group's PINs; one whose last change has an unknown outcome is found out about, and
    /// brought to them if it can be.
    pub(super) fn settle_pins(&self, member: &Arc<Member>) -> Result<(), Obstacle> {
        match self.pins.standing(member.id) {
            Standing::Same | Standing::Ahead | Standing::Vouched => Ok(()),
            Standing::Awaiting => Err(Obstacle::Evidence(Evidence::NotReached)),
            Standing::LeftBehind => Err(Obstacle::Refused(QuarantineReason::PinChanged)),
            Standing::Unknown(change) => self.repair(member, &change),
        }
    }

    /// Sets a member aside that serves and has another PIN than the group.
    fn set_behind_aside(self: &Arc<Self>, member: MemberId) {
        self.pins.leave_behind(member);
        self.quarantine(
            (member, self.incarnation(member)),
            QuarantineReason::PinChanged,
        );
    }

    fn incarnation(&self, member: MemberId) -> Incarnation {
        self.member(member)
            .map_or(Incarnation(0), |member| member.incarnation())
    }

    /// The application has logged out: what was kept or left open for its sake ends.
    pub(super) fn end_changes(self: &Arc<Self>) {
        for member in self.pins.forget_secrets().iter() {
            self.set_behind_aside(member);
        }
    }
}

#[cfg(test)]
mod tests;
