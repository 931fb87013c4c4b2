use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::thread;

use everslot_core::ckr;
use everslot_protocol::frame::{
    Ask, AskId, Reassembly, answer_size, ask_size, decode_answer, encode_ask,
};
use everslot_protocol::{
    Body, Bytes, Deadline, Mechanism, Operation, Parameter, Reply, Request, Rv, SessionHandle,
    SlotId,
};

use super::serve::{OUTPUT_MAX, Server};
use super::*;
use crate::module::{Link, LinkFailure};

/// Writes as many bytes as it is asked for, if there is room, and notes what it is asked.
#[derive(Clone, Default)]
struct Module(Arc<Mutex<Vec<String>>>);

impl Link for Module {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _: Deadline,
    ) -> Result<Reply, LinkFailure> {
        self.0.lock().unwrap().push(format!("{request:?}"));
        let (rv, body) = match request {
            Request::OpenSession { .. } => (ckr::OK, Body::Session(SessionHandle(5))),
            Request::GenerateRandom { length, .. } => match output.get_mut(..*length as usize) {
                Some(output) => {
                    output.fill(7);
                    (ckr::OK, Body::Written(*length))
                }
                None => (ckr::BUFFER_TOO_SMALL, Body::Length(*length)),
            },
            _ => (ckr::OK, Body::Empty),
        };
        Ok(Reply { rv: Rv(rv.0), body })
    }
}

/// The asker's end of a line.
struct Asker {
    line: UnixStream,
    heard: Reassembly<Vec<u8>>,
}

impl Asker {
    fn new(line: UnixStream) -> Self {
        Self {
            line,
            heard: Reassembly::new(vec![0; answer_size(OUTPUT_MAX)]),
        }
    }

    fn send(&mut self, id: u32, room: usize, request: &Request<'_>) {
        let mut frame = vec![0; ask_size(request)];
        let ask = Ask {
            id: AskId(id),
            room: u32::try_from(room).unwrap(),
            request: *request,
        };
        let length = encode_ask(&ask, &mut frame).unwrap();
        self.line.write_all(&frame[..length]).unwrap();
    }

    fn answer(&mut self) -> (u32, Reply, Vec<u8>) {
        let mut byte = [0];
        loop {
            self.line.read_exact(&mut byte).expect("an answer comes");
            if let Some(frame) = self.heard.take(byte[0]) {
                let answer = decode_answer(frame).expect("only answers come");
                return (answer.id.0, answer.reply, answer.output.to_vec());
            }
        }
    }

    fn ask(&mut self, id: u32, room: usize, request: &Request<'_>) -> (Reply, Vec<u8>) {
        self.send(id, room, request);
        let (answered, reply, output) = self.answer();
        assert_eq!(answered, id);
        (reply, output)
    }
}

/// Lets `asker` ask a module over a connection; what the module was asked in all.
fn over_a_line(asker: impl FnOnce(&mut Asker)) -> Vec<String> {
    let module = Module::default();
    let mut server = Server::new(Box::new(module.clone()));
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        let served = scope.spawn(move || server.serve(&mut theirs));
        let mut asking = Asker::new(ours);
        asker(&mut asking);
        drop(asking);
        served.join().unwrap().expect("its end is no failure");
    });
    Arc::into_inner(module.0).unwrap().into_inner().unwrap()
}

const fn random(length: usize) -> Request<'static> {
    Request::GenerateRandom {
        session: SessionHandle(5),
        length: length as u64,
    }
}

fn code(reply: Reply) -> everslot_core::Rv {
    everslot_core::Rv(reply.rv.0)
}

#[test]
fn asks_are_answered_with_their_outputs_between_garbage() {
    over_a_line(|asker| {
        asker.line.write_all(b"garbage").unwrap();
        let (reply, output) = asker.ask(9, 64, &random(32));
        assert_eq!((code(reply), output), (ckr::OK, vec![7; 32]));
        asker.line.write_all(&[0, 0, 1, 2, 0, 255]).unwrap();
        let (reply, output) = asker.ask(10, 8, &random(32));
        assert_eq!((code(reply), output), (ckr::BUFFER_TOO_SMALL, vec![]));
    });
}

