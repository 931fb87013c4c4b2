use std::path::{Path, PathBuf};
use std::time::{Duration, Instant as Clock};

use everslot_core::{
    Binding, Call, CallInput, Evidence, Group, Input, Instant, MemberId, MemberState, Policy,
    Repeat, Role, StepOutcome, Verdict,
};

use super::{CallSteps, Recorder, Replayed, Step, TraceError, replay};
use crate::threads::Threads;

const A: MemberId = MemberId(0);

/// A group whose steps are recorded.
struct Traced {
    group: Group,
    now: u64,
    steps: u64,
}

impl Traced {
    fn new() -> Self {
        Self {
            group: Group::new(Policy::default()),
            now: 0,
            steps: 0,
        }
    }

    fn feed(&mut self, recorder: &Recorder, input: Input) {
        self.now += 1000;
        self.steps += 1;
        let at = Instant::from_millis(self.now);
        let before = recorder.state_before(&self.group);
        let output = self.group.handle(input, at);
        let wake_up = self.group.poll_timeout();
        recorder.note_step(
            before,
            Step {
                at,
                input,
                output,
                wake_up,
            },
        );
    }

    /// A member comes into service, and is lost again.
    fn come_and_go(&mut self, recorder: &Recorder) {
        self.now += 60_000;
        self.feed(recorder, Input::Timer);
        while let Some(MemberState::Recovering { serial, step, .. }) =
            self.group.member(A).map(|member| member.state)
        {
            let login = self.group.generation();
            let outcome = StepOutcome::Done { login };
            let ended = Input::Step {
                member: A,
                serial,
                step,
                outcome,
            };
            self.feed(recorder, ended);
        }
        let lost = Input::Lost {
            member: A,
            incarnation: self.group.member(A).expect("a member").incarnation,
            evidence: Evidence::DeadlinePassed,
        };
        self.feed(recorder, lost);
    }
}

fn call() -> CallSteps {
    let (repeat, binding) = (Repeat::Safe, Binding::Free);
    let mut machine = Call::new(repeat, binding);
    let inputs = [
        CallInput::Start,
        CallInput::Chosen(Some((A, everslot_core::Incarnation(1)))),
        CallInput::Verdict(Verdict::Fine),
    ];
    let steps = inputs.map(|input| (input, machine.handle(input))).to_vec();
    CallSteps {
        repeat,
        binding,
        steps,
    }
}

fn end(recorder: &Recorder, threads: &Threads) {
    recorder.end();
    assert!(threads.end(Clock::now() + Duration::from_secs(60)));
}

/// A trace of a member that comes and goes, and of calls.
fn recorded(directory: &Path) -> (PathBuf, Replayed) {
    let path = directory.join("trace");
    let threads = Threads::new();
    let recorder = Recorder::begin(&path, &threads).expect("a file can be made");
    let mut traced = Traced::new();
    let role = Role::Active;
    traced.feed(&recorder, Input::Add { member: A, role });
    for _ in 0..3 {
        traced.come_and_go(&recorder);
        recorder.note_call(call());
    }
    end(&recorder, &threads);
    let expected = Replayed {
        steps: traced.steps,
        calls: 3,
        ..Replayed::default()
    };
    (of_this_process(&path), expected)
}

fn of_this_process(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.{}", path.display(), std::process::id()))
}

#[test]
fn what_was_recorded_is_the_same_once_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, expected) = recorded(directory.path());
    assert_eq!(replay(&path).expect("no difference"), expected);
}

#[test]
fn whichever_number_or_word_of_a_line_is_altered_is_found_on_that_line_or_a_later_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, _) = recorded(directory.path());
    let text = std::fs::read_to_string(&path).expect("a trace");
    let altered = [
        ("\"DeadlinePassed\"", "\"HostEnded\""),
        ("\"Active\"", "\"Standby\""),
        ("\"at\":62000", "\"at\":62001"),
        ("\"serial\":1", "\"serial\":2"),
        ("\"incarnation\":2", "\"incarnation\":3"),
        ("\"Fine\"", "\"MemberBusy\""),
        ("\"attempts\":1", "\"attempts\":2"),
        ("\"interval\":{\"secs\":60", "\"interval\":{\"secs\":61"),
    ];
    for (was, is) in altered {
        let (before, _) = text
            .split_once(was)
            .unwrap_or_else(|| panic!("{was} in {text}"));
        let first = before.lines().count().max(1) as u64;
        std::fs::write(&path, text.replacen(was, is, 1)).expect("a trace");
        match replay(&path) {
            Err(TraceError::Differs { line, .. }) => assert!(line >= first, "{was}: line {line}"),
            other => panic!("{was} altered: {other:?}"),
        }
    }
}

