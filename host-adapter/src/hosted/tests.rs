//! Real member hosts, with a module that the tests make up. The host program is this test program itself: see [`host_process`].

mod calls;
mod ends;
mod faults;
mod speed;
mod start;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use everslot_protocol::{Bytes, Operation, SessionHandle};
use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::module::{Isolation, LoadError};

/// Longer than anything takes that is to end well.
const AMPLE: Duration = Duration::from_secs(20);

/// The answer to a request that the made-up module only executes.
const DONE: Reply = Reply {
    rv: Rv::OK,
    body: Body::Empty,
};

/// Names the made-up module to the host program.
const MODULE_VARIABLE: &str = "EVERSLOT_TEST_MODULE";

/// Names a file that the made-up module writes when it begins what [`hang`] asks, and when it is finalised.
const MARK_VARIABLE: &str = "EVERSLOT_TEST_MARK";

/// Not a test: the main of the member hosts that the tests start.
#[test]
#[ignore = "started by the tests as a process of its own"]
fn host_process() {
    let Some(module) = std::env::var_os(MODULE_VARIABLE) else {
        return; // somebody runs every ignored test
    };
    let _failed = host::run([module], |settings| match settings.path.to_str() {
        Some("/absent.so") => Err(LoadError::Open {
            path: settings.path.clone(),
            reason: "there is no such file".to_owned(),
        }),
        Some("/refusing.so") => Err(LoadError::Initialize {
            path: settings.path.clone(),
            rv: Rv(0x30),
        }),
        Some("/hanging.so") => hang_for_ever(),
        Some("/crashing.so") => std::process::abort(),
        _ => Ok(Arc::new(MadeUp(settings.clone()))),
    });
    std::process::exit(1);
}

struct MadeUp(ModuleSettings);

impl Instance for MadeUp {
    fn link(&self) -> Result<Box<dyn Link>, LinkFailure> {
        Ok(Box::new(MadeUpLink(self.0.init_string.clone())))
    }

    fn is_alive(&self) -> bool {
        true
    }

    fn stop(&self, _: Duration) {
        mark("finalised");
        if self.0.path == Path::new("/never-finalising.so") {
            hang_for_ever();
        }
    }

    fn process(&self) -> Option<u32> {
        None
    }
}

/// Puts out what it gets, from its end to its start; a digest is what it knows of its own process. Seeding hangs or crashes it.
struct MadeUpLink(Option<String>);

impl Link for MadeUpLink {
    fn call(
        &mut self,
        request: &Request<'_>,
        output: &mut [u8],
        _: Deadline,
    ) -> Result<Reply, LinkFailure> {
        let text;
        let bytes: Vec<u8> = match request {
            Request::Whole {
                operation: Operation::Digest,
                data,
                ..
            } => {
                text = facts(
                    std::str::from_utf8(data).expect("a name"),
                    self.0.as_deref(),
                );
                text.into_bytes()
            }
            Request::Whole { data, .. } => data.iter().rev().copied().collect(),
            Request::SeedRandom {
                seed: Bytes(b"crash"),
                ..
            } => std::process::abort(),
            Request::SeedRandom {
                seed: Bytes(b"hang"),
                ..
            } => {
                mark("taken");
                hang_for_ever()
            }
            Request::SeedRandom {
                seed: Bytes(b"outlive"),
                ..
            } => {
                outlive_the_application();
                return Ok(DONE);
            }
            _ => return Ok(DONE),
        };
        output[..bytes.len()].copy_from_slice(&bytes);
        Ok(Reply {
            rv: Rv::OK,
            body: Body::Written(bytes.len() as u64),
        })
    }
}

fn facts(name: &str, init_string: Option<&str>) -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    match name {
        "init string" => init_string.unwrap_or_default().to_owned(),
        "open files" => std::fs::read_dir("/proc/self/fd")
            .expect("/proc")
            .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
            .map(|path| format!("{}\n", path.display()))
            .collect(),
        "status" => read("/proc/self/status"),
        "limits" => read("/proc/self/limits"),
        "command line" => read("/proc/self/cmdline"),
        variable => std::env::var(variable).unwrap_or_default(),
    }
}

fn mark(text: &str) {
    if let Some(file) = std::env::var_os(MARK_VARIABLE) {
        std::fs::write(file, text).expect("the mark");
    }
}

/// Goes on for a while after the application has ended.
fn outlive_the_application() {
    let application = rustix::process::getppid();
    mark("taken");
    wait_until("the application has ended", || {
        rustix::process::getppid() != application
    });
    std::thread::sleep(Duration::from_millis(200));
    mark("outlived");
}

fn hang_for_ever() -> ! {
    loop {
        std::thread::park();
    }
}

