use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use everslot_core::{Evidence, Incarnation, MemberId, Rv, ckr};
use everslot_protocol::{Body, Function, Reply, Request, SlotId, TokenInfo};

use super::eras::{Era, Eras};
use super::lease::{Lease, LeaseFailure};
use super::load::Load;
use super::offers::Ability;
use super::pool::{Pool, RealSession, Taken};
use super::tally::{self, Tally};
use crate::config::MemberConfig;
use crate::live::Live;
use crate::module::{Delivery, Instance, LinkCause, LinkFailure};

/// The member is gone, and with it what was to be asked.
pub(super) const GONE: LinkFailure = LinkFailure {
    delivery: Delivery::None,
    cause: LinkCause::HostEnded,
};

/// One real token of the group, as the adapter holds it.
pub(crate) struct Member {
    pub(crate) id: MemberId,
    pub(crate) config: Live<MemberConfig>,
    pub(crate) load: Arc<Load>,
    pub(crate) pool: Pool,
    pub(crate) counters: Counters,
    /// The last incarnation of whoever had its id before: what was seen then was another's.
    pub(crate) since: Incarnation,
    eras: Eras,
    token: Mutex<Option<Token>>,
    anchor: Mutex<Option<Anchor>>,
    last_failure: LastFailure,
}

/// What was found out about a member's token when it was last opened.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) slot: SlotId,
    pub(crate) info: TokenInfo,
    pub(crate) abilities: Arc<[Ability]>,
}

/// The session that is open as long as the member serves: the login of its token stands on it, and the session objects of
/// all virtual sessions live in it.
pub(crate) struct Anchor {
    pub(crate) session: Box<RealSession>,
    era: Era,
}

/// What a member was asked and what became of it; for `status` only, nothing is decided by it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Requests on their way: what the balance goes by.
    pub(crate) in_flight: AtomicU32,
    pub(crate) tally: Tally,
    pub(crate) losses: AtomicU64,
    pub(crate) recoveries: AtomicU64,
}

impl Member {
    /// `since` is the last incarnation of who had the id before.
    pub(crate) fn new(
        id: MemberId,
        config: MemberConfig,
        load: Arc<Load>,
        since: Incarnation,
    ) -> Self {
        Self {
            id,
            // The anchor is one of them.
            pool: Pool::new(config.sessions.get() - 1),
            config: Live::new(config),
            load,
            counters: Counters::default(),
            since,
            eras: Eras::new(since),
            token: Mutex::new(None),
            anchor: Mutex::new(None),
            last_failure: LastFailure::default(),
        }
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.eras.incarnation()
    }

    pub(crate) fn set_incarnation(&self, incarnation: Incarnation) {
        self.eras.begin(incarnation);
    }

    /// Whether what lives in the sessions of `incarnation` is still there.
    pub(crate) fn has_sessions(&self, incarnation: Incarnation) -> bool {
        incarnation > self.eras.closed()
    }

    /// The core has said that the sessions of this and all older incarnations go; written under the group's lock, so that nothing
    /// that an attempt after it opens is taken for them.
    pub(crate) fn end_era(&self, incarnation: Incarnation) {
        self.eras.end(incarnation);
    }

    pub(crate) fn era(&self) -> Era {
        self.eras.era()
    }

    /// Keeps the session that an attempt has opened, unless the era in which the attempt began to open it is over.
    pub(crate) fn set_anchor(&self, session: Box<RealSession>, era: Era) -> bool {
        let mut anchor = self.anchor();
        let current = self.era() == era;
        if current {
            *anchor = Some(Anchor { session, era });
        }
        current
    }

    /// Closes the sessions that nobody uses: one of them was gone, and the others may be.
    pub(crate) fn close_idle(self: &Arc<Self>) {
        while let Some(session) = self.pool.take_idle() {
            Lease::new(self, session).spoil();
        }
    }

    /// Lets go of the sessions of eras that are over.
    pub(crate) fn close(&self) {
        let closed = self.eras.closed();
        self.pool.drain(|session| session.incarnation <= closed);
        let mut anchor = self.anchor();
        if anchor
            .as_ref()
            .is_some_and(|anchor| anchor.era != self.era())
        {
            *anchor = None;
        }
    }

    /// Lets go of all sessions that no call is using: the library is finalised.
    pub(crate) fn let_go(&self) {
        self.pool.drain(|_| true);
        // Whoever has the anchor is in a call that a module in this process may never end.
        if let Ok(mut anchor) = self.anchor.try_lock() {
            *anchor = None;
        }
    }

