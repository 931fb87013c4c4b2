//! Members that come and go, an application that calls, and time; and what the text promises about them.

use stateright::{Model, Property};

use crate::graph::Fairness;
use crate::scenario::{Fair, Liveness};
use crate::timeline::Story;

use super::library::{Attempt, Library};
use super::{ATTEMPTS, FAILURES, IDLE, INTERVAL, MEMBERS, NAMES, SECONDS_PER_TICK};

/// The world in which a library is watched.
#[derive(Clone, Debug)]
pub struct Stage<L> {
    /// The library as it is when the application starts.
    pub library: L,
}

/// How things stand.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Scene<L> {
    library: L,
    members: [Member; MEMBERS],
    /// How many more times a member may fail: what the core counts (incarnations, attempts) would make an endless
    /// world of endless failures.
    failures_left: u8,
    /// Ticks since the last call.
    idle: u8,
    /// An attempt was made although no member was disconnected.
    for_nobody: bool,
}

/// A member as it is, not as the library believes, and what has been done for it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Member {
    reachable: bool,
    connected: bool,
    /// In this outage; saturates one above what is allowed.
    attempts: u8,
    /// Ticks since the last attempt; saturates at X.
    since_attempt: u8,
    /// An attempt came sooner than X after the one before.
    too_soon: bool,
    /// How often another one was tried while this one was lost, due and had attempts left.
    passed_over: u8,
}

/// A step of the world.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A member stops answering; nobody knows yet.
    Fails(usize),
    /// It would answer again.
    Returns(usize),
    /// The application makes a PKCS#11 call: recovery first, then the call itself.
    Call,
    /// Time passes.
    Tick,
}

/// Calls go on being made.
pub(super) const CALLS: Fairness = Fairness::kind(0);
/// Time goes on.
pub(super) const TIME: Fairness = Fairness::kind(1);

impl<L: Library> Stage<L> {
    /// What the text promises about recovery itself: a lost member that would answer is back some day.
    #[must_use]
    pub fn comes_back() -> Vec<Liveness<Self>> {
        (0..MEMBERS)
            .map(|member| Liveness {
                name: format!(
                    "E6 a lost member that can be reached and has attempts left comes back ({})",
                    NAMES[member]
                ),
                assumed: CALLS.union(TIME),
                waiting: Box::new(move |_, scene: &Scene<L>| scene.members[member].waits()),
            })
            .collect()
    }
}

impl Member {
    /// Whether it is lost, would answer if it was tried, and may still be tried.
    fn waits(&self) -> bool {
        !self.connected && self.reachable && self.attempts < ATTEMPTS
    }

    fn is_due(&self) -> bool {
        !self.connected && self.attempts < ATTEMPTS && self.since_attempt >= INTERVAL
    }

    fn tried(&mut self) {
        self.too_soon |= self.since_attempt < INTERVAL;
        self.attempts = (self.attempts + 1).min(ATTEMPTS + 1);
        self.since_attempt = 0;
        self.passed_over = 0;
    }
}

impl<L: Library> Scene<L> {
    fn call(&mut self) {
        self.idle = 0;
        let reachable = self.members.map(|member| member.reachable);
        for attempt in self.library.recover(reachable) {
            self.attempted(attempt);
        }
        for (index, member) in self.members.iter_mut().enumerate() {
            if member.connected && !member.reachable {
                member.connected = false;
                member.attempts = 0;
                member.passed_over = 0;
                self.library.lose(index);
            } else if member.connected {
                break;
            }
        }
    }

    fn attempted(&mut self, attempt: Attempt) {
        self.for_nobody |= self.members.iter().all(|member| member.connected);
        let Some(tried) = attempt.member else {
            return;
        };
        for (index, member) in self.members.iter_mut().enumerate() {
            if index != tried && member.is_due() {
                member.passed_over = (member.passed_over + 1).min(MEMBERS as u8);
            }
        }
        self.members[tried].tried();
        self.members[tried].connected = attempt.succeeded;
    }

    fn tick(&mut self) {
        self.idle += 1;
        self.library.tick();
        for member in &mut self.members {
            member.since_attempt = (member.since_attempt + 1).min(INTERVAL);
        }
    }

    fn disconnected(&self) -> i8 {
        self.members
            .iter()
            .filter(|member| !member.connected)
            .count() as i8
    }
}

impl<L: Library> Model for Stage<L> {
    type State = Scene<L>;
    type Action = Event;

    fn init_states(&self) -> Vec<Scene<L>> {
        let member = Member {
            reachable: true,
            connected: true,
            attempts: 0,
            since_attempt: INTERVAL,
            too_soon: false,
            passed_over: 0,
        };
        vec![Scene {
            library: self.library.clone(),
            members: [member; MEMBERS],
            failures_left: FAILURES,
            idle: 0,
            for_nobody: false,
        }]
    }

    fn actions(&self, scene: &Scene<L>, events: &mut Vec<Event>) {
        events.push(Event::Call);
        if scene.idle < IDLE {
            events.push(Event::Tick);
        }
        events.extend((0..MEMBERS).filter_map(|member| {
            match (scene.members[member].reachable, scene.failures_left) {
                (false, _) => Some(Event::Returns(member)),
                (true, 1..) => Some(Event::Fails(member)),
                (true, 0) => None,
            }
        }));
    }

