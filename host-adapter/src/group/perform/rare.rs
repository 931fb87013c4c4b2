//! What becomes of a call that does not simply succeed: apart from [the usual way](super), which it would only make longer.

use std::sync::Arc;
use std::time::Instant;

use everslot_core::{
    CallInput, Context, Evidence, Incarnation, MemberId, MemberSet, Rv, Verdict, ckr, verdict,
};
use everslot_protocol::{Body, Reply, Request};

use super::Run;
use crate::group::errand::Stop;
use crate::group::lease::{Lease, LeaseFailure};
use crate::group::login::Again;
use crate::group::member::Member;
use crate::group::room::Queue;
use crate::module::{Delivery, LinkCause, LinkFailure};

impl Run<'_> {
    /// What a call came to that did not simply succeed.
    #[cold]
    pub(super) fn look_into(
        &mut self,
        sent: Result<Reply, Stop>,
        mut lease: Lease,
    ) -> Result<CallInput, Rv> {
        let verdict = match sent {
            Ok(reply) => self.judge(&lease, reply),
            Err(Stop::NotHere(rv)) => {
                self.note_absence(rv);
                Verdict::MemberBusy
            }
            Err(Stop::Refused(rv)) => self.judge(&lease, only(rv)),
            Err(Stop::Final(rv)) => {
                self.reply = Some(only(rv));
                Verdict::CallersFault
            }
            Err(Stop::Unanswered(failure)) => return self.unanswered(lease, failure),
        };
        match verdict {
            Verdict::MemberLost { .. } | Verdict::Quarantine(_) => {
                lease.forget();
                self.errand.lease = None;
            }
            _ => self.errand.lease = Some(lease),
        }
        Ok(CallInput::Verdict(verdict))
    }

    /// Keeps why a member cannot serve the call, in case it is the last word. That nobody has the function stays said: it was said of the
    /// call itself, and a member that has not got the call's object does not come to say it.
    fn note_absence(&mut self, rv: Rv) {
        let unsupported = only(ckr::FUNCTION_NOT_SUPPORTED);
        if self.reply != Some(unsupported) {
            self.reply = Some(only(rv));
        }
    }

    /// The verdict on a member's reply, which is kept as the answer in case it is the last word.
    fn judge(&mut self, lease: &Lease, reply: Reply) -> Verdict {
        self.reply = Some(reply);
        let rv = Rv(reply.rv.0);
        if rv == ckr::OK {
            return Verdict::Fine;
        }
        let context = Context {
            // A member that has its login and still says that nobody is logged in speaks of the call: another user, or a login for
            // this one operation, is wanted (PKCS#11 v3.1 §5.1.6).
            logged_in: !self.aside().login_stood && self.driver.is_logged_in(),
            login_call: self.errand.login,
            // Whatever handle is in the request, the slot has looked it up on this member.
            handles_resolved: true,
            ..Context::default()
        };
        self.aside().evidence = Some((Evidence::Code(rv), None));
        verdict(rv, context, &lease.member().config.overrides)
    }

    fn unanswered(&mut self, mut lease: Lease, failure: LinkFailure) -> Result<CallInput, Rv> {
        if failure.cause == LinkCause::NotTransferable {
            return Err(ckr::MECHANISM_PARAM_INVALID);
        }
        self.aside().evidence = Some((failure.cause.evidence(), lease.instance()));
        lease.forget();
        Ok(CallInput::Unanswered {
            delivered: failure.delivery == Delivery::Unknown,
        })
    }

    /// Waits for a session to come back.
    #[cold]
    pub(super) fn queue(
        &mut self,
        member: &Arc<Member>,
        incarnation: Incarnation,
        elsewhere: MemberSet,
    ) -> Result<Lease, LeaseFailure> {
        let patience = &mut self.aside().patience;
        let end = *patience.get_or_insert_with(|| Instant::now() + member.config.deadline);
        let queue = Queue { end, elsewhere };
        self.driver.queue(member, incarnation, &queue)
    }

    /// What the call is told when no session could be lent.
    #[cold]
    pub(super) fn not_lent(&mut self, member: &Member, failure: LeaseFailure) -> CallInput {
        match failure {
            LeaseFailure::Exhausted => {
                self.reply = Some(only(NO_SESSION));
                CallInput::Verdict(Verdict::MemberBusy)
            }
            LeaseFailure::Refused(rv) if Rv(rv) == ckr::SESSION_COUNT => {
                self.reply = Some(only(NO_SESSION));
                CallInput::Verdict(Verdict::MemberBusy)
            }
            LeaseFailure::Refused(rv) => {
                let rv = Rv(rv);
                self.aside().evidence = Some((Evidence::Code(rv), None));
                self.reply = Some(only(rv));
                // C_OpenSession has no argument of the caller's: whatever is wrong is wrong with the member.
                match verdict(rv, Context::default(), &member.config.overrides) {
                    Verdict::Fine | Verdict::CallersFault | Verdict::SessionLost { .. } => {
                        CallInput::Unanswered { delivered: false }
                    }
                    verdict => CallInput::Verdict(verdict),
                }
            }
            LeaseFailure::Lost(failure, instance) => {
                self.aside().evidence = Some((failure.cause.evidence(), instance));
                CallInput::Unanswered { delivered: false }
            }
        }
    }

    /// A fresh session on the same member, logged in as the group is.
    #[cold]
    pub(super) fn reopen(&mut self, member: MemberId, incarnation: Incarnation) -> bool {
        if let Some(mut lease) = self.errand.lease.take() {
            lease.spoil();
        }
        let Some(member) = self.driver.member(member).cloned() else {
            return false;
        };
        member.close_idle();
        match self.driver.log_in_again(&member) {
            Again::Changed => {}
            Again::Stood => self.aside().login_stood = true,
            Again::Failed => return false,
        }
        match self.lend(&member, incarnation, MemberSet::EMPTY) {
            Ok(lease) => {
                self.errand.lease = Some(lease);
                true
            }
            // It is well, but has no session to spare: that is found out again where another member may have one.
            Err(CallInput::Verdict(Verdict::MemberBusy)) => true,
            Err(_) => false,
        }
    }

    /// Whether the member answers a harmless call: the rule of EP11 for codes that may mean anything.
    #[cold]
    pub(super) fn probe(&mut self, member: MemberId, incarnation: Incarnation) -> bool {
        let Some(lease) = self
            .errand
            .lease
            .as_mut()
            .filter(|lease| lease.place() == (member, incarnation))
        else {
            return false;
        };
        let request = Request::SessionInfo {
            session: lease.handle(),
        };
        matches!(lease.call(&request, &mut []), Ok(reply) if reply.rv == everslot_protocol::Rv::OK)
    }

    #[cold]
    pub(super) fn report_loss(&mut self, member: MemberId, incarnation: Incarnation) {
        if let Some(lease) = self
            .errand
            .lease
            .as_mut()
            .filter(|lease| lease.place() == (member, incarnation))
        {
            lease.forget();
            self.errand.lease = None;
        }
        let (evidence, instance) =
            (self.aside().evidence.take()).unwrap_or((Evidence::NotReached, None));
        self.driver
            .report_loss(member, incarnation, evidence, instance);
    }
}

/// What a call is answered that no member has a real session for: `CKR_SESSION_COUNT` is `C_OpenSession`'s alone (PKCS#11 v3.1 §5.1.6).
const NO_SESSION: Rv = ckr::DEVICE_MEMORY;

/// A reply that is only a code.
fn only(rv: Rv) -> Reply {
    Reply {
        rv: everslot_protocol::Rv(rv.0),
        body: Body::Empty,
    }
}
