use std::process::{Command, Stdio};

use super::*;

#[test]
fn this_process_runs() {
    let owner = Owner::this();
    assert!(!Owner::has_ended(owner.as_str()), "{owner}");
}

#[test]
fn nobody_has_ended() {
    assert!(Owner::has_ended(""));
}

#[test]
fn a_process_that_was_killed_has_ended() {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .spawn()
        .expect("cat is everywhere");
    let here = Here::read();
    let process = child.id().to_string();
    let started = started(&process).expect("it runs");
    let parts = Parts {
        machine: &here.machine,
        boot: &here.boot,
        namespace: &here.namespace,
        process: &process,
        started: &started,
    };
    assert!(!parts.has_ended(&here));
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
    assert!(parts.has_ended(&here));
}

#[test]
fn another_process_of_the_same_number_is_not_taken_for_it() {
    let here = Here::read();
    let process = std::process::id().to_string();
    let parts = Parts {
        machine: &here.machine,
        boot: &here.boot,
        namespace: &here.namespace,
        process: &process,
        started: "1",
    };
    assert!(parts.has_ended(&here));
}

#[test]
fn of_other_machines_and_containers_nothing_is_known_but_after_a_restart() {
    let here = Here {
        machine: "here".to_owned(),
        boot: "today".to_owned(),
        namespace: "host".to_owned(),
    };
    let parts = |machine, boot, namespace| Parts {
        machine,
        boot,
        namespace,
        // There is no such process.
        process: "0",
        started: "1",
    };
    assert!(parts("here", "today", "host").has_ended(&here));
    assert!(!parts("here", "today", "container").has_ended(&here));
    assert!(parts("here", "yesterday", "host").has_ended(&here));
    assert!(!parts("there", "yesterday", "host").has_ended(&here));
    assert!(!parts("", "yesterday", "host").has_ended(&here));
}
