//! What the adapter and the application hold for a call that is going on.

use everslot_core::{
    Answer, Binding, Call, Effect, Incarnation, MemberId, MemberSet, Next, Repeat, Verdict, repeat,
};

use super::act::Kind;
use super::job::{Job, Ongoing};

/// A thread of the application.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Caller {
    /// Between two calls.
    Idle {
        /// Multi-part work that it has begun.
        work: Option<Ongoing>,
    },
    /// In a call.
    Busy(Busy),
}

/// A member in one of its incarnations.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Target {
    pub(super) member: MemberId,
    pub(super) incarnation: Incarnation,
}

/// A call that is going on, and what is watched of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Busy {
    pub(super) call: Call,
    pub(super) kind: Kind,
    pub(super) stage: Stage,
    /// The multi-part work that it is a call of.
    pub(super) job: Option<Ongoing>,
    /// That work could be brought to another member when the call began.
    pub(super) moves: bool,
    /// The group was logged in when it began.
    pub(super) private: bool,
    /// Members that have been in service and well since it began.
    pub(super) steady: MemberSet,
    /// Members that it was sent to.
    pub(super) asked: MemberSet,
    /// How often it was sent.
    pub(super) sends: u8,
    /// Whether a fresh session was asked for.
    pub(super) reopened: bool,
    /// It may have taken effect without an answer; counted only for what may not be repeated.
    pub(super) doubtful: bool,
    /// How often it took effect, up to 2; counted only for what may not be repeated.
    pub(super) effects: u8,
    /// Members whose count of wrong PINs it has raised.
    pub(super) wrong_pin_at: MemberSet,
    /// The reply that is answered if no better one comes.
    pub(super) reply: Option<(Target, Verdict)>,
}

/// How far the adapter is with a call.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Stage {
    /// It is to choose a member.
    Choosing { tried: MemberSet },
    /// About to be sent: anything may happen between choosing a member and having a lease of it.
    Chosen(Target),
    /// The member has it, or the way to the member.
    Sent(Target),
    /// A fresh session is to be made.
    Reopening(Target),
    /// A harmless call is to be made.
    Probing(Target),
    /// It is over.
    Answered(Answer),
}

impl Caller {
    pub(super) const IDLE: Self = Self::Idle { work: None };

    pub(super) const fn busy(&self) -> Option<&Busy> {
        match self {
            Self::Idle { .. } => None,
            Self::Busy(busy) => Some(busy),
        }
    }

    pub(super) const fn busy_mut(&mut self) -> Option<&mut Busy> {
        match self {
            Self::Idle { .. } => None,
            Self::Busy(busy) => Some(busy),
        }
    }

    pub(super) const fn work(&self) -> Option<Ongoing> {
        match self {
            Self::Idle { work } => *work,
            Self::Busy(_) => None,
        }
    }

    pub(super) fn is_logging_in(&self) -> bool {
        self.busy()
            .is_some_and(|busy| matches!(busy.kind, Kind::LogIn { .. }))
    }

    /// The application takes the answer; after the beginning of multi-part work it goes on with it.
    pub(super) fn returns(&mut self, plan: Job) {
        let work = self.busy().and_then(|busy| busy.work_left(plan));
        *self = Self::Idle { work };
    }
}

impl Busy {
    pub(super) fn new(
        kind: Kind,
        (job, plan): (Option<Ongoing>, Job),
        private: bool,
        steady: MemberSet,
    ) -> Self {
        let binding = job.map_or(Binding::Free, |job| job.binding());
        Self {
            call: Call::new(kind.repeat(), binding),
            kind,
            job,
            moves: job.is_none_or(|ongoing| ongoing.can_be_replayed(plan)),
            stage: Stage::Choosing {
                tried: MemberSet::EMPTY,
            },
            private,
            steady,
            asked: MemberSet::EMPTY,
            sends: 0,
            reopened: false,
            doubtful: false,
            effects: 0,
            wrong_pin_at: MemberSet::EMPTY,
            reply: None,
        }
    }

    pub(super) const fn answered(&self) -> Option<Answer> {
        match self.stage {
            Stage::Answered(answer) => Some(answer),
            Stage::Choosing { .. }
            | Stage::Chosen(_)
            | Stage::Sent(_)
            | Stage::Reopening(_)
            | Stage::Probing(_) => None,
        }
    }

    /// Where it is at, while it is at a member.
    pub(super) const fn target(&self) -> Option<Target> {
        match self.stage {
            Stage::Chosen(target)
            | Stage::Sent(target)
            | Stage::Reopening(target)
            | Stage::Probing(target) => Some(target),
            Stage::Choosing { .. } | Stage::Answered(_) => None,
        }
    }

    pub(super) fn may_be_repeated(&self) -> bool {
        self.kind.repeat() == Repeat::Safe
    }

    /// The session that its work has already, unless the member has been tried: it is asked first.
    pub(super) fn at_hand(&self, tried: MemberSet) -> Option<Target> {
        let target = self.job.as_ref().and_then(Ongoing::lease)?;
        (!tried.contains(target.member)).then_some(target)
    }

    /// A call that fails ends its work (PKCS#11 v3.1 §5.2).
    fn work_left(&self, plan: Job) -> Option<Ongoing> {
        match (self.kind, self.stage, self.reply) {
            (Kind::Begin, Stage::Answered(Answer::Reply), Some((target, Verdict::Fine))) => {
                Some(Ongoing::begun(plan, target))
            }
            (Kind::Part, Stage::Answered(Answer::Reply), Some((_, Verdict::Fine))) => self.job,
            _ => None,
        }
    }

    /// Whether its request goes in more than once with another outcome.
    pub(super) fn leaves_a_trace(&self) -> bool {
        !self.may_be_repeated() || self.job.is_some()
    }
}

impl Stage {
    pub(super) const fn of(next: Next) -> Self {
        match next {
            Next::Choose { tried } => Self::Choosing { tried },
            Next::Send {
                member,
                incarnation,
            } => Self::Chosen(Target {
                member,
                incarnation,
            }),
            Next::Reopen {
                member,
                incarnation,
            } => Self::Reopening(Target {
                member,
                incarnation,
            }),
            Next::Probe {
                member,
                incarnation,
            } => Self::Probing(Target {
                member,
                incarnation,
            }),
            Next::Answer(answer) => Self::Answered(answer),
        }
    }
}

impl Kind {
    pub(super) const fn repeat(self) -> Repeat {
        match self {
            // A part goes to a session that has the others, or is replayed from the first.
            Self::Sign | Self::Begin | Self::Part | Self::Finish => repeat(Effect::Computes),
            Self::Generate => repeat(Effect::Creates),
            Self::LogIn { .. } => repeat(Effect::Authenticates),
        }
    }
}
