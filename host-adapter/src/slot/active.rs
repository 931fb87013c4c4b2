//! An active operation, and its way to a session that does not have it yet.

use cryptoki_sys as ck;
use everslot_core::{
    Binding, Context, Effect, MemberSet, Repeat, Rv, Seat, Verdict, Work, WorkInput, WorkNext, ckr,
    repeat, signing, verdict,
};
use everslot_protocol::{Body, Bytes, Mechanism, Operation, Reply, Request};
use zeroize::Zeroizing;

use super::VirtualSlot;
use super::begun::{Begun, may_be_replayed};
use super::transcript::{OutputHash, Part, Transcript};
use super::written;
use crate::group::{Lease, Stop};
use crate::trace::{Noted, Recorder};

/// An operation that was begun and has not ended.
pub(super) struct Active {
    pub(super) operation: Operation,
    /// The bench that it stands on.
    pub(super) bench: usize,
    pub(super) begun: Begun,
    /// The members that have its mechanism.
    pub(super) eligible: MemberSet,
    work: Noted<Work>,
    transcript: Option<Box<Transcript>>,
    /// Its key wanted a login of its own, which was made where it stands.
    authenticated: bool,
    /// What its last call does to its key.
    effect: Effect,
}

/// Bytes beside its input that a part may put out when it is replayed: what the member had kept of the parts before.
const KEPT_BACK: usize = 256;

