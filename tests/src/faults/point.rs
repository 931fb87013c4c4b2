//! One point: a world, a change, a fault, and what came of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::judge::{Violation, Wrong, judge};
use super::look::{self, Seen};
use super::{Answer, Fault, Loss, MEMBERS, Scenario, World, application};
use crate::Artifact;

/// Longer than any change and any sync takes, whatever else runs on the machine.
const LIMIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(2);

/// A scenario in the world that it begins in.
#[derive(Debug)]
pub struct Point<'w> {
    /// What is done.
    pub scenario: Scenario,
    /// Copied for the point.
    pub world: &'w World,
    /// What was on each member before it.
    pub before: &'w [Seen],
    /// What is on each member once it was done without a fault.
    pub after: &'w [Seen],
}

/// What came of a point.
#[derive(Debug)]
pub struct Outcome {
    /// Whether the fault happened: the member was sent so many requests.
    pub happened: bool,
    /// What the application was told.
    pub answer: Answer,
    /// What is wrong.
    pub violations: Vec<Violation>,
    /// The world, where something is wrong and it was to be kept.
    pub kept: Option<PathBuf>,
}

impl Point<'_> {
    /// Has the change made in a copy of the world with this fault in it, then has all back, synchronises and looks.
    ///
    /// # Panics
    /// The machine lacks room or a program.
    #[must_use]
    pub fn try_out(&self, fault: Fault, keep: bool) -> Outcome {
        let world = self.world.copy();
        let control = world.control();
        control.plan(fault);
        let ended = run_change(&world, self.scenario, MEMBERS);
        let happened = control.has_happened();
        let answer = match self.scenario {
            Scenario::Reconcile => Answer::Done,
            _ => application::answer(&world.ledger()),
        };
        let mut violations = Vec::new();
        violations.extend(wrong_end(self.scenario, fault, happened, &ended, &answer));
        violations.extend(wrong_sync(&world));
        let found = look::at(&Artifact::Faults.path(), &world);
        violations.extend(judge(
            self.scenario,
            &answer,
            self.before,
            self.after,
            &found,
        ));
        violations.extend(standing(&world.journal()));
        let kept = (keep && !violations.is_empty()).then(|| world.keep());
        Outcome {
            happened,
            answer,
            violations,
            kept,
        }
    }
}

/// How a process ended; its words on standard error.
#[derive(Debug)]
pub(super) struct Ended {
    /// None when it had to be killed because it did not end.
    status: Option<ExitStatus>,
    words: String,
}

/// Runs the application of a scenario, or `everslot sync`, in a world whose control file has the fault.
pub(super) fn run_change(world: &World, scenario: Scenario, serving: usize) -> Ended {
    let mut command = match scenario {
        Scenario::Reconcile => {
            world.control().arm();
            world.everslot(&["sync"])
        }
        _ => change(world, scenario, serving),
    };
    let ended = run(&mut command);
    world.control().disarm();
    ended
}

/// The process that makes the change of a scenario.
pub(super) fn change(world: &World, scenario: Scenario, serving: usize) -> Command {
    let name = clap::ValueEnum::to_possible_value(&scenario);
    let name = name.expect("no scenario is hidden").get_name().to_owned();
    let mut command = Command::new(Artifact::Faults.path());
    command
        .args(["change", &name, "--serving", &serving.to_string()])
        .arg("--directory")
        .arg(world.path())
        .envs(world.environment());
    command
}

/// Runs a process to its end, or ends it.
pub(super) fn run(command: &mut Command) -> Ended {
    let words = tempfile::tempfile().expect("there is room for a temporary file");
    let for_child = words.try_clone().expect("there are descriptors left");
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(for_child)
        .spawn();
    let status = wait(&mut child.expect("the program has been built"));
    Ended {
        status,
        words: last_words(words),
    }
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        let ended = child.try_wait().expect("it is ours");
        if ended.is_some() {
            return ended;
        }
        std::thread::sleep(POLL);
    }
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
    None
}

/// The end of what a process said: a few lines.
fn last_words(mut file: std::fs::File) -> String {
    use std::io::{Read, Seek};
    let mut words = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut words));
    read.expect("it is a file of ours");
    let words = String::from_utf8_lossy(&words);
    let lines: Vec<_> = words.lines().rev().take(4).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}

impl Ended {
    /// Whether it ended well.
    pub(super) fn is_well(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// An application that lost a member only goes on to an answer; `everslot sync` may say that something stays undone.
fn wrong_end(
    scenario: Scenario,
    fault: Fault,
    happened: bool,
    ended: &Ended,
    answer: &Answer,
) -> Option<Violation> {
    let words = &ended.words;
    let Some(status) = ended.status else {
        return Some(Wrong::Answer.at(format!("it did not end: {words}")));
    };
    if status.code().is_none() && happened && fault.loss != Loss::Member {
        return None;
    }
    let is_right = match scenario {
        Scenario::Reconcile => status.code().is_some() && (happened || status.success()),
        _ => status.success() && *answer != Answer::None,
    };
    (!is_right).then(|| Wrong::Answer.at(format!("it ended with {status}: {words}")))
}

fn wrong_sync(world: &World) -> Option<Violation> {
    world.control().disarm();
    let ended = run(&mut world.everslot(&["sync"]));
    let words = &ended.words;
    (!ended.is_well()).then(|| Wrong::Answer.at(format!("everslot sync afterwards: {words}")))
}

/// No change is under way any more, so no intent may stand in the journal.
pub(crate) fn standing(journal: &Path) -> Option<Violation> {
    let journal = Connection::open_with_flags(journal, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let count = journal.and_then(|journal| {
        journal.query_row("SELECT count(*) FROM intent", [], |row| {
            row.get::<_, i64>(0)
        })
    });
    match count {
        Ok(0) => None,
        Ok(count) => Some(Wrong::LeftOver.at(format!("{count} intents in the journal"))),
        Err(error) => Some(Wrong::Answer.at(format!("the journal: {error}"))),
    }
}
