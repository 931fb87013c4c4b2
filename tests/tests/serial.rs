//! `everslot member-host --serial`: a real token behind a line of bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use cryptoki_sys::{CKR_OK, CKR_SESSION_HANDLE_INVALID};
use everslot_protocol::frame::{
    Ask, AskId, Reassembly, answer_size, ask_size, decode_answer, encode_ask,
};
use everslot_protocol::{Body, Request, SessionHandle, SlotId};
use everslot_tests::{Artifact, Pins, SOFTHSM, Store};

/// A member host that serves a line; killed when dropped.
struct Served {
    host: Child,
    line: String,
}

impl Served {
    fn start(store: &Store, place: &str) -> Self {
        let mut host = Command::new(Artifact::Command.path())
            .args(["member-host", "--serial", place, SOFTHSM])
            .env("SOFTHSM2_CONF", store.config())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut said = String::new();
        BufReader::new(host.stdout.take().expect("piped"))
            .read_line(&mut said)
            .expect("it says where");
        let line = said
            .trim()
            .rsplit(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        Self { host, line }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.host.kill();
        let _ = self.host.wait();
    }
}

const ROOM: usize = 1024;

/// Asks over a line and waits for the answer: its code, its body and its output.
fn ask(line: &mut (impl Read + Write), id: u32, request: Request<'_>) -> (u64, Body, Vec<u8>) {
    let mut frame = vec![0; ask_size(&request)];
    let ask = Ask {
        id: AskId(id),
        room: ROOM as u32,
        request,
    };
    let length = encode_ask(&ask, &mut frame).expect("there is room");
    line.write_all(&frame[..length]).expect("the line is there");
    let mut heard = Reassembly::new(vec![0; answer_size(ROOM)]);
    let mut byte = [0];
    loop {
        line.read_exact(&mut byte).expect("an answer comes");
        if let Some(frame) = heard.take(byte[0]) {
            let answer = decode_answer(frame).expect("it is one");
            assert_eq!(answer.id.0, id);
            return (answer.reply.rv.0, answer.reply.body, answer.output.to_vec());
        }
    }
}

fn first_slot(line: &mut (impl Read + Write)) -> SlotId {
    let slots = Request::Slots {
        token_present: true,
    };
    let (_, _, slots) = ask(line, 1, slots);
    let first = slots.first_chunk().expect("there is a slot");
    SlotId(u64::from_le_bytes(*first))
}

fn open(line: &mut (impl Read + Write)) -> SessionHandle {
    let slot = first_slot(line);
    let request = Request::OpenSession {
        slot,
        read_write: false,
    };
    match ask(line, 2, request) {
        (CKR_OK, Body::Session(session), _) => session,
        other => panic!("no session: {other:?}"),
    }
}

/// What a token answers to a request for 16 random bytes.
fn random(line: &mut (impl Read + Write), session: SessionHandle) -> (u64, usize) {
    let request = Request::GenerateRandom {
        session,
        length: 16,
    };
    let (rv, _, output) = ask(line, 3, request);
    (rv, output.len())
}

fn store(folder: &std::path::Path) -> Store {
    let store = Store::new(folder, Pins::default());
    store.add_empty_token("serial");
    store
}

#[test]
fn a_token_answers_on_a_socket_and_a_session_ends_with_its_connection() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("line");
    let served = Served::start(&store(folder.path()), &format!("unix:{}", path.display()));
    assert_eq!(served.line, format!("unix:{}", path.display()));

    let mut first = UnixStream::connect(&path).expect("it listens");
    let session = open(&mut first);
    assert_eq!(random(&mut first, session), (CKR_OK, 16));
    drop(first);

    let mut second = UnixStream::connect(&path).expect("it goes on listening");
    assert_eq!(
        random(&mut second, session),
        (CKR_SESSION_HANDLE_INVALID, 0)
    );
    let session = open(&mut second);
    assert_eq!(random(&mut second, session), (CKR_OK, 16));
}

#[test]
fn a_token_answers_on_tcp_and_on_a_pseudo_terminal() {
    let folder = tempfile::tempdir().expect("there is room");
    let store = store(folder.path());

    let served = Served::start(&store, "tcp:127.0.0.1:0");
    let address = served.line.strip_prefix("tcp:").expect("it says its port");
    let mut tcp = TcpStream::connect(address).expect("it listens");
    let session = open(&mut tcp);
    assert_eq!(random(&mut tcp, session), (CKR_OK, 16));

    let served = Served::start(&store, "pty");
    let mut terminal = std::fs::File::options()
        .read(true)
        .write(true)
        .open(&served.line)
        .expect("it says its name");
    let session = open(&mut terminal);
    assert_eq!(random(&mut terminal, session), (CKR_OK, 16));
}

#[test]
fn a_line_that_others_could_reach_and_a_module_that_is_none_are_refused_in_one_line() {
    let refused = |arguments: &[&str]| {
        let output = Command::new(Artifact::Command.path())
            .arg("member-host")
            .args(arguments)
            .output()
            .expect("the command starts");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let remote = refused(&["--serial", "tcp:0.0.0.0:9100", SOFTHSM]);
    assert!(remote.contains("loopback"), "{remote}");
    let folder = tempfile::tempdir().expect("there is room");
    let place = format!("unix:{}", folder.path().join("line").display());
    let module = refused(&["--serial", &place, "/nowhere/module.so"]);
    assert_eq!(module.lines().count(), 1, "{module}");
    assert!(module.contains("/nowhere/module.so"), "{module}");
}