/// A program that runs [`host_process`]. Another process writes it: if this one did, a test that starts a process at the same time would
/// hand it the open file, and a file that is open for writing cannot be executed.
fn host_program() -> PathBuf {
    static PROGRAM: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, program) = PROGRAM.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("everslot");
        let exe = std::env::current_exe().expect("this program");
        let name = format!(
            "{}::host_process",
            module_path!().split_once("::").expect("a crate").1
        );
        let arguments = format!("--exact {name} --ignored --nocapture --test-threads=1");
        let text = format!(
            "#!/bin/sh\n{MODULE_VARIABLE}=\"$2\" exec '{}' {arguments}\n",
            exe.display()
        );
        let script = r#"printf '%s' "$1" > "$0" && chmod +x "$0""#;
        let written = Command::new("sh")
            .arg("-c")
            .arg(script)
            .arg(&program)
            .arg(text)
            .status();
        assert!(written.is_ok_and(|status| status.success()));
        (folder, program)
    });
    program.clone()
}

fn settings(module: &str) -> ModuleSettings {
    ModuleSettings {
        path: PathBuf::from(module),
        environment: BTreeMap::new(),
        init_string: None,
        isolation: Isolation::Process,
    }
}

/// A host, and the file that its module marks.
struct Lab {
    hosted: Hosted,
    mark: tempfile::NamedTempFile,
}

impl Lab {
    fn start() -> Self {
        Self::start_with(settings("/made-up.so"))
    }

    fn start_with(mut settings: ModuleSettings) -> Self {
        let mark = tempfile::NamedTempFile::new().expect("a temporary file");
        let file = mark.path().to_str().expect("UTF-8").to_owned();
        settings.environment.insert(MARK_VARIABLE.to_owned(), file);
        let hosted = Hosted::start(&settings, &host_program(), 8, AMPLE).expect("a host");
        Self { hosted, mark }
    }

    fn link(&self) -> Box<dyn Link> {
        self.hosted.link().expect("a link")
    }

    fn mark(&self) -> String {
        std::fs::read_to_string(self.mark.path()).expect("the mark")
    }

    fn pid(&self) -> Pid {
        pid(self.hosted.process().expect("a process"))
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a running host");
    }

    /// Stops the host's process and waits until the kernel has stopped every thread of it.
    fn freeze(&self) {
        self.signal(Signal::STOP);
        let threads = format!("/proc/{}/task", self.pid().as_raw_nonzero());
        wait_until("the host stops", || {
            let mut threads = std::fs::read_dir(&threads).expect("the host's threads");
            threads.all(|thread| state(&thread.expect("a thread").path()) == Some('T'))
        });
    }
}

/// Something that must be quick on a machine that has the time: the best of three counts, since others work here too.
fn in_time(limit: Duration, run: impl Fn() -> Duration) {
    let took: Vec<_> = (0..3)
        .map(|_| run())
        .take_while(|took| *took >= limit)
        .collect();
    assert!(
        took.len() < 3,
        "it never took less than {limit:?} but {took:?}"
    );
}

fn pid(number: u32) -> Pid {
    i32::try_from(number)
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id")
}

/// Whether the process is gone, or a zombie that its parent has not looked after.
fn has_ended(pid: Pid) -> bool {
    let process = format!("/proc/{}", pid.as_raw_nonzero());
    state(Path::new(&process)).is_none_or(|state| state == 'Z')
}

/// The letter that stands for the state of a process or thread; `None` if there is none of it.
fn state(process: &Path) -> Option<char> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < AMPLE, "waited in vain until {what}");
        std::thread::yield_now();
    }
}

fn mirror<'a>(data: &'a [u8]) -> Request<'a> {
    whole(Operation::Encrypt, data)
}

fn whole(operation: Operation, data: &[u8]) -> Request<'_> {
    Request::Whole {
        session: SessionHandle(1),
        operation,
        data: Bytes(data),
        room: Some(data.len() as u64),
    }
}

fn seed(seed: &[u8]) -> Request<'_> {
    Request::SeedRandom {
        session: SessionHandle(1),
        seed: Bytes(seed),
    }
}

/// What the host's process says of itself.
fn fact(lab: &Lab, name: &str) -> String {
    let mut output = vec![0; 64 * 1024];
    let reply = lab
        .link()
        .call(
            &whole(Operation::Digest, name.as_bytes()),
            &mut output,
            Some(AMPLE),
        )
        .expect("an answer");
    output.truncate(usize::try_from(reply.written()).expect("a length"));
    String::from_utf8(output).expect("UTF-8")
}

fn failed(delivery: Delivery, cause: LinkCause) -> Result<Reply, LinkFailure> {
    Err(LinkFailure { delivery, cause })
}
