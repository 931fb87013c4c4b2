//! Several writers at once: processes, on the file; connections, on the server.

use std::process::Command;

use super::*;

const WRITES: u16 = 200;
const PLACE: &str = "EVERSLOT_TEST_JOURNAL";

/// What each writer does: its own objects, one by one, each with an intent.
fn write(place: &str, writer: u16) {
    let mut journal = Journal::open(place, "e1a0c3").unwrap();
    for number in 0..WRITES {
        let number = writer * WRITES + number;
        let intent = intent(u64::from(number), IntentKind::Create, None);
        assert!(journal.record(&intent).unwrap());
        let made = (object(number), vec![holder("a", 0)]);
        journal.commit_creation(intent.plant, &[made], &[]).unwrap();
    }
}

/// Every object is there, and each has a number of its own.
fn check(place: &str) {
    let mut journal = Journal::open(place, "e1a0c3").unwrap();
    let mut entries = Entries::new(Range::default());
    let mut numbers: Vec<u64> = std::iter::from_fn(|| entries.next(&mut journal).unwrap())
        .map(|entry| entry.sequence)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=u64::from(2 * WRITES)).collect::<Vec<_>>());
    assert_eq!(journal.intents().unwrap(), []);
}

/// Run as a process of its own by the test below; else it does nothing.
#[test]
fn writer() {
    if let Ok(place) = std::env::var(PLACE) {
        write(&place, 1);
    }
}

#[test]
fn two_processes_write_at_once_and_lose_nothing() {
    // Not there yet: both find out at once that it is to be made.
    let directory = tempfile::tempdir().unwrap();
    let place = directory
        .path()
        .join("journal.sqlite")
        .display()
        .to_string();
    let program = std::env::current_exe().unwrap();
    let other = Command::new(program)
        .args(["--exact", "journal::tests::writers::writer", "--nocapture"])
        .env(PLACE, &place)
        .stdout(std::process::Stdio::null())
        .spawn();
    write(&place, 0);
    assert!(other.unwrap().wait().unwrap().success());
    check(&place);
}

#[test]
fn a_server_takes_two_writers_and_may_be_restarted() {
    let Some(server) = server::Server::start() else {
        return;
    };
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let url = &server.url;
            scope.spawn(move || write(url, writer));
        }
    });
    check(&server.url);
    let mut journal = Journal::open(&server.url, "e1a0c3").unwrap();
    server.stop();
    server.resume();
    let error = journal
        .adopt(&object(9999), &[])
        .expect_err("the connection is lost");
    assert!(!error.may_be_done(), "{error}");
    journal.adopt(&object(9999), &[]).expect("it is made anew");
    assert!(journal.entry(object(9999).id).unwrap().is_some());
}