#[test]
fn a_line_that_is_missing_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, _) = recorded(directory.path());
    let text = std::fs::read_to_string(&path).expect("a trace");
    let steps = |line: &&str| line.starts_with("{\"step\"");
    let dropped = text.lines().filter(steps).nth(2).expect("a third step");
    std::fs::write(&path, text.replacen(&format!("{dropped}\n"), "", 1)).expect("a trace");
    assert!(matches!(replay(&path), Err(TraceError::Differs { .. })));
}

#[test]
fn what_is_no_trace_is_said_to_be_none() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("trace");
    let newer = "{\"trace\":{\"format\":3,\"version\":\"9\"}}\n";
    for text in ["", "hello\n", newer, "{\"missed\":1}\n"] {
        std::fs::write(&path, text).expect("a file");
        let error = replay(&path).expect_err("no trace");
        assert!(
            matches!(error, TraceError::Malformed { line: 1, .. }),
            "{error}"
        );
        assert_eq!(error.to_string().lines().count(), 1);
    }
    let error = replay(&directory.path().join("none")).expect_err("no file");
    assert!(matches!(error, TraceError::Unreadable { .. }), "{error}");
}

#[test]
fn a_full_file_becomes_the_one_before_and_each_is_replayed_by_itself() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("trace");
    let threads = Threads::new();
    let recorder = Recorder::of_size(&path, &threads, 4096).expect("a file can be made");
    let current = of_this_process(&path);
    let before = PathBuf::from(format!("{}.1", current.display()));
    let mut traced = Traced::new();
    let role = Role::Active;
    traced.feed(&recorder, Input::Add { member: A, role });
    let deadline = Clock::now() + Duration::from_secs(60);
    while !before.exists() {
        assert!(Clock::now() < deadline, "no second file");
        traced.come_and_go(&recorder);
        std::thread::yield_now();
    }
    traced.come_and_go(&recorder);
    end(&recorder, &threads);
    assert!(replay(&before).expect("the file before").steps > 0);
    assert!(replay(&current).expect("the current file").steps > 0);
}

/// A healthy group has calls and no steps for as long as it likes.
#[test]
fn calls_alone_fill_a_file_as_well() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("trace");
    let threads = Threads::new();
    let recorder = Recorder::of_size(&path, &threads, 4096).expect("a file can be made");
    let current = of_this_process(&path);
    let before = PathBuf::from(format!("{}.1", current.display()));
    let mut traced = Traced::new();
    let role = Role::Active;
    traced.feed(&recorder, Input::Add { member: A, role });
    let deadline = Clock::now() + Duration::from_secs(60);
    while !before.exists() {
        assert!(Clock::now() < deadline, "no second file");
        recorder.note_call(call());
        while !recorder.is_idle() {
            std::thread::yield_now();
        }
    }
    traced.come_and_go(&recorder);
    end(&recorder, &threads);
    let (old, new) = (replay(&before), replay(&current));
    let (old, new) = (
        old.expect("the file before"),
        new.expect("the current file"),
    );
    assert_eq!(old.steps + new.steps, traced.steps);
    assert!(new.steps > 0 && old.calls > 0);
    let size = std::fs::metadata(&before).expect("it is there").len();
    assert!(size < 3 * 4096, "{size} bytes");
}

#[test]
fn what_comes_too_fast_is_counted_and_the_rest_can_be_replayed() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("trace");
    let threads = Threads::new();
    let recorder = Recorder::begin(&path, &threads).expect("a file can be made");
    let (mut traced, mut calls) = (Traced::new(), 0);
    let role = Role::Active;
    traced.feed(&recorder, Input::Add { member: A, role });
    for _ in 0..50 {
        traced.come_and_go(&recorder);
        for _ in 0..2000 {
            recorder.note_call(call());
            calls += 1;
        }
    }
    end(&recorder, &threads);
    let replayed = replay(&of_this_process(&path)).expect("no difference");
    // The state after a gap is a line of its own, and may be missed as well.
    let told = replayed.steps + replayed.calls + replayed.missed;
    assert!(told >= traced.steps + calls, "{replayed:?}");
}
