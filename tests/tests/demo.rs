//! `everslot demo`, as people see it.

use std::path::Path;
use std::process::{Command, Output};

use everslot_tests::Artifact;

fn demo(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(Artifact::Command.path());
    command
        .args(["demo", "--directory"])
        .arg(directory)
        .args(arguments);
    command
        .env(
            "XDG_RUNTIME_DIR",
            directory.parent().expect("it is below another"),
        )
        .output()
        .expect("the program starts")
}

/// The number that follows a word of the summary line.
fn figure(summary: &str, word: &str) -> u64 {
    let words: Vec<_> = summary.split_whitespace().collect();
    let place = words
        .iter()
        .rposition(|&found| found == word)
        .unwrap_or_else(|| panic!("no {word:?} in {summary:?}"));
    words[place + 1]
        .parse()
        .unwrap_or_else(|_| panic!("no number after {word:?} in {summary:?}"))
}

fn summary(output: &str) -> &str {
    let mut lines = output
        .lines()
        .filter(|line| line.starts_with("signatures "));
    let (Some(line), None) = (lines.next(), lines.next()) else {
        panic!("not one summary line: {output}")
    };
    line
}

/// Replays the demo's trace, then once more with one word of it altered.
fn replays_and_an_altered_line_is_caught(directory: &Path) {
    let traces = std::fs::read_dir(directory).expect("a directory");
    let mut traces = traces.map(|entry| entry.expect("an entry").path());
    let trace = traces
        .find(|path| path.file_stem().is_some_and(|name| name == "trace"))
        .expect("the demo has written a trace");
    let replay = || {
        let mut command = Command::new(Artifact::Command.path());
        let output = command.arg("replay").arg(&trace).output();
        output.expect("the program starts")
    };
    let same = replay();
    let text = String::from_utf8_lossy(&same.stdout);
    assert!(
        same.status.success() && text.contains("0 differences"),
        "{same:?}"
    );
    let lines = std::fs::read_to_string(&trace).expect("a trace");
    let lost = lines
        .lines()
        .position(|line| line.contains("\"input\":{\"Lost\""))
        .expect("a member was lost");
    let altered: String = (0..)
        .zip(lines.split_inclusive('\n'))
        .map(|(at, line)| match at == lost {
            true => line.replacen("\"member\":", "\"member\":1", 1),
            false => line.to_owned(),
        })
        .collect();
    std::fs::write(&trace, altered).expect("the trace can be written");
    let other = replay();
    let error = String::from_utf8_lossy(&other.stderr);
    assert_eq!(other.status.code(), Some(1), "{error}");
    let place = format!("{}:{}: ", trace.display(), lost + 1);
    assert!(error.contains(&place), "{error}");
}

#[test]
fn no_call_fails_while_members_die_and_the_slot_can_be_used_afterwards() {
    let directory = tempfile::tempdir().expect("there is room for a temporary directory");
    let stage = directory.path().join("stage");
    let trace = directory.path().join("trace");
    let name = trace.to_str().expect("a name in UTF-8");
    let output = demo(&stage, &["--seconds", "10", "--trace", name]);
    let (text, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{text}{error}");
    let line = summary(&text);
    assert_eq!(figure(line, "failed"), 0, "{text}");
    assert!(figure(line, "signatures") > 100, "{line}");
    assert!(
        figure(line, "failovers") >= 3 && figure(line, "recoveries") >= 3,
        "{line}"
    );
    replays_and_an_altered_line_is_caught(directory.path());
    for code in ["CKR_OK", "CKR_DEVICE_ERROR", "CKR_TOKEN_NOT_PRESENT"] {
        assert!(text.contains(code), "{code} was shown: {text}");
    }
    let hints: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("  "))
        .filter(|line| line.contains("EVERSLOT_CONF") || line.contains("pkcs11-tool"))
        .collect();
    assert_eq!(hints.len(), 3, "{text}");
    let typed = Command::new("sh")
        .args(["-e", "-c", &hints.join("\n")])
        .current_dir(directory.path())
        .output()
        .expect("a shell is there");
    assert!(
        typed.status.success(),
        "{}",
        String::from_utf8_lossy(&typed.stderr)
    );
    assert_eq!(
        std::fs::metadata(directory.path().join("signature"))
            .expect("it was written")
            .len(),
        256
    );
}

#[test]
fn losing_every_member_at_once_is_said_and_fails() {
    let directory = tempfile::tempdir().expect("there is room for a temporary directory");
    let output = demo(
        &directory.path().join("stage"),
        &["--seconds", "5", "--kill-all"],
    );
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("every member at once"), "{text}");
    assert!(figure(summary(&text), "failed") > 0, "{text}");
}
