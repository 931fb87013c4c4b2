//! Clients that are processes of their own: whether they are there, and members that die while they work.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use crate::artifact::build_directory;
use crate::softhsm::Description;
use crate::{
    Artifact, HostProcess, Lab, Member, PATIENCE, PIN, RSA_LABEL, Store, checked, eventually,
};

/// Between two looks for a host that is to be killed.
const LOOK: Duration = Duration::from_millis(2);
/// Pieces of work that are done with a member lost, at least.
const PIECES: usize = 3;

/// Whether a client is installed; if not, says so in a line that a reader of the tests' output finds.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v -- \"$0\"", program])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: {program} is not installed; `tests/prerequisites test` does it");
    }
    found
}

/// Whether OpenSSL's engine for PKCS#11 is installed; if not, says so as [`is_installed`] does.
#[must_use]
pub fn engine_is_installed() -> bool {
    let engine = format!(
        "/usr/lib/{}-linux-gnu/engines-3/pkcs11.so",
        std::env::consts::ARCH
    );
    is_installed("openssl") && is_installed(&engine)
}

/// The lab's RSA key as OpenSSL's engine is told of it.
#[must_use]
pub fn rsa_uri() -> String {
    format!("pkcs11:token=lab;object={RSA_LABEL};type=private;pin-value={PIN}")
}

/// A certificate for the lab's RSA key and `localhost`, signed by the key itself through OpenSSL's engine.
///
/// # Panics
/// The engine is not there or fails.
#[must_use]
pub fn certificate(lab: &Lab) -> PathBuf {
    let path = lab.directory().join("certificate.pem");
    let mut request = Command::new("openssl");
    request.args(["req", "-new", "-x509", "-subj", "/CN=localhost"]);
    request.args(["-engine", "pkcs11", "-keyform", "engine"]);
    request.args(["-key", &rsa_uri(), "-out"]).arg(&path);
    checked(request.env("PKCS11_MODULE_PATH", Artifact::Module.path()));
    path
}

/// The Python in which python-pkcs11 is installed, if it is.
#[must_use]
pub fn python() -> PathBuf {
    build_directory().join("clients/python/bin/python")
}

/// Does a piece of work again and again while each member in turn is killed, in whichever processes have it; how often it was done.
///
/// # Panics
/// The work does, or does not get on.
pub fn work_while_members_die(lab: &Lab, work: impl Fn() + Sync) -> usize {
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let tokens = Tokens::of(lab);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            while !stop.load(SeqCst) {
                work();
                done.fetch_add(1, SeqCst);
            }
        });
        let _stop = StopAtEnd(&stop);
        let get_on = || {
            let before = done.load(SeqCst);
            eventually("the work gets on", PATIENCE, || {
                worker.is_finished() || done.load(SeqCst) >= before + PIECES
            });
        };
        for member in 0..lab.members().len() {
            get_on();
            tokens.mend();
            lab.wait_until_all_serve_everywhere();
            let killed = lab.kill_everywhere(member);
            assert!(killed > 0, "the member was served by nobody");
            get_on();
        }
    });
    done.into_inner()
}

/// Runs a client and kills a member as soon as it has been seen for so many looks. What the client printed, and whether the member was killed
/// before the client ended.
///
/// # Panics
/// The client is not there.
#[must_use]
pub fn run_while_a_member_dies(
    lab: &Lab,
    command: &mut Command,
    member: usize,
    looks: usize,
) -> (Output, bool) {
    let module = lab.members()[member].module();
    let client = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut client = client
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client is installed");
    let (mut seen, mut killed) = (0, false);
    while !killed && client.try_wait().expect("it is ours").is_none() {
        if let Some(host) = HostProcess::of_module(module) {
            seen += 1;
            if seen > looks {
                host.kill();
                killed = true;
            }
        }
        std::thread::sleep(LOOK);
    }
    (client.wait_with_output().expect("it is ours"), killed)
}

/// Runs a client that is done soon several times, and each time kills another member at another moment. It has to succeed each time.
///
/// # Panics
/// It does not, or it never had a member to lose.
pub fn succeeds_while_members_die(lab: &Lab, command: impl Fn() -> Command) {
    let mut kills = 0;
    let tokens = Tokens::of(lab);
    for round in 0..2 * lab.members().len() {
        tokens.mend();
        let member = round % lab.members().len();
        let mut command = command();
        let (output, killed) = run_while_a_member_dies(lab, &mut command, member, 10 * round);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command:?}, member {member} killed {killed}: {} {errors}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
        kills += usize::from(killed);
    }
    assert!(kills > 0, "no member was there to be killed");
}

/// The members' tokens as SoftHSM describes them, before any of it is killed in a login, in which it may lose that.
struct Tokens<'l>(Vec<(&'l Store, Description)>);

impl<'l> Tokens<'l> {
    fn of(lab: &'l Lab) -> Self {
        let stores = lab.members().iter().map(Member::store);
        Self(stores.map(|store| (store, store.description())).collect())
    }

    /// Who has been lost so is no token any more, which no recovery brings back.
    fn mend(&self) {
        let Self(tokens) = self;
        tokens
            .iter()
            .for_each(|(store, described)| store.mend(described));
    }
}

/// Has the worker end whatever becomes of the test.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
