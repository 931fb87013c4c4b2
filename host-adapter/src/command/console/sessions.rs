//! Entries about sessions, logins and PINs.

use cryptoki_sys::{CKF_RW_SESSION, CKU_CONTEXT_SPECIFIC, CKU_SO, CKU_USER};
use everslot_core::ckr;
use everslot_protocol::{Body, Bytes, Request, SlotId};
use secrecy::{ExposeSecret, SecretString};

use super::failure::{Done, Failure};
use super::{Console, OpenSession};

/// What each state is called (PKCS#11 v3.1 §3.3).
const STATES: [&str; 5] = [
    "CKS_RO_PUBLIC_SESSION",
    "CKS_RO_USER_FUNCTIONS",
    "CKS_RW_PUBLIC_SESSION",
    "CKS_RW_USER_FUNCTIONS",
    "CKS_RW_SO_FUNCTIONS",
];

impl Console {
    /// (1)
    pub(super) fn open_session(&mut self) -> Done {
        let slot = self.select_slot()?;
        let prompt = "Read only[0] or read and write[1]? ";
        let read_write = self.input.number(prompt)? != 0;
        self.open(slot, read_write)
    }

    pub(super) fn open(&mut self, slot: SlotId, read_write: bool) -> Done {
        let Body::Session(handle) =
            self.ask(&Request::OpenSession { slot, read_write }, &mut [])?
        else {
            return Err(Failure::Code(ckr::DEVICE_ERROR));
        };
        self.sessions.push(OpenSession {
            slot,
            handle,
            read_write,
        });
        Ok(())
    }

    /// (2)
    pub(super) fn close_session(&mut self) -> Done {
        if self.sessions.len() > 1 {
            self.choose_session()?;
        }
        let session = self.session()?.handle;
        let closed = self.ask(&Request::CloseSession { session }, &mut []);
        // One that the module does not know any more is closed all the same.
        if matches!(
            closed,
            Ok(_) | Err(Failure::Code(ckr::SESSION_HANDLE_INVALID))
        ) {
            self.sessions.pop();
        }
        closed.map(drop)
    }

    /// The one that is chosen becomes the current one.
    pub(super) fn choose_session(&mut self) -> Done {
        self.line("Sessions available:")?;
        for session in &self.sessions {
            let kind = if session.read_write {
                "read and write"
            } else {
                "read only"
            };
            let (handle, slot) = (session.handle.0, session.slot.0);
            self.line(&format!("  session#{handle} - slot#{slot}, {kind}"))?;
        }
        let chosen = self.input.number("Select a session: ")?;
        let is_chosen = |session: &OpenSession| session.handle.0 == chosen;
        let place = self.sessions.iter().position(is_chosen);
        let place = place.ok_or(Failure::Code(ckr::SESSION_HANDLE_INVALID))?;
        let session = self.sessions.remove(place);
        self.sessions.push(session);
        Ok(())
    }

    /// (3)
    pub(super) fn log_in(&mut self) -> Done {
        let user = self.user()?;
        let pin = self.input.pin("Enter PIN          : ")?;
        self.log_in_as(user, Some(&pin))
    }

    /// (18): the token asks for the PIN itself (a protected authentication path).
    pub(super) fn log_in_indirectly(&mut self) -> Done {
        let user = self.user()?;
        self.log_in_as(user, None)
    }

    fn user(&mut self) -> Result<u64, Failure> {
        self.session()?;
        let prompt = "Security Officer[0], normal user[1], or context specific[2]? ";
        match self.input.number(prompt)? {
            0 => Ok(CKU_SO),
            1 => Ok(CKU_USER),
            2 => Ok(CKU_CONTEXT_SPECIFIC),
            _ => Err(Failure::Code(ckr::USER_TYPE_INVALID)),
        }
    }

    pub(super) fn log_in_as(&mut self, user: u64, pin: Option<&SecretString>) -> Done {
        let session = self.session()?.handle;
        let pin = pin.map(bytes);
        self.ask(&Request::Login { session, user, pin }, &mut [])
            .map(drop)
    }

    /// (4)
    pub(super) fn log_out(&mut self) -> Done {
        let session = self.session()?.handle;
        self.ask(&Request::Logout { session }, &mut []).map(drop)
    }

    /// (5)
    pub(super) fn change_pin(&mut self) -> Done {
        let session = self.session()?.handle;
        let old = self.input.pin("Enter old PIN      : ")?;
        let new = self.new_pin()?;
        let request = Request::SetPin {
            session,
            old: Some(bytes(&old)),
            new: Some(bytes(&new)),
        };
        self.ask(&request, &mut []).map(drop)
    }

    /// (7)
    pub(super) fn init_pin(&mut self) -> Done {
        let session = self.session()?.handle;
        let pin = self.new_pin()?;
        let pin = Some(bytes(&pin));
        self.ask(&Request::InitPin { session, pin }, &mut [])
            .map(drop)
    }

    /// (17): the token asks for the PIN itself (a protected authentication path).
    pub(super) fn init_pin_indirectly(&mut self) -> Done {
        let session = self.session()?.handle;
        self.ask(&Request::InitPin { session, pin: None }, &mut [])
            .map(drop)
    }

    /// Asked for twice, as it is not shown.
    fn new_pin(&mut self) -> Result<SecretString, Failure> {
        let new = self.input.pin("Enter new PIN      : ")?;
        let again = self.input.pin("Re-enter new PIN   : ")?;
        if new.expose_secret() == again.expose_secret() {
            Ok(new)
        } else {
            Err(Failure::said("the two PINs differ"))
        }
    }

    /// (13)
    pub(super) fn session_info(&mut self) -> Done {
        let session = self.session()?.handle;
        let Body::SessionInfo(info) = self.ask(&Request::SessionInfo { session }, &mut [])? else {
            return Err(Failure::Code(ckr::DEVICE_ERROR));
        };
        let state = usize::try_from(info.state).ok();
        let state = state.and_then(|state| STATES.get(state));
        let kind = if info.flags & CKF_RW_SESSION != 0 {
            "read and write"
        } else {
            "read only"
        };
        self.line(&format!("Session handle : {}", session.0))?;
        self.line(&format!("Slot           : {}", info.slot))?;
        self.line(&format!("State          : {}", state.unwrap_or(&"another")))?;
        self.line(&format!("Kind           : {kind}"))?;
        self.line(&format!("Device error   : {}", info.device_error))
    }
}

fn bytes(pin: &SecretString) -> Bytes<'_> {
    Bytes(pin.expose_secret().as_bytes())
}
