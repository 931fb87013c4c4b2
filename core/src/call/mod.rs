//! The call machine: one operation from choosing a member to the answer.

mod check;
mod input;
mod output;

pub use check::CallViolation;
pub use input::CallInput;
pub use output::{Answer, CallOutput, Next, SetAside};

use crate::{Incarnation, MemberId, MemberSet, QuarantineReason, Repeat, Verdict};

/// One operation, from choosing a member to the answer. A plain value of a few words, made for each call.
///
/// It is bounded (L2): each member is tried at most once, plus one session made anew, and an answer that
/// does not tell what is wrong is followed by one probe. It ends in one answer (S1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Call {
    repeat: Repeat,
    binding: Binding,
    phase: Phase,
    /// The members that it has been sent to.
    tried: MemberSet,
    /// Whether its one fresh session has been asked for.
    reopened: bool,
    /// Whether a member that is well has given an answer that does not tell what is wrong.
    doubted: bool,
    /// What is answered when no member is left.
    fallback: Answer,
}

/// Where a call may go.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Binding {
    /// To any member.
    Free,
    /// Only to the member that holds what it goes on with: multi-part work past its beginning.
    Pinned {
        /// The member.
        member: MemberId,
        /// The incarnation in which the work began (S6).
        incarnation: Incarnation,
    },
}

/// A member in one of its incarnations.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Target {
    member: MemberId,
    incarnation: Incarnation,
}

/// What a call is waiting for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Phase {
    /// Its start.
    New,
    Choosing,
    Sent(Target),
    Reopening(Target),
    Probing(Target),
    Over(Answer),
}

impl Call {
    /// A call that has not begun.
    #[inline]
    #[must_use]
    pub const fn new(repeat: Repeat, binding: Binding) -> Self {
        Self {
            repeat,
            binding,
            phase: Phase::New,
            tried: MemberSet::EMPTY,
            reopened: false,
            doubted: false,
            fallback: Answer::Unavailable,
        }
    }

    /// Takes an input and says what to do next.
    ///
    /// An input that is not the outcome of what the call waits for is void, and what it waits for is
    /// said again; after the answer, that is the answer (S1).
    // Inlined into the caller's loop, the way of a call whose member is well is a few tests and no copy.
    #[inline(always)]
    pub fn handle(&mut self, input: CallInput) -> CallOutput {
        let output = match self.phase {
            Phase::New => self.new_handles(input),
            Phase::Choosing => self.choosing_handles(input),
            Phase::Sent(at) => self.sent_handles(at, input),
            Phase::Reopening(at) => self.reopening_handles(at, input),
            Phase::Probing(at) => self.probing_handles(at, input),
            Phase::Over(_) => self.void(),
        };
        debug_assert_eq!(self.check(), Ok(()));
        output
    }

    /// The one place where a call's phase is written.
    #[inline(always)]
    const fn transition(&mut self, to: Phase) -> CallOutput {
        if let Phase::Sent(Target { member, .. }) = to {
            self.tried.insert(member);
        }
        self.phase = to;
        CallOutput {
            next: self.next(),
            lost: None,
            set_aside: None,
        }
    }

    /// What the call waits for.
    #[inline(always)]
    const fn next(&self) -> Next {
        match self.phase {
            Phase::New | Phase::Choosing => Next::Choose { tried: self.tried },
            Phase::Sent(Target {
                member,
                incarnation,
            }) => Next::Send {
                member,
                incarnation,
            },
            Phase::Reopening(Target {
                member,
                incarnation,
            }) => Next::Reopen {
                member,
                incarnation,
            },
            Phase::Probing(Target {
                member,
                incarnation,
            }) => Next::Probe {
                member,
                incarnation,
            },
            Phase::Over(answer) => Next::Answer(answer),
        }
    }

    #[inline(always)]
    fn new_handles(&mut self, input: CallInput) -> CallOutput {
        match input {
            CallInput::Start => self.transition(match self.binding {
                Binding::Free => Phase::Choosing,
                Binding::Pinned {
                    member,
                    incarnation,
                } if self.may_try(member) => Phase::Sent(Target {
                    member,
                    incarnation,
                }),
                Binding::Pinned { .. } => Phase::Over(Answer::Unavailable),
            }),
            CallInput::Chosen(_)
            | CallInput::Verdict(_)
            | CallInput::Unanswered { .. }
            | CallInput::Reopened(_)
            | CallInput::Probed(_) => self.void(),
        }
    }

    /// A member that has been tried is not tried again, whoever chose it (L2).
    #[inline(always)]
    fn choosing_handles(&mut self, input: CallInput) -> CallOutput {
        match input {
            CallInput::Chosen(Some((member, incarnation))) if self.may_try(member) => self
                .transition(Phase::Sent(Target {
                    member,
                    incarnation,
                })),
            CallInput::Chosen(_) => self.transition(Phase::Over(self.fallback)),
            CallInput::Start
            | CallInput::Verdict(_)
            | CallInput::Unanswered { .. }
            | CallInput::Reopened(_)
            | CallInput::Probed(_) => self.void(),
        }
    }

    #[inline(always)]
    fn sent_handles(&mut self, at: Target, input: CallInput) -> CallOutput {
        match input {
            CallInput::Verdict(Verdict::Fine | Verdict::CallersFault) => {
                self.transition(Phase::Over(Answer::Reply))
            }
            CallInput::Verdict(verdict) => self.judge(at, verdict),
            CallInput::Unanswered { delivered } => self.lose(at, delivered),
            CallInput::Start
            | CallInput::Chosen(_)
            | CallInput::Reopened(_)
            | CallInput::Probed(_) => self.void(),
        }
    }

