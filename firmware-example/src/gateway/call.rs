//! One call on its way: the core's call machine decides, this carries out.

use everslot_core::{
    Answer, Binding, Call, CallInput, Context, Evidence, Incarnation, Input, Login, MemberId,
    MemberSet, Next, Overrides, Rv, User, Verdict, candidates, choose, ckr, verdict,
};
use everslot_protocol::{Body, ObjectHandle, Reply, Request, SessionHandle};

use super::Gateway;
use super::task::{Key, Task, find};
use crate::board::{Board, Clock, Watch};
use crate::errand::{Errand, Purpose, handles};
use crate::line::OUTPUT;

/// Why a call has no result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Failure {
    /// A member answered this, and every other would.
    Code(Rv),
    /// No member is left that could serve it: `CKR_DEVICE_ERROR` for an application.
    Unavailable,
    /// It may have taken effect, and may not be repeated.
    Unknown,
    /// The output is longer than [`OUTPUT`] bytes, or not as long as it has to be.
    Length,
}

/// A call on its way, and what it has seen.
struct Run<'t> {
    task: Task<'t>,
    call: Call,
    output: [u8; OUTPUT],
    reply: Option<Reply>,
    evidence: Evidence,
    /// Where it was sent last.
    place: Option<(MemberId, Incarnation)>,
}

/// There is no answer, and whether the member may have executed the request.
struct Unanswered {
    delivered: bool,
}

