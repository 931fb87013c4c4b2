//! The group's login, and how the members follow it.

use super::{Group, LoginOutcome, Output, Place, Seat};
use crate::{Action, Event, Incarnation, Instant, LoginGeneration, LoginSync, MemberId, MemberSet};

/// Who can log in (PKCS#11 v3.2 §3.4, `CK_USER_TYPE`).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum User {
    /// `CKU_SO`.
    SecurityOfficer,
    /// `CKU_USER`.
    User,
}

/// The login of the virtual token, which is what the application has asked for last.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Login {
    /// Nobody is logged in.
    Out,
    /// This user is.
    In(User),
}

impl<const MEMBERS: usize> Group<MEMBERS> {
    /// The group's login.
    #[must_use]
    pub const fn login(&self) -> Login {
        self.login
    }

    /// Which change of the login that was.
    #[must_use]
    pub const fn generation(&self) -> LoginGeneration {
        self.generation
    }

    /// S12: only a PIN that one member has accepted goes to the others. The application has been told
    /// that it is logged in, so the group is, even if the member is lost by now.
    #[inline(never)]
    pub(super) fn login_accepted(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        user: User,
        output: &mut Output<MEMBERS>,
    ) {
        if self.login == Login::In(user) {
            return;
        }
        let is_in = self
            .place(member)
            .is_some_and(|place| place.incarnation == incarnation);
        let logged_in = if is_in {
            MemberSet::of(member)
        } else {
            MemberSet::EMPTY
        };
        self.change_login(Login::In(user), logged_in, output);
        output.tell(Event::LoggedIn { user });
    }

    /// S7: until a member says that it has logged out, no call goes to it.
    #[inline(never)]
    pub(super) fn log_out(&mut self, output: &mut Output<MEMBERS>) {
        if self.login == Login::Out {
            return;
        }
        self.change_login(Login::Out, MemberSet::EMPTY, output);
        output.tell(Event::LoggedOut);
    }

    #[inline(never)]
    pub(super) fn login_changed(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        generation: LoginGeneration,
        outcome: LoginOutcome,
        now: Instant,
        output: &mut Output<MEMBERS>,
    ) {
        let Some(&seat) = self.serving_seat(member, incarnation) else {
            return;
        };
        if seat.login != LoginSync::Changing || generation != self.generation {
            return;
        }
        match outcome {
            LoginOutcome::Done => {
                let login = LoginSync::Reached;
                self.transition(member, Some(Seat { login, ..seat }), output);
            }
            LoginOutcome::Lost(evidence) => self.lose(member, incarnation, evidence, now, output),
            LoginOutcome::Refused(why) => self.quarantine(member, incarnation, why, output),
        }
    }

    /// All members that serve follow, but for those that are there already. A member that is being
    /// brought back follows at its next step (see `recovery`).
    fn change_login(&mut self, to: Login, there: MemberSet, output: &mut Output<MEMBERS>) {
        self.login = to;
        self.generation = self.generation.next();
        for member in self.in_service() {
            let Some(&Place {
                seat: Some(seat),
                incarnation,
                ..
            }) = self.place(member)
            else {
                continue;
            };
            let reached = there.contains(member);
            let login = if reached {
                LoginSync::Reached
            } else {
                LoginSync::Changing
            };
            self.transition(member, Some(Seat { login, ..seat }), output);
            if !reached {
                output.act(self.follow_login(member, incarnation));
            }
        }
    }

    const fn follow_login(&self, member: MemberId, incarnation: Incarnation) -> Action {
        let generation = self.generation;
        match self.login {
            Login::In(user) => Action::LogIn {
                member,
                incarnation,
                generation,
                user,
            },
            Login::Out => Action::LogOut {
                member,
                incarnation,
                generation,
            },
        }
    }
}
