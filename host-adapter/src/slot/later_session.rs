//! Session management of PKCS#11 3.0 and later.

use cryptoki_sys as ck;
use everslot_core::{Repeat, Rv, User, ckr};
use everslot_protocol::{Body, MessageOperation, Operation, Request};

use super::{Refusal, Session};
use crate::group::{Errand, Lease};

/// The flag of `CK_MECHANISM_INFO` that stands for an operation in `C_SessionCancel`.
const OPERATIONS: [(u64, Operation); 7] = [
    (ck::CKF_ENCRYPT, Operation::Encrypt),
    (ck::CKF_DECRYPT, Operation::Decrypt),
    (ck::CKF_DIGEST, Operation::Digest),
    (ck::CKF_SIGN, Operation::Sign),
    (ck::CKF_SIGN_RECOVER, Operation::SignRecover),
    (ck::CKF_VERIFY, Operation::Verify),
    (ck::CKF_VERIFY_RECOVER, Operation::VerifyRecover),
];

const MESSAGE_OPERATIONS: [(u64, MessageOperation); 4] = [
    (ck::CKF_MESSAGE_ENCRYPT, MessageOperation::Encrypt),
    (ck::CKF_MESSAGE_DECRYPT, MessageOperation::Decrypt),
    (ck::CKF_MESSAGE_SIGN, MessageOperation::Sign),
    (ck::CKF_MESSAGE_VERIFY, MessageOperation::Verify),
];

impl Session {
    /// `C_LoginUser`. Without a name it is `C_Login`, which every member has.
    ///
    /// # Errors
    /// As in [`login`](Self::login); `CKR_FUNCTION_NOT_SUPPORTED` when no member has users with names. A member that has none is
    /// set aside once the group is logged in with one.
    pub fn login_user(&self, user: u64, pin: Option<&[u8]>, name: &[u8]) -> Result<(), Rv> {
        if name.is_empty() {
            return self.login(user, pin);
        }
        drop(self.state()?);
        match user {
            ck::CKU_USER => self.slot.log_in(User::User, pin, Some(name)),
            ck::CKU_SO => self.slot.log_in(User::SecurityOfficer, pin, Some(name)),
            // The operation's user is the one who is logged in (PKCS#11 v3.1 §5.6.8).
            ck::CKU_CONTEXT_SPECIFIC => self.login(user, pin),
            _ => Err(ckr::USER_TYPE_INVALID),
        }
    }

    /// `C_SessionCancel`; a flag whose operation is not active is ignored (PKCS#11 v3.1 §5.6.11).
    ///
    /// # Errors
    /// None at present but that of a session that is closed.
    pub fn cancel(&self, flags: u64) -> Result<(), Rv> {
        let mut state = self.state()?;
        for (_, operation) in OPERATIONS.iter().filter(|(flag, _)| flags & flag != 0) {
            state.benches.cancel(*operation);
        }
        for (_, operation) in MESSAGE_OPERATIONS
            .iter()
            .filter(|(flag, _)| flags & flag != 0)
        {
            state.messages.cancel(*operation);
        }
        if flags & ck::CKF_VERIFY != 0 {
            state.end_signature_check();
        }
        if flags & ck::CKF_FIND_OBJECTS != 0 {
            state.search = None;
        }
        Ok(())
    }

    /// `C_GetSessionValidationFlags`: what the member says that a message-based operation of this session stands on. Any other
    /// operation's real session is given back when it ends, so nothing is vouched for: no flag is set.
    ///
    /// # Errors
    /// What the member says; `CKR_FUNCTION_NOT_SUPPORTED` when no member has the function, `CKR_DEVICE_ERROR` when none could serve.
    pub fn validation_flags(&self, kind: u64) -> Result<u64, Rv> {
        let mut state = self.state()?;
        if let Some(lease) = state.messages.last_lease() {
            let request = Request::ValidationFlags {
                session: lease.handle(),
                kind,
            };
            let reply = lease.call(&request, &mut []).ok();
            if let Some(Body::Flags(flags)) = reply.map(|reply| reply.body) {
                return Ok(flags);
            }
        }
        drop(state);
        let slot = &self.slot;
        let mut send = |lease: &mut Lease| {
            let request = Request::ValidationFlags {
                session: lease.handle(),
                kind,
            };
            slot.ask_later(lease, &request, &mut [])
        };
        let done = slot
            .driver
            .perform(Errand::anywhere(Repeat::Safe), &mut send)?;
        Refusal::of(done.reply).map_err(|refusal| refusal.rv)?;
        Ok(0)
    }
}