impl<'a, B: Board, const MEMBERS: usize> Gateway<'a, B, MEMBERS> {
    /// Signs a hash with the group's key: ECDSA on P-256.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn sign(&mut self, hash: &[u8; 32], signature: &mut [u8; 64]) -> Result<(), Failure> {
        let done = self.perform(Task::Sign { hash })?;
        *signature = *done.written().first_chunk().ok_or(Failure::Length)?;
        Ok(())
    }

    /// Verifies a signature with the group's key.
    ///
    /// # Errors
    /// `CKR_SIGNATURE_INVALID` in [`Failure::Code`] if it is not the key's, else see [`Failure`].
    pub fn verify(&mut self, hash: &[u8; 32], signature: &[u8; 64]) -> Result<(), Failure> {
        self.perform(Task::Verify { hash, signature }).map(drop)
    }

    /// Fills `random`, at most [`OUTPUT`] bytes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn random(&mut self, random: &mut [u8]) -> Result<(), Failure> {
        let length = random.len();
        if length > OUTPUT {
            return Err(Failure::Length);
        }
        let done = self.perform(Task::Random { length })?;
        let made = done.written().get(..length).ok_or(Failure::Length)?;
        random.copy_from_slice(made);
        Ok(())
    }

    /// Logs the user in: at one member, whose word decides, then at all others (S12). The PIN is used again for members that return.
    ///
    /// # Errors
    /// `CKR_PIN_INCORRECT` and the like in [`Failure::Code`]: no other member has heard the PIN then. Else see [`Failure`].
    pub fn log_in(&mut self, pin: &'a str) -> Result<(), Failure> {
        let done = self.perform(Task::LogIn { pin })?;
        self.pin = Some(pin);
        if let Some((member, incarnation)) = done.place {
            let user = User::User;
            self.feed(Input::LoginAccepted {
                member,
                incarnation,
                user,
            });
        }
        Ok(())
    }

    fn perform<'t>(&mut self, task: Task<'t>) -> Result<Run<'t>, Failure> {
        let mut run = Run {
            task,
            call: Call::new(task.repeat(), Binding::Free),
            output: [0; OUTPUT],
            reply: None,
            evidence: Evidence::NotReached,
            place: None,
        };
        let mut input = CallInput::Start;
        loop {
            let output = run.call.handle(input);
            if let Some((member, incarnation)) = output.lost {
                let evidence = run.evidence;
                self.feed(Input::Lost {
                    member,
                    incarnation,
                    evidence,
                });
            }
            if let Some(aside) = output.set_aside {
                self.feed(Input::Quarantine {
                    member: aside.member,
                    incarnation: aside.incarnation,
                    why: aside.why,
                });
            }
            input = match output.next {
                Next::Choose { tried } => CallInput::Chosen(self.choose(tried)),
                Next::Send {
                    member,
                    incarnation,
                } => self.send(&mut run, (member, incarnation)),
                Next::Reopen { member, .. } => CallInput::Reopened(self.reopen(member)),
                Next::Probe { member, .. } => CallInput::Probed(self.probe(&mut run, member)),
                Next::Answer(answer) => return run.answered(answer),
            };
        }
    }

    /// The member whose turn it is; one call at a time is under way, so none has more to do than another.
    fn choose(&mut self, tried: MemberSet) -> Option<(MemberId, Incarnation)> {
        loop {
            let view = self.group.view();
            let everyone = MemberSet::from_bits(u32::MAX);
            let candidates = candidates(view.serving(), everyone, tried);
            self.choices = self.choices.wrapping_add(1);
            if let Some(member) = choose(candidates, |_| 0, self.choices) {
                return view.incarnation(member).map(|found| (member, found));
            }
            if view.changing.is_empty() {
                return None;
            }
            // It is logging in or out, which ends at its deadline.
            self.turn();
            self.rest();
        }
    }

    /// Sends what the task has to send, one request after the other, and reads the last answer that was not `CKR_OK`.
    fn send(&mut self, run: &mut Run<'_>, place: (MemberId, Incarnation)) -> CallInput {
        // S6: one call at a time is under way, and it alone can lose the member, so the incarnation is the one that was chosen.
        let (member, _) = place;
        if let Some((from, _)) = run.place.replace(place)
            && from != member
        {
            self.watch.failed_over(self.clock.now(), from, member);
        }
        match self.ask_all(run, member) {
            Ok(reply) => {
                let rv = Rv(reply.rv.0);
                run.reply = Some(reply);
                run.evidence = Evidence::Code(rv);
                CallInput::Verdict(self.judge(run, rv))
            }
            Err(Unanswered { delivered }) => CallInput::Unanswered { delivered },
        }
    }

    fn ask_all(&mut self, run: &mut Run<'_>, member: MemberId) -> Result<Reply, Unanswered> {
        let session = self.session(member);
        if let Some(key) = run.task.key() {
            let handle = match self.key(run, member, key)? {
                Ok(handle) => handle,
                Err(reply) => return Ok(reply),
            };
            let begun = self.exchange(run, member, &Task::begin(session, key, handle))?;
            if begun.rv.0 != ckr::OK.0 {
                return Ok(begun);
            }
        }
        let last = run.task.last(session);
        self.exchange(run, member, &last)
    }

    /// A key's handle on a member, looked for if it is not known in this session; else the reply that tells that there is none.
    fn key(
        &mut self,
        run: &mut Run<'_>,
        member: MemberId,
        key: Key,
    ) -> Result<Result<ObjectHandle, Reply>, Unanswered> {
        let known = |gateway: &mut Self| {
            let post = gateway.post(member)?;
            *key.of(&mut post.open)
        };
        if let Some(handle) = known(self) {
            return Ok(Ok(handle));
        }
        let template = key.template(self.settings.key);
        let session = self.session(member);
        let found = self.exchange(run, member, &find(session, &template))?;
        if found.rv.0 != ckr::OK.0 {
            return Ok(Err(found));
        }
        let handle = handles(found.body, &run.output).next().map(ObjectHandle);
        if let Some(post) = self.post(member) {
            *key.of(&mut post.open) = handle;
        }
        Ok(handle.ok_or(Reply {
            rv: everslot_protocol::Rv(ckr::KEY_HANDLE_INVALID.0),
            body: Body::Empty,
        }))
    }

    fn judge(&self, run: &Run<'_>, rv: Rv) -> Verdict {
        let context = Context {
            logged_in: self.group.login() != Login::Out,
            login_call: run.task.is_login(),
            pin_accepted: false,
            // Every handle was looked up on this member.
            handles_resolved: true,
        };
        verdict(rv, context, &Overrides::<0>::new())
    }

    /// Sends a request and waits for its answer, at most one deadline; takes turns meanwhile.
    fn exchange(
        &mut self,
        run: &mut Run<'_>,
        member: MemberId,
        request: &Request<'_>,
    ) -> Result<Reply, Unanswered> {
        let post = self.post(member).ok_or(Evidence::NotReached);
        if let Err(evidence) = post.and_then(|post| post.ask(request)) {
            run.evidence = evidence;
            return Err(Unanswered { delivered: false });
        }
        let until = self.clock.now().saturating_add(self.settings.deadline);
        loop {
            let post = self.post(member);
            if let Some(reply) = post.and_then(|post| post.heard(&mut run.output)) {
                return Ok(reply);
            }
            if self.clock.now() >= until {
                run.evidence = Evidence::DeadlinePassed;
                return Err(Unanswered { delivered: true });
            }
            self.turn();
            self.rest();
        }
    }

    /// A fresh session on the same member, logged in as the group is.
    fn reopen(&mut self, member: MemberId) -> bool {
        let login = self.group.login();
        self.reopened = None;
        if let Some(post) = self.post(member) {
            post.close();
            post.send_on(Errand::new(Purpose::Reopen { login }));
        }
        // Each request of the errand has its deadline.
        loop {
            self.turn();
            if let Some(is_open) = self.reopened {
                return is_open;
            }
            self.rest();
        }
    }

    /// Whether the member answers a harmless call.
    fn probe(&mut self, run: &mut Run<'_>, member: MemberId) -> bool {
        let kept = run.output;
        let session = self.session(member);
        let probed = self.exchange(run, member, &Request::SessionInfo { session });
        run.output = kept;
        matches!(probed, Ok(reply) if reply.rv.0 == ckr::OK.0)
    }

    /// A member that serves has a session; one without it says so itself.
    fn session(&mut self, member: MemberId) -> SessionHandle {
        self.post(member)
            .and_then(|post| post.open.session)
            .unwrap_or(SessionHandle(0))
    }
}

impl Run<'_> {
    fn answered(self, answer: Answer) -> Result<Self, Failure> {
        match (answer, self.reply.map(|reply| Rv(reply.rv.0))) {
            (Answer::Reply, Some(ckr::OK)) => Ok(self),
            (Answer::Reply, Some(rv)) => Err(Failure::Code(rv)),
            (Answer::Reply, None) | (Answer::Unavailable, _) => Err(Failure::Unavailable),
            (Answer::Unknown, _) => Err(Failure::Unknown),
        }
    }

    /// What the call has put out.
    fn written(&self) -> &[u8] {
        let written = self.reply.map_or(0, |reply| reply.written());
        let length = usize::try_from(written).unwrap_or(0);
        self.output.get(..length).unwrap_or_default()
    }
}
