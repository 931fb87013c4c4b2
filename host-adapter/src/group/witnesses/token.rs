//! A member that answers as the script says, and else as the token of the model's world would.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cryptoki_sys as ck;
use everslot_core::{MemberId, Replayable, Rv, ckr};
use everslot_protocol::{
    Body, Bytes, Deadline, MechanismInfo, Reply, Request, SessionHandle, SessionInfo, TokenInfo,
    Version, wire,
};

use super::objects::{Doom, Store};
use super::script::{Fate, Job};
use super::stops::{Place, Stops};
use crate::module::{Delivery, Instance, Link, LinkCause, LinkFailure};

/// The PIN that the application logs in with when it does so rightly.
pub(super) const PIN: &[u8] = b"right";

/// Sessions of all tokens have different handles.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// The mechanisms that operations of many calls use, and what for.
pub(super) const SIGNS: u64 = ck::CKM_SHA256_RSA_PKCS;
pub(super) const ENCRYPTS_ALIKE: u64 = ck::CKM_AES_CBC;
pub(super) const ENCRYPTS_AT_RANDOM: u64 = ck::CKM_RSA_PKCS;
const MECHANISMS: [(u64, u64); 3] = [
    (SIGNS, ck::CKF_SIGN),
    (ENCRYPTS_ALIKE, ck::CKF_ENCRYPT),
    (ENCRYPTS_AT_RANDOM, ck::CKF_ENCRYPT),
];

/// A token, whoever has its module loaded.
pub(super) struct ScriptedToken {
    id: MemberId,
    stops: Arc<Stops>,
    has_other_pin: bool,
    job: Job,
    objects: Arc<Store>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    away: bool,
    sessions: BTreeSet<u64>,
    logged_in: bool,
    loads: Vec<Arc<AtomicBool>>,
}

impl ScriptedToken {
    pub(super) fn new(id: MemberId, stops: &Arc<Stops>, has_other_pin: bool, job: Job) -> Self {
        Self {
            id,
            stops: Arc::clone(stops),
            has_other_pin,
            job,
            objects: Arc::default(),
            state: Mutex::default(),
        }
    }

    /// The same token with these objects.
    pub(super) fn with_objects(self, objects: &Arc<Store>) -> Self {
        Self {
            objects: Arc::clone(objects),
            ..self
        }
    }

    /// Its module is loaded.
    pub(super) fn load(self: &Arc<Self>) -> Result<Arc<dyn Instance>, LinkFailure> {
        let mut state = self.state();
        if state.away {
            return Err(LinkFailure {
                delivery: Delivery::None,
                cause: LinkCause::HostNotStarted,
            });
        }
        let ended = Arc::new(AtomicBool::new(false));
        state.loads.push(Arc::clone(&ended));
        Ok(Arc::new(Loaded {
            token: Arc::clone(self),
            ended,
        }))
    }

    pub(super) fn dies(&self) {
        let mut state = self.state();
        state.away = true;
        state.forget();
    }

    fn dies_in_call(&self) -> LinkFailure {
        self.dies();
        silent(Delivery::Unknown)
    }

    pub(super) fn comes(&self) {
        self.state().away = false;
    }

    pub(super) fn is_away(&self) -> bool {
        self.state().away
    }

    /// The processes that have its module loaded end.
    pub(super) fn processes_end(&self) {
        for ended in self.state().loads.drain(..) {
            ended.store(true, Ordering::SeqCst);
        }
    }

