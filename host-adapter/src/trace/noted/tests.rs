use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use everslot_core::{
    Copies, Incarnation, MemberId, MemberSet, ObjectKey, Replayable, Seat, Sequence,
};

use super::*;
use crate::threads::Threads;
use crate::trace::{Replayed, TraceError, replay};

const A: MemberId = MemberId(0);
const B: MemberId = MemberId(1);
/// Inputs of a reconcile that change nothing: more than go together in a line.
const VOID: u64 = 3 * TOGETHER as u64;

fn seat(member: MemberId) -> Seat {
    Seat {
        member,
        incarnation: Incarnation(1),
        session: 7,
    }
}

fn run<M: Machine>(machine: M, recorder: &Recorder, inputs: &[M::Input]) -> u64 {
    let mut noted = Noted::new(machine, Some(recorder));
    for input in inputs {
        let _ = noted.handle(*input);
    }
    inputs.len() as u64
}

/// A trace of an operation that is brought to another member, of a destruction that one member cannot be asked for, and of a reconcile.
fn recorded(directory: &Path) -> (PathBuf, Replayed) {
    let path = directory.join("trace");
    let threads = Threads::new();
    let recorder = Recorder::begin(&path, &threads).expect("a file can be made");
    let taken = WorkInput::Taken {
        output: true,
        recorded: true,
    };
    let operations = run(
        Work::begun(Replayable::Alike, Some(seat(A))),
        &recorder,
        &[
            WorkInput::Reached(seat(A)),
            taken,
            WorkInput::Reached(seat(B)),
            WorkInput::Done,
            WorkInput::Done,
            WorkInput::Compared(true),
            WorkInput::Ended,
        ],
    );
    let both = [A, B].into_iter().fold(MemberSet::EMPTY, MemberSet::with);
    let changes = run(
        Change::destroy(42, both),
        &recorder,
        &[
            ChangeInput::Start,
            ChangeInput::Done,
            ChangeInput::Done,
            ChangeInput::NotSent,
            ChangeInput::Done,
        ],
    );
    let mut inputs = vec![
        ReconcileInput::Start {
            sources: MemberSet::EMPTY.with(A),
        },
        ReconcileInput::Cleaned,
        ReconcileInput::PassBegan(Sequence(9)),
        ReconcileInput::Group(None),
    ];
    inputs.extend((0..VOID).map(|_| ReconcileInput::Cleaned));
    inputs.push(ReconcileInput::Member(None));
    let reconciles = run(Reconcile::new(B, Copies::All), &recorder, &inputs);
    recorder.end();
    assert!(threads.end(Instant::now() + Duration::from_secs(60)));
    let path = PathBuf::from(format!("{}.{}", path.display(), std::process::id()));
    let expected = Replayed {
        operations,
        changes,
        reconciles,
        ..Replayed::default()
    };
    (path, expected)
}

#[test]
fn what_each_machine_was_told_is_the_same_once_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, expected) = recorded(directory.path());
    assert_eq!(replay(&path).expect("no difference"), expected);
    let text = std::fs::read_to_string(&path).expect("a trace");
    let lines = |of: &str| text.lines().filter(|line| line.starts_with(of)).count();
    assert_eq!((lines("{\"work\""), lines("{\"change\"")), (1, 1));
    assert!(
        lines("{\"reconcile\"") > 3,
        "a long run is written in parts"
    );
}

#[test]
fn whatever_is_altered_in_a_run_is_found_on_its_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let (path, _) = recorded(directory.path());
    let text = std::fs::read_to_string(&path).expect("a trace");
    for (of, was, is) in [
        ("work", "\"Compared\":true", "\"Compared\":false"),
        ("work", "\"parts\":0", "\"parts\":1"),
        ("work", "\"Send\"", "\"Rest\""),
        ("work", "\"session\":7", "\"session\":8"),
        ("change", "\"NotSent\"", "\"Unknown\""),
        ("change", "\"mark\":42", "\"mark\":43"),
        ("change", "\"resumed\":false", "\"resumed\":true"),
        ("reconcile", "\"PassBegan\":9", "\"PassBegan\":8"),
        ("reconcile", "\"looked_at\":0", "\"looked_at\":1"),
        ("reconcile", "\"gated\":false", "\"gated\":true"),
    ] {
        let head = format!("{{\"{of}\"");
        let at = text.lines().position(|line| line.starts_with(&head));
        let at = at.expect("its line");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let altered = lines[at].replacen(was, is, 1);
        assert_ne!(altered, lines[at], "{was}");
        lines[at] = altered;
        std::fs::write(&path, lines.join("\n")).expect("a trace");
        match replay(&path) {
            Err(TraceError::Differs { line, .. } | TraceError::Broken { line, .. }) => {
                assert_eq!(line, at as u64 + 1, "{was}");
            }
            other => panic!("{was}: {other:?}"),
        }
    }
}

#[test]
fn without_a_recorder_nothing_is_kept() {
    let mut noted = Noted::new(Work::begun(Replayable::Never, None), None);
    let mut bare = Work::begun(Replayable::Never, None);
    let input = WorkInput::Reached(seat(A));
    assert_eq!(noted.handle(input), bare.handle(input));
    assert_eq!(*noted, bare);
    assert!(noted.notes.is_none());
}

#[test]
fn an_object_is_told_by_its_hash_alone() {
    let key = serde_json::to_string(&ObjectKey([7; 16])).expect("it is a value");
    assert_eq!(key, format!("[{}]", ["7"; 16].join(",")));
}
