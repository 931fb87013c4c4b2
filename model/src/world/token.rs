//! A token as it really is, and what the adapter is doing with it.

use everslot_core::{AttemptSerial, Incarnation, Login, LoginGeneration, Step};

/// A token, behind a member.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Token {
    /// Whether it answers.
    pub(super) reachable: bool,
    /// Whether it still has the sessions that the adapter opened.
    pub(super) sessions: bool,
    /// Whether it takes us for logged in.
    pub(super) logged_in: bool,
    /// The leases of this incarnation and all older ones are void.
    pub(super) closed: Incarnation,
    /// What the adapter is doing for the member.
    pub(super) task: Option<Task>,
}

/// Something that takes the adapter a while.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Task {
    pub(super) work: Work,
    /// Whether it has been going on for a tick: then its deadline comes before the next.
    pub(super) late: bool,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Work {
    /// A step of a recovery attempt.
    Step {
        serial: AttemptSerial,
        step: Step,
        login: (Login, LoginGeneration),
    },
    /// A change of the login of a member that serves.
    Login {
        incarnation: Incarnation,
        generation: LoginGeneration,
        to: Login,
    },
}

impl Token {
    pub(super) const NEW: Self = Self {
        reachable: true,
        sessions: false,
        logged_in: false,
        closed: Incarnation(0),
        task: None,
    };

    /// Whether it does what it is told over the sessions that the adapter has.
    pub(super) const fn is_well(&self) -> bool {
        self.reachable && self.sessions
    }

    /// Whether a lease of this incarnation may still be used.
    pub(super) fn leases(&self, incarnation: Incarnation) -> bool {
        incarnation > self.closed
    }

    /// Whether the adapter is busy with an attempt.
    pub(super) fn is_in_attempt(&self) -> bool {
        self.task
            .is_some_and(|task| matches!(task.work, Work::Step { .. }))
    }

    /// Whether the adapter is busy with this step of this attempt.
    pub(super) fn is_performing(&self, serial: AttemptSerial, step: Step) -> bool {
        self.task.is_some_and(|task| match task.work {
            Work::Step {
                serial: begun,
                step: at,
                ..
            } => (begun, at) == (serial, step),
            Work::Login { .. } => false,
        })
    }

    /// Whether the adapter is busy with this change of the login.
    pub(super) fn is_changing_login(&self, change: LoginGeneration) -> bool {
        self.task.is_some_and(|task| match task.work {
            Work::Login { generation, .. } => generation == change,
            Work::Step { .. } => false,
        })
    }

    /// All that it had for us is gone.
    pub(super) fn forget(&mut self) {
        self.sessions = false;
        self.logged_in = false;
    }

    pub(super) fn begin(&mut self, work: Work) {
        self.task = Some(Task { work, late: false });
    }

    /// The adapter drops the sessions, and with the last of them goes the login (PKCS#11 v3.1 §5.6.7).
    pub(super) fn close(&mut self, incarnation: Incarnation) {
        self.closed = incarnation;
        self.task = None;
        self.forget();
    }
}
