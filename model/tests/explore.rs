//! `everslot-model explore`, asked as a browser asks it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

struct Explorer {
    program: Child,
    address: SocketAddr,
}

impl Explorer {
    fn of(scenario: &str) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let mut command = Command::new(env!("CARGO_BIN_EXE_everslot-model"));
        let port = address.port().to_string();
        command.args(["explore", scenario, "--port", &port]);
        let program = command.stdout(Stdio::null()).spawn();
        Self {
            program: program.expect("the program starts"),
            address,
        }
    }

    /// The answer to a request, once the page is there.
    fn get(&self, path: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut stream = loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < end, "nobody listens: {error}"),
            }
            std::thread::yield_now();
        };
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream
            .write_all(request.as_bytes())
            .expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.contains(" 200 "), "{answer}");
        answer
    }
}

impl Drop for Explorer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn states_and_steps_are_told_in_words() {
    let explorer = Explorer::of("by-hand");
    let start = explorer.get("/.states/");
    assert!(start.contains("member A: active #1"), "{start}");
    let next = explorer.get("/.states/0");
    assert!(next.contains("A's token dies"), "{next}");
    assert!(next.contains("member A: active #1 (dead)"), "{next}");
    assert!(!next.contains("BROKEN"), "{next}");
    let page = explorer.get("/");
    assert!(page.contains("<html"), "{page}");
}

#[test]
fn a_scenario_that_there_is_not_is_said() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_everslot-model"));
    let output = command.args(["explore", "nothing"]).output();
    let output = output.expect("the program starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("no scenario is called nothing"), "{error}");
}
