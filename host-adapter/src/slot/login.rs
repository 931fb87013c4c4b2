use cryptoki_sys as ck;
use everslot_core::{Login, Rv, User, ckr};
use everslot_protocol::{Bytes, Request};

use super::{Refusal, Session, VirtualSlot};
use crate::group::Lease;
use crate::objects::reach::Serving;
use crate::objects::resume::{Resumed, resume_intents};

impl VirtualSlot {
    pub(super) fn log_in(
        &self,
        user: User,
        pin: Option<&[u8]>,
        name: Option<&[u8]>,
    ) -> Result<(), Rv> {
        let _turn = self.open.turn();
        if user == User::SecurityOfficer && self.open.counts().read_only > 0 {
            return Err(ckr::SESSION_READ_ONLY_EXISTS);
        }
        self.driver.log_in(user, pin, name)?;
        self.open.settle(Login::In(user)).inspect_err(|_| {
            // The group is logged in, since it just was.
            let _ = self.driver.log_out();
        })?;
        if user == User::User {
            self.resume_abandoned();
        }
        Ok(())
    }

    /// Undoes or finishes what processes that have ended were about: only who is logged in sees all of it.
    fn resume_abandoned(&self) {
        let keeper = &self.driver.keeper;
        // What is wrong with the journal is told of as an event; it keeps nobody from being logged in.
        let Ok(Some(profiles)) = keeper.profiles() else {
            return;
        };
        if !keeper.has_abandoned().unwrap_or(false) {
            return;
        }
        let Ok(entered) = keeper.enter() else {
            return;
        };
        let reach = Serving::new(&self.driver, profiles);
        let group = self.label();
        let resumed = resume_intents(keeper, &reach);
        drop(entered);
        self.driver.bring_what_is_owed();
        match resumed {
            Ok(Resumed { done, left }) => tracing::info!(
                group,
                done,
                left,
                "changes of processes that have ended were undone or finished"
            ),
            Err(error) => tracing::error!(group, %error, "changes were left unfinished"),
        }
    }
}

impl Session {
    /// `C_Login`, for all sessions of the slot. The first member's word decides, so a wrong PIN reaches one member only.
    ///
    /// # Errors
    /// `CKR_USER_TYPE_INVALID`, `CKR_USER_ALREADY_LOGGED_IN`, `CKR_USER_ANOTHER_ALREADY_LOGGED_IN`, `CKR_SESSION_READ_ONLY_EXISTS` for
    /// the security officer, `CKR_SESSION_CLOSED` when the slot's last session was closed meanwhile, what the member says of the PIN, `CKR_DEVICE_ERROR`.
    pub fn login(&self, user: u64, pin: Option<&[u8]>) -> Result<(), Rv> {
        drop(self.state()?);
        match user {
            ck::CKU_USER => self.slot.log_in(User::User, pin, None),
            ck::CKU_SO => self.slot.log_in(User::SecurityOfficer, pin, None),
            ck::CKU_CONTEXT_SPECIFIC => self.login_for_operation(pin),
            _ => Err(ckr::USER_TYPE_INVALID),
        }
    }

    /// `C_Logout`. When this returns, no member that serves is logged in; private objects' handles are invalid (§5.6.9).
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN`
    pub fn logout(&self) -> Result<(), Rv> {
        drop(self.state()?);
        let _turn = self.slot.open.turn();
        self.slot.driver.log_out()?;
        self.slot.open.settle(Login::Out)?;
        self.slot.forget_private_objects();
        Ok(())
    }

    /// `C_InitPIN`, on every member that serves.
    ///
    /// # Errors
    /// `CKR_USER_NOT_LOGGED_IN` unless the security officer is, `CKR_PIN_LEN_RANGE`, what the first member that refuses says,
    /// `CKR_DEVICE_ERROR` when none could do it.
    pub fn init_pin(&self, pin: Option<&[u8]>) -> Result<(), Rv> {
        drop(self.state()?);
        let _turn = self.slot.open.turn();
        match self.slot.login() {
            Login::In(User::SecurityOfficer) => self.slot.driver.init_pin(pin),
            Login::In(User::User) | Login::Out => Err(ckr::USER_NOT_LOGGED_IN),
        }
    }

    /// `C_SetPIN`, on every member that serves or on none: the PIN of who is logged in, else the user's.
    ///
    /// # Errors
    /// `CKR_SESSION_READ_ONLY`, `CKR_PIN_LEN_RANGE`, what the first member that refuses says, `CKR_DEVICE_ERROR` when none could do it or
    /// the first gave no answer.
    pub fn set_pin(&self, old: Option<&[u8]>, new: Option<&[u8]>) -> Result<(), Rv> {
        drop(self.state()?);
        self.may_change(true)?;
        let _turn = self.slot.open.turn();
        self.slot.driver.set_pin(old, new)
    }

    /// The login that a `CKA_ALWAYS_AUTHENTICATE` key wants goes to the member that holds the operation (§5.6.8).
    fn login_for_operation(&self, pin: Option<&[u8]>) -> Result<(), Rv> {
        let mut state = self.state()?;
        let mut send = |lease: &mut Lease| {
            let request = Request::Login {
                session: lease.handle(),
                user: ck::CKU_CONTEXT_SPECIFIC,
                pin: pin.map(Bytes),
            };
            Ok(lease.call(&request, &mut [])?)
        };
        let reply = match state.benches.log_in(&self.slot, &mut send) {
            Err(ckr::OPERATION_NOT_INITIALIZED) => {
                let lease = state.messages.last_lease();
                send(lease.ok_or(ckr::OPERATION_NOT_INITIALIZED)?).map_err(|_| ckr::DEVICE_ERROR)?
            }
            answered => answered?,
        };
        Refusal::of(reply).map_err(|refusal| refusal.rv)
    }
}
