//! One seed from its empty tokens to what is wrong in the end.

use std::path::Path;
use std::time::Duration;

use everslot_core::ckr;
use fastrand::Rng;

use super::application::{self, Kind};
use super::faults::Faults;
use super::ledger::{Entry, Ledger};
use crate::client::{Failure, Module, Session};
use crate::faults::judge::{Violation, Wrong};
use crate::faults::look::Members;
use crate::faults::{look, standing};
use crate::{Lab, Plan};

/// Objects at most; with so many the next one is not made, but one destroyed.
const MOST: usize = 40;

/// What came of a seed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// Steps done.
    pub steps: usize,
    /// Changes that the application was told are made.
    pub done: usize,
    /// Changes that it was refused.
    pub refused: usize,
    /// Objects that SoftHSM itself leaves half made when it is killed while it makes them, without label, id or value: nobody can tell whose they are, so
    /// they are left alone. And those that it loses when it is killed while it changes them, and that no other member had.
    pub torn: usize,
    /// What is wrong in the end.
    pub violations: Vec<Violation>,
}

impl Report {
    /// How much of it is wrong in this way.
    #[must_use]
    pub fn count(&self, wrong: Wrong) -> usize {
        let such = |violation: &&Violation| violation.wrong == wrong;
        self.violations.iter().filter(such).count()
    }

    fn told(&mut self, made: bool) {
        if made {
            self.done += 1;
        } else {
            self.refused += 1;
        }
    }
}

/// One seed on its way.
struct Run<'l> {
    lab: &'l Lab,
    module: Module,
    session: Session,
    random: Rng,
    faults: Faults<'l>,
    ledger: Ledger,
    made: usize,
    report: Report,
    is_told: bool,
    /// Where the traces go.
    traces: Option<&'l Path>,
}

/// Does so many steps on three SoftHSM tokens, has all back, synchronises and looks; each step `is_told` on standard error, or not. The process must have nothing else to do: its environment
/// and its modules are this run's. With `traces` each application's trace is put there, under the step at which it ended, and the journal, before the members are synchronised.
///
/// # Panics
/// The machine lacks room or a program, or members that are there do not come back.
#[must_use]
pub fn run(seed: u64, steps: usize, is_told: bool, traces: Option<&Path>) -> Report {
    let lab = Lab::new(Plan {
        domain: true,
        empty: true,
        // A call waits for a reconcile to open the gate.
        deadline: Duration::from_secs(10),
        interval: Duration::from_millis(50),
        trace: traces.is_some(),
        ..Plan::default()
    });
    let module = lab.module();
    let mut run = Run {
        session: lab.session(module),
        module,
        random: Rng::with_seed(seed),
        faults: Faults::new(&lab),
        ledger: Ledger::default(),
        made: 0,
        report: Report::default(),
        is_told,
        traces,
        lab: &lab,
    };
    for _ in 0..steps {
        run.step();
    }
    run.end()
}

