//! Login and logout of the members, so that each is logged in exactly when the group is (S7), and a wrong PIN reaches one only (S12).

use std::sync::{Arc, PoisonError};

use everslot_core::{
    Context, Evidence, Incarnation, Input, Login, LoginGeneration, LoginOutcome, MemberId,
    QuarantineReason, Repeat, Rv, StepOutcome, User, Verdict, ckr, verdict,
};
use everslot_protocol::{Bytes, Request, SessionHandle};
use secrecy::{ExposeSecret, SecretSlice};

use super::errand::{Errand, Stop};
use super::member::{Anchor, Member};
use super::recovery::Obstacle;
use super::{GroupDriver, Lease};

/// The PIN that the application logged in with, kept for members that return; `None` inside stands for a protected
/// authentication path. Zeroed when it is dropped.
pub(crate) struct Secret {
    pin: Option<SecretSlice<u8>>,
    /// That of `C_LoginUser`.
    name: Option<Box<[u8]>>,
}

impl Secret {
    pub(super) fn new(pin: Option<&[u8]>) -> Self {
        Self::of_user(pin, None)
    }

    fn of_user(pin: Option<&[u8]>, name: Option<&[u8]>) -> Self {
        Self {
            pin: pin.map(|pin| SecretSlice::from(pin.to_vec())),
            name: name.map(Box::from),
        }
    }

    pub(super) fn expose(&self) -> Option<Bytes<'_>> {
        self.pin.as_ref().map(|pin| Bytes(pin.expose_secret()))
    }

    fn request(&self, session: SessionHandle, user: User) -> Request<'_> {
        request(session, user, self.expose(), self.name.as_deref())
    }
}

/// `C_LoginUser` where there is a name, else `C_Login`.
const fn request<'a>(
    session: SessionHandle,
    user: User,
    pin: Option<Bytes<'a>>,
    name: Option<&'a [u8]>,
) -> Request<'a> {
    let user = user_type(user);
    match name {
        None => Request::Login { session, user, pin },
        Some(name) => Request::LoginUser {
            session,
            user,
            pin,
            name: Bytes(name),
        },
    }
}

/// What became of bringing one member's login to the group's.
enum Outcome {
    Done,
    /// There was nothing to change.
    Stood,
    Failed(Evidence),
    Refused(QuarantineReason),
}

/// What became of logging a member in again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Again {
    /// It had lost its login, and is now as the group is.
    Changed,
    /// It was as the group is all the time.
    Stood,
    /// It could not be brought to it.
    Failed,
}