#[test]
fn asks_that_come_together_are_answered_in_their_order() {
    over_a_line(|asker| {
        for id in 0..20 {
            asker.send(id, 4, &random(4));
        }
        for id in 0..20 {
            assert_eq!(asker.answer().0, id);
        }
    });
}

#[test]
fn more_room_than_there_is_is_the_hosts_shortage_not_the_askers() {
    over_a_line(|asker| {
        let (reply, output) = asker.ask(1, usize::from(u16::MAX) * 16, &random(OUTPUT_MAX));
        assert_eq!((code(reply), output.len()), (ckr::OK, OUTPUT_MAX));
        let (reply, _) = asker.ask(2, usize::from(u16::MAX) * 16, &random(OUTPUT_MAX + 1));
        assert_eq!(code(reply), ckr::HOST_MEMORY);
    });
}

#[test]
fn a_parameter_that_may_hold_an_address_does_not_reach_the_module() {
    let asked = over_a_line(|asker| {
        let begin = Request::Begin {
            session: SessionHandle(5),
            operation: Operation::Sign,
            mechanism: Mechanism {
                kind: 0x8000_0001,
                parameter: Parameter::Flat(Bytes(&[1; 8])),
            },
            key: None,
        };
        assert_eq!(
            code(asker.ask(1, 0, &begin).0),
            ckr::MECHANISM_PARAM_INVALID
        );
    });
    assert_eq!(asked, [""; 0]);
}

#[test]
fn the_sessions_of_a_connection_end_with_it() {
    let slot = SlotId(3);
    let asked = over_a_line(|asker| {
        for id in 0..2 {
            let open = Request::OpenSession {
                slot,
                read_write: false,
            };
            asker.ask(id, 0, &open);
        }
    });
    let close = format!("{:?}", Request::CloseAllSessions { slot });
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(asked[2], close);
}

#[test]
fn a_place_is_read_as_it_is_written_and_is_of_this_machine() {
    for text in [
        "pty",
        "unix:/tmp/a b:c",
        "tcp:127.0.0.1:9100",
        "tcp:[::1]:0",
    ] {
        assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
    }
    for remote in ["tcp:0.0.0.0:9100", "tcp:192.0.2.1:1", "tcp:[::]:1"] {
        assert_eq!(remote.parse::<Place>(), Err(BadPlace::Remote), "{remote}");
    }
    for wrong in [
        "",
        "unix:",
        "tcp:",
        "tcp:localhost:1",
        "tcp:127.0.0.1",
        "/dev/ttyS0",
    ] {
        assert_eq!(wrong.parse::<Place>(), Err(BadPlace::Kind), "{wrong}");
    }
}

#[test]
fn a_socket_is_this_users_alone_and_replaces_one_that_was_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("line");
    let place = Place::Unix(path.clone());
    drop(place.open().expect("there is nothing yet"));
    assert!(path.exists(), "a socket stays when its process ends");
    let lines = place.open().expect("nobody listens there");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(lines.name(), format!("unix:{}", path.display()));
    place.open().expect_err("somebody listens there");

    fs::remove_file(&path).unwrap();
    fs::write(&path, "kept").unwrap();
    place.open().expect_err("it is no socket");
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
}

#[test]
fn a_pseudo_terminal_passes_every_byte_both_ways() {
    let mut lines = Place::Pty.open().unwrap();
    let name = lines.name().to_owned();
    assert_eq!(
        fs::metadata(&name).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let mut ours = lines.next().unwrap();
    let all: Vec<u8> = (0..=255).collect();
    // Also after an asker has come and gone.
    for _ in 0..2 {
        let mut theirs = fs::File::options()
            .read(true)
            .write(true)
            .open(&name)
            .unwrap();
        let mut heard = vec![0; all.len()];
        theirs.write_all(&all).unwrap();
        ours.read_exact(&mut heard).unwrap();
        assert_eq!(heard, all);
        ours.write_all(&all).unwrap();
        theirs.read_exact(&mut heard).unwrap();
        assert_eq!(heard, all);
    }
}
