//! Any sequence of inputs, sensible or not, against the invariants and a record of what has happened.

use std::vec;

use proptest::prelude::*;

use super::*;
use crate::QuarantineReason;

const IDS: [MemberId; 4] = [A, B, C, MemberId(3)];
const INTERVAL: u64 = 10;

/// Something that a caller does; reports are about what is so, unless they are late.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Add(MemberId, Role),
    Remove(MemberId),
    Park(MemberId),
    Unpark(MemberId),
    Recover(MemberId),
    SetRole(MemberId, Role),
    SetAttempts(Attempts),
    Lost {
        member: MemberId,
        late: bool,
    },
    Quarantine {
        member: MemberId,
        late: bool,
    },
    Timer,
    Step {
        member: MemberId,
        outcome: Outcome,
        late: bool,
    },
    LoginAccepted(MemberId, User),
    LogOut,
    LoginChanged {
        member: MemberId,
        outcome: LoginOutcome,
        late: bool,
    },
    StatusRead,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Done,
    Failed,
    Refused,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let member = || proptest::sample::select(&IDS[..]);
    let role = || proptest::sample::select(&[Role::Active, Role::Standby][..]);
    let attempts = prop_oneof![
        (0u16..4).prop_map(Attempts::AtMost),
        Just(Attempts::Unlimited)
    ];
    let user = proptest::sample::select(&[User::User, User::SecurityOfficer][..]);
    let outcome = prop_oneof![
        6 => Just(Outcome::Done),
        2 => Just(Outcome::Failed),
        1 => Just(Outcome::Refused),
    ];
    let login_outcome = prop_oneof![
        4 => Just(LoginOutcome::Done),
        1 => Just(LoginOutcome::Lost(FAILURE)),
        1 => Just(LoginOutcome::Refused(QuarantineReason::PinRefused)),
    ];
    let late = || proptest::bool::weighted(0.1);
    prop_oneof![
        3 => (member(), role()).prop_map(|(member, role)| Deed::Add(member, role)),
        1 => member().prop_map(Deed::Remove),
        1 => member().prop_map(Deed::Park),
        2 => member().prop_map(Deed::Unpark),
        1 => member().prop_map(Deed::Recover),
        1 => (member(), role()).prop_map(|(member, role)| Deed::SetRole(member, role)),
        1 => attempts.prop_map(Deed::SetAttempts),
        3 => (member(), late()).prop_map(|(member, late)| Deed::Lost { member, late }),
        1 => (member(), late()).prop_map(|(member, late)| Deed::Quarantine { member, late }),
        8 => Just(Deed::Timer),
        20 => (member(), outcome, late())
            .prop_map(|(member, outcome, late)| Deed::Step { member, outcome, late }),
        2 => (member(), user).prop_map(|(member, user)| Deed::LoginAccepted(member, user)),
        1 => Just(Deed::LogOut),
        4 => (member(), login_outcome, late())
            .prop_map(|(member, outcome, late)| Deed::LoginChanged { member, outcome, late }),
        1 => Just(Deed::StatusRead),
    ]
}

