//! Whoever reads the view without the lock, or waits for it to change.

use std::sync::Arc;

use everslot_core::{
    Action, Attempts, Evidence, Group, Incarnation, Input, Instant, MemberId, Policy, Role,
    Serving, StepOutcome,
};

use super::core_state::CoreState;
use super::eras::Eras;
use super::{LONG, explore, on};

const MEMBER: MemberId = MemberId(0);

type Core = Group<32>;

/// A group that is driven as [`GroupDriver`](crate::group::GroupDriver) drives it.
struct Driven {
    state: CoreState<Core>,
    eras: Eras,
}

impl Driven {
    fn new() -> Arc<Self> {
        let policy = Policy {
            interval: std::time::Duration::from_secs(60),
            attempts: Attempts::AtMost(1),
        };
        Arc::new(Self {
            state: CoreState::new(Core::new(policy)),
            eras: Eras::new(Incarnation(0)),
        })
    }
}

impl Driven {
    /// Gives the core an input and publishes what follows, in the order in which the driver does.
    fn feed(&self, input: Input) -> Option<Input> {
        let mut core = self.state.lock();
        let output = core.handle(input, Instant::from_millis(0));
        for (_, member) in core.members() {
            self.eras.begin(member.incarnation);
        }
        let mut next = None;
        for action in &output.actions {
            match *action {
                Action::Close { incarnation, .. } => self.eras.end(incarnation),
                Action::Perform {
                    member,
                    serial,
                    step,
                    login: (_, login),
                } => {
                    let outcome = StepOutcome::Done { login };
                    next = Some(Input::Step {
                        member,
                        serial,
                        step,
                        outcome,
                    });
                }
                Action::LogIn { .. } | Action::LogOut { .. } => {}
            }
        }
        self.state.publish(&core.view(), None);
        next
    }

    /// What follows of an input when each step of an attempt succeeds.
    fn drive(&self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next {
            next = self.feed(input);
        }
    }

    fn lose(&self) {
        self.feed(Input::Lost {
            member: MEMBER,
            incarnation: self.eras.incarnation(),
            evidence: Evidence::HostEnded,
        });
    }

    fn serves(&self) -> bool {
        self.state.view.serving().active.contains(MEMBER)
    }
}

fn with_a_member() -> Arc<Driven> {
    let driven = Driven::new();
    driven.feed(Input::Add {
        member: MEMBER,
        role: Role::Active,
    });
    driven
}

#[test]
fn who_sees_a_member_serve_sees_its_incarnation() {
    explore(|| {
        let driven = with_a_member();
        driven.drive(Input::Timer);
        let goes = on(&driven, |driven| {
            driven.lose();
            driven.drive(Input::Recover { member: MEMBER });
        });
        if driven.serves() {
            let incarnation = driven.eras.incarnation();
            assert!(incarnation == Incarnation(1) || driven.eras.closed() == Incarnation(1));
        }
        goes.join().expect("no panic");
        assert!(driven.serves());
        assert_eq!(driven.eras.incarnation(), Incarnation(2));
        assert_eq!(driven.eras.closed(), Incarnation(1), "S6");
    });
}

#[test]
fn who_waits_for_a_member_hears_that_it_serves() {
    explore(|| {
        let driven = with_a_member();
        let waits = on(&driven, |driven| {
            let seen = Serving::default();
            driven.state.wait_for_view(seen, LONG)
        });
        driven.drive(Input::Timer);
        assert!(waits.join().expect("no panic"));
        assert!(driven.serves());
    });
}

#[test]
fn the_end_sends_away_whoever_waits() {
    explore(|| {
        let driven = with_a_member();
        let waits = on(&driven, |driven| {
            driven.state.wait_for_view(Serving::default(), LONG)
        });
        let tries = on(&driven, |driven| {
            driven
                .state
                .wait_while(LONG, |_| !driven.state.is_stopping())
        });
        driven.state.begin_to_stop();
        driven.state.dismiss();
        assert!(!waits.join().expect("no panic"));
        tries.join().expect("no panic");
    });
}

#[test]
fn the_view_is_of_one_moment() {
    explore(|| {
        let driven = with_a_member();
        driven.drive(Input::Timer);
        let other = MemberId(1);
        let takes_over = on(&driven, move |driven| {
            driven.feed(Input::SetRole {
                member: MEMBER,
                role: Role::Standby,
            });
            driven.feed(Input::Add {
                member: other,
                role: Role::Active,
            });
        });
        let serving = driven.state.view.serving();
        assert_ne!(
            serving.active.contains(MEMBER),
            serving.standby.contains(MEMBER),
            "it serves all the time"
        );
        takes_over.join().expect("no panic");
    });
}
