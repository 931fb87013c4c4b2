//! Members that serve, and lack something all the same.

use std::sync::Arc;

use everslot_core::{Login, MemberSet, User};

use super::super::GroupDriver;
use super::super::recovery::Obstacle;

impl GroupDriver {
    /// Members that a change could not reach although they serve get what it has brought to the others. To be called outside of the write gate.
    pub(crate) fn bring_what_is_owed(self: &Arc<Self>) {
        self.bring(self.keeper.take_owed().intersection(self.serving()));
    }

    /// Members get what they lack, as far as they serve: beside what goes on, where that may be.
    pub(super) fn bring(self: &Arc<Self>, owed: MemberSet) {
        if owed.is_empty() {
            return;
        }
        if self.background.is_none() {
            self.reconcile_serving(owed);
            return;
        }
        let driver = Arc::clone(self);
        let aside = move || driver.reconcile_serving(owed);
        // Where there is no thread to be had, they get it when they next return, or by `everslot sync`.
        let _ = self.threads.spawn("everslot-sync", aside);
    }

    /// Members that serve get what they lack; one that keeps what was destroyed is set aside.
    fn reconcile_serving(self: &Arc<Self>, owed: MemberSet) {
        let Ok(Some(profiles)) = self.keeper.profiles() else {
            return;
        };
        for id in owed.intersection(self.serving()).iter() {
            let Some(member) = self.member(id).filter(|_| !self.is_stopping()) else {
                continue;
            };
            let place = (id, member.incarnation());
            let done = match self.login() {
                Login::In(User::User) => self.reconcile_member(member, &profiles),
                Login::Out | Login::In(User::SecurityOfficer) => {
                    let done = self.bring_in_step_apart(member, &profiles);
                    let is_done = matches!(done, Ok(true));
                    self.synchronised.set_owing(id, !is_done);
                    done.map(drop)
                }
            };
            // Whom that owes again gets it the next time: this ends.
            drop(self.synchronised.admitting().remove(&id));
            match done {
                Err(Obstacle::Refused(why)) => self.quarantine(place, why),
                // A member that is lost is found out about by its next call.
                Ok(()) | Err(Obstacle::Evidence(_)) => {}
            }
        }
    }
}
