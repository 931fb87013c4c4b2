//! The way of one call over the members: the core's call machine decides, this carries out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use everslot_core::{
    Answer, Binding, Call, CallInput, CallOutput, Context, Evidence, Incarnation, MemberId,
    MemberSet, Next, Rv, Verdict, candidates, choose, ckr, verdict,
};
use everslot_protocol::{Body, Reply, Request};

use super::GroupDriver;
use super::errand::{Done, Errand, Stop};
use super::lease::{Lease, LeaseFailure};
use super::login::Again;
use super::member::Member;
use super::room::Queue;
use crate::module::{Delivery, Instance, LinkCause, LinkFailure};
use crate::trace::CallSteps;

impl GroupDriver {
    /// Carries a call through: chooses members, lends their sessions, sends, and goes on to the next where the core says so.
    ///
    /// `send` is called once for each member that is tried, with a session of it.
    ///
    /// # Errors
    /// The `CK_RV` for the application when no member's own answer is the answer.
    pub(crate) fn perform(
        self: &Arc<Self>,
        errand: Errand,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Done, Rv> {
        self.recover_in_call();
        let binding = match (&errand.lease, errand.pinned) {
            (Some(lease), true) => {
                let (member, incarnation) = lease.place();
                Binding::Pinned {
                    member,
                    incarnation,
                }
            }
            _ => Binding::Free,
        };
        let mut run = Run {
            driver: self,
            call: Call::new(errand.repeat, binding),
            errand,
            reply: None,
            evidence: None,
            login_stood: false,
            tried: MemberSet::EMPTY,
            patience: None,
            steps: self.trace.as_ref().map(|_| Vec::new()),
        };
        let repeat = run.errand.repeat;
        let done = run.carry_through(send);
        if let (Some(trace), Some(steps)) = (&self.trace, run.steps) {
            trace.note_call(CallSteps {
                repeat,
                binding,
                steps,
            });
        }
        done.map_err(|rv| self.unless_stopping(rv))
    }

    /// What a call that could not be carried through answers while `C_Finalize` takes its members away (PKCS#11 v3.1 §5.4.2).
    fn unless_stopping(&self, rv: Rv) -> Rv {
        if self.is_stopping() {
            ckr::CRYPTOKI_NOT_INITIALIZED
        } else {
            rv
        }
    }
}

/// One call on its way.
struct Run<'a> {
    driver: &'a Arc<GroupDriver>,
    call: Call,
    errand: Errand,
    reply: Option<Reply>,
    /// What was seen of the member that the core is about to declare lost, and the load it was seen on.
    evidence: Option<(Evidence, Option<Arc<dyn Instance>>)>,
    /// The member was asked for its login again, and had it.
    login_stood: bool,
    /// The members that the call has been sent to before the one at hand.
    tried: MemberSet,
    /// When it stops waiting for a real session.
    patience: Option<Instant>,
    /// What the core was told and answered, where that is written down.
    steps: Option<Vec<(CallInput, CallOutput)>>,
}

impl<'a> Run<'a> {
    fn carry_through(
        &mut self,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<Done, Rv> {
        let mut output = self.tell(CallInput::Start);
        loop {
            if let Some((member, incarnation)) = output.lost {
                self.report_loss(member, incarnation);
            }
            if let Some(aside) = output.set_aside {
                self.driver
                    .quarantine((aside.member, aside.incarnation), aside.why);
            }
            let input = match output.next {
                Next::Choose { tried } => CallInput::Chosen(self.choose(tried)),
                Next::Send {
                    member,
                    incarnation,
                } => self.send(member, incarnation, send)?,
                Next::Reopen {
                    member,
                    incarnation,
                } => CallInput::Reopened(self.reopen(member, incarnation)),
                Next::Probe {
                    member,
                    incarnation,
                } => CallInput::Probed(self.probe(member, incarnation)),
                Next::Answer(answer) => return self.answer(answer),
            };
            output = self.tell(input);
        }
    }

    fn tell(&mut self, input: CallInput) -> CallOutput {
        let output = self.call.handle(input);
        if let Some(steps) = &mut self.steps {
            steps.push((input, output));
        }
        output
    }

    /// The lease's own member first, then the preferred one, then as the balance says.
    fn choose(&mut self, tried: MemberSet) -> Option<(MemberId, Incarnation)> {
        self.tried = tried;
        match &self.errand.lease {
            Some(lease) if !tried.contains(lease.place().0) => Some(lease.place()),
            _ => self
                .choose_preferred(tried)
                .or_else(|| self.driver.choose(self.errand.eligible, tried)),
        }
    }

    fn choose_preferred(&self, tried: MemberSet) -> Option<(MemberId, Incarnation)> {
        let preferred = MemberSet::of(self.errand.preferred?);
        let eligible = self.errand.eligible.intersection(preferred);
        self.driver.choose(eligible, tried)
    }

    /// Sends the call to a member.
    ///
    /// # Errors
    /// The caller's own fault, found before the member was asked.
    fn send(
        &mut self,
        member: MemberId,
        incarnation: Incarnation,
        send: &mut dyn FnMut(&mut Lease) -> Result<Reply, Stop>,
    ) -> Result<CallInput, Rv> {
        let mut lease = match self.lease(member, incarnation) {
            Ok(lease) => lease,
            Err(input) => return Ok(input),
        };
        match send(&mut lease) {
            Ok(reply) if reply.rv == everslot_protocol::Rv::OK => {
                self.reply = Some(reply);
                self.errand.lease = Some(lease);
                Ok(CallInput::Verdict(Verdict::Fine))
            }
            sent => self.look_into(sent, lease),
        }
    }

    /// What a call came to that did not simply succeed.
    #[cold]
    fn look_into(&mut self, sent: Result<Reply, Stop>, mut lease: Lease) -> Result<CallInput, Rv> {
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
            logged_in: !self.login_stood && self.driver.is_logged_in(),
            login_call: self.errand.login,
            // Whatever handle is in the request, the slot has looked it up on this member.
            handles_resolved: true,
            ..Context::default()
        };
        self.evidence = Some((Evidence::Code(rv), None));
        verdict(rv, context, &lease.member().config.overrides)
    }