fn to_input(group: &Trio, deed: Deed) -> Input {
    let incarnation = |member, late: bool| {
        let count = group
            .member(member)
            .map_or(0, |member: Member| member.incarnation.0);
        Incarnation(count.wrapping_sub(u32::from(late)))
    };
    match deed {
        Deed::Add(member, role) => Input::Add { member, role },
        Deed::Remove(member) => Input::Remove { member },
        Deed::Park(member) => Input::Park { member },
        Deed::Unpark(member) => Input::Unpark { member },
        Deed::Recover(member) => Input::Recover { member },
        Deed::SetRole(member, role) => Input::SetRole { member, role },
        Deed::SetAttempts(attempts) => Input::SetPolicy(Policy {
            attempts,
            ..group.policy()
        }),
        Deed::Lost { member, late } => Input::Lost {
            member,
            incarnation: incarnation(member, late),
            evidence: FAILURE,
        },
        Deed::Quarantine { member, late } => {
            let why = QuarantineReason::SelfTestFailed;
            Input::Quarantine {
                member,
                incarnation: incarnation(member, late),
                why,
            }
        }
        Deed::Timer => Input::Timer,
        Deed::Step {
            member,
            outcome,
            late,
        } => step_input(group, member, outcome, late),
        Deed::LoginAccepted(member, user) => Input::LoginAccepted {
            member,
            incarnation: incarnation(member, false),
            user,
        },
        Deed::LogOut => Input::LogOut,
        Deed::LoginChanged {
            member,
            outcome,
            late,
        } => {
            let generation = LoginGeneration(group.generation().0.wrapping_sub(u32::from(late)));
            let incarnation = incarnation(member, false);
            Input::LoginChanged {
                member,
                incarnation,
                generation,
                outcome,
            }
        }
        Deed::StatusRead => Input::StatusRead,
    }
}

fn step_input(group: &Trio, member: MemberId, outcome: Outcome, late: bool) -> Input {
    let under_way = group.member(member).map(|member| member.state);
    let (serial, step) = match under_way {
        Some(MemberState::Recovering { serial, step, .. }) => (serial, step),
        _ => (AttemptSerial(1), Step::Connect),
    };
    let serial = AttemptSerial(serial.0.wrapping_sub(u32::from(late)));
    let outcome = match outcome {
        Outcome::Done => StepOutcome::Done {
            login: group.generation(),
        },
        Outcome::Failed => StepOutcome::Failed(FAILURE),
        Outcome::Refused => StepOutcome::Refused(QuarantineReason::TokenChanged),
    };
    Input::Step {
        member,
        serial,
        step,
        outcome,
    }
}

/// What has been seen of a member from outside.
#[derive(Clone, Copy, Default)]
struct Record {
    /// The beginning of the last attempt, unless it may be followed at once.
    last_attempt: Option<u64>,
    /// Attempts begun in this outage.
    attempts: u16,
    /// Whether the attempt that begins is given in any case: an order, or the first of a new member.
    given: bool,
    /// Whether sessions may be open.
    open: bool,
    /// Whether a status read has told of the outage.
    told: bool,
}

/// Follows the outputs and checks what the invariants cannot see: the past.
#[derive(Default)]
struct Witness {
    records: [Record; 4],
}

impl Witness {
    fn follow(&mut self, group: &Trio, second: u64, input: Input, output: &Output<3>) {
        self.follow_orders(group, input);
        for event in &output.events {
            self.follow_event(group, second, input, *event);
        }
        self.follow_actions(output);
        for id in IDS {
            self.check_status(group, id);
        }
    }

    fn follow_orders(&mut self, group: &Trio, input: Input) {
        match input {
            Input::Recover { member } => {
                // S3: an order begins at once and counts anew, if it is carried out.
                let fresh = matches!(
                    group.member(member).map(|member| member.state),
                    Some(MemberState::Recovering { outage, .. }) if outage.attempts == 1
                );
                let record = &mut self.records[member.index()];
                if fresh && !record.open {
                    *record = Record {
                        last_attempt: None,
                        attempts: 0,
                        given: true,
                        ..*record
                    };
                }
            }
            Input::StatusRead => self
                .records
                .iter_mut()
                .for_each(|record| record.told = true),
            _ => {}
        }
    }

