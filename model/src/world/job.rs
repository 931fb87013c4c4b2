//! An operation of many calls: the core's [`Work`], and what the session that it stands on really has of it.

use everslot_core::{Binding, MemberId, Replayable, Seat, Work, WorkInput, WorkNext};

use serde::{Deserialize, Serialize};

use super::caller::Target;

/// How operations of many calls behave in a world.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Job {
    /// Which output is like which.
    pub replayable: Replayable,
    /// How many parts a transcript holds.
    pub bound: u8,
    /// Whether parts put something out.
    pub output: bool,
    /// How many parts an operation has at most.
    pub parts: u8,
    /// Whether C puts out something else than the others.
    pub unlike: bool,
}

/// An operation that goes on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Ongoing {
    pub(super) work: Work,
    /// The session that the adapter has for it.
    lease: Option<Seat>,
    had: Had,
    /// Whose output the application has.
    given: Option<Source>,
    /// What is being done over the session.
    pub(super) doing: WorkNext,
    /// The core has said that it cannot be brought to where a call came.
    pub(super) given_up: bool,
    /// It compared what is not alike.
    pub(super) differed: bool,
    /// A session took a part and nobody heard of it.
    pub(super) unheard: bool,
}

/// What a session really has of an operation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Had {
    begun: bool,
    /// The parts that it has taken in their order.
    parts: u8,
    /// A part came twice, or out of turn, or before the beginning.
    torn: bool,
}

/// What output depends on beside the inputs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Source {
    /// Whether the member is the one that is unlike the others.
    Member(bool),
    /// Each session puts out something else.
    Session(Seat),
}

impl Had {
    const NOTHING: Self = Self {
        begun: false,
        parts: 0,
        torn: false,
    };

    fn takes(&mut self, part: u32) {
        if self.begun && part == u32::from(self.parts) {
            self.parts += 1;
        } else {
            self.torn = true;
        }
    }
}

impl Ongoing {
    /// One that was begun at a member.
    pub(super) fn begun(plan: Job, at: Target) -> Self {
        let seat = seat(at, 0);
        Self {
            work: Work::begun(plan.replayable, Some(seat)),
            lease: Some(seat),
            had: Had {
                begun: true,
                ..Had::NOTHING
            },
            given: None,
            doing: WorkNext::Rest,
            given_up: false,
            differed: false,
            unheard: false,
        }
    }

    /// Whether it can be done again on another member, by our own count.
    pub(super) fn can_be_replayed(&self, plan: Job) -> bool {
        let parts = self.work.parts();
        let alike = plan.replayable == Replayable::Alike || !plan.output || parts == 0;
        parts <= u32::from(plan.bound) && alike
    }

    /// Where its next call may go.
    pub(super) fn binding(&self) -> Binding {
        self.work.binding().unwrap_or(Binding::Free)
    }

    /// The member and incarnation of the session that the adapter has for it: asked first.
    pub(super) fn lease(&self) -> Option<Target> {
        self.lease.map(|seat| Target {
            member: seat.member,
            incarnation: seat.incarnation,
        })
    }

    /// The adapter drops a session of an incarnation that is over.
    pub(super) fn drop_lease(&mut self) {
        self.lease = None;
    }

    /// A new session, which has nothing of the operation.
    pub(super) fn open(&mut self, at: Target) -> Seat {
        let number = self.lease.map_or(1, |seat| 1 - seat.session);
        let seat = seat(at, number);
        self.lease = Some(seat);
        self.had = Had::NOTHING;
        seat
    }

    /// A call comes to a member: over the session that is there, or a new one. What was under way elsewhere came to nothing.
    pub(super) fn reach(&mut self, plan: Job, at: Target) {
        let seat = match self.lease {
            Some(seat) if self.lease() == Some(at) => seat,
            _ => self.open(at),
        };
        let _ = self.work.handle(WorkInput::Failed);
        self.tell(plan, WorkInput::Reached(seat));
    }

    /// Feeds the core, and answers what needs no member.
    pub(super) fn tell(&mut self, plan: Job, input: WorkInput) {
        self.doing = self.work.handle(input);
        if self.doing == WorkNext::Compare {
            self.differed = self.given != self.source(plan);
            self.doing = self.work.handle(WorkInput::Compared(!self.differed));
        }
        self.given_up = self.doing == WorkNext::GiveUp;
    }

    /// Whose output the session's is.
    fn source(&self, plan: Job) -> Option<Source> {
        let seat = self.lease.filter(|_| plan.output)?;
        Some(match plan.replayable {
            Replayable::Alike => Source::Member(plan.unlike && seat.member == UNLIKE),
            Replayable::UntilOutput | Replayable::Never => Source::Session(seat),
        })
    }

    /// What is being done takes effect at the session.
    pub(super) fn takes_effect(&mut self, is_part: bool, heard: bool) {
        match self.doing {
            WorkNext::Begin => {
                self.had.torn |= self.had.begun;
                self.had.begun = true;
            }
            WorkNext::Resend { part } => self.had.takes(part),
            WorkNext::Send if is_part => {
                self.had.takes(self.work.parts());
                self.unheard |= !heard;
            }
            WorkNext::Send
            | WorkNext::Rest
            | WorkNext::Compare
            | WorkNext::GiveUp
            | WorkNext::Over => {}
        }
    }

    /// The call's own request was answered with success. Whether what answered it is made of exactly the acknowledged parts, once each
    /// and in their order, and its output goes with what was given before.
    pub(super) fn succeeds(&mut self, plan: Job, is_part: bool) -> Soundness {
        let expected = self.work.parts() + u32::from(is_part);
        let whole = self.had.begun && !self.had.torn && u32::from(self.had.parts) == expected;
        if !is_part {
            self.tell(plan, WorkInput::Ended);
            return Soundness { whole, alike: true };
        }
        let recorded = self.work.parts() < u32::from(plan.bound);
        let source = self.source(plan);
        let alike = self.given.is_none() || self.given == source;
        self.given = self.given.or(source);
        let output = plan.output;
        self.tell(plan, WorkInput::Taken { output, recorded });
        Soundness { whole, alike }
    }
}

/// What an answer is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Soundness {
    pub(super) whole: bool,
    pub(super) alike: bool,
}

/// The member that is unlike the others, in plans that have one.
const UNLIKE: MemberId = MemberId(2);

const fn seat(at: Target, session: u64) -> Seat {
    Seat {
        member: at.member,
        incarnation: at.incarnation,
        session,
    }
}
