//! Suites that run in pytest: its log has a JSON object a line.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::outcome::{Outcome, Results};
use super::situation::Target;
use super::watch::{End, watch};

/// A case that takes so long hangs, in seconds; pytest ends it by itself where it can.
pub(super) const CASE: u64 = 60;
/// When it could not end a case, and everything else it does between two lines of its log.
const PATIENCE: Duration = Duration::from_secs(CASE * 3);

/// Runs `command`, which runs pytest, in the target's environment. `cases` is how many cases are expected to run; a fault happens in their
/// middle.
///
/// # Panics
/// The command does not start.
pub(super) fn run(command: &mut Command, target: &Target, cases: usize) -> Results {
    let log = target.directory().join("report.jsonl");
    let console = target.directory().join("console");
    let mut fault = target.fault(cases);
    let output = File::create(&console).expect("the lab's directory is writable");
    command
        .envs(target.environment().iter().cloned())
        // What is printed leaves out everything when the module has written to standard error.
        .env("PYTEST_ADDOPTS", format!("--report-log={}", log.display()))
        .current_dir(target.directory())
        .stdout(output.try_clone().expect("a file can be opened twice"))
        .stderr(output);
    let end = watch(command, &log, PATIENCE, |text| {
        fault.progress(ended(text));
    });
    let mut results = read(&std::fs::read_to_string(&log).unwrap_or_default());
    if results.broken.is_some() {
        results.broken = Some(obituary(end, &console));
    }
    results.broken = results.broken.or_else(|| fault.missed());
    results
}

/// How many cases the log says have ended.
fn ended(log: &str) -> usize {
    log.matches("\"when\": \"teardown\"").count()
}

/// What the log says; it is broken without its last line, and where pytest could not run it all.
fn read(log: &str) -> Results {
    let mut results = Results {
        broken: Some("the log has no good end".to_owned()),
        ..Results::default()
    };
    for record in log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
    {
        let record: Value = record;
        match record["$report_type"].as_str() {
            // It ran what there is, and all held or some did not; beyond that it could not, which it says of a file that it cannot load.
            Some("SessionFinish") => {
                if matches!(record["exitstatus"].as_u64(), Some(0 | 1)) {
                    results.broken = None;
                }
            }
            Some("TestReport") => add(&mut results, &record),
            Some(_) | None => {}
        }
    }
    results
}

/// A case has up to three reports: of its preparation, itself and its end. The worst counts.
fn add(results: &mut Results, record: &Value) {
    let path = record["nodeid"].as_str().unwrap_or_default();
    // pkcs11-check's own place in the file system is not part of a case's name.
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
        let ended_with = |status: u8| {
            let end = format!(r#"{{"exitstatus": {status}, "$report_type": "SessionFinish"}}"#);
            read(&format!("{LOG}{end}\n")).broken
        };
        assert_eq!(ended_with(0), None);
        assert_eq!(ended_with(1), None);
        assert!(ended_with(2).is_some(), "files were not loaded");
    }
}