    fn follow_event(&mut self, group: &Trio, second: u64, input: Input, event: Event) {
        match event {
            Event::Added { member, .. } => {
                self.records[member.index()] = Record {
                    given: true,
                    ..Record::default()
                };
            }
            Event::Unparked { member } => {
                let Record { last_attempt, .. } = self.records[member.index()];
                let unparked = Record {
                    last_attempt,
                    given: true,
                    told: true,
                    ..Record::default()
                };
                self.records[member.index()] = unparked;
            }
            Event::Lost { member, .. } | Event::Quarantined { member, .. } => {
                let record = &mut self.records[member.index()];
                (record.attempts, record.given) = (0, false);
                // Out of service, as opposed to set aside in an attempt: an outage begins.
                if !matches!(input, Input::Step { .. }) {
                    record.told = false;
                }
            }
            Event::AttemptBegan { member, number } => {
                self.attempt_begins(group, second, member, number);
            }
            _ => {}
        }
    }

    /// S3.
    fn attempt_begins(&mut self, group: &Trio, second: u64, member: MemberId, number: u16) {
        let record = &mut self.records[member.index()];
        if let Some(last) = record.last_attempt {
            assert!(
                second >= last + INTERVAL,
                "attempts {last} and {second} of {member:?}"
            );
        }
        record.last_attempt = Some(second);
        record.attempts += 1;
        if !record.given
            && let Attempts::AtMost(limit) = group.policy().attempts
        {
            assert!(number <= limit, "attempt {number} of {limit} of {member:?}");
        }
        record.given = false;
    }

    /// S11: whatever can have real sessions is told to close before it is opened again.
    fn follow_actions(&mut self, output: &Output<3>) {
        let mut told = [false; 4];
        for action in &output.actions {
            let index = action.member().index();
            assert!(!told[index], "two actions for one member");
            told[index] = true;
            match action {
                Action::Perform {
                    step: Step::Connect,
                    ..
                } => {
                    assert!(!self.records[index].open);
                    self.records[index].open = true;
                }
                Action::Perform { .. } | Action::LogIn { .. } | Action::LogOut { .. } => {
                    assert!(self.records[index].open);
                }
                Action::Close { .. } => {
                    assert!(self.records[index].open);
                    self.records[index].open = false;
                }
            }
        }
    }

    /// S5, and S2 and S11: who serves is open.
    fn check_status(&self, group: &Trio, id: MemberId) {
        let Some(member) = group.member(id) else {
            assert_eq!(group.status(id), None);
            return;
        };
        let record = self.records[id.index()];
        let expected = match member.state {
            MemberState::Active | MemberState::Standby => {
                assert!(record.open);
                ckr::OK
            }
            MemberState::Parked => ckr::TOKEN_NOT_PRESENT,
            _ if record.told => ckr::TOKEN_NOT_PRESENT,
            _ => ckr::DEVICE_ERROR,
        };
        assert_eq!(group.status(id), Some(expected), "{member:?}");
    }
}

proptest! {
    #[test]
    fn any_inputs_keep_the_rules(
        deeds in proptest::collection::vec((any_deed(), 0u64..8), 0..200),
    ) {
        let interval = Duration::from_secs(INTERVAL);
        let mut group = Trio::new(Policy { interval, attempts: Attempts::AtMost(2) });
        let mut witness = Witness::default();
        let mut second = 0;
        for (deed, passed) in deeds {
            second += passed;
            let input = to_input(&group, deed);
            let output = at(&mut group, second, input);
            witness.follow(&group, second, input, &output);
        }
    }

    /// The same inputs from any start of time: only differences count.
    #[test]
    fn the_start_of_time_does_not_matter(
        deeds in proptest::collection::vec((any_deed(), 0u64..8), 0..60),
        start in 0u64..1_000_000,
    ) {
        let policy = Policy { interval: Duration::from_secs(INTERVAL), attempts: Attempts::AtMost(2) };
        let (mut early, mut late) = (Trio::new(policy), Trio::new(policy));
        let mut second = 0;
        for (deed, passed) in deeds {
            second += passed;
            let input = to_input(&early, deed);
            let actions_early = actions(&at(&mut early, second, input));
            let actions_late = actions(&at(&mut late, start + second, input));
            prop_assert_eq!(actions_early, actions_late);
        }
    }
}