impl GroupDriver {
    /// Logs the group in, with a name by `C_LoginUser`: the first member's word decides, the others follow. One login or logout at a time
    /// is the caller's care.
    ///
    /// # Errors
    /// What the first member said; `CKR_DEVICE_ERROR` when it gave no answer, since a login is not tried twice;
    /// `CKR_FUNCTION_NOT_SUPPORTED` when there is a name and no member has `C_LoginUser`.
    pub(crate) fn log_in(
        self: &Arc<Self>,
        user: User,
        pin: Option<&[u8]>,
        name: Option<&[u8]>,
    ) -> Result<(), Rv> {
        match (self.login(), user) {
            (Login::Out, _) => {}
            (Login::In(User::User), User::User)
            | (Login::In(User::SecurityOfficer), User::SecurityOfficer) => {
                return Err(ckr::USER_ALREADY_LOGGED_IN);
            }
            (Login::In(_), _) => return Err(ckr::USER_ANOTHER_ALREADY_LOGGED_IN),
        }
        let proven = self.settled().difference(self.pins.unproven());
        let in_step = proven.intersection(self.in_step());
        let proven = if in_step.is_empty() { proven } else { in_step };
        let mut errand = Errand {
            login: true,
            ..Errand::anywhere(Repeat::OnlyIfUndelivered)
        };
        if !proven.is_empty() {
            errand.eligible = proven;
        }
        let mut send = |lease: &mut Lease| {
            let request = request(lease.handle(), user, pin.map(Bytes), name);
            let reply = lease.call(&request, &mut [])?;
            match Rv(reply.rv.0) {
                ckr::FUNCTION_NOT_SUPPORTED => Err(Stop::NotHere(ckr::FUNCTION_NOT_SUPPORTED)),
                _ => Ok(reply),
            }
        };
        let done = self.perform(errand, &mut send)?;
        let rv = Rv(done.reply.rv.0);
        // A member that is logged in already has not looked at the PIN.
        let Some(lease) = done.lease.filter(|_| rv == ckr::OK) else {
            return Err(rv);
        };
        let (member, incarnation) = lease.place();
        let first = Arc::clone(lease.member());
        drop(lease);
        self.pins.proven(member);
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Arc::new(Secret::of_user(pin, name)));
        let in_step = self.bring_in_step_at_login(&first, user);
        let followers = self.feed(Input::LoginAccepted {
            member,
            incarnation,
            user,
        });
        // Those that follow may have to be brought in step as well: the write gate is not to be closed for this one any more.
        self.admitted(member);
        self.carry_out(&followers);
        match in_step {
            Ok(()) => {}
            // The others have followed it.
            Err(Obstacle::Evidence(evidence)) => {
                self.report_loss(member, incarnation, evidence, None);
            }
            Err(Obstacle::Refused(why)) => self.quarantine((member, incarnation), why),
        }
        Ok(())
    }

    /// Logs the group out: when this returns, no member that serves is logged in.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`
    pub(crate) fn log_out(self: &Arc<Self>) -> Result<(), Rv> {
        if !self.is_logged_in() {
            return Err(ckr::USER_NOT_LOGGED_IN);
        }
        self.drive(Input::LogOut);
        self.keeper.forget_domain_keys();
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.end_changes();
        Ok(())
    }

    /// The application has changed the PIN: members that return are logged in with the new one.
    pub(super) fn pin_changed(&self, pin: Option<&[u8]>) {
        let mut secret = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = secret.take() {
            *secret = Some(Arc::new(Secret::of_user(pin, known.name.as_deref())));
        }
    }

    /// A serving member follows the group's login.
    pub(super) fn log_in_member(
        &self,
        member: MemberId,
        incarnation: Incarnation,
        user: User,
    ) -> LoginOutcome {
        let Some(member) = self.current(member, incarnation) else {
            return LoginOutcome::Lost(Evidence::NotReached);
        };
        match self.change(member, Login::In(user)).into() {
            LoginOutcome::Done => self
                .bring_in_step_at_login(member, user)
                .map_or_else(LoginOutcome::from, |()| LoginOutcome::Done),
            outcome @ (LoginOutcome::Lost(_) | LoginOutcome::Refused(_)) => outcome,
        }
    }

    /// A serving member follows the group's logout.
    pub(super) fn log_out_member(
        &self,
        member: MemberId,
        incarnation: Incarnation,
    ) -> LoginOutcome {
        let Some(member) = self.current(member, incarnation) else {
            return LoginOutcome::Lost(Evidence::NotReached);
        };
        self.change(member, Login::Out).into()
    }

    /// A returning member is brought to the group's login before it is admitted.
    pub(super) fn log_in_returning(
        &self,
        member: &Arc<Member>,
        login: Login,
        generation: LoginGeneration,
    ) -> StepOutcome {
        match self.settle_pins(member) {
            Ok(()) => {}
            Err(Obstacle::Evidence(evidence)) => return StepOutcome::Failed(evidence),
            Err(Obstacle::Refused(why)) => return StepOutcome::Refused(why),
        }
        match self.change(member, login) {
            Outcome::Done | Outcome::Stood => StepOutcome::Done { login: generation },
            Outcome::Failed(evidence) => StepOutcome::Failed(evidence),
            Outcome::Refused(why) => StepOutcome::Refused(why),
        }
    }

    /// A member that says nobody is logged in, while the group is, is logged in again.
    pub(super) fn log_in_again(&self, member: &Arc<Member>) -> Again {
        match self.change(member, self.login()) {
            Outcome::Done => Again::Changed,
            Outcome::Stood => Again::Stood,
            Outcome::Failed(_) | Outcome::Refused(_) => Again::Failed,
        }
    }

    fn current(&self, member: MemberId, incarnation: Incarnation) -> Option<&Arc<Member>> {
        self.member(member)
            .filter(|member| member.incarnation() == incarnation)
    }

    /// Changes one member's login over its anchor.
    fn change(&self, member: &Arc<Member>, login: Login) -> Outcome {
        let mut anchor = member.anchor();
        let Some(Anchor { session, .. }) = anchor.as_mut() else {
            return Outcome::Failed(Evidence::NotReached);
        };
        let secret = self
            .secret
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let request = match (login, secret.as_ref()) {
            (Login::Out, _) => Request::Logout {
                session: session.handle,
            },
            (Login::In(user), Some(secret)) => secret.request(session.handle, user),
            // The group has been logged out in the meantime: this change is stale, and the core asks again with what it then wants.
            (Login::In(_), None) => return Outcome::Done,
        };
        match member.ask(session, &request, &mut []) {
            Ok(reply) => {
                let outcome = judge(member, login, Rv(reply.rv.0));
                if let (Login::In(_), Outcome::Done) = (login, &outcome) {
                    self.pins.proven(member.id);
                }
                outcome
            }
            Err(failure) => {
                member.load.give_up(&Arc::clone(&session.instance), || ());
                Outcome::Failed(failure.cause.evidence())
            }
        }
    }
}

/// What a member's answer to a login or logout means for it. One that refuses what another member has accepted is never tried
/// again, since each try may count against the PIN.
fn judge(member: &Member, login: Login, rv: Rv) -> Outcome {
    match (login, rv) {
        (_, ckr::OK) => return Outcome::Done,
        (Login::Out, ckr::USER_NOT_LOGGED_IN) | (Login::In(_), ckr::USER_ALREADY_LOGGED_IN) => {
            return Outcome::Stood;
        }
        // The login has a name, and this member knows no users with names.
        (Login::In(_), ckr::FUNCTION_NOT_SUPPORTED) => {
            return Outcome::Refused(QuarantineReason::PinRefused);
        }
        _ => {}
    }
    let login_call = matches!(login, Login::In(_));
    let context = Context {
        login_call,
        pin_accepted: login_call,
        ..Context::default()
    };
    match verdict(rv, context, &member.config.overrides) {
        Verdict::Quarantine(why) => Outcome::Refused(why),
        Verdict::Fine
        | Verdict::CallersFault
        | Verdict::MemberLost { .. }
        | Verdict::SessionLost { .. }
        | Verdict::MemberBusy
        | Verdict::Unknown => Outcome::Failed(Evidence::Code(rv)),
    }
}

impl From<Outcome> for LoginOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done | Outcome::Stood => Self::Done,
            Outcome::Failed(evidence) => Self::Lost(evidence),
            Outcome::Refused(why) => Self::Refused(why),
        }
    }
}

/// `CK_USER_TYPE`
pub(super) const fn user_type(user: User) -> u64 {
    match user {
        User::SecurityOfficer => 0,
        User::User => 1,
    }
}
