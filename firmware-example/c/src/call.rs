//! One call, from choosing a member to the answer.

use everslot_core::{Binding, Context, Incarnation, MemberId, Next, Overrides, Repeat, Rv};

use crate::codes::{self, SetAsideReason};

/// What a call is, before it begins: numbers, and truths that are 0 or not. All zero is one that may not be repeated and may go to any member.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CallOptions {
    /// The incarnation in which its work began, if it is pinned.
    pub incarnation: u32,
    /// The member that it is pinned to.
    pub member: u8,
    /// Whether a second execution does no harm: it reads, or computes and leaves no trace.
    pub repeatable: u8,
    /// Whether it may go only to the member that holds what it goes on with.
    pub pinned: u8,
}

impl CallOptions {
    pub(crate) const fn core(&self) -> everslot_core::Call {
        let repeat = if self.repeatable != 0 {
            Repeat::Safe
        } else {
            Repeat::OnlyIfUndelivered
        };
        let binding = if self.pinned != 0 {
            Binding::Pinned {
                member: MemberId(self.member),
                incarnation: Incarnation(self.incarnation),
            }
        } else {
            Binding::Free
        };
        everslot_core::Call::new(repeat, binding)
    }
}

/// What a call is told. What each kind reads of an `EverslotCallInput` is in brackets.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallInputKind {
    /// Begin.
    Start,
    /// The outcome of `CHOOSE` (member, or `EVERSLOT_NOBODY`; incarnation).
    Chosen,
    /// The outcome of `SEND`: the member has replied (rv and what is known of the call).
    Replied,
    /// There is no reply to what was to be done (yes: the member may have executed it).
    Unanswered,
    /// The outcome of `REOPEN` (yes: there is a fresh session with the group's login).
    Reopened,
    /// The outcome of `PROBE` (yes: the member answers a harmless call).
    Probed,
}

impl CallInputKind {
    const ALL: [Self; 6] = [
        Self::Start,
        Self::Chosen,
        Self::Replied,
        Self::Unanswered,
        Self::Reopened,
        Self::Probed,
    ];
}

/// What a call is told: set the kind and the fields that it reads, and leave the others zero. A truth is anything but 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CallInput {
    /// The `CK_RV` of the reply.
    pub rv: u64,
    /// The chosen member's incarnation.
    pub incarnation: u32,
    /// An `EverslotCallInputKind`.
    pub kind: u8,
    /// The chosen member.
    pub member: u8,
    /// How it went.
    pub yes: u8,
    /// Of a reply: the group is logged in.
    pub logged_in: u8,
    /// Of a reply: the call is a login.
    pub login_call: u8,
    /// Of a reply to a login: another member has accepted this PIN.
    pub pin_accepted: u8,
    /// Of a reply: every object handle in the request was made from a valid one.
    pub handles_resolved: u8,
}

impl CallInput {
    /// `None` if the kind is none.
    pub(crate) fn core(&self) -> Option<everslot_core::CallInput> {
        use everslot_core::CallInput as Core;
        Some(match codes::of_code(&CallInputKind::ALL, self.kind)? {
            CallInputKind::Start => Core::Start,
            CallInputKind::Chosen if self.member == crate::NOBODY => Core::Chosen(None),
            CallInputKind::Chosen => {
                Core::Chosen(Some((MemberId(self.member), Incarnation(self.incarnation))))
            }
            CallInputKind::Replied => Core::Verdict(everslot_core::verdict(
                Rv(self.rv),
                self.context(),
                &Overrides::<0>::new(),
            )),
            CallInputKind::Unanswered => Core::Unanswered {
                delivered: self.yes != 0,
            },
            CallInputKind::Reopened => Core::Reopened(self.yes != 0),
            CallInputKind::Probed => Core::Probed(self.yes != 0),
        })
    }

    const fn context(&self) -> Context {
        Context {
            logged_in: self.logged_in != 0,
            login_call: self.login_call != 0,
            pin_accepted: self.pin_accepted != 0,
            handles_resolved: self.handles_resolved != 0,
        }
    }
}

/// What to do for a call. What goes with each in an `EverslotCallOutput` is in brackets.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum NextKind {
    /// Choose a member with `everslot_choose` (tried), then `CHOSEN`.
    #[default]
    Choose,
    /// Send it to this member, if it is still in this incarnation, then `REPLIED` or `UNANSWERED` (member, incarnation).
    Send,
    /// Make a fresh session with the group's login, then `REOPENED` (member, incarnation).
    Reopen,
    /// Make a harmless call, then `PROBED` (member, incarnation).
    Probe,
    /// Answer the application: the call is over (answer).
    Answer,
}

/// What the application is answered.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Answer {
    /// The last reply, as it came.
    #[default]
    Reply,
    /// No member was left: `CKR_DEVICE_ERROR`.
    Unavailable,
    /// It may have taken effect and may not be repeated: `CKR_DEVICE_ERROR`.
    Unknown,
}

/// What a call wants, and what it has found out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CallOutput {
    /// With `why` `OTHER`: the code that the member is set aside for.
    pub rv: u64,
    /// The members that it has been sent to: bit n is member n.
    pub tried: u32,
    /// The member's incarnation.
    pub incarnation: u32,
    /// The incarnation of the member that was found lost or is to be set aside.
    pub found_incarnation: u32,
    /// An `EverslotNextKind`.
    pub next: u8,
    /// The member.
    pub member: u8,
    /// An `EverslotAnswer`.
    pub answer: u8,
    /// A member that was found lost, else `EVERSLOT_NOBODY`: feed `LOST` to the group, with the evidence.
    pub lost: u8,
    /// A member that is to be set aside, else `EVERSLOT_NOBODY`: feed `QUARANTINE` to the group.
    pub set_aside: u8,
    /// An `EverslotSetAsideReason`.
    pub why: u8,
}

impl CallOutput {
    pub(crate) fn of(output: &everslot_core::CallOutput) -> Self {
        let mut this = Self {
            lost: crate::NOBODY,
            set_aside: crate::NOBODY,
            ..Self::of_next(output.next)
        };
        if let Some((member, incarnation)) = output.lost {
            (this.lost, this.found_incarnation) = (member.0, incarnation.0);
        }
        if let Some(found) = output.set_aside {
            let (why, rv) = SetAsideReason::of(found.why);
            (this.set_aside, this.found_incarnation) = (found.member.0, found.incarnation.0);
            (this.why, this.rv) = (why as u8, rv);
        }
        this
    }

    fn of_next(next: Next) -> Self {
        let at = |next: NextKind, member: MemberId, incarnation: Incarnation| Self {
            next: next as u8,
            member: member.0,
            incarnation: incarnation.0,
            ..Self::default()
        };
        match next {
            Next::Choose { tried } => Self {
                next: NextKind::Choose as u8,
                tried: tried.bits(),
                ..Self::default()
            },
            Next::Send {
                member,
                incarnation,
            } => at(NextKind::Send, member, incarnation),
            Next::Reopen {
                member,
                incarnation,
            } => at(NextKind::Reopen, member, incarnation),
            Next::Probe {
                member,
                incarnation,
            } => at(NextKind::Probe, member, incarnation),
            Next::Answer(answer) => Self {
                next: NextKind::Answer as u8,
                answer: match answer {
                    everslot_core::Answer::Reply => Answer::Reply,
                    everslot_core::Answer::Unavailable => Answer::Unavailable,
                    everslot_core::Answer::Unknown => Answer::Unknown,
                } as u8,
                ..Self::default()
            },
        }
    }
}
