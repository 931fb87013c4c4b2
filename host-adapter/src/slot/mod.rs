//! The virtual slot: what an application holds, independent of any member.

mod active;
mod alteration;
mod attributes;
mod begun;
mod bench;
mod born;
mod carry;
mod catalogue;
mod change;
mod create;
mod encapsulate;
mod find;
mod handles;
mod identity;
mod info;
mod keys;
mod later;
mod later_session;
mod locate;
mod login;
mod material;
mod message;
mod object;
mod open_sessions;
#[cfg(test)]
#[path = "open_sessions/tests.rs"]
mod open_sessions_tests;
mod operation;
mod order;
mod recent;
mod recipe;
mod recognise;
mod session;
mod sessions;
mod standing;
mod state;
mod token_info;
mod transcript;
mod verify_signature;

use std::sync::{Arc, Weak};

use cryptoki_sys as ck;
use everslot_core::{Login, MemberSet, Repeat, Rv, ckr};
use everslot_protocol::{Body, ObjectHandle, Reply, Request, Room};

use crate::group::{Errand, GroupDriver, Lease, Stop};
use crate::sync;
use catalogue::Catalogue;
pub(crate) use info::{padded, version};
pub use material::{Material, Source};
use open_sessions::OpenSessions;
pub use session::Session;
pub(crate) use sessions::Sessions;

/// A slot of ours with the virtual token of one group in it.
pub struct VirtualSlot {
    pub(crate) id: u64,
    behind: Behind,
    pub(crate) driver: Arc<GroupDriver>,
    catalogue: Catalogue,
    having: later::Having,
    /// The library's, which does not outlive it: a session of these has this slot.
    sessions: Weak<Sessions>,
    open: OpenSessions,
    /// Tells this slot's handles from those of another process.
    mark: Option<[u8; 16]>,
}

/// What a slot of ours is in front of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Behind {
    /// A group.
    Group,
    /// One member alone, as a slot of its own beside its group's.
    Member {
        /// The member's name.
        name: String,
        /// The group's label.
        group: String,
    },
}

/// Where a call's output goes.
#[derive(Debug)]
pub enum Output<'a> {
    /// Nowhere: only its length is asked for.
    Query,
    /// To the application's buffer.
    Buffer(&'a mut [u8]),
}

impl<'a> Output<'a> {
    fn parts(self) -> (Room, &'a mut [u8]) {
        match self {
            Self::Query => (None, &mut []),
            Self::Buffer(buffer) => (Some(buffer.len() as u64), buffer),
        }
    }
}

/// A call that did not succeed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The code for the application.
    pub rv: Rv,
    /// With `CKR_BUFFER_TOO_SMALL`: how many bytes are needed.
    pub length: Option<u64>,
}

impl From<Rv> for Refusal {
    fn from(rv: Rv) -> Self {
        Self { rv, length: None }
    }
}

impl Refusal {
    /// A member's reply as a result.
    fn of(reply: Reply) -> Result<(), Self> {
        match (Rv(reply.rv.0), reply.body) {
            (ckr::OK, _) => Ok(()),
            (rv, Body::Length(length)) => Err(Self {
                rv,
                length: Some(length),
            }),
            (rv, _) => Err(rv.into()),
        }
    }

    /// A member's reply as the length that it wrote or told.
    fn of_length(reply: Reply) -> Result<u64, Self> {
        Self::of(reply)?;
        match reply.body {
            Body::Written(length) | Body::Length(length) => Ok(length),
            _ => Ok(0),
        }
    }
}

/// The bytes that a call has put at the start of `output`.
fn written(reply: Reply, output: &[u8]) -> &[u8] {
    reply.body.output(output)
}

/// The object handles that a reply has put into `output`.
fn handles(reply: Reply, output: &[u8]) -> impl Iterator<Item = ObjectHandle> {
    let (handles, _) = written(reply, output).as_chunks::<8>();
    handles
        .iter()
        .map(|handle| ObjectHandle(u64::from_ne_bytes(*handle)))
}

/// None where the system has no randomness.
fn random_mark() -> Option<[u8; 16]> {
    let mut mark = [0; 16];
    getrandom::fill(&mut mark).ok().map(|()| mark)
}

impl VirtualSlot {
    pub(crate) fn new(
        id: u64,
        behind: Behind,
        driver: Arc<GroupDriver>,
        sessions: Weak<Sessions>,
    ) -> Self {
        let catalogue = Catalogue::new(driver.members().len());
        let all = sessions.clone();
        driver.on_exhaustion(Box::new(move |member, holders| {
            all.upgrade()
                .is_some_and(|sessions| sessions.make_room(id, member, holders))
        }));
        Self {
            id,
            behind,
            driver,
            catalogue,
            having: later::Having::default(),
            sessions,
            open: OpenSessions::default(),
            mark: random_mark(),
        }
    }

