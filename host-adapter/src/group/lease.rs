//! A real session while it is lent.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use everslot_core::{Incarnation, MemberId};
use everslot_protocol::{Reply, Request, SessionHandle};

use super::member::{Anchor, GONE, Member};
use super::pool::RealSession;
use crate::module::{Instance, LinkFailure};

/// What a new object lives in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Home {
    /// The token: it may be made over any session.
    Token,
    /// The member's anchor: a session object goes with the session it was made in.
    Anchor,
}

impl Home {
    /// `CKA_TOKEN` decides.
    pub(crate) const fn of(token: bool) -> Self {
        if token { Self::Token } else { Self::Anchor }
    }
}

/// Why no session could be lent.
pub(crate) enum LeaseFailure {
    /// Every session that the member allows is in use.
    Exhausted,
    /// `C_OpenSession` of the member returned this `CK_RV`.
    Refused(u64),
    /// The member gave no answer; its load, if there was one.
    Lost(LinkFailure, Option<Arc<dyn Instance>>),
}

/// A real session, lent to a virtual session. Goes back to the pool when it is dropped, unless it was
/// [spoiled](Self::spoil) or [forgotten](Self::forget).
pub(crate) struct Lease {
    member: Arc<Member>,
    session: Option<Box<RealSession>>,
    fate: Fate,
}

/// What becomes of a lease's session when the lease ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// Back to the pool.
    Return,
    /// Closed: an operation is left on it.
    Close,
    /// Nothing: its member is gone, and the session with it.
    Forget,
}

impl Lease {
    pub(super) fn new(member: &Arc<Member>, session: Box<RealSession>) -> Self {
        Self {
            member: Arc::clone(member),
            session: Some(session),
            fate: Fate::Return,
        }
    }

    pub(crate) fn member(&self) -> &Arc<Member> {
        &self.member
    }

    pub(crate) fn place(&self) -> (MemberId, Incarnation) {
        (
            self.member.id,
            self.session
                .as_ref()
                .map_or(Incarnation(0), |session| session.incarnation),
        )
    }

    /// The session's handle, to build requests with.
    pub(crate) fn handle(&self) -> SessionHandle {
        self.session
            .as_ref()
            .map_or(SessionHandle(0), |session| session.handle)
    }

    /// The load that the session lives in.
    pub(crate) fn instance(&self) -> Option<Arc<dyn Instance>> {
        self.session
            .as_ref()
            .map(|session| Arc::clone(&session.instance))
    }

    /// Asks the member, under its deadline.
    pub(crate) fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
    ) -> Result<Reply, LinkFailure> {
        let Some(session) = &mut self.session else {
            return Err(GONE);
        };
        self.member.ask(session, request, output)
    }

    /// Asks the member to make an object, over the session that the object is to live in.
    pub(crate) fn create<'r>(
        &mut self,
        home: Home,
        request: &dyn Fn(SessionHandle) -> Request<'r>,
    ) -> Result<Reply, LinkFailure> {
        self.create_with_output(home, request, &mut [])
    }

    /// [`create`](Self::create), for a call that also puts bytes out.
    pub(crate) fn create_with_output<'r>(
        &mut self,
        home: Home,
        request: &dyn Fn(SessionHandle) -> Request<'r>,
        output: &mut [u8],
    ) -> Result<Reply, LinkFailure> {
        if home == Home::Token {
            return self.call(&request(self.handle()), output);
        }
        let member = Arc::clone(&self.member);
        let mut anchor = member.anchor();
        let Anchor { session, .. } = anchor.as_mut().ok_or(GONE)?;
        member.ask(session, &request(session.handle), output)
    }

    /// Notes whose work the session is kept for between two calls, so that it can be found when sessions run short.
    pub(crate) fn hold(&self, virtual_session: u64) {
        if let Some(session) = &self.session {
            session.holder.store(virtual_session, Ordering::Relaxed);
        }
    }

    /// The session must not be used by another: an operation is left on it.
    pub(crate) fn spoil(&mut self) {
        self.fate = Fate::Close;
    }

    /// The session is gone with its member.
    pub(crate) fn forget(&mut self) {
        self.fate = Fate::Forget;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else {
            return;
        };
        let current =
            session.incarnation == self.member.incarnation() && session.instance.is_alive();
        match self.fate {
            Fate::Return if current => return self.member.pool.put(session),
            Fate::Close if current => {
                let close = Request::CloseSession {
                    session: session.handle,
                };
                // A session that cannot be closed goes with its member.
                let _ = session
                    .link
                    .call(&close, &mut [], Some(self.member.config.deadline));
            }
            Fate::Return | Fate::Close | Fate::Forget => {}
        }
        self.member.pool.forget();
    }
}
