//! pkcs11-check, a suite in Python: its log has a JSON object a line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::Value;

use super::outcome::{Outcome, Results};
use super::situation::Target;
use super::watch::{End, watch};
use crate::Pins;

/// What the suite asks for of its tokens.
pub(super) const PINS: Pins = Pins {
    user: "12345678",
    so: "87654321",
};
/// A case that takes so long hangs, in seconds; the suite ends it by itself.
const CASE: u64 = 60;
/// When the suite could not end a case, and everything else it does between two lines of its log.
const PATIENCE: Duration = Duration::from_secs(CASE * 3);

/// A part of the suite, by the suite's own names.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Category {
    /// Many threads and sessions at once.
    Concurrency,
    /// Encryption and decryption.
    Encrypt,
    /// Bad input and calls in the wrong order.
    Errors,
    /// The library and its interfaces.
    Interface,
    /// Objects, keys and attributes.
    Object,
    /// Signing and verifying.
    Sign,
    /// Slots, tokens and sessions.
    Slot,
}

impl Category {
    /// The suite's name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Encrypt => "encrypt",
            Self::Errors => "errors",
            Self::Interface => "interface",
            Self::Object => "object",
            Self::Sign => "sign",
            Self::Slot => "slot",
        }
    }
}

/// Runs a category. `cases` is how many cases are expected to run; a fault happens in their middle.
///
/// # Panics
/// The suite is not installed; the message says what installs it.
pub(super) fn run(target: &Target, category: Category, cases: usize) -> Results {
    let log = target.directory().join("report.jsonl");
    let console = target.directory().join("console");
    let mut fault = target.fault(cases);
    let output = File::create(&console).expect("the lab's directory is writable");
    let mut command = Command::new(program());
    command
        .args(["test", "--isolation", "none", "--timeout"])
        .arg(CASE.to_string())
        .args(["--category", category.name(), "--module"])
        .arg(target.module())
        .envs(target.environment().iter().cloned())
        .env("P11TEST_PIN", PINS.user)
        .env("P11TEST_SO_PIN", PINS.so)
        // Its own report leaves out everything when the module has written to standard error.
        .env("PYTEST_ADDOPTS", format!("--report-log={}", log.display()))
        .current_dir(target.directory())
        .stdout(output.try_clone().expect("a file can be opened twice"))
        .stderr(output);
    let end = watch(&mut command, &log, PATIENCE, |text| {
        fault.progress(ended(text));
    });
    let mut results = read(&std::fs::read_to_string(&log).unwrap_or_default());
    if results.broken.is_some() {
        results.broken = Some(obituary(end, &console));
    }
    results.broken = results.broken.or_else(|| fault.missed());
    results
}

/// The program, where `tests/prerequisites conformance` puts it.
fn program() -> PathBuf {
    let program = crate::artifact::build_directory().join("conformance/python/bin/pkcs11-check");
    assert!(
        program.is_file(),
        "{} is not there: `tests/prerequisites conformance` installs it (`make conformance` does)",
        program.display()
    );
    program
}

/// How many cases the log says have ended.
fn ended(log: &str) -> usize {
    log.matches("\"when\": \"teardown\"").count()
}

/// What the log says; it is broken without its last line.
fn read(log: &str) -> Results {
    let mut results = Results {
        broken: Some("the log has no end".to_owned()),
        ..Results::default()
    };
    for record in log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
    {
        let record: Value = record;
        match record["$report_type"].as_str() {
            Some("SessionFinish") => results.broken = None,
            Some("TestReport") => add(&mut results, &record),
            Some(_) | None => {}
        }
    }
    results
}

/// A case has up to three reports: of its preparation, itself and its end. The worst counts.
fn add(results: &mut Results, record: &Value) {
    let path = record["nodeid"].as_str().unwrap_or_default();
    // The suite's own place in the file system is not part of a case's name.
    let name = path
        .rsplit_once("testcases/")
        .map_or(path, |(_, name)| name);
    let outcome = match record["outcome"].as_str() {
        Some("failed") => Outcome::Failed(reason(record)),
        Some("skipped") => Outcome::Skipped,
        Some(_) | None => Outcome::Passed,
    };
    let case = results
        .cases
        .entry(name.to_owned())
        .or_insert(Outcome::Passed);
    if *case == Outcome::Passed || matches!(outcome, Outcome::Failed(_)) {
        *case = outcome;
    }
}

fn reason(record: &Value) -> String {
    let long = &record["longrepr"];
    let message = long["reprcrash"]["message"].as_str().or(long.as_str());
    let line = message
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default();
    line.to_owned()
}

/// Why the suite did not come to its end.
fn obituary(end: End, console: &Path) -> String {
    let text = std::fs::read_to_string(console).unwrap_or_default();
    let last = text.lines().rfind(|line| !line.trim().is_empty());
    let last = last.unwrap_or("nothing was printed").trim();
    match end {
        End::Ended(status) => format!("the suite ended before its end, {status}: {last}"),
        End::Stalled => format!("the suite hung: {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, ended, read};

    const LOG: &str = r#"{"$report_type": "SessionStart"}
{"$report_type": "TestReport", "nodeid": "a/testcases/x.py::one", "when": "setup", "outcome": "passed"}
{"$report_type": "TestReport", "nodeid": "a/testcases/x.py::one", "when": "call", "outcome": "failed", "longrepr": {"reprcrash": {"message": "no\nmore"}}}
{"$report_type": "TestReport", "nodeid": "a/testcases/x.py::one", "when": "teardown", "outcome": "passed"}
{"$report_type": "TestReport", "nodeid": "a/testcases/x.py::two", "when": "setup", "outcome": "skipped"}
{"$report_type": "TestReport", "nodeid": "a/testcases/x.py::two", "when": "teardown", "outcome": "passed"}
"#;

    #[test]
    fn the_worst_report_of_a_case_counts() {
        let results = read(LOG);
        assert_eq!(results.cases["x.py::one"], Outcome::Failed("no".to_owned()));
        assert_eq!(results.cases["x.py::two"], Outcome::Skipped);
        assert_eq!(ended(LOG), 2);
    }

    #[test]
    fn a_log_without_its_end_is_broken() {
        assert!(read(LOG).broken.is_some());
        let whole = format!("{LOG}{{\"$report_type\": \"SessionFinish\"}}\n");
        assert_eq!(read(&whole).broken, None);
    }
}
