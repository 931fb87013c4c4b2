//! `everslot check` on the examples, as people see it.

use std::path::Path;
use std::process::{Command, Output};

use everslot_tests::Artifact;

fn check(example: &str) -> (Output, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = root.join("../examples").join(example);
    let mut command = Command::new(Artifact::Command.path());
    let output = command.arg("check").arg(example).output();
    let output = output.expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

#[test]
fn three_tokens_tried_without_end_have_no_gap_but_what_copies_decides() {
    let (output, text) = check("three-tokens.toml");
    assert!(output.status.success(), "{text}{output:?}");
    for said in [
        "2 active, 1 standby",
        "the loss of any 2 members at once",
        "a silent member by a call after 2s",
        "is at a member that is well after 4s",
        "at most 1m after a token is back",
        "takes calls once 2 members are out of service",
        "on every member that serves when they are made or changed",
        "on that one alone until another is back",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[test]
fn attempts_that_end_are_told_with_the_way_to_where_they_have() {
    let (output, text) = check("in-call.toml");
    assert!(output.status.success(), "{text}{output:?}");
    for said in [
        "the loss of any member",
        "with 2 attempts an outage",
        "while none comes, no member returns",
        "although every token is back",
        "given up",
    ] {
        assert!(text.contains(said), "{said:?} in {text}");
    }
}

#[test]
fn no_attempts_and_no_standby_are_unsafe_and_the_way_there_is_shown() {
    let (output, text) = check("unsafe.toml");
    assert_eq!(output.status.code(), Some(1), "{text}{output:?}");
    let unsafe_line = text
        .lines()
        .position(|line| line.contains("UNSAFE") && line.contains("although every token is back"))
        .unwrap_or_else(|| panic!("it is told: {text}"));
    let run: Vec<&str> = text.lines().skip(unsafe_line + 1).take(5).collect();
    assert!(run[0].contains("all serve"), "{text}");
    assert!(
        run.iter().any(|step| step.contains("a's token dies")),
        "{text}"
    );
    assert!(
        run[4].contains("a: lost for good") && run[4].contains("b: lost for good"),
        "{text}"
    );
}
