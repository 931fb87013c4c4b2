//! What applications log of their members.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use everslot_tests::{Artifact, ECDSA, HASH, Lab, PATIENCE, Plan, ec_key, eventually};
use serde_json::Value;

/// A lab with three tries whose applications log into `log`, in this format.
fn lab(format: &str) -> Lab {
    let lab = Lab::prepare(Plan {
        members: 2,
        attempts: 3,
        ..Plan::default()
    });
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let log = format!("log = {{ level = \"info\", file = \"log\", format = \"{format}\" }}\n");
    std::fs::write(lab.config_path(), log + &text).expect("it is writable");
    lab.enter();
    lab
}

fn lines(lab: &Lab) -> Vec<String> {
    let log = std::fs::read_to_string(lab.directory().join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// Has a member lost in a call, and tried in vain until it is given up.
fn lose(lab: &Lab) {
    let session = lab.session(lab.module());
    let key = ec_key(session);
    for _ in 0..20 {
        session.sign(ECDSA, key, &HASH).expect("both serve");
    }
    lab.take_away(0);
    eventually("it is given up", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("the other serves");
        lines(lab).iter().any(|line| line.contains("given up"))
    });
}

#[test]
fn a_loss_and_each_attempt_are_a_line_and_calls_are_none() {
    let lab = lab("plain");
    lose(&lab);
    let lines = lines(&lab);
    let of = |what: &str| -> Vec<&String> {
        let is_it = |line: &&String| line.contains(what) && line.contains("member=\"m0\"");
        lines.iter().filter(is_it).collect()
    };
    let [lost] = of(" lost ")[..] else {
        panic!("{lines:#?}");
    };
    assert!(
        lost.contains("evidence=\"its member host has ended\""),
        "{lost}"
    );
    let failed = of("attempt to recover failed");
    assert_eq!(failed.len(), 3, "{lines:#?}");
    for (line, number) in failed.iter().zip(1..) {
        assert!(
            line.contains(&format!("number={number} of=\"3\"")),
            "{line}"
        );
    }
    assert!(failed[0].contains("step=Open"), "{}", failed[0]);
    assert!(failed[0].contains("next=\"in "), "{}", failed[0]);
    assert!(
        failed[2].contains("next=\"none by itself\""),
        "{}",
        failed[2]
    );
    assert!(lines.iter().all(|line| !line.contains(lab.pin())));
    assert!(lines.len() < 40, "calls are not logged: {lines:#?}");
}

#[test]
fn what_a_call_was_told_is_in_the_line_and_a_line_is_json() {
    let lab = Lab::prepare(Plan {
        token: everslot_tests::Token::Test,
        members: 2,
        ..Plan::default()
    });
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let log = "log = { level = \"info\", file = \"log\", format = \"json\" }\n";
    std::fs::write(lab.config_path(), format!("{log}{text}")).expect("it is writable");
    lab.enter();
    let session = lab.session(lab.module());
    let key = ec_key(session);
    lab.members()[0].misbehave("C_SignInit return 0x30 times 1\n");
    let lost = || {
        let is_lost = |line: &Value| line["message"] == "lost";
        let lines = lines(&lab).into_iter();
        lines
            .map(|line| serde_json::from_str::<Value>(&line).expect("each line is JSON"))
            .find(is_lost)
    };
    eventually("it is lost", PATIENCE, || {
        session.sign(ECDSA, key, &HASH).expect("the other serves");
        lost().is_some()
    });
    let lost = lost().expect("it was there");
    assert_eq!(lost["member"], "m0", "{lost}");
    assert_eq!(lost["function"], "C_SignInit", "{lost}");
    assert_eq!(lost["evidence"], "CKR_DEVICE_ERROR", "{lost}");
    assert_eq!(lost["level"], "WARN", "{lost}");
}

#[test]
fn the_command_shows_the_log_and_goes_on_with_it() {
    let lab = lab("plain");
    let path = lab.directory().join("log");
    std::fs::write(&path, "first\nsecond\n").expect("it is writable");
    let output = lab.everslot(&["log", "--lines", "1"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "second\n");
    let mut follower = Command::new(Artifact::Command.path())
        .args(["log", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the everslot program starts");
    let mut told = BufReader::new(follower.stdout.take().expect("it is a pipe")).lines();
    let mut next = || told.next().expect("it goes on").expect("it is text");
    assert_eq!((next(), next()), ("first".to_owned(), "second".to_owned()));
    let _session = lab.session(lab.module());
    assert!(next().contains("attempt to recover began"));
    follower.kill().expect("it runs");
    follower.wait().expect("it ends");
}
