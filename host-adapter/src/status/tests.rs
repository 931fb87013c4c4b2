use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use everslot_core::{Evidence, Rv, ckr};
use tempfile::TempDir;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

/// A library with one group, whose member "a" is lost; counts the status reads as the group machine does.
#[derive(Default)]
struct Library {
    reads: AtomicU32,
}

impl Source for Library {
    fn snapshot(&self, read: Read) -> Snapshot {
        let earlier = match read {
            Read::Status => self.reads.fetch_add(1, Ordering::SeqCst),
            Read::Peek => self.reads.load(Ordering::SeqCst),
        };
        let code = if earlier == 0 {
            ckr::DEVICE_ERROR
        } else {
            ckr::TOKEN_NOT_PRESENT
        };
        let group = GroupStatus {
            label: "everslot".to_owned(),
            serial: "e1a0".to_owned(),
            login: LoginState::User,
            objects: ObjectsStatus::Replicated { short: 2 },
            members: vec![lost_member(code)],
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
        match (group, member) {
            ("everslot", None | Some("a")) => Ok(()),
            ("everslot", Some(member)) => Err(format!("group everslot has no member {member}")),
            (group, _) => Err(format!("there is no group {group}")),
        }
    }
}

fn lost_member(code: Rv) -> MemberStatus {
    MemberStatus {
        name: "a".to_owned(),
        serial: Some("4711".to_owned()),
        role: Role::Active,
        state: State::Lost,
        incarnation: 1,
        code: code.into(),
        evidence: Some(evidence_words(&Evidence::HostEnded)),
        attempts: 2,
        attempts_allowed: None,
        next_attempt_ms: Some(1500),
        in_flight: 0,
        calls: 7,
        failures: 1,
        losses: 1,
        recoveries: 0,
    }
}

struct Running {
    _directory: TempDir,
    server: Server,
    client: Client,
}

fn running() -> Running {
    let directory = tempfile::tempdir().unwrap();
    let sockets = directory.path().join("everslot");
    let server = Server::start_in(&sockets, Arc::new(Library::default())).unwrap();
    Running {
        _directory: directory,
        server,
        client: Client::in_directories(vec![sockets]),
    }
}

fn codes(application: &Application, read: Read) -> String {
    let snapshot = application.snapshot(read, PATIENCE).unwrap();
    snapshot.groups[0].members[0].code.name.clone()
}

#[test]
fn the_command_reads_and_peeks() {
    let running = running();
    let applications = running.client.applications();
    assert_eq!(
        applications
            .iter()
            .map(|found| found.pid)
            .collect::<Vec<_>>(),
        [std::process::id()]
    );
    let application = &applications[0];
    assert_eq!(codes(application, Read::Peek), "CKR_DEVICE_ERROR");
    assert_eq!(codes(application, Read::Status), "CKR_DEVICE_ERROR");
    assert_eq!(codes(application, Read::Peek), "CKR_TOKEN_NOT_PRESENT");
    assert_eq!(codes(application, Read::Status), "CKR_TOKEN_NOT_PRESENT");
    let snapshot = application.snapshot(Read::Peek, PATIENCE).unwrap();
    assert_eq!(snapshot.process.pid, std::process::id());
    assert_eq!(
        snapshot.groups[0].members,
        [lost_member(ckr::TOKEN_NOT_PRESENT)]
    );
    assert!(!snapshot.groups[0].can_serve());
}

#[test]
fn the_command_has_members_recovered() {
    let running = running();
    let application = &running.client.applications()[0];
    application
        .recover("everslot", Some("a"), PATIENCE)
        .unwrap();
    application.recover("everslot", None, PATIENCE).unwrap();
    let line = application
        .recover("everslot", Some("q"), PATIENCE)
        .unwrap_err()
        .to_string();
    assert_eq!(line, "group everslot has no member q");
}

#[test]
fn the_socket_is_the_users_alone_and_goes_with_the_server() {
    let running = running();
    let socket = running.server.socket().to_owned();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(&socket), mode(socket.parent().unwrap())),
        (0o600, 0o700)
    );
    drop(running.server);
    assert!(!socket.exists());
    assert!(running.client.applications().is_empty());
}

#[test]
fn a_directory_that_is_open_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let link = directory.path().join("link");
    let closed = directory.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::symlink(&closed, &link).unwrap();
    for place in [open, link] {
        let line = Server::start_in(&place, Arc::new(Library::default()))
            .unwrap_err()
            .to_string();
        assert!(
            line.ends_with("is not a directory of this user alone: remove it"),
            "{line}"
        );
    }
}

#[test]
fn two_copies_in_one_process_have_a_socket_each() {
    let running = running();
    let sockets = running.server.socket().parent().unwrap();
    let second = Server::start_in(sockets, Arc::new(Library::default())).unwrap();
    assert_ne!(second.socket(), running.server.socket());
    assert_eq!(running.client.applications().len(), 2);
}

#[test]
fn one_connection_can_ask_several_times_and_garbage_is_answered() {
    let running = running();
    let mut stream = UnixStream::connect(running.server.socket()).unwrap();
    stream
        .write_all(b"{\"peek\":{}}\nwhat?\n{\"recover\":{\"group\":\"x\"}}\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("{\"snapshot\":{\"process\":")
    );
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("{\"refused\":{\"why\":\"not a question: ")
    );
    assert_eq!(
        lines.next().unwrap(),
        "{\"refused\":{\"why\":\"there is no group x\"}}"
    );
}

