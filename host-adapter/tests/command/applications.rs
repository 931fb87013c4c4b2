//! Applications that run are asked through their sockets.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use everslot::status::{
    GroupStatus, LoginState, Measured, MemberStatus, ObjectsStatus, Process, Read, ReturnCode,
    Role, Server, Snapshot, Source, State,
};

use crate::{User, fails, succeeds};

/// A library with a lost member, which remembers what it was asked.
#[derive(Default)]
struct Library {
    asked: Mutex<Vec<String>>,
}

impl Source for Library {
    fn snapshot(&self, read: Read) -> Snapshot {
        self.asked.lock().unwrap().push(format!("{read:?}"));
        let member = MemberStatus {
            name: "a".to_owned(),
            serial: None,
            role: Role::Active,
            state: State::Lost,
            incarnation: 3,
            code: ReturnCode {
                name: "CKR_DEVICE_ERROR".to_owned(),
                number: 0x30,
            },
            evidence: Some("its member host has ended".to_owned()),
            attempts: 1,
            attempts_allowed: Some(4),
            next_attempt_ms: Some(30_000),
            in_flight: 0,
            calls: 12,
            failures: 1,
            losses: 1,
            recoveries: 0,
        };
        let group = GroupStatus {
            label: "signing".to_owned(),
            serial: "e1a0".to_owned(),
            login: LoginState::User,
            objects: ObjectsStatus::default(),
            members: vec![member],
        };
        Snapshot {
            process: Process::this(),
            groups: vec![group],
        }
    }

    fn measured(&self) -> Measured {
        self.snapshot(Read::Peek).into()
    }

    fn recover(&self, group: &str, member: Option<&str>) -> Result<(), String> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{group} {member:?}"));
        if member == Some("x") {
            Err("group signing has no member x".to_owned())
        } else {
            Ok(())
        }
    }
}

fn running(user: &User) -> (Arc<Library>, Server) {
    let library = Arc::new(Library::default());
    let server = Server::start_in(&user.path("everslot"), library.clone()).unwrap();
    (library, server)
}

#[test]
fn running_applications_are_asked_first() {
    let user = User::new();
    let (library, _server) = running(&user);
    let output = user.everslot(&["status"]);
    assert_eq!(output.status.code(), Some(2));
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.starts_with("signing in command-"), "{table}");
    assert!(
        table.contains("CKR_DEVICE_ERROR") && table.contains("1 of 4") && table.contains("in 30 s"),
        "{table}"
    );
    assert!(table.ends_with("a: its member host has ended\n"), "{table}");
    assert_eq!(*library.asked.lock().unwrap(), ["Status"]);
}

#[test]
fn recovery_is_asked_of_the_applications_that_have_the_member() {
    let user = User::new();
    assert!(fails(&user.everslot(&["recover"])).starts_with("no running application of this user"));
    let (library, _server) = running(&user);
    assert!(succeeds(&user.everslot(&["recover", "a"])).ends_with(": recovering a of signing\n"));
    assert!(
        succeeds(&user.everslot(&["recover"]))
            .ends_with(": recovering all that do not serve of signing\n")
    );
    assert_eq!(
        fails(&user.everslot(&["recover", "--group", "signing", "x"])),
        "group signing has no member x"
    );
    let line = "no running application has a group \"other\"; see `everslot status`";
    assert_eq!(
        fails(&user.everslot(&["recover", "--group", "other"])),
        line
    );
    let line = "no running application has a member \"y\"; see `everslot status`";
    assert_eq!(fails(&user.everslot(&["recover", "y"])), line);
    let asked = library.asked.lock().unwrap();
    assert_eq!(asked[..2], ["Peek", "e1a0 Some(\"a\")"]);
}

#[test]
fn a_watch_goes_on() {
    let user = User::new();
    let (_library, _server) = running(&user);
    let mut command = user.command(&["status", "--watch", "--json", "--every", "10ms"]);
    let mut watch = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines().take(3);
    let reports: Vec<serde_json::Value> = lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    watch.kill().unwrap();
    watch.wait().unwrap();
    assert_eq!(reports.len(), 3);
    assert!(
        reports
            .iter()
            .all(|report| report["processes"][0]["groups"][0]["label"] == "signing")
    );
}
