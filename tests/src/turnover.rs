//! Members that join, go, are parked and change their role while applications use them.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use cryptoki_sys::CKM_SHA256;
use serde_json::Value;

use crate::client::{Failure, Mechanism, Session};
use crate::{
    ECDSA, HASH, Lab, Member, PATIENCE, Plan, ec_key, ec_public_key, eventually, softhsm::checked,
};

/// What is done to a member, in this order.
const CHANGES: [Change; 6] = [
    Change::Park,
    Change::Unpark,
    Change::Standby,
    Change::Active,
    Change::Remove,
    Change::Add,
];

/// Threads of each application.
const THREADS: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Change {
    Park,
    Unpark,
    Standby,
    Active,
    Remove,
    Add,
}

impl Change {
    /// The command's arguments for it.
    fn arguments(self, lab: &Lab, member: &Member) -> Vec<String> {
        let name = member.name();
        let words: Vec<&str> = match self {
            Self::Park => vec!["park", &name],
            Self::Unpark => vec!["unpark", &name],
            Self::Standby => vec!["role", &name, "standby"],
            Self::Active => vec!["role", &name, "active"],
            Self::Remove => vec!["remove", &name],
            Self::Add => {
                return vec!["member".into(), "add".into(), lab.member_argument(member)];
            }
        };
        std::iter::once("member")
            .chain(words)
            .map(str::to_owned)
            .collect()
    }

    /// Whether it shows in what an application says of its members.
    fn shows(self, name: &str, members: &[Value]) -> bool {
        let named = members.iter().find(|member| member["name"] == name);
        let is = |key: &str, value: &str| named.is_some_and(|member| member[key] == value);
        match self {
            Self::Park => is("state", "parked"),
            Self::Unpark | Self::Active | Self::Add => is("state", "active"),
            Self::Standby => is("state", "standby"),
            Self::Remove => named.is_none(),
        }
    }
}

/// What the applications saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// Calls that they made.
    pub calls: u64,
    /// What failed of them, a line each.
    pub failures: Vec<String>,
}

/// A lab for [`turnover`]: three SoftHSM members, tried again at once.
#[must_use]
pub fn lab() -> Lab {
    Lab::prepare(Plan {
        interval: Duration::from_millis(50),
        deadline: Duration::from_secs(10),
        ..Plan::default()
    })
}

/// Makes so many changes, each of which has to show in both applications before the next one is made. `worker` is the program that calls
/// [`work`]; `tell` is told of each change.
///
/// # Panics
/// A command refuses, or a change does not show in time.
pub fn turnover(lab: &Lab, worker: &Path, changes: usize, tell: impl Fn(usize, &str)) -> Seen {
    let mut applications = [
        Application::start(lab, worker),
        Application::start(lab, worker),
    ];
    lab.wait_until_all_serve_everywhere();
    for number in 0..changes {
        let change = CHANGES[number % CHANGES.len()];
        let member = &lab.members()[number / CHANGES.len() % lab.members().len()];
        let arguments = change.arguments(lab, member);
        tell(number, &arguments.join(" "));
        let mut command = Command::new(crate::Artifact::Command.path());
        checked(command.args(&arguments).envs(lab.environment()));
        eventually(&arguments.join(" "), PATIENCE * 3, || {
            let seen = lab.members_by_process();
            seen.len() == applications.len()
                && seen
                    .iter()
                    .all(|members| change.shows(&member.name(), members))
        });
        // Work goes on between two changes, too.
        applications.iter_mut().for_each(Application::wait_for_work);
    }
    let mut seen = Seen::default();
    for application in applications {
        let Seen { calls, failures } = application.end();
        seen.calls += calls;
        seen.failures.extend(failures);
    }
    seen
}

/// An application that uses the lab until it is told to end.
struct Application {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Application {
    fn start(lab: &Lab, worker: &Path) -> Self {
        let mut process = Command::new(worker)
            .arg("--work")
            .envs(lab.environment())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the worker starts");
        let mut application = Self {
            ask: process.stdin.take().expect("it is a pipe"),
            answers: BufReader::new(process.stdout.take().expect("it is a pipe")),
            process,
        };
        application.wait_for_work();
        application
    }

    /// Waits until each of its threads has done something once more.
    fn wait_for_work(&mut self) {
        writeln!(self.ask, "more").expect("the worker reads");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the worker says");
        assert_eq!(line, "done\n");
    }

    fn end(mut self) -> Seen {
        drop(self.ask);
        let mut lines = self.answers.lines().map(|line| line.expect("it is text"));
        let calls = lines.next().and_then(|line| line.parse().ok());
        let seen = Seen {
            calls: calls.expect("the worker says how many calls it made"),
            failures: lines.collect(),
        };
        assert!(self.process.wait().expect("it ends").success());
        seen
    }
}

/// Uses the module in the environment's configuration with some threads until standard input ends; answers each line of that once each thread
/// has done something more. Then it says how many calls it has made, and what failed.
///
/// # Panics
/// The module does not start.
pub fn work() {
    let module = crate::client::Module::load(&crate::Artifact::Module.path());
    module.initialize().expect("a member can serve");
    let slot = module.slot_of(Lab::LABEL);
    let session = module.open(slot).expect("a member can serve");
    session.login(crate::PIN).expect("the PIN is right");
    let stopping = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let (done, rounds) = std::sync::mpsc::sync_channel(0);
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (stopping, done) = (&stopping, done.clone());
                scope.spawn(move || {
                    let mut seen = Seen::default();
                    let session = module.open(slot).expect("a member can serve");
                    while !stopping.load(Relaxed) {
                        if let Err((what, failure)) = round(session, &mut seen.calls) {
                            seen.failures.push(format!("{what}: {failure:?}"));
                        }
                        // Told only while somebody listens.
                        let _ = done.try_send(thread);
                    }
                    seen
                })
            })
            .collect();
        for _ in io::stdin().lines() {
            let mut left: Vec<_> = (0..THREADS).collect();
            while !left.is_empty() {
                let thread = rounds.recv().expect("the threads go on");
                left.retain(|other| *other != thread);
            }
            println!("done");
        }
        stopping.store(true, Relaxed);
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|seen| seen.expect("no thread panics"))
            .collect::<Vec<_>>()
    });
    module.finalize().expect("it is initialised");
    println!("{}", seen.iter().map(|seen| seen.calls).sum::<u64>());
    for failure in seen.iter().flat_map(|seen| &seen.failures) {
        println!("{failure}");
    }
}

/// A few operations of one part and one of many.
fn round(session: Session, calls: &mut u64) -> Result<(), (&'static str, Failure)> {
    let mut counted = |calls_made: u64| *calls += calls_made;
    let (key, public) = (ec_key(session), ec_public_key(session));
    counted(6);
    for _ in 0..4 {
        let signature = session
            .sign(ECDSA, key, &HASH)
            .map_err(|failure| ("C_Sign", failure))?;
        session
            .verify(ECDSA, public, &HASH, &signature)
            .map_err(|failure| ("C_Verify", failure))?;
        counted(4);
    }
    let digest = |failure| ("C_Digest", failure);
    session
        .digest_init(Mechanism::Plain(CKM_SHA256))
        .map_err(digest)?;
    for _ in 0..8 {
        session.digest_update(&HASH).map_err(digest)?;
    }
    session.digest_final().map_err(digest)?;
    counted(10);
    Ok(())
}