    fn next_state(&self, before: &Scene<L>, event: Event) -> Option<Scene<L>> {
        let mut scene = before.clone();
        match event {
            Event::Fails(member) => {
                scene.members[member].reachable = false;
                scene.failures_left -= 1;
            }
            Event::Returns(member) => scene.members[member].reachable = true,
            Event::Call => scene.call(),
            Event::Tick => scene.tick(),
        }
        Some(scene)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "E1 at most N attempts on a member in an outage",
                |_, scene: &Scene<L>| {
                    scene
                        .members
                        .iter()
                        .all(|member| member.attempts <= ATTEMPTS)
                },
            ),
            Property::sometimes("E1 seen: N attempts", |_, scene: &Scene<L>| {
                scene
                    .members
                    .iter()
                    .any(|member| member.attempts == ATTEMPTS)
            }),
            Property::always(
                "E2 attempts on a member are at least X apart",
                |_, scene: &Scene<L>| !scene.members.iter().any(|member| member.too_soon),
            ),
            Property::sometimes("E2 seen: a second attempt", |_, scene: &Scene<L>| {
                scene.members.iter().any(|member| member.attempts == 2)
            }),
            Property::always(
                "E3 the count of disconnected members is right",
                |_, scene: &Scene<L>| scene.library.counts_disconnected() == scene.disconnected(),
            ),
            Property::sometimes("E3 seen: all are disconnected", |_, scene: &Scene<L>| {
                scene.disconnected() == MEMBERS as i8
            }),
            Property::always(
                "E4 no attempt while nobody is disconnected",
                |_, scene: &Scene<L>| !scene.for_nobody,
            ),
            Property::sometimes(
                "E4 seen: everybody is back after an attempt",
                |_, scene: &Scene<L>| {
                    scene.disconnected() == 0
                        && scene
                            .members
                            .iter()
                            .any(|member| member.since_attempt < INTERVAL)
                },
            ),
            Property::always(
                "E5 recovery is fair: nobody who is due is passed over twice",
                |_, scene: &Scene<L>| {
                    scene
                        .members
                        .iter()
                        .all(|member| member.passed_over < MEMBERS as u8)
                },
            ),
            Property::sometimes(
                "E5 seen: somebody has to wait for another's attempt",
                |_, scene: &Scene<L>| scene.members.iter().any(|member| member.passed_over == 1),
            ),
        ]
    }
}

impl<L: Library> Fair for Stage<L> {
    fn serves(&self, _scene: &Scene<L>, event: &Event) -> Fairness {
        match event {
            Event::Call => CALLS,
            Event::Tick => TIME,
            Event::Fails(_) | Event::Returns(_) => Fairness::NONE,
        }
    }
}

impl<L: Library> Story for Stage<L> {
    fn columns(&self) -> Vec<String> {
        let members = NAMES.iter().map(|name| format!("member {name}"));
        members.chain([self.library.heading().to_owned()]).collect()
    }

    fn cells(&self, scene: &Scene<L>) -> Vec<String> {
        let members = scene.members.iter().map(|member| {
            let state = match (member.connected, member.reachable) {
                (true, true) => "connected".to_owned(),
                (true, false) => "dead, not noticed".to_owned(),
                (false, true) => format!("lost, would answer, tried {}", member.attempts),
                (false, false) => format!("lost, tried {}", member.attempts),
            };
            match member.passed_over {
                0 => state,
                times => format!("{state}, passed over {times}"),
            }
        });
        members.chain([scene.library.notes()]).collect()
    }

    fn tell(&self, before: &Scene<L>, event: &Event, after: &Scene<L>) -> String {
        match event {
            Event::Fails(member) => format!("{} stops answering", NAMES[*member]),
            Event::Returns(member) => format!("{} would answer again", NAMES[*member]),
            Event::Tick => "time passes".to_owned(),
            Event::Call => told_call(before, after),
        }
    }

    fn seconds(&self, event: &Event) -> u64 {
        match event {
            Event::Tick => SECONDS_PER_TICK,
            Event::Call | Event::Fails(_) | Event::Returns(_) => 0,
        }
    }
}

/// Replays the recovery part of a call to say what it did.
fn told_call<L: Library>(before: &Scene<L>, after: &Scene<L>) -> String {
    let mut library = before.library.clone();
    let attempts = library.recover(before.members.map(|member| member.reachable));
    let mut told = vec!["a call".to_owned()];
    told.extend(
        attempts
            .iter()
            .map(|attempt| match (attempt.member, attempt.succeeded) {
                (Some(member), true) => format!("{} is tried and comes back", NAMES[member]),
                (Some(member), false) => format!("{} is tried in vain", NAMES[member]),
                (None, _) => "recovery runs for nobody".to_owned(),
            }),
    );
    told.extend((0..MEMBERS).filter_map(|member| {
        let was = before.members[member].connected
            || attempts
                .iter()
                .any(|attempt| attempt.member == Some(member) && attempt.succeeded);
        (was && !after.members[member].connected)
            .then(|| format!("{} is found dead", NAMES[member]))
    }));
    told.join("; ")
}
