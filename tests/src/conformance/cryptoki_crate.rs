//! The tests that the `cryptoki` crate ships, built from its source with another preparation of the token.

mod source;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::explained::{NOT_RUN, WAITS};
use super::outcome::{Outcome, Results};
use super::situation::{Fault, Target};
use super::watch::{End, watch};
use crate::Pins;
pub(super) use source::build;

/// What the tests have written in their source.
pub(super) const PINS: Pins = Pins {
    user: "fedcba123456",
    so: "abcdef654321",
};
/// A case that takes so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program of the crate's tests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Program {
    name: String,
    path: PathBuf,
}

/// One program's run, or what is left of it after a case that ended the program.
struct Run<'a> {
    program: &'a Program,
    target: &'a Target,
    /// What has not ended yet, in the order in which it runs.
    left: BTreeSet<String>,
}

/// Runs all programs. `cases` is how many cases are expected to run; a fault happens in their middle.
pub(super) fn run(target: &Target, programs: &[Program], cases: usize) -> Results {
    let mut results = Results::default();
    let mut fault = target.fault(cases);
    for program in programs {
        let mut run = Run {
            program,
            target,
            left: program.cases(),
        };
        run.leave_out_what_waits(&mut results);
        while !run.left.is_empty() {
            run.go_on(&mut results, &mut fault);
        }
    }
    results.broken = fault.missed();
    results
}

impl Program {
    fn cases(&self) -> BTreeSet<String> {
        let output = Command::new(&self.path)
            .args(["--list", "--format", "terse"])
            .output()
            .expect("a test program that was just built starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
        names.map(str::to_owned).collect()
    }
}

impl Run<'_> {
    /// The one case that waits for ever where the function that it is about is there.
    fn leave_out_what_waits(&mut self, results: &mut Results) {
        let waits = |case: &String| self.target.is_group() && self.full_name(case) == WAITS;
        let case = self.left.iter().find(|case| waits(case)).cloned();
        if let Some(case) = case {
            self.left.remove(&case);
            let not_run = Outcome::Failed(NOT_RUN.to_owned());
            results.cases.insert(WAITS.to_owned(), not_run);
        }
    }

    /// Runs what is left; a case that ends or hangs the program has failed.
    fn go_on(&mut self, results: &mut Results, fault: &mut Fault<'_>) {
        let console = self.target.directory().join("console");
        let file = |path: &Path| File::create(path).expect("the lab's directory is writable");
        let mut command = Command::new(&self.program.path);
        command
            .args(["--test-threads=1", "--exact"])
            .args(&self.left)
            .envs(self.target.environment().iter().cloned())
            .env("TEST_PKCS11_MODULE", self.target.module())
            // The tests expect of each library what it is known for.
            .env("TEST_PRETEND_LIBRARY", "softhsm")
            .current_dir(self.target.directory())
            .stdout(file(&console))
            // everslot's log lines would stand between a case's name and its result.
            .stderr(file(&self.target.directory().join("errors")));
        let before = results.cases.len();
        let end = watch(&mut command, &console, PATIENCE, |text| {
            fault.progress(before + ended(text).count());
        });
        self.take(&console, end, results);
    }

    fn take(&mut self, console: &Path, end: End, results: &mut Results) {
        let bytes = std::fs::read(console).expect("the suite's output is there");
        let text = String::from_utf8_lossy(&bytes);
        for (name, outcome) in ended(&text) {
            self.left.remove(name);
            results.cases.insert(self.full_name(name), outcome);
        }
        if let Some(name) = self.left.pop_first() {
            let how = match end {
                End::Ended(status) => format!("ended the program, {status}"),
                End::Stalled => format!("hung for {} s", PATIENCE.as_secs()),
            };
            results
                .cases
                .insert(self.full_name(&name), Outcome::Failed(how));
        }
    }

    fn full_name(&self, case: &str) -> String {
        format!("{}::{case}", self.program.name)
    }
}

/// The cases that the output says have ended, and how.
fn ended(text: &str) -> impl Iterator<Item = (&str, Outcome)> {
    text.lines().filter_map(move |line| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let outcome = match result.split([',', ' ']).next()? {
            "FAILED" => Outcome::Failed(reason(text, name)),
            "ignored" => Outcome::Skipped,
            "ok" => Outcome::Passed,
            _ => return None,
        };
        Some((name, outcome))
    })
}

/// What the output says of a failed case, in a line.
fn reason(text: &str, name: &str) -> String {
    let heading = format!("---- {name} stdout ----");
    let Some((_, section)) = text.split_once(&heading) else {
        return "no reason was printed".to_owned();
    };
    let lines = section
        .lines()
        .take_while(|line| !line.starts_with("---- "));
    let useful = lines.filter(|line| !line.trim().is_empty() && !line.starts_with("note: "));
    useful.take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Outcome, ended};

    #[test]
    fn what_has_ended_is_read_and_what_runs_is_not() {
        let text = "running 4 tests\ntest a ... ok\ntest b ... FAILED\ntest c ... ignored, why\ntest d ... \n\
                    ---- b stdout ----\n\nError: Pkcs11(DeviceError)\nnote: run\n\n---- x stdout ----\nother\n";
        let ended: Vec<_> = ended(text).collect();
        let why = "Error: Pkcs11(DeviceError)".to_owned();
        assert_eq!(
            ended,
            [
                ("a", Outcome::Passed),
                ("b", Outcome::Failed(why)),
                ("c", Outcome::Skipped)
            ]
        );
    }
}