    fn unanswered(&mut self, mut lease: Lease, failure: LinkFailure) -> Result<CallInput, Rv> {
        if failure.cause == LinkCause::NotTransferable {
            return Err(ckr::MECHANISM_PARAM_INVALID);
        }
        self.evidence = Some((failure.cause.evidence(), lease.instance()));
        lease.forget();
        Ok(CallInput::Unanswered {
            delivered: failure.delivery == Delivery::Unknown,
        })
    }

    /// The lease at hand if it is of this member, else a new one.
    fn lease(&mut self, member: MemberId, incarnation: Incarnation) -> Result<Lease, CallInput> {
        if let Some(mut lease) = self.errand.lease.take() {
            if lease.place() == (member, incarnation) {
                return Ok(lease);
            }
            // Work may have been begun on it that nobody will end.
            lease.spoil();
        }
        let driver: &'a GroupDriver = self.driver;
        let Some(member) = driver.member(member) else {
            return Err(CallInput::Unanswered { delivered: false });
        };
        let others = self.tried.union(MemberSet::of(member.id));
        let elsewhere = self.errand.eligible.difference(others);
        self.lend(member, incarnation, elsewhere)
    }

    fn lend(
        &mut self,
        member: &Arc<Member>,
        incarnation: Incarnation,
        elsewhere: MemberSet,
    ) -> Result<Lease, CallInput> {
        member
            .lease(incarnation, Duration::ZERO)
            .or_else(|failure| match failure {
                LeaseFailure::Exhausted => self.queue(member, incarnation, elsewhere),
                failure => Err(failure),
            })
            .map_err(|failure| self.not_lent(member, failure))
    }

    /// Waits for a session to come back.
    #[cold]
    fn queue(
        &mut self,
        member: &Arc<Member>,
        incarnation: Incarnation,
        elsewhere: MemberSet,
    ) -> Result<Lease, LeaseFailure> {
        let end = *self
            .patience
            .get_or_insert_with(|| Instant::now() + member.config.deadline);
        let queue = Queue { end, elsewhere };
        self.driver.queue(member, incarnation, &queue)
    }

    /// What the call is told when no session could be lent.
    #[cold]
    fn not_lent(&mut self, member: &Member, failure: LeaseFailure) -> CallInput {
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
                self.evidence = Some((Evidence::Code(rv), None));
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
                self.evidence = Some((failure.cause.evidence(), instance));
                CallInput::Unanswered { delivered: false }
            }
        }
    }

    /// A fresh session on the same member, logged in as the group is.
    fn reopen(&mut self, member: MemberId, incarnation: Incarnation) -> bool {
        if let Some(mut lease) = self.errand.lease.take() {
            lease.spoil();
        }
        let Some(member) = self.driver.member(member).cloned() else {
            return false;
        };
        member.close_idle();
        match self.driver.log_in_again(&member) {
            Again::Changed => {}
            Again::Stood => self.login_stood = true,
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
    fn probe(&mut self, member: MemberId, incarnation: Incarnation) -> bool {
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

    fn report_loss(&mut self, member: MemberId, incarnation: Incarnation) {
        if let Some(lease) = self
            .errand
            .lease
            .as_mut()
            .filter(|lease| lease.place() == (member, incarnation))
        {
            lease.forget();
            self.errand.lease = None;
        }
        let (evidence, instance) = self.evidence.take().unwrap_or((Evidence::NotReached, None));
        self.driver
            .report_loss(member, incarnation, evidence, instance);
    }

    fn answer(&mut self, answer: Answer) -> Result<Done, Rv> {
        match (answer, self.reply) {
            (Answer::Reply, Some(reply)) => Ok(Done {
                reply,
                lease: self.errand.lease.take(),
            }),
            (Answer::Reply | Answer::Unavailable | Answer::Unknown, _) => Err(ckr::DEVICE_ERROR),
        }
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

impl GroupDriver {
    /// The member that is to serve next; waits while there is none but one is about to.
    pub(crate) fn choose(
        &self,
        eligible: MemberSet,
        tried: MemberSet,
    ) -> Option<(MemberId, Incarnation)> {
        loop {
            let serving = self.view.serving();
            let candidates = candidates(serving, eligible, tried);
            let load = |member| {
                self.member(member)
                    .map_or(u32::MAX, |member: &Arc<Member>| member.in_flight())
            };
            let chosen = match candidates.only() {
                Some(member) => Some(member),
                None => choose(candidates, load, self.view.turn()),
            };
            if let Some(member) = chosen {
                return self
                    .member(member)
                    .map(|found| (member, found.incarnation()));
            }
            if serving.awaited(eligible, tried).is_empty() || !self.wait_for_view(serving) {
                return None;
            }
        }
    }
}
