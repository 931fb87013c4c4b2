//! The way of one call over the members: the core's call machine decides, this carries out.

mod rare;

use std::sync::Arc;
use std::time::{Duration, Instant};

use everslot_core::{
    Answer, Binding, Call, CallInput, CallOutput, Evidence, Incarnation, MemberId, MemberSet, Next,
    Repeat, Rv, Verdict, candidates, choose, ckr,
};
use everslot_protocol::Reply;

use super::GroupDriver;
use super::errand::{Done, Errand, Stop};
use super::lease::{Lease, LeaseFailure};
use super::member::Member;
use crate::module::Instance;
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
            tried: MemberSet::EMPTY,
            traced: self.trace.is_some(),
            aside: None,
        };
        let done = run.carry_through(send);
        let Run { errand, aside, .. } = run;
        // Hardly ever there, so that its end is out of the way.
        if let Some(aside) = aside {
            self.note_steps(errand.repeat, binding, *aside);
        }
        match done {
            Ok(done) => Ok(done),
            Err(rv) => Err(self.unless_stopping(rv)),
        }
    }

    #[cold]
    fn note_steps(&self, repeat: Repeat, binding: Binding, aside: Aside) {
        if let Some(trace) = &self.trace {
            trace.note_call(CallSteps {
                repeat,
                binding,
                steps: aside.steps,
            });
        }
    }

    /// What a call that could not be carried through answers while `C_Finalize` takes its members away (PKCS#11 v3.1 §5.4.2).
    #[cold]
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
    /// The members that the call has been sent to before the one at hand.
    tried: MemberSet,
    /// What the core is told and answers is written down.
    traced: bool,
    aside: Option<Box<Aside>>,
}

/// What is noted of a call that does not simply succeed, or that is traced: apart, since hardly any call has it.
#[derive(Default)]
struct Aside {
    /// What was seen of the member that the core is about to declare lost, and the load it was seen on.
    evidence: Option<(Evidence, Option<Arc<dyn Instance>>)>,
    /// The member was asked for its login again, and had it.
    login_stood: bool,
    /// When it stops waiting for a real session.
    patience: Option<Instant>,
    /// What the core was told and answered, where that is written down.
    steps: Vec<(CallInput, CallOutput)>,
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
            #[cfg(test)]
            self.driver
                .pause(super::witnesses::Point::Call(output.next));
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
        if self.traced {
            self.take_down(input, output);
        }
        output
    }

    #[cold]
    fn take_down(&mut self, input: CallInput, output: CallOutput) {
        self.aside().steps.push((input, output));
    }

    fn aside(&mut self) -> &mut Aside {
        self.aside.get_or_insert_default()
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

impl GroupDriver {
    /// The member that is to serve next; waits while there is none but one is about to.
    pub(crate) fn choose(
        &self,
        eligible: MemberSet,
        tried: MemberSet,
    ) -> Option<(MemberId, Incarnation)> {
        loop {
            let serving = self.core.view.serving();
            let candidates = candidates(serving, eligible, tried);
            let load = |member| {
                self.member(member)
                    .map_or(u32::MAX, |member: &Arc<Member>| member.in_flight())
            };
            let chosen = match candidates.only() {
                Some(member) => Some(member),
                None => choose(candidates, load, self.core.view.turn()),
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
