use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::journal::tests::server::Server;

/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(20);
const NOW: Duration = Duration::ZERO;
const PLACE: &str = "EVERSLOT_TEST_GATE";

struct Lab {
    place: String,
    _directory: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("journal.sqlite");
        Self {
            place: place.display().to_string(),
            _directory: directory,
        }
    }

    fn gate(&self) -> Gate {
        Gate::new(&self.place, "e1a0c3")
    }
}

/// Run as a process of its own by the tests below; else it does nothing. It holds what it is told to, says so, and waits to be killed.
#[test]
fn holder() {
    let Ok(told) = std::env::var(PLACE) else {
        return;
    };
    let (what, place) = told.split_once(' ').unwrap();
    let gate = Gate::new(place, "e1a0c3");
    let (_entered, _closed, _claim);
    match what {
        "enter" => _entered = gate.enter(LONG).unwrap(),
        "close" => _closed = gate.close_within(LONG).unwrap(),
        _ => _claim = gate.claim("a", LONG).unwrap(),
    }
    println!("\nholds");
    std::thread::sleep(LONG * 10);
}

/// Another process that holds it.
fn other(what: &str, place: &str) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "objects::gate::tests::holder", "--nocapture"])
        .env(PLACE, format!("{what} {place}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "holds"));
    child
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

fn is_busy<T: std::fmt::Debug>(tried: Result<T, JournalError>) -> bool {
    matches!(tried, Err(JournalError::Busy { .. }))
}

/// What holds wherever the locks are.
fn check(place: &str) {
    let (gate, again) = (Gate::new(place, "e1a0c3"), Gate::new(place, "e1a0c3"));
    let changes = [gate.enter(NOW).unwrap(), again.enter(NOW).unwrap()];
    assert!(is_busy(gate.close_within(NOW)));
    drop(changes);
    let closed = gate.close_within(NOW).unwrap();
    assert!(is_busy(gate.enter(NOW)));
    assert!(is_busy(again.close_within(NOW)));
    drop(closed);
    drop(again.enter(NOW).unwrap());
    let claim = gate.claim("a", NOW).unwrap();
    assert!(is_busy(again.claim("a", NOW)));
    drop(gate.claim("b", NOW).unwrap());
    drop(claim);
    drop(again.claim("a", NOW).unwrap());
}

#[test]
fn a_change_and_a_closed_gate_exclude_each_other() {
    check(&Lab::new().place);
}

#[test]
fn on_a_server_as_well() {
    if let Some(server) = Server::start() {
        check(&server.url);
        dies(&server.url);
    }
}

#[test]
fn what_a_process_held_is_free_when_it_is_killed() {
    dies(&Lab::new().place);
}

fn dies(place: &str) {
    let gate = Gate::new(place, "e1a0c3");
    let changing = other("enter", place);
    assert!(is_busy(gate.close_within(NOW)));
    kill(changing);
    drop(gate.close_within(LONG).unwrap());
    let closing = other("close", place);
    assert!(is_busy(gate.enter(NOW)));
    kill(closing);
    drop(gate.enter(LONG).unwrap());
    let reconciling = other("claim", place);
    assert!(is_busy(gate.claim("a", NOW)));
    kill(reconciling);
    drop(gate.claim("a", LONG).unwrap());
}

#[test]
fn changes_without_a_pause_do_not_keep_it_open() {
    let lab = Lab::new();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let gate = lab.gate();
            let over = &over;
            scope.spawn(move || {
                // Each holds its next change before it ends the one before.
                let mut change = gate.enter(LONG).unwrap();
                while !over.load(Ordering::Relaxed) {
                    match gate.enter(Duration::from_millis(5)) {
                        Ok(next) => change = next,
                        // Closed, or about to be.
                        Err(_) => {
                            drop(change);
                            change = gate.enter(LONG).unwrap();
                        }
                    }
                }
                drop(change);
            });
        }
        let closed = lab.gate().close_within(LONG);
        over.store(true, Ordering::Relaxed);
        drop(closed.unwrap());
    });
}

#[test]
fn where_no_lock_can_be_made_it_says_where() {
    let gate = Gate::new("/proc/everslot/journal.sqlite", "e1a0c3");
    let error = gate.enter(NOW).unwrap_err().to_string();
    assert!(
        error.contains("/proc/everslot/journal.sqlite.turnstile"),
        "{error}"
    );
}