    /// What it waits for is said again.
    #[cold]
    fn void(&mut self) -> CallOutput {
        self.transition(self.phase)
    }

    #[cold]
    fn reopening_handles(&mut self, at: Target, input: CallInput) -> CallOutput {
        match (input, self.binding) {
            (CallInput::Reopened(true), Binding::Free) => self.transition(Phase::Sent(at)),
            // The work was in the session that is gone.
            (CallInput::Reopened(true), Binding::Pinned { .. }) => {
                self.transition(Phase::Over(Answer::Unavailable))
            }
            // What said that the session is gone also said that the call was not executed, or it does
            // not matter.
            (CallInput::Reopened(false) | CallInput::Unanswered { .. }, _) => self.lose(at, false),
            (
                CallInput::Start
                | CallInput::Chosen(_)
                | CallInput::Verdict(_)
                | CallInput::Probed(_),
                _,
            ) => self.void(),
        }
    }

    #[cold]
    fn probing_handles(&mut self, at: Target, input: CallInput) -> CallOutput {
        match input {
            CallInput::Probed(true) => self.doubt(),
            CallInput::Probed(false) | CallInput::Unanswered { .. } => self.lose(at, true),
            CallInput::Start
            | CallInput::Chosen(_)
            | CallInput::Verdict(_)
            | CallInput::Reopened(_) => self.void(),
        }
    }

    #[cold]
    fn judge(&mut self, at: Target, verdict: Verdict) -> CallOutput {
        match verdict {
            Verdict::Fine | Verdict::CallersFault => self.transition(Phase::Over(Answer::Reply)),
            Verdict::MemberLost { executed } => self.lose(at, executed),
            Verdict::SessionLost { executed } => self.reopen(at, executed),
            Verdict::MemberBusy => self.elsewhere_or_reply(),
            Verdict::Unknown => self.transition(Phase::Probing(at)),
            Verdict::Quarantine(why) => self.set_aside(at, why),
        }
    }

    /// The member is lost to this call; the call goes on elsewhere if it may be sent again (S4, S10).
    #[cold]
    fn lose(&mut self, at: Target, executed: bool) -> CallOutput {
        let Target {
            member,
            incarnation,
        } = at;
        CallOutput {
            lost: Some((member, incarnation)),
            ..self.leave(executed)
        }
    }

    /// A refused PIN is proof that the call was not executed; the other reasons prove nothing.
    #[cold]
    fn set_aside(&mut self, at: Target, why: QuarantineReason) -> CallOutput {
        let executed = match why {
            QuarantineReason::PinRefused => false,
            QuarantineReason::PinChanged
            | QuarantineReason::TokenChanged
            | QuarantineReason::DomainKeyDiffers
            | QuarantineReason::KeepsDestroyed
            | QuarantineReason::SelfTestFailed
            | QuarantineReason::Other(_) => true,
        };
        let Target {
            member,
            incarnation,
        } = at;
        let set_aside = Some(SetAside {
            member,
            incarnation,
            why,
        });
        CallOutput {
            set_aside,
            ..self.leave(executed)
        }
    }

    /// Where a call goes whose member does not serve any more.
    fn leave(&mut self, executed: bool) -> CallOutput {
        self.fallback = Answer::Unavailable;
        self.transition(match (self.may_be_sent_again(executed), self.binding) {
            (true, Binding::Free) => Phase::Choosing,
            (true, Binding::Pinned { .. }) => Phase::Over(Answer::Unavailable),
            (false, _) => Phase::Over(Answer::Unknown),
        })
    }

    /// Asks for a fresh session, once per call: a session that is lost twice means that the member is
    /// (PKCS#11 v3.2 §5.1.2: "removing a token closes all sessions with it").
    #[cold]
    fn reopen(&mut self, at: Target, executed: bool) -> CallOutput {
        if !self.may_be_sent_again(executed) {
            return self.transition(Phase::Over(Answer::Unknown));
        }
        if self.reopened {
            return self.lose(at, executed);
        }
        self.reopened = true;
        self.transition(Phase::Reopening(at))
    }

    /// The member is well and has not executed the call: another one may (S10).
    #[cold]
    fn elsewhere_or_reply(&mut self) -> CallOutput {
        match self.binding {
            Binding::Free => {
                self.fallback = Answer::Reply;
                self.transition(Phase::Choosing)
            }
            Binding::Pinned { .. } => self.transition(Phase::Over(Answer::Reply)),
        }
    }

    /// The member is well, so its answer is about the call: a second opinion is asked for once, if the
    /// call may be sent again; two that agree are passed on.
    #[cold]
    fn doubt(&mut self) -> CallOutput {
        if self.doubted || !self.may_be_sent_again(true) {
            return self.transition(Phase::Over(Answer::Reply));
        }
        self.doubted = true;
        self.elsewhere_or_reply()
    }

    /// Whether the member can be counted among the tried ones and is not one of them (L2).
    #[inline]
    const fn may_try(&self, member: MemberId) -> bool {
        !MemberSet::of(member).difference(self.tried).is_empty()
    }

    /// S4: what may have been executed is sent again only if a second execution does no harm.
    const fn may_be_sent_again(&self, executed: bool) -> bool {
        !executed || matches!(self.repeat, Repeat::Safe)
    }
}

#[cfg(test)]
mod tests;