    fn answer(&self, request: &Request<'_>, output: &mut [u8]) -> Result<Reply, LinkFailure> {
        let mut state = self.state();
        if let Request::OpenSession { .. } = request
            && self.stops.is_caller()
        {
            // As if it had been opened long before the call that it is for.
            return Ok(state.open());
        }
        if state.away {
            return Err(silent(Delivery::None));
        }
        Ok(match *request {
            Request::Slots { .. } => put(&u64::from(self.id.0).to_ne_bytes(), output),
            Request::TokenInfo { .. } => self.describe(output),
            Request::Mechanisms { .. } => {
                let kinds = MECHANISMS.map(|(kind, _)| kind.to_ne_bytes());
                put(kinds.as_flattened(), output)
            }
            Request::MechanismInfo { mechanism, .. } => described(mechanism),
            Request::OpenSession { .. } => state.open(),
            Request::CloseAllSessions { .. } => {
                state.forget();
                only(ckr::OK)
            }
            Request::CloseSession { session } => state.close(session),
            Request::SessionInfo { session } => state.with(session, |_| Reply {
                rv: everslot_protocol::Rv::OK,
                body: Body::SessionInfo(SESSION),
            }),
            Request::Login { session, pin, .. } => state.with(session, |state| {
                if self.knows(pin) {
                    let stood = std::mem::replace(&mut state.logged_in, true);
                    only(if stood {
                        ckr::USER_ALREADY_LOGGED_IN
                    } else {
                        ckr::OK
                    })
                } else {
                    only(ckr::PIN_INCORRECT)
                }
            }),
            Request::Logout { session } => state.with(session, |state| {
                let was = std::mem::replace(&mut state.logged_in, false);
                only(if was {
                    ckr::OK
                } else {
                    ckr::USER_NOT_LOGGED_IN
                })
            }),
            _ => match self.objects.answer(request, output) {
                Some(reply) => reply,
                None => self.executed(request, output),
            },
        })
    }

    fn knows(&self, pin: Option<Bytes<'_>>) -> bool {
        !self.has_other_pin && pin.is_some_and(|pin| pin.0 == PIN)
    }

