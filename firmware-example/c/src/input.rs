//! What a group is told.

use everslot_core::{
    AttemptSerial, Incarnation, LoginGeneration, LoginOutcome, MemberId, StepOutcome,
};

use crate::codes::{self, Evidence, Policy, Role, SetAsideReason, Step, User};

/// What a group is told. What each kind reads of an `EverslotInput` is in brackets.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InputKind {
    /// Time has passed: wanted when `everslot_group_poll_timeout` says so, harmless early and often.
    Timer,
    /// There is a further member (member, role).
    Add,
    /// It is no member any more (member).
    Remove,
    /// Take it out of service until it is unparked (member).
    Park,
    /// Bring a parked member back (member).
    Unpark,
    /// Try a lost member at once (member).
    Recover,
    /// Change what a member is there for (member, role).
    SetRole,
    /// Change how lost members are brought back (policy).
    SetPolicy,
    /// A call has found a member lost (member, incarnation, evidence).
    Lost,
    /// A call has found that a member is to be set aside (member, incarnation, why, and evidence.rv with `OTHER`).
    Quarantine,
    /// A step of an attempt has ended (member, serial, step, outcome; generation of the action when done; evidence or why else).
    Step,
    /// A member has accepted the application's PIN (member, incarnation, user).
    LoginAccepted,
    /// The application logs out.
    LogOut,
    /// A member has carried out a log-in or log-out (member, incarnation, generation, outcome; evidence or why).
    LoginChanged,
    /// The status of each member has been shown.
    StatusRead,
}

impl InputKind {
    const ALL: [Self; 15] = [
        Self::Timer,
        Self::Add,
        Self::Remove,
        Self::Park,
        Self::Unpark,
        Self::Recover,
        Self::SetRole,
        Self::SetPolicy,
        Self::Lost,
        Self::Quarantine,
        Self::Step,
        Self::LoginAccepted,
        Self::LogOut,
        Self::LoginChanged,
        Self::StatusRead,
    ];
}

/// How a step, or a change of a member's login, ended.
#[repr(u8)]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// As it should.
    Done,
    /// It failed, and the evidence says how: the attempt has failed, the member that served is lost.
    Failed,
    /// The member is to be set aside, and `why` says for what.
    Refused,
}

/// What a group is told: set the kind and the fields that it reads, and leave the others zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Input {
    /// How lost members are brought back from now on.
    pub policy: Policy,
    /// What was seen.
    pub evidence: Evidence,
    /// The attempt, as the action said.
    pub serial: u32,
    /// The member's incarnation, as the action or the call said.
    pub incarnation: u32,
    /// The change of the login, as the action said.
    pub generation: u32,
    /// An `EverslotInputKind`.
    pub kind: u8,
    /// The member.
    pub member: u8,
    /// An `EverslotRole`.
    pub role: u8,
    /// An `EverslotStep`.
    pub step: u8,
    /// An `EverslotOutcome`.
    pub outcome: u8,
    /// An `EverslotUser`.
    pub user: u8,
    /// An `EverslotSetAsideReason`.
    pub why: u8,
}

impl Input {
    /// `None` if a number is none of its enumeration.
    pub(crate) fn core(&self) -> Option<everslot_core::Input> {
        let member = MemberId(self.member);
        let incarnation = Incarnation(self.incarnation);
        let generation = LoginGeneration(self.generation);
        Some(match codes::of_code(&InputKind::ALL, self.kind)? {
            InputKind::Timer => everslot_core::Input::Timer,
            InputKind::Add => everslot_core::Input::Add {
                member,
                role: Role::core(self.role)?,
            },
            InputKind::Remove => everslot_core::Input::Remove { member },
            InputKind::Park => everslot_core::Input::Park { member },
            InputKind::Unpark => everslot_core::Input::Unpark { member },
            InputKind::Recover => everslot_core::Input::Recover { member },
            InputKind::SetRole => everslot_core::Input::SetRole {
                member,
                role: Role::core(self.role)?,
            },
            InputKind::SetPolicy => everslot_core::Input::SetPolicy(self.policy.core()),
            InputKind::Lost => everslot_core::Input::Lost {
                member,
                incarnation,
                evidence: self.evidence.core()?,
            },
            InputKind::Quarantine => everslot_core::Input::Quarantine {
                member,
                incarnation,
                why: self.why()?,
            },
            InputKind::Step => everslot_core::Input::Step {
                member,
                serial: AttemptSerial(self.serial),
                step: Step::core(self.step)?,
                outcome: self.step_outcome()?,
            },
            InputKind::LoginAccepted => everslot_core::Input::LoginAccepted {
                member,
                incarnation,
                user: User::core(self.user)?,
            },
            InputKind::LogOut => everslot_core::Input::LogOut,
            InputKind::LoginChanged => everslot_core::Input::LoginChanged {
                member,
                incarnation,
                generation,
                outcome: self.login_outcome()?,
            },
            InputKind::StatusRead => everslot_core::Input::StatusRead,
        })
    }

    fn outcome(&self) -> Option<Outcome> {
        codes::of_code(
            &[Outcome::Done, Outcome::Failed, Outcome::Refused],
            self.outcome,
        )
    }

    fn why(&self) -> Option<everslot_core::QuarantineReason> {
        SetAsideReason::core(self.why, self.evidence.rv)
    }

    fn step_outcome(&self) -> Option<StepOutcome> {
        Some(match self.outcome()? {
            Outcome::Done => StepOutcome::Done {
                login: LoginGeneration(self.generation),
            },
            Outcome::Failed => StepOutcome::Failed(self.evidence.core()?),
            Outcome::Refused => StepOutcome::Refused(self.why()?),
        })
    }

    fn login_outcome(&self) -> Option<LoginOutcome> {
        Some(match self.outcome()? {
            Outcome::Done => LoginOutcome::Done,
            Outcome::Failed => LoginOutcome::Lost(self.evidence.core()?),
            Outcome::Refused => LoginOutcome::Refused(self.why()?),
        })
    }
}
