use super::*;
use crate::status::{CallTimes, LoginState, Role, State};

fn member(name: &str, state: State) -> MemberStatus {
    MemberStatus {
        name: name.to_owned(),
        serial: None,
        role: Role::Active,
        state,
        incarnation: 1,
        code: everslot_core::ckr::OK.into(),
        evidence: None,
        attempts: 0,
        attempts_allowed: None,
        next_attempt_ms: None,
        in_flight: 0,
        calls: 0,
        failures: 0,
        losses: 0,
        recoveries: 0,
    }
}

/// What a process says that has two members.
fn measured(pid: u32) -> Measured {
    let members = vec![member("a", State::Active), member("b", State::Active)];
    Measured {
        process: Process {
            pid,
            program: "nginx".to_owned(),
            since: 7,
        },
        groups: vec![GroupMeasured {
            calls: vec![MemberCalls::default(); members.len()],
            status: crate::status::GroupStatus {
                label: "everslot".to_owned(),
                serial: "e1a0".to_owned(),
                login: LoginState::User,
                objects: ObjectsStatus::Apart,
                members,
            },
        }],
    }
}

fn first(measured: &mut Measured) -> &mut MemberStatus {
    &mut measured.groups[0].status.members[0]
}

/// A history, and the moments at which something is added, half a second apart.
fn history() -> (History, impl FnMut() -> Instant) {
    let history = History::new();
    let mut now = history.began.1;
    (history, move || {
        now += Duration::from_millis(500);
        now
    })
}

fn kinds(history: &History) -> Vec<(Kind, &str, u32)> {
    let marks = history.marks.iter();
    marks
        .map(|mark| (mark.kind, mark.member.as_str(), mark.pid))
        .collect()
}

#[test]
fn a_loss_and_a_return_are_marks_and_states() {
    let (mut history, mut next) = history();
    let mut one = measured(1);
    // Losses before the first look are not marks.
    first(&mut one).losses = 3;
    history.add(next(), &[one.clone()], Vec::new());
    assert_eq!(kinds(&history), []);
    let lost = first(&mut one);
    (lost.losses, lost.state) = (4, State::Lost);
    lost.evidence = Some("its member host has ended".to_owned());
    history.add(next(), &[one.clone()], Vec::new());
    history.add(next(), &[one.clone()], Vec::new());
    let back = first(&mut one);
    (back.recoveries, back.state) = (1, State::Active);
    history.add(next(), &[one], Vec::new());
    let expected = [(Kind::Failover, "a", 1), (Kind::Return, "a", 1)];
    assert_eq!(kinds(&history), expected);
    assert_eq!(history.marks[0].why, "its member host has ended");
    let view = history.view(0);
    let states = |member: usize| -> Vec<_> {
        let points = view.groups[0].members[member].points.iter();
        points.map(|point| point.state).collect()
    };
    let (active, lost) = (Some(State::Active), Some(State::Lost));
    assert_eq!(states(0), [active, lost, lost, active]);
    assert_eq!(states(1), [active; 4]);
    let last = view.groups[0].members[0].points[2].at_ms;
    assert_eq!(history.view(last).groups[0].members[0].points.len(), 1);
}

#[test]
fn calls_of_all_applications_are_added_up_and_the_worst_state_is_shown() {
    let (mut history, mut next) = history();
    let (mut one, mut two) = (measured(1), measured(2));
    first(&mut one).calls = 1_000;
    history.add(next(), &[one.clone(), two.clone()], Vec::new());
    first(&mut one).calls = 1_050;
    first(&mut two).calls = 10;
    first(&mut two).state = State::Recovering;
    two.groups[0].status.objects = ObjectsStatus::Replicated { short: 2 };
    let mut counts = vec![0; CallTimes::BOUNDS.len() + 1];
    counts[4] = 60;
    two.groups[0].calls[0].times = vec![CallTimes {
        function: "C_Sign".to_owned(),
        nanoseconds: 1,
        counts,
    }];
    history.add(next(), &[one, two], vec!["process 3: no".to_owned()]);
    let view = history.view(0);
    let group = &view.groups[0];
    assert_eq!(group.applications.len(), 2);
    assert_eq!(group.objects, Some(&ObjectsStatus::Replicated { short: 2 }));
    let member = &group.members[0];
    assert_eq!(member.state, Some(State::Recovering));
    assert_eq!(member.points[1].calls_per_second, 120.0);
    assert_eq!(member.calls_per_second, 60.0);
    assert_eq!((member.points[0].p99_ms, member.p99_ms), (None, Some(1.0)));
    assert_eq!(view.problems, ["process 3: no"]);
}

#[test]
fn a_member_that_ends_no_call_for_a_second_stalls_once() {
    let (mut history, mut next) = history();
    let mut one = measured(1);
    first(&mut one).in_flight = 2;
    for _ in 0..2 {
        history.add(next(), &[one.clone()], Vec::new());
    }
    assert_eq!(kinds(&history), []);
    for _ in 0..4 {
        history.add(next(), &[one.clone()], Vec::new());
    }
    assert_eq!(kinds(&history), [(Kind::Stall, "a", 1)]);
    first(&mut one).calls = 1;
    for _ in 0..2 {
        history.add(next(), &[one.clone()], Vec::new());
    }
    assert_eq!(kinds(&history).len(), 1);
    history.add(next(), &[one], Vec::new());
    assert_eq!(kinds(&history).len(), 2);
}

#[test]
fn what_nobody_uses_any_more_is_forgotten_in_time() {
    let (mut history, mut next) = history();
    history.add(next(), &[measured(1)], Vec::new());
    history.add(next(), &[], Vec::new());
    {
        let view = history.view(0);
        let group = &view.groups[0];
        assert!(group.applications.is_empty());
        assert_eq!((group.objects, group.members[0].state), (None, None));
    }
    for _ in 0..SPAN.as_secs() * 2 {
        history.add(next(), &[], Vec::new());
    }
    assert!(history.view(0).groups.is_empty());
    // Another process with the same id begins anew.
    let mut one = measured(1);
    first(&mut one).losses = 9;
    history.add(next(), &[one], Vec::new());
    assert_eq!(kinds(&history), []);
}

#[test]
fn memory_does_not_grow_with_time() {
    let (mut history, mut next) = history();
    let mut one = measured(1);
    for _ in 0..SPAN.as_secs() * 3 {
        first(&mut one).losses += 1;
        history.add(next(), &[one.clone()], Vec::new());
    }
    let entries = history.groups[0].members[0].entries.len();
    assert_eq!(entries as u64, SPAN.as_secs() * 2 + 1);
    assert_eq!(history.marks.len(), MARKS);
}