    /// Whether a group is behind it, rather than one member.
    pub(crate) fn is_group(&self) -> bool {
        self.behind == Behind::Group
    }

    /// Whether a member serves at the moment.
    pub fn is_present(&self) -> bool {
        self.driver.is_present()
    }

    pub(crate) fn label(&self) -> &str {
        &self.driver.config.label
    }

    pub(crate) fn serial(&self) -> &str {
        &self.driver.config.serial
    }

    /// `C_OpenSession`; the handle.
    ///
    /// # Errors
    /// `CKR_SESSION_PARALLEL_NOT_SUPPORTED`, `CKR_SESSION_READ_WRITE_SO_EXISTS`, `CKR_TOKEN_NOT_PRESENT` when no member serves.
    pub fn open_session(self: &Arc<Self>, flags: u64) -> Result<u64, Rv> {
        if flags & ck::CKF_SERIAL_SESSION == 0 {
            return Err(ckr::SESSION_PARALLEL_NOT_SUPPORTED);
        }
        self.driver.recover_in_call();
        if !self.is_present() {
            return Err(ckr::TOKEN_NOT_PRESENT);
        }
        let sessions = self
            .sessions
            .upgrade()
            .ok_or(ckr::CRYPTOKI_NOT_INITIALIZED)?;
        let read_write = flags & ck::CKF_RW_SESSION != 0;
        self.open.admit(read_write)?;
        Ok(sessions.open(|handle| Session::new(handle, Arc::clone(self), read_write)))
    }

    /// `C_CloseAllSessions`
    ///
    /// # Errors
    /// None at present.
    pub fn close_all_sessions(&self) -> Result<(), Rv> {
        let sessions = self.sessions.upgrade();
        for session in sessions.iter().flat_map(|open| open.of_slot(self.id)) {
            // One that another thread closes meanwhile is closed.
            let _ = session.close();
        }
        Ok(())
    }

    /// `C_InitToken`: a group's token is made by its members' own tools, as with Luna's.
    ///
    /// # Errors
    /// `CKR_FUNCTION_NOT_SUPPORTED`
    pub fn init_token(&self, _pin: Option<&[u8]>, _label: &[u8; 32]) -> Result<(), Rv> {
        Err(ckr::FUNCTION_NOT_SUPPORTED)
    }

    /// Who is logged in, without the group's lock.
    pub(crate) fn login(&self) -> Login {
        self.open.login()
    }

    /// After a session was closed: its objects go, and the login with the slot's last one.
    fn forget_session(&self, session: &Session, objects: &[u64]) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.remove(session.handle);
        }
        self.forget_session_objects(objects);
        self.open.leave(session.read_write, || {
            // Nobody is left to tell of a logout that fails; a member that it fails on is lost.
            let _ = self.driver.log_out();
            self.forget_private_objects();
        });
    }

    /// Session objects go with their session.
    fn forget_session_objects(&self, objects: &[u64]) {
        for object in objects
            .iter()
            .filter_map(|object| self.catalogue.object(*object))
        {
            object.set_recipe(None);
            self.destroy_everywhere(&object);
            self.catalogue.remove(object.handle);
        }
    }

    fn forget_private_objects(&self) {
        for object in self.catalogue.select(|object| object.private) {
            self.catalogue.remove(object.handle);
        }
    }

    /// Destroys a session object where it lives; one whose member is lost is gone already.
    fn destroy_everywhere(&self, object: &object::VirtualObject) {
        for id in self.driver.settled().iter() {
            let mut errand = Errand::anywhere(Repeat::Safe);
            errand.eligible = MemberSet::of(id);
            let _ = self.driver.perform(errand, &mut |lease| {
                let handle = self.locate(lease, object.handle, ckr::OBJECT_HANDLE_INVALID)?;
                Ok(lease.call(
                    &Request::DestroyObject {
                        session: lease.handle(),
                        object: handle,
                    },
                    &mut [],
                )?)
            });
        }
    }

    /// Sends a call to every member that serves; a member that is lost over it does not count.
    fn on_each(
        &self,
        repeat: Repeat,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<(), Rv> {
        self.driver.recover_in_call();
        let mut outcome = Err(ckr::DEVICE_ERROR);
        for id in self.driver.settled().iter() {
            let mut errand = Errand::anywhere(repeat);
            errand.eligible = MemberSet::of(id);
            match self.driver.perform(errand, send) {
                Ok(done) => {
                    Refusal::of(done.reply).map_err(|refusal| refusal.rv)?;
                    outcome = Ok(());
                }
                Err(ckr::DEVICE_ERROR) => {}
                Err(rv) => return Err(rv),
            }
        }
        outcome
    }
}