impl Run<'_> {
    fn step(&mut self) {
        self.report.steps += 1;
        self.faults.mend();
        match self.random.u8(..100) {
            0..36 if self.ledger.living().len() < MOST => self.make(),
            0..60 => self.change("destroy", application::destroy),
            60..74 => self.change("rename", application::rename),
            74..82 => self.change("update", application::update),
            82..87 => {
                let killed = self.faults.kill_one(&mut self.random);
                self.tell(format_args!("kill m{killed}"));
            }
            87..91 => {
                let away = self.faults.take_one_away(&mut self.random);
                self.tell(format_args!("take away {away:?}"));
            }
            91..98 => {
                let back = self.faults.bring_one_back(&mut self.random);
                self.tell(format_args!("bring back {back:?}"));
            }
            _ => {
                self.tell(format_args!("begin anew"));
                self.begin_anew();
            }
        }
    }

    fn tell(&self, what: std::fmt::Arguments<'_>) {
        if self.is_told {
            eprintln!("step {}: {what}", self.report.steps);
        }
    }

    fn make(&mut self) {
        let kind = Kind::ALL[self.random.usize(..Kind::ALL.len())];
        let mark = format!("o{}", self.made);
        self.made += 1;
        let made = application::make(self.session, kind, &mark, &mut self.ledger);
        self.tell(format_args!("make {kind:?} {mark}: {made}"));
        self.report.told(made);
    }

    fn change(
        &mut self,
        what: &str,
        change: fn(Session, &mut Entry) -> Option<Result<(), Failure>>,
    ) {
        let living = self.ledger.living();
        let Some(&index) = self.random.choice(&living) else {
            return;
        };
        let entry = self.ledger.entry(index);
        let before = format!("{} {:?}", entry.mark, entry.shown());
        let class = entry.class;
        let Some(told) = change(self.session, entry) else {
            return;
        };
        self.tell(format_args!("{what} {before} of class {class}: {told:?}"));
        self.report.told(told.is_ok());
        if let Err(failure) = told
            && failure.code == ckr::OBJECT_HANDLE_INVALID
        {
            let told = Wrong::Lost.at(format!(
                "{before}, in step {}: {failure:?}",
                self.report.steps
            ));
            self.report.violations.push(told);
        }
    }

    /// The application ends well, and another one begins.
    fn begin_anew(&mut self) {
        self.faults.let_killers_end();
        self.faults.mend();
        self.module.finalize().expect("it is initialised");
        self.keep_traces();
        self.ledger.forget_handles();
        self.module.initialize().expect("a member can serve");
        self.session = self.lab.public_session(self.module);
        let login = self.session.login(self.lab.pin());
        login.expect("the PIN is right");
    }

    fn keep_traces(&self) {
        let Some(directory) = self.traces else {
            return;
        };
        let named = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            directory.join(format!("{:04}.{name}", self.report.steps))
        };
        for path in self.lab.traces().iter().chain([&self.lab.journal()]) {
            let copied = std::fs::copy(path, named(path));
            copied.expect("the directory for traces can be written");
        }
    }

    fn end(mut self) -> Report {
        self.faults.end();
        let mut seen = Vec::new();
        for index in self.ledger.living() {
            let entry = self.ledger.entry(index);
            let (mark, class) = (entry.mark.clone(), entry.class);
            seen.push((mark, class, seen_by_application(self.session, entry)));
        }
        self.module.finalize().expect("it is initialised");
        self.keep_traces();
        let sync = self.lab.everslot(&["sync"]);
        let members = self.lab.members().iter();
        let mut found: Members = members.map(|member| member.alone(look::objects)).collect();
        for objects in &mut found {
            let all = objects.len();
            objects.retain(|seen| !seen.label.is_empty());
            self.report.torn += all - objects.len();
        }
        let emptied = self
            .lab
            .members()
            .iter()
            .map(|member| member.store().emptied());
        let emptied = self.ledger.forget_emptied(emptied.sum(), &found);
        self.report.torn += emptied;
        seen.retain(|(mark, class, _)| self.ledger.has(mark, *class));
        let seen = seen.into_iter().filter_map(|(.., violation)| violation);
        self.report.violations.extend(seen);
        if !sync.status.success() {
            let words = String::from_utf8_lossy(&sync.stderr).into_owned();
            let (missing, rest): (Vec<&str>, Vec<&str>) = words
                .lines()
                .filter(|line| !line.is_empty())
                .partition(|line| line.ends_with("is on no member any more"));
            if !rest.is_empty() || missing.len() > emptied * self.lab.members().len() {
                let failed = Wrong::Answer.at(format!("everslot sync: {words}"));
                self.report.violations.push(failed);
            }
        }
        self.report.violations.extend(self.ledger.judge(&found));
        self.report.violations.extend(standing(&self.lab.journal()));
        self.report
    }
}

/// With all members back, the application has each of its objects once, and under the handle that it had.
fn seen_by_application(session: Session, entry: &Entry) -> Option<Violation> {
    let found = application::find(session, entry);
    let what = format!(
        "{} {:?} through the group: {found:?}",
        entry.mark,
        entry.shown()
    );
    match found.as_deref() {
        Ok([object]) if entry.handle.is_none_or(|handle| handle == *object) => None,
        Ok([] | [_]) | Err(_) => Some(Wrong::Lost.at(what)),
        Ok(_) => Some(Wrong::Twin.at(what)),
    }
}