#[test]
fn a_line_without_end_is_hung_up_on() {
    let running = running();
    let mut stream = UnixStream::connect(running.server.socket()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may hang up while this is being written.
    let _ = stream.write_all(&vec![b'x'; 3 * 4096]);
    let answer = stream.read_to_end(&mut Vec::new());
    assert!(
        matches!(&answer, Ok(0))
            || answer.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
    );
    assert_eq!(
        codes(&running.client.applications()[0], Read::Peek),
        "CKR_DEVICE_ERROR"
    );
}

#[test]
fn a_silent_client_delays_the_next_one_by_a_second_at_most() {
    let running = running();
    let silent = UnixStream::connect(running.server.socket()).unwrap();
    let began = Instant::now();
    assert_eq!(
        codes(&running.client.applications()[0], Read::Peek),
        "CKR_DEVICE_ERROR"
    );
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    drop(silent);
}

#[test]
fn a_silent_client_does_not_delay_the_end() {
    let running = running();
    let _silent = UnixStream::connect(running.server.socket()).unwrap();
    let began = Instant::now();
    drop(running.server);
    assert!(
        began.elapsed() < Duration::from_millis(700),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn sockets_of_ended_processes_are_removed_and_others_left() {
    let running = running();
    let sockets = running.server.socket().parent().unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let left_over = sockets.join(format!("{}.sock", child.id()));
    drop(UnixListener::bind(&left_over).unwrap());
    let foreign = sockets.join("notes.txt");
    fs::write(&foreign, "").unwrap();
    assert_eq!(running.client.applications().len(), 1);
    assert!(!left_over.exists() && foreign.exists() && running.server.socket().exists());
}

#[test]
fn a_process_that_does_not_answer_is_told_from_one_that_has_ended() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let client = Client::in_directories(vec![directory.path().to_owned()]);
    let pid = std::process::id();
    let _deaf = UnixListener::bind(directory.path().join(format!("{pid}.sock"))).unwrap();
    let answer = client.applications()[0].snapshot(Read::Peek, Duration::from_millis(50));
    assert!(matches!(answer, Err(ClientError::NoAnswer(stopped)) if stopped == pid));

    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let inherited = directory.path().join(format!("{}.sock", child.id()));
    let _copy = UnixListener::bind(&inherited).unwrap();
    let applications = client.applications();
    let ended = applications
        .iter()
        .find(|application| application.pid == child.id())
        .unwrap();
    let answer = ended.snapshot(Read::Peek, Duration::from_millis(50));
    assert!(matches!(answer, Err(ClientError::Ended(_))));
    assert!(!inherited.exists());
}

#[test]
fn an_answer_in_other_words_is_said_to_be_so() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(directory.path().join("1.sock")).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"greeting\":{}}\n").unwrap();
        stream
    });
    let client = Client::in_directories(vec![directory.path().to_owned()]);
    let application = &client.applications()[0];
    let answer = application.snapshot(Read::Peek, PATIENCE);
    assert!(matches!(answer, Err(ClientError::Unknown(1))), "{answer:?}");
    other.join().unwrap();
}

#[test]
fn json_is_what_scripts_can_rely_on() {
    let member = serde_json::to_value(lost_member(ckr::DEVICE_ERROR)).unwrap();
    assert_eq!(member["state"], "lost");
    assert_eq!(
        member["code"],
        serde_json::json!({ "name": "CKR_DEVICE_ERROR", "number": 0x30 })
    );
    assert_eq!(member["attempts_allowed"], serde_json::Value::Null);
    assert_eq!(serde_json::to_value(State::GivenUp).unwrap(), "given-up");
    let recover = Ask::Recover {
        group: "everslot".to_owned(),
        member: Some("a".to_owned()),
    };
    let line = r#"{"recover":{"group":"everslot","member":"a"}}"#;
    assert_eq!(serde_json::to_string(&recover).unwrap(), line);
    assert_eq!(
        serde_json::from_str::<Ask>(r#"{"status":{}}"#).unwrap(),
        Ask::Status {}
    );
}

#[test]
fn a_vendors_code_is_shown_by_number() {
    assert_eq!(ReturnCode::from(Rv(0x8000_0001)).name, "0x80000001");
}

fn asked_in_http(mut stream: impl Write + std::io::Read, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_measured_is_there_in_http_on_the_socket_and_on_loopback() {
    let mut running = running();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    let library: Arc<dyn Source> = Arc::new(Library::default());
    let taken = running.server.serve_http(address, Arc::clone(&library));
    assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(free);
    running.server.serve_http(address, library).unwrap();
    let get = "GET /metrics?a=b HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
    let on_socket = || UnixStream::connect(running.server.socket()).unwrap();
    let on_loopback = || std::net::TcpStream::connect(address).unwrap();
    for answer in [
        asked_in_http(on_socket(), get),
        asked_in_http(on_loopback(), get),
    ] {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(
            head.contains(&format!("Content-Type: {CONTENT_TYPE}\r\n")),
            "{head}"
        );
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{head}"
        );
        assert!(body.contains("state=\"lost\"} 1\n"), "{body}");
    }
    for (request, status) in [
        ("GET / HTTP/1.0\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
        // What only the user may ask.
        ("{\"recover\":{\"group\":\"everslot\"}}\n\n", "405"),
    ] {
        let answer = asked_in_http(on_loopback(), request);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
    }
    let application = &running.client.applications()[0];
    let measured = application.measured(PATIENCE).unwrap();
    assert_eq!(measured.groups[0].status.members[0].name, "a");
    drop(running);
    std::net::TcpListener::bind(address).expect("it is free again");
}