impl Active {
    pub(super) fn new(
        (operation, mechanism): (Operation, &Mechanism<'_>),
        begun: Begun,
        (bench, seat): (usize, Option<Seat>),
        eligible: MemberSet,
        trace: Option<&Recorder>,
    ) -> Self {
        let work = Work::begun(may_be_replayed(operation, mechanism), seat);
        Self {
            operation,
            bench,
            begun,
            eligible,
            work: Noted::new(work, trace),
            transcript: None,
            authenticated: false,
            effect: match operation {
                Operation::Sign | Operation::SignRecover => signing(mechanism.kind),
                Operation::Digest
                | Operation::Verify
                | Operation::VerifyRecover
                | Operation::Encrypt
                | Operation::Decrypt => Effect::Computes,
            },
        }
    }

    /// One that was saved: it has a transcript, and stands nowhere and on no bench yet.
    pub(super) fn restored(
        (operation, mechanism): (Operation, &Mechanism<'_>),
        begun: Begun,
        transcript: Transcript,
        eligible: MemberSet,
        trace: Option<&Recorder>,
    ) -> Self {
        let parts = u32::try_from(transcript.parts().len()).unwrap_or(u32::MAX);
        let given = transcript.given().0 > 0;
        let replayable = may_be_replayed(operation, mechanism);
        Self {
            work: Noted::new(Work::restored(replayable, parts, given), trace),
            transcript: Some(Box::new(transcript)),
            ..Self::new((operation, mechanism), begun, (0, None), eligible, None)
        }
    }

    /// Whether its calls can go to another member.
    pub(super) fn may_move(&self) -> bool {
        self.work.may_move()
    }

    /// Whether the operation stands on this session, or can be brought to another; if neither, it is over.
    pub(super) fn is_pinned(&self, lease: Option<&Lease>) -> Result<bool, Rv> {
        match self.work.binding() {
            Some(Binding::Free) => Ok(false),
            Some(Binding::Pinned { .. }) if lease.map(seat) == self.work.seat() => Ok(true),
            Some(Binding::Pinned { .. }) | None => Err(self.loss()),
        }
    }

    /// What is answered when the session is gone that it stood on and it cannot be brought elsewhere. A login for one operation is not
    /// repeated by us: the application is asked for it again (PKCS#11 v3.1 §5.6.8).
    const fn loss(&self) -> Rv {
        if self.authenticated {
            ckr::USER_NOT_LOGGED_IN
        } else {
            ckr::DEVICE_ERROR
        }
    }

    /// Whether its last call may be sent twice.
    pub(super) const fn repeat(&self, ends: bool) -> Repeat {
        if ends {
            repeat(self.effect)
        } else {
            Repeat::Safe
        }
    }

    /// Whether it can go on from what is known of it here.
    pub(super) fn is_saveable(&self) -> bool {
        self.may_move() && !self.authenticated
    }

    pub(super) const fn transcript(&self) -> Option<&Transcript> {
        match &self.transcript {
            Some(transcript) => Some(transcript),
            None => None,
        }
    }

    /// The session on which it stands goes; another of the member may get the same handle.
    pub(super) fn leave(&mut self) {
        if let Some(seat) = self.work.seat() {
            let _ = self.work.handle(WorkInput::Reached(seat));
            self.failed();
        }
    }

    /// Its login was made where it stands.
    pub(super) fn authenticated(&mut self) {
        self.authenticated = true;
        self.unchanged();
    }

    /// Brings the operation to the session of `lease`, as the core says.
    ///
    /// # Errors
    /// The member did not answer, or not as the one did that has the operation so far; or it cannot be brought there.
    #[inline]
    pub(super) fn bring(&mut self, slot: &VirtualSlot, lease: &mut Lease) -> Result<(), Stop> {
        let reached = seat(lease);
        if self.authenticated && self.work.seat() != Some(reached) {
            return Err(Stop::Final(self.loss()));
        }
        // What was under way on another session came to nothing.
        self.failed();
        match self.work.handle(WorkInput::Reached(reached)) {
            WorkNext::Send => Ok(()),
            next => self.replay(slot, lease, next),
        }
    }

    #[cold]
    fn replay(
        &mut self,
        slot: &VirtualSlot,
        lease: &mut Lease,
        mut next: WorkNext,
    ) -> Result<(), Stop> {
        let mut replayed = OutputHash::default();
        loop {
            let input = match next {
                WorkNext::Send => return Ok(()),
                WorkNext::Begin => {
                    let begun = self.begun.send(slot, lease);
                    self.done(slot, lease, begun)?
                }
                WorkNext::Resend { part } => {
                    let taken = self.resend(slot, lease, part, &mut replayed);
                    self.done(slot, lease, taken)?
                }
                WorkNext::Compare => {
                    let transcript = self.transcript.as_mut();
                    WorkInput::Compared(transcript.is_some_and(|known| known.is_alike(&replayed)))
                }
                WorkNext::Rest | WorkNext::GiveUp | WorkNext::Over => {
                    return Err(Stop::Final(ckr::DEVICE_ERROR));
                }
            };
            next = self.work.handle(input);
        }
    }

    /// What a step of a replay came to.
    fn done(
        &mut self,
        slot: &VirtualSlot,
        lease: &mut Lease,
        outcome: Result<Reply, Stop>,
    ) -> Result<WorkInput, Stop> {
        let stop = match outcome {
            Ok(reply) if reply.rv == everslot_protocol::Rv::OK => return Ok(WorkInput::Done),
            Ok(reply) => refused(slot, lease, Rv(reply.rv.0)),
            Err(stop) => stop,
        };
        self.failed();
        Err(stop)
    }

    fn resend(
        &self,
        slot: &VirtualSlot,
        lease: &mut Lease,
        number: u32,
        replayed: &mut OutputHash,
    ) -> Result<Reply, Stop> {
        let part = self.transcript().and_then(|known| known.part(number));
        match part.ok_or(Stop::Final(ckr::GENERAL_ERROR))? {
            Part::Key(key) => digest_key(slot, lease, key),
            Part::Data(data) => match self.operation {
                Operation::Encrypt | Operation::Decrypt => {
                    resend_with_output(lease, self.operation, data, replayed)
                }
                Operation::Digest
                | Operation::Sign
                | Operation::SignRecover
                | Operation::Verify
                | Operation::VerifyRecover => update(lease, self.operation, data, None, &mut []),
            },
        }
    }

    /// What was under way has come to nothing.
    pub(super) fn failed(&mut self) {
        let _ = self.work.handle(WorkInput::Failed);
    }

    /// The call left everything as it was.
    pub(super) fn unchanged(&mut self) {
        let _ = self.work.handle(WorkInput::Unchanged);
    }

    /// The member has taken a part and put this out for it.
    pub(super) fn taken(&mut self, slot: &VirtualSlot, part: Part<'_>, output: &[u8]) {
        let could_move = self.work.may_move();
        let recorded = could_move && {
            let transcript = self.transcript.get_or_insert_default();
            let limit = slot.driver.config.transcript;
            transcript.record(part, output, limit).is_ok()
        };
        let _ = self.work.handle(WorkInput::Taken {
            output: !output.is_empty(),
            recorded,
        });
        if self.work.may_move() {
            return;
        }
        self.transcript = None;
        if could_move && !recorded {
            tracing::warn!(
                group = slot.label(),
                operation = ?self.operation,
                limit = slot.driver.config.transcript,
                "the operation is longer than its transcript may be and cannot outlive its member from here on; \
                 raise `transcript` of the group if it should"
            );
        }
    }
}

/// The session of a lease, as the core has it.
pub(super) fn seat(lease: &Lease) -> Seat {
    let (member, incarnation) = lease.place();
    Seat {
        member,
        incarnation,
        session: lease.handle().0,
    }
}

/// A member has refused what another one has accepted. Whatever it holds against the caller, the caller has heard that all is well.
fn refused(slot: &VirtualSlot, lease: &mut Lease, rv: Rv) -> Stop {
    let context = Context {
        logged_in: slot.driver.is_logged_in(),
        handles_resolved: true,
        ..Context::default()
    };
    if rv == ckr::USER_NOT_LOGGED_IN && is_logged_in(lease) {
        return Stop::Final(rv);
    }
    match verdict(rv, context, &lease.member().config.overrides) {
        Verdict::Fine | Verdict::CallersFault | Verdict::MemberBusy => {
            Stop::NotHere(ckr::DEVICE_ERROR)
        }
        Verdict::MemberLost { .. }
        | Verdict::SessionLost { .. }
        | Verdict::Unknown
        | Verdict::Quarantine(_) => Stop::Refused(rv),
    }
}

/// Whether the user's login stands in this session: then a member that wants one wants it for the operation alone
/// (`CKA_ALWAYS_AUTHENTICATE`, PKCS#11 v3.1 §4.9).
pub(super) fn is_logged_in(lease: &mut Lease) -> bool {
    let request = Request::SessionInfo {
        session: lease.handle(),
    };
    match lease.call(&request, &mut []) {
        Ok(Reply {
            body: Body::SessionInfo(info),
            ..
        }) => matches!(
            info.state,
            ck::CKS_RO_USER_FUNCTIONS | ck::CKS_RW_USER_FUNCTIONS
        ),
        _ => false,
    }
}

pub(super) fn digest_key(slot: &VirtualSlot, lease: &mut Lease, key: u64) -> Result<Reply, Stop> {
    let key = slot.locate(lease, key, ckr::KEY_HANDLE_INVALID)?;
    let session = lease.handle();
    Ok(lease.call(&Request::DigestKey { session, key }, &mut [])?)
}

fn update(
    lease: &mut Lease,
    operation: Operation,
    data: &[u8],
    room: Option<u64>,
    output: &mut [u8],
) -> Result<Reply, Stop> {
    let request = Request::Update {
        session: lease.handle(),
        operation,
        data: Bytes(data),
        room,
    };
    Ok(lease.call(&request, output)?)
}

fn resend_with_output(
    lease: &mut Lease,
    operation: Operation,
    data: &[u8],
    replayed: &mut OutputHash,
) -> Result<Reply, Stop> {
    let mut room = data.len().saturating_add(KEPT_BACK);
    loop {
        let mut output = Zeroizing::new(vec![0; room]);
        let reply = update(lease, operation, data, Some(room as u64), &mut output)?;
        match (Rv(reply.rv.0), reply.body) {
            // Another member may have kept back more than the one before.
            (ckr::BUFFER_TOO_SMALL, Body::Length(needed)) if needed > room as u64 => {
                room = usize::try_from(needed).map_err(|_| Stop::Final(ckr::DEVICE_ERROR))?;
            }
            _ => {
                replayed.add(written(reply, &output));
                return Ok(reply);
            }
        }
    }
}