    /// Requests on their way to the member.
    pub(crate) fn in_flight(&self) -> u32 {
        self.counters.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn token(&self) -> Option<Token> {
        self.token
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_token(&self, token: Token) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// The anchor, for one caller at a time.
    pub(crate) fn anchor(&self) -> MutexGuard<'_, Option<Anchor>> {
        self.anchor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the answer to `request` may take.
    pub(crate) fn deadline(&self, request: &Request<'_>) -> Duration {
        match request {
            Request::GenerateKey { .. }
            | Request::GenerateKeyPair { .. }
            | Request::InitToken { .. }
            | Request::DeriveKey { .. } => self.config.generation_deadline,
            _ => self.config.deadline,
        }
    }

    /// Lends a real session of `incarnation`; waits for one up to `patience` when all are in use.
    ///
    /// # Errors
    /// All of the member's sessions are in use, none can be opened, or the incarnation is over (S6).
    pub(crate) fn lease(
        self: &Arc<Self>,
        incarnation: Incarnation,
        patience: Duration,
    ) -> Result<Lease, LeaseFailure> {
        if !self.has_sessions(incarnation) {
            return Err(LeaseFailure::Lost(GONE, None));
        }
        match self.pool.take(incarnation, patience) {
            Taken::Idle(session) => Ok(Lease::new(self, session)),
            Taken::Exhausted => Err(LeaseFailure::Exhausted),
            Taken::MayOpen => match self.open(incarnation) {
                Ok(session) => Ok(Lease::new(self, session)),
                // Its own limit is lower than the configured one.
                Err(LeaseFailure::Refused(rv)) if Rv(rv) == ckr::SESSION_COUNT => {
                    Err(if self.pool.refused() {
                        LeaseFailure::Exhausted
                    } else {
                        LeaseFailure::Refused(rv)
                    })
                }
                Err(failure) => {
                    self.pool.forget();
                    Err(failure)
                }
            },
        }
    }

    /// Opens a session for the pool. The caller has counted it.
    fn open(&self, incarnation: Incarnation) -> Result<Box<RealSession>, LeaseFailure> {
        let token = self.token().ok_or(LeaseFailure::Lost(GONE, None))?;
        let instance = self.load.running().ok_or(LeaseFailure::Lost(GONE, None))?;
        let session = self.open_on(&instance, token.slot, incarnation)?;
        if self.incarnation() != incarnation {
            return Err(LeaseFailure::Lost(GONE, Some(instance)));
        }
        Ok(session)
    }

    /// Opens a session on `instance`; read-only where the token is write-protected.
    pub(crate) fn open_on(
        &self,
        instance: &Arc<dyn Instance>,
        slot: SlotId,
        incarnation: Incarnation,
    ) -> Result<Box<RealSession>, LeaseFailure> {
        let lost = |failure| LeaseFailure::Lost(failure, Some(Arc::clone(instance)));
        let mut link = instance.link().map_err(|failure| match failure.cause {
            LinkCause::Exhausted => LeaseFailure::Exhausted,
            _ => lost(failure),
        })?;
        let mut open = |read_write| {
            let request = Request::OpenSession { slot, read_write };
            link.call(&request, &mut [], Some(self.config.deadline))
        };
        let mut reply = open(true).map_err(lost)?;
        if reply.rv.0 == ckr::TOKEN_WRITE_PROTECTED.0 {
            reply = open(false).map_err(lost)?;
        }
        match reply {
            Reply {
                rv: everslot_protocol::Rv::OK,
                body: Body::Session(handle),
            } => Ok(Box::new(RealSession {
                link,
                handle,
                incarnation,
                instance: Arc::clone(instance),
                holder: self.pool.new_holder(),
            })),
            Reply { rv, .. } => Err(LeaseFailure::Refused(rv.0)),
        }
    }
}

impl Member {
    /// Sends `request` over `session` and counts it.
    pub(crate) fn ask(
        &self,
        session: &mut RealSession,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Reply, LinkFailure> {
        let Counters {
            in_flight, tally, ..
        } = &self.counters;
        let began = tally::clock();
        in_flight.fetch_add(1, Ordering::Relaxed);
        let answer = session
            .link
            .call(request, output, Some(self.deadline(request)));
        in_flight.fetch_sub(1, Ordering::Relaxed);
        match &answer {
            Ok(reply) if reply.rv == everslot_protocol::Rv::OK => {
                tally.ok();
                if let Some(began) = began {
                    tally.time(request.function(), began);
                }
            }
            Ok(reply) => {
                tally.code(Rv(reply.rv.0));
                self.last_failure.note(request, Some(Rv(reply.rv.0)));
            }
            Err(_) => {
                tally.silence();
                self.last_failure.note(request, None);
            }
        }
        answer
    }

    /// The function that was answered as `evidence` says, or not at all, if that was the last one to go wrong.
    pub(crate) fn function_of(&self, evidence: &Evidence) -> Option<Function> {
        let (function, said) = self.last_failure.read()?;
        let fits = match evidence {
            Evidence::Code(rv) => said == Some(*rv),
            Evidence::DeadlinePassed | Evidence::HostEnded | Evidence::NotReached => said.is_none(),
            Evidence::TokenAbsent | Evidence::SetAside(_) | Evidence::Joining => false,
        };
        fits.then_some(function)
    }
}

/// What a member was asked when it last did not say `CKR_OK`, with what it said, or `None` when it gave no answer. For the log only. One
/// word, so that no call waits for another: the function's number counted from 1, whether there was an answer, and its code.
#[derive(Debug, Default)]
struct LastFailure(AtomicU64);

impl LastFailure {
    const ANSWERED: u64 = 1 << 32;

    #[cold]
    fn note(&self, request: &Request<'_>, said: Option<Rv>) {
        let function = (request.function() as u64 + 1) << 33;
        // No code of PKCS#11 is longer than 32 bits, a vendor's own included (PKCS#11 v3.1 §2: CKR_VENDOR_DEFINED).
        let said = said.map_or(0, |rv| Self::ANSWERED | u64::from(rv.0 as u32));
        self.0.store(function | said, Ordering::Relaxed);
    }

    fn read(&self) -> Option<(Function, Option<Rv>)> {
        let word = self.0.load(Ordering::Relaxed);
        let number = usize::try_from(word >> 33).ok()?.checked_sub(1)?;
        let answered = word & Self::ANSWERED != 0;
        let said = answered.then_some(Rv(u64::from(word as u32)));
        Some((*Function::ALL.get(number)?, said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_is_remembered_whole() {
        let last = LastFailure::default();
        assert_eq!(last.read(), None);
        let request = Request::CloseSession {
            session: everslot_protocol::SessionHandle(1),
        };
        for said in [None, Some(ckr::OK), Some(Rv(0xFFFF_FFFF)), None] {
            last.note(&request, said);
            assert_eq!(last.read(), Some((Function::CloseSession, said)));
        }
    }
}
