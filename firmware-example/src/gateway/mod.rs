//! The group, driven: inputs in, actions out, calls carried through.

mod call;
pub(crate) mod task;

use core::time::Duration;

use embedded_hal::delay::DelayNs;
use everslot_core::{
    Action, Group, Input, Instant, Login, LoginOutcome, MemberId, Output, Policy, Rv, StepOutcome,
    View, WakeUp,
};

pub use call::Failure;

use crate::board::{Board, Clock, Watch};
use crate::errand::{Credentials, Errand, Finished, Purpose, Trouble};
use crate::post::{MemberSettings, Post};

/// How the gateway works.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// How lost members are brought back.
    pub policy: Policy,
    /// How long a member has for one answer.
    pub deadline: Duration,
    /// From one look at the lines to the next while an answer is waited for.
    pub look: Duration,
    /// The label of the EC P-256 key pair that every member has.
    pub key: &'a str,
}

/// A group of `MEMBERS` members, each on a line of its own.
///
/// One thread of the machine owns it. [`turn`](Self::turn) is to be called often: it reads the lines and takes recovery on, and
/// never waits. A call waits for its answer, at most one deadline for each request it takes, and takes turns meanwhile.
pub struct Gateway<'a, B: Board, const MEMBERS: usize> {
    settings: Settings<'a>,
    group: Group<MEMBERS>,
    posts: [Post<'a, B::Line, B::Light>; MEMBERS],
    clock: B::Clock,
    delay: B::Delay,
    watch: B::Watch,
    /// As long as the group is logged in.
    pin: Option<&'a str>,
    /// Counts choices, so that equals take turns.
    choices: u32,
    /// How the last errand for a fresh session ended.
    reopened: Option<bool>,
}

impl<'a, B: Board, const MEMBERS: usize> Gateway<'a, B, MEMBERS> {
    /// A group of members that are all still to be brought up: [`turn`](Self::turn) does that.
    pub fn new(
        settings: Settings<'a>,
        members: [(MemberSettings<'a>, B::Line, B::Light); MEMBERS],
        clock: B::Clock,
        delay: B::Delay,
        watch: B::Watch,
    ) -> Self {
        let mut gateway = Self {
            settings,
            group: Group::new(settings.policy),
            posts: members.map(|(settings, line, light)| Post::new(settings, line, light)),
            clock,
            delay,
            watch,
            pin: None,
            choices: 0,
            reopened: None,
        };
        for index in 0..MEMBERS {
            if let (Some(member), Some(post)) = (id(index), gateway.posts.get(index)) {
                let role = post.settings.role;
                gateway.feed(Input::Add { member, role });
            }
        }
        gateway
    }

    /// Goes on with whatever can go on now: begins an attempt that is due, takes each errand one answer further. Does not wait.
    pub fn turn(&mut self) {
        let now = self.clock.now();
        if let WakeUp::At(at, _) = self.group.poll_timeout()
            && at <= now
        {
            self.feed(Input::Timer);
        }
        for index in 0..MEMBERS {
            let credentials = self.credentials();
            let deadline = self.settings.deadline;
            let finished = self
                .posts
                .get_mut(index)
                .and_then(|post| post.advance(now, deadline, credentials));
            if let (Some(member), Some(finished)) = (id(index), finished) {
                self.finish(member, finished);
            }
        }
    }

    /// Who may be sent calls.
    #[must_use]
    pub fn view(&self) -> View<MEMBERS> {
        self.group.view()
    }

    /// The code of each member, as a status shows it (the seed: "device error" first, then "token not present"). Reading it counts as
    /// having told of it.
    pub fn status(&mut self) -> [Option<Rv>; MEMBERS] {
        let codes = core::array::from_fn(|index| self.group.status(id(index)?));
        self.feed(Input::StatusRead);
        codes
    }

    /// An operator's order to try a member at once.
    pub fn recover(&mut self, member: MemberId) {
        self.feed(Input::Recover { member });
    }

    /// Logs out everywhere. What a member does not hear now it hears before it serves again.
    pub fn log_out(&mut self) {
        self.pin = None;
        self.feed(Input::LogOut);
    }

    /// What the machine gave for hearing of events.
    pub const fn watch(&mut self) -> &mut B::Watch {
        &mut self.watch
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Lets the time of one look pass.
    pub fn rest(&mut self) {
        let look = self.settings.look.as_nanos();
        self.delay.delay_ns(u32::try_from(look).unwrap_or(u32::MAX));
    }

    const fn credentials(&self) -> Credentials<'a> {
        Credentials {
            token: "",
            pin: self.pin,
        }
    }

    fn post(&mut self, member: MemberId) -> Option<&mut Post<'a, B::Line, B::Light>> {
        self.posts.get_mut(member.index())
    }

    /// Feeds the group and begins what it wants done.
    fn feed(&mut self, input: Input) {
        let now = self.clock.now();
        let mut output = Output::default();
        self.group.handle_into(input, now, &mut output);
        for event in &output.events {
            self.watch.event(now, event);
        }
        for action in &output.actions {
            self.begin(*action);
        }
        let serving = self.group.view().serving();
        for (index, post) in self.posts.iter_mut().enumerate() {
            let in_view = serving.active.union(serving.standby);
            post.show(id(index).is_some_and(|member| in_view.contains(member)));
        }
    }

    /// S2, S7: only what the core asks for is done at a member that does not serve.
    fn begin(&mut self, action: Action) {
        let follow = |incarnation, generation, login| Purpose::FollowLogin {
            incarnation,
            generation,
            login,
        };
        let purpose = match action {
            Action::Close { .. } => None,
            Action::Perform {
                serial,
                step,
                login,
                ..
            } => Some(Purpose::Step {
                serial,
                step,
                login,
            }),
            Action::LogIn {
                incarnation,
                generation,
                user,
                ..
            } => Some(follow(incarnation, generation, Login::In(user))),
            Action::LogOut {
                incarnation,
                generation,
                ..
            } => Some(follow(incarnation, generation, Login::Out)),
        };
        let post = self.post(action.member());
        match purpose {
            Some(purpose) => post.map_or((), |post| post.send_on(Errand::new(purpose))),
            None => post.map_or((), Post::close),
        }
    }

    fn finish(&mut self, member: MemberId, finished: Finished) {
        let Finished { purpose, end } = finished;
        match purpose {
            Purpose::Step {
                serial,
                step,
                login: (_, login),
            } => self.feed(Input::Step {
                member,
                serial,
                step,
                outcome: match end {
                    Ok(()) => StepOutcome::Done { login },
                    Err(Trouble::Failed(evidence)) => StepOutcome::Failed(evidence),
                    Err(Trouble::Refused(why)) => StepOutcome::Refused(why),
                },
            }),
            Purpose::FollowLogin {
                incarnation,
                generation,
                ..
            } => self.feed(Input::LoginChanged {
                member,
                incarnation,
                generation,
                outcome: match end {
                    Ok(()) => LoginOutcome::Done,
                    Err(Trouble::Failed(evidence)) => LoginOutcome::Lost(evidence),
                    Err(Trouble::Refused(why)) => LoginOutcome::Refused(why),
                },
            }),
            Purpose::Reopen { .. } => self.reopened = Some(end.is_ok()),
        }
    }
}

/// The id of the member at a place.
fn id(index: usize) -> Option<MemberId> {
    u8::try_from(index).ok().map(MemberId)
}
