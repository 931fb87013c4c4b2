//! A member behind a socket, by p11-kit: the nearest thing to a networked token. Its client library dies by SIGPIPE, blocks without
//! end and never reconnects by itself.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use everslot_tests::{ECDSA, HASH, Lab, PATIENCE, SOFTHSM, ec_key, eventually, within};
use rustix::process::{Pid, Signal, kill_process_group};

/// `p11-kit server` over the lab's first token.
struct Server {
    process: Child,
}

impl Server {
    fn start(lab: &Lab, socket: &Path) -> Self {
        // A server that was killed leaves its socket behind.
        let _ = std::fs::remove_file(socket);
        let mut command = Command::new("p11-kit");
        command
            .args(["server", "-f", "-n"])
            .arg(socket)
            .args(["--provider", SOFTHSM, "pkcs11:"]);
        command
            .env("SOFTHSM2_CONF", lab.members()[0].store().config())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // A group of its own: it forks a child for each connection.
        let process = command
            .process_group(0)
            .spawn()
            .expect("p11-kit is installed; `make test` does it");
        eventually("the server listens", PATIENCE, || socket.exists());
        Self { process }
    }

    fn send(&self, signal: Signal) {
        let group = i32::try_from(self.process.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id");
        kill_process_group(group, signal).expect("the server runs");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.send(Signal::KILL);
        self.process.wait().expect("the server is ours");
    }
}

/// Puts p11-kit's client in the place of the lab's first member.
fn put_behind(lab: &Lab, socket: &Path) {
    let client = PathBuf::from(format!(
        "/usr/lib/{}-linux-gnu/pkcs11/p11-kit-client.so",
        std::env::consts::ARCH
    ));
    let member = &lab.members()[0];
    let text = std::fs::read_to_string(lab.config_path()).expect("it is there");
    let address = format!(
        "P11_KIT_SERVER_ADDRESS = \"unix:path={}\"",
        socket.display()
    );
    let direct = format!("SOFTHSM2_CONF = \"{}\"", member.store().config().display());
    let text = text.replacen(&direct, &address, 1).replacen(
        &member.module().display().to_string(),
        &client.display().to_string(),
        1,
    );
    std::fs::write(lab.config_path(), text).expect("it is writable");
}

#[test]
fn a_token_behind_a_socket_may_die_freeze_and_return() {
    let lab = Lab::softhsm();
    let socket = lab.directory().join("p11-kit.sock");
    put_behind(&lab, &socket);
    let server = Server::start(&lab, &socket);
    let session = lab.session(lab.module());
    let key = ec_key(session);
    let limit = lab.plan().deadline + Duration::from_millis(50);
    let sign = || within(limit, || session.sign(ECDSA, key, &HASH)).expect("a member is left");
    let sign_until_lost = |times: u64| {
        eventually("the loss is seen", PATIENCE, || {
            sign();
            lab.status()[0]["losses"] == times
        });
    };
    drop(server);
    sign_until_lost(1);
    let server = Server::start(&lab, &socket);
    lab.wait_for_code(0, "CKR_OK");
    sign();
    server.send(Signal::STOP);
    sign_until_lost(2);
    server.send(Signal::CONT);
    lab.wait_for_code(0, "CKR_OK");
    sign();
    drop(server);
}
