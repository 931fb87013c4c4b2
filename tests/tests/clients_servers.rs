//! Programs that keep the module for long, worked on while each member is killed in turn.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use everslot_tests::apart::{
    certificate, engine_is_installed, is_installed, python, rsa_uri, work_while_members_die,
};
use everslot_tests::{Artifact, Lab, PATIENCE, PIN, RSA_LABEL, checked, eventually};
use rustix::process::{Pid, Signal, kill_process_group};

/// A program in the background; it and what it has started end with it.
struct Background(Child);

impl Background {
    fn start(command: &mut Command) -> Self {
        let command = command.process_group(0).stderr(Stdio::null());
        Self(command.spawn().expect("it is installed"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = kill_process_group(group.expect("a process id"), Signal::TERM);
        self.0.wait().expect("it is ours");
    }
}

fn module() -> PathBuf {
    Artifact::Module.path()
}

fn write(lab: &Lab, name: &str, text: &str) -> PathBuf {
    let path = lab.directory().join(name);
    std::fs::write(&path, text).expect("the lab's directory is writable");
    path
}

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port left");
    listener.local_addr().expect("it is bound").port()
}

fn wait_for(port: u16) {
    eventually("the server listens", PATIENCE, || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
}

/// A TLS handshake, in which the server signs with its key; the certificate has to be the one.
fn shake_hands(port: u16, certificate: &Path) {
    let mut client = Command::new("openssl");
    client.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
    client.args(["-verify_return_error", "-CAfile"]);
    checked(client.arg(certificate).stdin(Stdio::null()));
}

#[test]
fn openssl_serves_tls() {
    if !engine_is_installed() {
        return;
    }
    let lab = Lab::softhsm();
    let (certificate, port) = (certificate(&lab), free_port());
    let mut server = Command::new("openssl");
    server.args([
        "s_server", "-quiet", "-engine", "pkcs11", "-keyform", "engine",
    ]);
    server.args(["-key", &rsa_uri(), "-accept", &port.to_string(), "-cert"]);
    server
        .arg(&certificate)
        .env("PKCS11_MODULE_PATH", module())
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let _server = Background::start(&mut server);
    wait_for(port);
    work_while_members_die(&lab, || shake_hands(port, &certificate));
}

#[test]
fn nginx_serves_tls_with_two_workers() {
    if !is_installed("nginx") || !engine_is_installed() {
        return;
    }
    let lab = Lab::softhsm();
    let (certificate, port) = (certificate(&lab), free_port());
    let variables: String = lab
        .environment()
        .iter()
        .map(|(name, value)| format!("env {name}={};\n", value.display()))
        .collect();
    let (directory, module) = (lab.directory().display(), module());
    let config = format!(
        "worker_processes 2;\ndaemon off;\npid {directory}/nginx.pid;\nerror_log {directory}/nginx.log;\n\
         env PKCS11_MODULE_PATH={};\n{variables}ssl_engine pkcs11;\nevents {{}}\nhttp {{\naccess_log off;\n\
         client_body_temp_path body;\nproxy_temp_path proxy;\nfastcgi_temp_path fast;\nuwsgi_temp_path uwsgi;\nscgi_temp_path scgi;\n\
         server {{\nlisten 127.0.0.1:{port} ssl reuseport;\nssl_session_cache off;\nssl_session_tickets off;\n\
         ssl_certificate {};\nssl_certificate_key \"engine:pkcs11:{}\";\nreturn 200;\n}}\n}}\n",
        module.display(),
        certificate.display(),
        rsa_uri(),
    );
    // The workers are to read the lab's directory, which is the user's alone.
    let user = if rustix::process::getuid().is_root() {
        "user root;\n"
    } else {
        ""
    };
    let config = write(&lab, "nginx.conf", &format!("{user}{config}"));
    let mut server = Command::new("nginx");
    server.arg("-p").arg(lab.directory()).arg("-c").arg(config);
    server
        .env("PKCS11_MODULE_PATH", module)
        .stdout(Stdio::null());
    let _server = Background::start(&mut server);
    wait_for(port);
    work_while_members_die(&lab, || shake_hands(port, &certificate));
}

#[test]
fn the_agent_of_ssh_signs() {
    if !is_installed("ssh-agent") || !is_installed("ssh-add") {
        return;
    }
    let lab = Lab::softhsm();
    let socket = lab.directory().join("agent");
    let mut agent = Command::new("ssh-agent");
    agent.args(["-D", "-P", &format!("{}", module().display()), "-a"]);
    let _agent = Background::start(agent.arg(&socket).stdout(Stdio::null()));
    eventually("the agent listens", PATIENCE, || socket.exists());
    let asked = write(&lab, "ask", &format!("#!/bin/sh\necho {PIN}\n"));
    let ssh_add = || {
        let mut command = Command::new("ssh-add");
        command.env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null());
        command
    };
    checked(Command::new("chmod").arg("+x").arg(&asked));
    let mut add = ssh_add();
    add.env("SSH_ASKPASS", &asked)
        .env("SSH_ASKPASS_REQUIRE", "force");
    checked(add.arg("-s").arg(module()));
    let keys = checked(ssh_add().arg("-L")).stdout;
    let keys = String::from_utf8(keys).expect("public keys are text");
    assert_eq!(
        keys.lines().count(),
        2,
        "the EC key and the RSA key: {keys}"
    );
    let files: Vec<_> = keys
        .lines()
        .enumerate()
        .map(|(number, key)| write(&lab, &format!("{number}.pub"), &format!("{key}\n")))
        .collect();
    work_while_members_die(&lab, || {
        checked(ssh_add().arg("-T").args(&files));
    });
}

/// Signs once for each line that it reads.
const SIGNER: &str = r#"
import os, sys, pkcs11
from pkcs11 import Mechanism, ObjectClass
token = pkcs11.lib(os.environ["MODULE"]).get_token(token_label="lab")
with token.open(user_pin=os.environ["PIN"]) as session:
    private = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=os.environ["LABEL"])
    public = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=os.environ["LABEL"])
    for line in sys.stdin:
        signature = private.sign(line.encode(), mechanism=Mechanism.SHA256_RSA_PKCS)
        good = public.verify(line.encode(), signature, mechanism=Mechanism.SHA256_RSA_PKCS)
        print("good" if good else "bad", flush=True)
"#;

#[test]
fn python_signs() {
    let python = python();
    if !is_installed(&python.display().to_string()) {
        return;
    }
    let lab = Lab::softhsm();
    let mut command = Command::new(python);
    command.args(["-c", SIGNER]).env("MODULE", module());
    command.env("PIN", PIN).env("LABEL", RSA_LABEL);
    let mut signer = Background::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
    let input = signer.0.stdin.take().expect("it is a pipe");
    let output = BufReader::new(signer.0.stdout.take().expect("it is a pipe"));
    let ends: Mutex<(ChildStdin, BufReader<ChildStdout>)> = Mutex::new((input, output));
    work_while_members_die(&lab, || {
        let mut ends = ends.lock().expect("one thread works");
        writeln!(ends.0, "message").expect("it reads");
        let mut answer = String::new();
        ends.1.read_line(&mut answer).expect("it answers");
        assert_eq!(answer, "good\n");
    });
}