    /// What becomes of a call as the script has it.
    fn suffers(
        &self,
        fate: Fate,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Reply, LinkFailure> {
        let (Fate::Reply { executed, .. } | Fate::Silence { executed, .. }) = fate;
        if let Request::Login { pin, .. } = *request
            && executed
            && self.knows(pin)
        {
            self.state().logged_in = true;
        }
        match fate {
            Fate::Reply { code: ckr::OK, .. } => Ok(self.executed(request, output)),
            Fate::Reply { code, .. } => Ok(only(code)),
            Fate::Silence { delivered, .. } => Err(silent(if delivered {
                Delivery::Unknown
            } else {
                Delivery::None
            })),
        }
    }

    /// The answer to a call that succeeds.
    fn executed(&self, request: &Request<'_>, output: &mut [u8]) -> Reply {
        match *request {
            Request::Update {
                session,
                room: Some(_),
                ..
            } => put(&self.put_out(session), output),
            Request::Finish { .. } => put(&[0; 16], output),
            _ => only(ckr::OK),
        }
    }

    /// Output that is the same on members that are alike, or on no two sessions.
    fn put_out(&self, session: SessionHandle) -> [u8; 16] {
        let source = match self.job.replayable {
            Replayable::Alike => u128::from(self.job.unlike && self.id == MemberId(2)),
            Replayable::UntilOutput | Replayable::Never => u128::from(session.0),
        };
        source.to_ne_bytes()
    }

    fn describe(&self, output: &mut [u8]) -> Reply {
        let version = Version { major: 0, minor: 0 };
        let info = TokenInfo {
            label: *b"scripted                        ",
            manufacturer: [b' '; 32],
            model: [b' '; 16],
            serial: [b'0' + self.id.0; 16],
            flags: ck::CKF_TOKEN_INITIALIZED | ck::CKF_RNG | ck::CKF_LOGIN_REQUIRED,
            max_sessions: 0,
            sessions: 0,
            max_rw_sessions: 0,
            rw_sessions: 0,
            max_pin: 255,
            min_pin: 1,
            total_public_memory: 0,
            free_public_memory: 0,
            total_private_memory: 0,
            free_private_memory: 0,
            hardware: version,
            firmware: version,
            utc_time: [b' '; 16],
        };
        let length = wire::encode_info(&info, output).expect("there is room");
        written(length)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget(&mut self) {
        self.sessions.clear();
        self.logged_in = false;
    }

    fn open(&mut self) -> Reply {
        let handle = SESSIONS.fetch_add(1, Ordering::SeqCst) + 1;
        if !self.away {
            self.sessions.insert(handle);
        }
        Reply {
            rv: everslot_protocol::Rv::OK,
            body: Body::Session(SessionHandle(handle)),
        }
    }

    /// With the last session goes the login (PKCS#11 v3.1 §5.6.7).
    fn close(&mut self, session: SessionHandle) -> Reply {
        let reply = self.with(session, |_| only(ckr::OK));
        self.sessions.remove(&session.0);
        self.logged_in &= !self.sessions.is_empty();
        reply
    }

    fn with(&mut self, session: SessionHandle, answer: impl FnOnce(&mut Self) -> Reply) -> Reply {
        if self.sessions.contains(&session.0) {
            answer(self)
        } else {
            only(ckr::SESSION_HANDLE_INVALID)
        }
    }
}

/// One load of the module.
struct Loaded {
    token: Arc<ScriptedToken>,
    ended: Arc<AtomicBool>,
}

impl Instance for Loaded {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        Ok(Box::new(Way {
            token: Arc::clone(&self.token),
            ended: Arc::clone(&self.ended),
        }))
    }

    fn is_alive(&self) -> bool {
        !self.ended.load(Ordering::SeqCst)
    }

    fn stop(&self, _grace: Duration) {
        // What a process had open goes with it.
        if !self.ended.swap(true, Ordering::SeqCst) {
            self.token.state().forget();
        }
    }

    fn process(&self) -> Option<u32> {
        None
    }
}

struct Way {
    token: Arc<ScriptedToken>,
    ended: Arc<AtomicBool>,
}

impl Link for Way {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _deadline: Deadline,
    ) -> Result<Reply, LinkFailure> {
        if self.ended.load(Ordering::SeqCst) {
            return Err(silent(Delivery::None));
        }
        let token = &self.token;
        let goes_before = matches!(
            request,
            Request::OpenSession { .. } | Request::CloseSession { .. }
        );
        if token.stops.is_sending()
            && !goes_before
            && let Some(fate) = token.stops.stop(Place::Request(token.id))
        {
            return token.suffers(fate, request, output);
        }
        match token.objects.doom_of(request) {
            None => token.answer(request, output),
            Some(Doom::Refuses) => Ok(only(ckr::ACTION_PROHIBITED)),
            Some(Doom::Before) => Err(token.dies_in_call()),
            Some(Doom::After) => {
                token.answer(request, output)?;
                Err(token.dies_in_call())
            }
        }
    }
}

const SESSION: SessionInfo = SessionInfo {
    slot: 0,
    state: 0,
    flags: ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION,
    device_error: 0,
};

const fn silent(delivery: Delivery) -> LinkFailure {
    LinkFailure {
        delivery,
        cause: LinkCause::HostEnded,
    }
}

fn described(mechanism: u64) -> Reply {
    let known = MECHANISMS.iter().find(|(kind, _)| *kind == mechanism);
    let flags = known.map_or(0, |(_, flags)| *flags);
    Reply {
        rv: everslot_protocol::Rv::OK,
        body: Body::Mechanism(MechanismInfo {
            min_key_size: 0,
            max_key_size: 0,
            flags,
        }),
    }
}

fn put(bytes: &[u8], output: &mut [u8]) -> Reply {
    output[..bytes.len()].copy_from_slice(bytes);
    written(bytes.len())
}

const fn written(length: usize) -> Reply {
    Reply {
        rv: everslot_protocol::Rv::OK,
        body: Body::Written(length as u64),
    }
}

const fn only(rv: Rv) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}
